"""The main job in one command: JupyterLab with the panel, or (``--headless``) a job from a template over HTTP.

On Slurm where ``sbatch`` and a controller answer, else on the embedded scheduler.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

SCRIPT = """\
import math, os, random, time

points = 200_000
random.seed(1)
print(f"job {os.environ['SLURM_JOB_ID']} on {os.uname().nodename}: pi from {points} random points", flush=True)
for step in range(1, 4):
    inside = sum(math.hypot(random.random(), random.random()) < 1 for _ in range(points))
    print(f"step {step}: {4 * inside / points:.4f}", flush=True)
    time.sleep(0.3)
with open("pi.txt", "w") as result:
    result.write(f"{4 * inside / points}\\n")
"""


def slurm_answers() -> bool:
    try:
        done = subprocess.run(["scontrol", "ping"], capture_output=True, timeout=10, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"UP" in done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_command(port: int, home: Path, *, browser: bool) -> list[str]:
    return [
        str(Path(sys.executable).parent / "jupyter-lab"),
        "--allow-root",
        f"--port={port}",
        f"--ServerApp.root_dir={home}",
        f"--SlurmDash.scheduler={'slurm' if slurm_answers() else 'local'}",
        *([] if browser else ["--no-browser"]),
    ]


def environment(token: str) -> dict[str, str]:
    """The token goes in here, since everybody on this machine can read a command line."""
    return {**os.environ, "JUPYTER_TOKEN": token}


class Door:
    """The HTTP door, with nothing but the standard library."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[dict[str, str], Any]:
        raw = isinstance(body, bytes)
        data = body if raw or body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data=data,
            method=method,
            headers={
                "Authorization": f"token {self.token}",
                **({} if raw else {"Content-Type": "application/json"}),
                **(headers or {}),
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return dict(answer.headers), json.loads(text) if is_json and text else text

    def wait_until_up(self, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SystemExit("JupyterLab did not start; its messages are above.")
            try:
                self.call("GET", "/slurmdash/api/health")
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise SystemExit(f"JupyterLab did not answer within {seconds:.0f} s.")


def upload(door: Door, session: dict[str, Any], name: str, content: bytes) -> None:
    """One file over tus 1.0.0: create, then append."""
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    tus = {"Tus-Resumable": "1.0.0"}
    path = "/" + session["tus_url"].split("/", 3)[-1] if "://" in session["tus_url"] else session["tus_url"]
    headers, _ = door.call(
        "POST", path, b"", {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    )
    location = headers["Location"]
    location = "/" + location.split("/", 3)[-1] if "://" in location else location
    door.call(
        "PATCH",
        location,
        content,
        {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
    )


def run_headless(door: Door) -> int:
    """Template, file, script, submit, watch, output."""
    _, health = door.call("GET", "/slurmdash/api/health")
    print(f"scheduler: {health['scheduler']['name']} {health['scheduler'].get('version', '')}")
    template = "python-script-v1"
    _, session = door.call("POST", "/slurmdash/api/v2/upload/sessions", {"template_id": template})
    upload(door, session, "pi.py", SCRIPT.encode())
    job = {"job_name": "demo", "template_id": template, "session_id": session["session_id"]}
    _, preview = door.call("POST", "/slurmdash/api/jobs/preview", job)
    print(f"--- script ---\n{preview['script'].rstrip()}\n--------------")
    _, record = door.call(
        "POST", "/slurmdash/api/jobs/submit", job, {"Idempotency-Key": secrets.token_hex(8)}
    )
    print(f"job {record['job_id']} submitted")
    return follow(door, record["job_id"])


def follow(door: Door, job_id: str) -> int:
    offset, state = 0, ""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        _, record = door.call("GET", f"/slurmdash/api/jobs/{job_id}")
        _, piece = door.call("GET", f"/slurmdash/api/jobs/{job_id}/log?offset={offset}")
        print(piece["text"], end="", flush=True)
        offset = piece["next_offset"]
        if record["state"] != state:
            state = record["state"]
            print(f"[{state}]", flush=True)
        if piece["complete"]:
            break
        time.sleep(0.3)
    _, files = door.call("GET", f"/slurmdash/api/jobs/{job_id}/files")
    print("files:", ", ".join(file["path"] for file in files["files"]))
    return 0 if state == "COMPLETED" else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headless", action="store_true")
    arguments = parser.parse_args()
    if not arguments.headless:
        home = Path.home()
        command = server_command(free_port(), home, browser=True)
        os.execve(command[0], command, environment(secrets.token_hex(16)))
    # On a cluster the nodes see the home directory, hardly ever this machine's /tmp.
    below = Path.home() if slurm_answers() else None
    with tempfile.TemporaryDirectory(prefix="slurmdash-demo-", dir=below) as directory:
        home = Path(directory)
        token, port = secrets.token_hex(16), free_port()
        command = server_command(port, home, browser=False)
        command += [
            f"--SlurmDash.data_dir={home / 'data'}",
            f"--SlurmDash.work_root={home / 'jobs'}",
            "--Application.log_level=WARN",
        ]
        process = subprocess.Popen(command, env=environment(token))
        try:
            door = Door(f"http://127.0.0.1:{port}", token)
            door.wait_until_up(process)
            return run_headless(door)
        finally:
            process.terminate()
            process.wait(timeout=30)


if __name__ == "__main__":
    raise SystemExit(main())
