"""A Jupyter server with the whole product, in a process of its own: ``python real_server.py DIRECTORY [--no-sync]``.

It prints its address when it is ready. ``--no-sync`` leaves out what ``@tus/server`` does not do either: waiting for
the disk before the last answer (bytes and directories), and having it write early because of that.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from stopping import Stopping

TOKEN = "benchmark-token"
HEADERS = {"Authorization": f"token {TOKEN}"}
TUS = {**HEADERS, "Tus-Resumable": "1.0.0"}


class UploadApi:
    """The sessions of the server at ``url``, which ends with a slash."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, expected: int, **options: object) -> requests.Response:
        answer = requests.post(self.url + path, headers=HEADERS, timeout=600, **options)  # type: ignore[arg-type]
        assert answer.status_code == expected, answer.text
        return answer

    def session(self) -> dict[str, str]:
        return dict(self.post("slurmdash/api/v2/upload/sessions", 201).json())

    def files(self, session: dict[str, str]) -> list[dict[str, object]]:
        path = f"slurmdash/api/v2/upload/sessions/{session['session_id']}"
        return list(requests.get(self.url + path, headers=HEADERS, timeout=600).json()["files"])

    def delete(self, session: dict[str, str]) -> None:
        path = f"slurmdash/api/v2/upload/sessions/{session['session_id']}"
        assert requests.delete(self.url + path, headers=HEADERS, timeout=600).status_code == 204


class RealServer(Stopping, UploadApi):
    """The process."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, __file__, str(directory), *options]
        with (directory / "log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        super().__init__(self.process.stdout.readline().strip())
        assert self.url, (directory / "log").read_text()[-2000:]

    def memory(self) -> dict[str, int]:
        """``VmRSS`` and its peak ``VmHWM``, bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        lines = (line.split() for line in text.splitlines() if line.startswith(("VmRSS", "VmHWM")))
        return {name.rstrip(":"): int(number) * 1024 for name, number, _ in lines}

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--no-sync", action="store_true")
    options = parser.parse_args()

    from jupyter_server.serverapp import ServerApp
    from settings import private_values
    from tornado import ioloop
    from traitlets.config import Config
    from upload_server import free_port

    if options.no_sync:
        from unsynced import leave_out_syncs

        leave_out_syncs()
    os.environ["JUPYTER_TOKEN"] = TOKEN
    tempfile.tempdir = str(options.directory)  # Jupyter leaves an empty folder of settings behind
    server = {
        "jpserver_extensions": {"jupyter_slurmdash": True},
        "port": free_port(),
        "port_retries": 0,
        "ip": "127.0.0.1",
        "open_browser": False,
        "allow_root": True,
        "root_dir": str(options.directory),
        "log_level": 30,
    }
    values = {**private_values(options.directory), "max_upload_size": 0}
    app = ServerApp(config=Config({"ServerApp": server, "SlurmDash": values}))
    app.initialize(argv=[], find_extensions=False)
    address = f"http://127.0.0.1:{app.port}{app.base_url}"
    ioloop.IOLoop.current().add_callback(lambda: print(address, flush=True))
    app.start()


if __name__ == "__main__":
    os.environ.setdefault("JUPYTER_NO_CONFIG", "1")
    main()
