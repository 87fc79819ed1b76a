"""The product as a real user of the real cluster: hpcuser1's own server, kernel and terminal."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Person:
    """A Unix user with a private place for this test run; everything they do runs as them."""

    name: str
    home: Path
    place: Path
    url: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "JUPYTER_CONFIG_DIR": str(self.place / "config"),
            "JUPYTER_DATA_DIR": str(self.place / "share"),
            "JUPYTER_RUNTIME_DIR": str(self.place / "runtime"),
            "IPYTHONDIR": str(self.place / "ipython"),
        }

    def configure(self, **settings: Any) -> None:
        values = {
            "data_dir": str(self.place / "data"),
            "work_root": str(self.place / "jobs"),
            "template_root": str(self.place / "templates"),
            "squeue_interval": 5,
            **settings,
        }
        target = self.place / "config" / "jupyter_slurmdash_config.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps({"SlurmDash": values}))
        self.own(self.place)

    def own(self, path: Path) -> Path:
        subprocess.run(["chown", "-R", f"{self.name}:", str(path)], check=True)
        return path

    def argv(self, *argv: str) -> list[str]:
        return ["/usr/sbin/runuser", "-u", self.name, "--", *argv]

    def run(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.argv(*argv),
            env=self.environment(),
            cwd=self.place,
            text=True,
            capture_output=True,
            timeout=180,
            check=False,
            **options,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def slurmdash(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The terminal's door."""
        return self.run(str(BIN / "jupyter"), "slurmdash", *argv, check=check)

    # -- the server -----------------------------------------------------------------------------------------

    def start_server(self, port: int | None = None) -> None:
        port = port or free_port()
        with (self.place / "server.log").open("ab") as log:
            self.process = self._open_server(port, log)
        self._wait_until_up(port)

    def _open_server(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv(
                str(BIN / "jupyter"),
                "lab",
                "--no-browser",
                f"--port={port}",
                "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={self.place}",
                f"--IdentityProvider.token={self.token}",
                "--LabApp.extension_manager=readonly",
            ),
            env=self.environment(),
            cwd=self.place,
            stdout=log,
            stderr=log,
        )

    def _wait_until_up(self, port: int) -> None:
        assert self.process is not None
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                assert self.call("GET", "/api/status", root="").status == 200
                return
            except urllib.error.URLError:
                assert self.process.poll() is None, (self.place / "server.log").read_text()[-4000:]
                assert time.monotonic() < deadline, "the server did not answer within 60 s"
                time.sleep(0.1)

    def server_pid(self) -> int:
        """The server's own process id (``runuser`` is its parent)."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def stop_server(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        root: str = "/slurmdash",
    ) -> Answer:
        raw = isinstance(body, bytes)
        request = urllib.request.Request(
            self.url + root + path,
            data=body if raw or body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"token {self.token}",
                **({} if raw else {"Content-Type": "application/json"}),
                **(headers or {}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.json()

    def wait_for_job(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            job = self.get(f"/api/jobs/{job_id}")
            if job["state"] in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "UNKNOWN"):
                return dict(job)
            assert time.monotonic() < deadline, job
            time.sleep(0.5)


def make_person(name: str) -> Person:
    home = Path("/home") / name
    place = Path(tempfile.mkdtemp(prefix="slurmdash-test-", dir=home))
    person = Person(name, home, place)
    person.configure()
    return person


def leave(person: Person) -> None:
    person.stop_server()
    shutil.rmtree(person.place, ignore_errors=True)


@pytest.fixture(scope="module")
def user(cluster: dict[str, Any]) -> Iterator[Person]:
    """hpcuser1 with a server of their own, for one module."""
    person = make_person("hpcuser1")
    person.start_server()
    yield person
    leave(person)


@pytest.fixture
def cluster_command(cluster: dict[str, Any]) -> Any:
    """``dev/cluster`` with arguments, as root."""

    def run(*arguments: str) -> None:
        tool = Path(__file__).resolve().parents[2] / "dev" / "cluster"
        subprocess.run([tool, *arguments], check=True, capture_output=True, env=os.environ)

    return run
