"""``kill -9`` in the middle of an upload loses nothing that was acknowledged. ``SLURMDASH_KILL_MIB`` sets
the size.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import requests
from upload_kill import sha256_of, upload_through_kills
from upload_server import HEADERS, TUS, Server

SIZE = int(os.environ.get("SLURMDASH_KILL_MIB", "64")) * 1024**2
KILLS = 3


def test_killed_and_resumed(tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    chance = random.Random(4)
    with source.open("wb") as stream:
        for _ in range(SIZE // 1024**2):
            stream.write(chance.randbytes(1024**2))
    server = Server(tmp_path / "server")
    try:
        session = server.session()
        headers = {"Upload-Length": str(SIZE), "Upload-Metadata": "filename c291cmNlLmJpbg=="}
        root = server.url.rstrip("/")
        created = requests.post(root + session["tus_url"], headers=TUS | headers, timeout=60)
        url = root + created.headers["Location"]
        directory = tmp_path / "server" / "uploads" / session["session_id"]
        part = directory / f"{url.rpartition('/')[2]}.part"
        points = sorted(chance.randrange(1, SIZE * 9 // 10) for _ in range(KILLS))
        offsets = upload_through_kills(
            server, url, source, HEADERS, lambda: part.stat().st_size if part.exists() else SIZE, points
        )
        assert offsets == sorted(offsets)
        assert all(offset >= point for offset, point in zip(offsets, points, strict=True))
        (file,) = server.call("GET", f"/sessions/{session['session_id']}").json()["files"]
        assert file["state"] == "complete"
        assert file["sha256"] == sha256_of(source)
        assert sha256_of(directory / file["file_id"] / "source.bin") == file["sha256"]
    finally:
        server.kill()
