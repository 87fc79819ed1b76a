"""All of tus 1.0.0 and its extensions, by one script: ours, and beside it the reference server in Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clients import TusServer
from upload_server import HEADERS, Server


def test_every_must_and_should(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", "--max-size", "50000000")
    other = TusServer(tmp_path / "other")
    script = Path(__file__).with_name("tus_conformance.py")
    try:
        url = server.url.rstrip("/") + server.session()["tus_url"]
        sign_in = f"Authorization: {HEADERS['Authorization']}"
        command = [sys.executable, script, url, sign_in, "--beside", other.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        server.stop()
        other.stop()
    print("\nours, @tus/server\n" + done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    ours, theirs = map(int, done.stdout.splitlines()[-1].partition(" of ")[0].split(", "))
    assert ours >= 69
    assert 45 <= theirs < ours  # it is the real server that was asked
    assert "Traceback" not in server.log.read_text()
