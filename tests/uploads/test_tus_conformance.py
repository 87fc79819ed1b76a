"""All of tus 1.0.0 and its extensions, against the real server, by the script that runs against any server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from upload_server import HEADERS, Server


def test_every_must_and_should(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", "--max-size", "50000000")
    script = Path(__file__).with_name("tus_conformance.py")
    try:
        url = server.url.rstrip("/") + server.session()["tus_url"]
        sign_in = f"Authorization: {HEADERS['Authorization']}"
        done = subprocess.run(
            [sys.executable, script, url, sign_in], capture_output=True, text=True, timeout=120, check=False
        )
    finally:
        server.stop()
    print("\n" + done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split(" of ")[-2].split()[-1]) >= 60
    assert "Traceback" not in server.log.read_text()
