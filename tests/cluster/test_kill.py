"""``kill -9`` of the user's server in the middle of an upload; restarted, resumed, and every byte is right."""

from __future__ import annotations

import base64
import os
import signal
import time
from pathlib import Path
from typing import Any

from upload_kill import sha256_of, upload_through_kills

SIZE = 1024**3


class Restartable:
    """The user's own server, which dies by SIGKILL and comes back on the same port."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.port = int(user.url.rsplit(":", 1)[1])

    def kill(self) -> None:
        os.kill(self.user.server_pid(), signal.SIGKILL)
        self.user.process.wait(30)

    def start(self) -> None:
        self.user.start_server(self.port)


def test_a_gigabyte_survives_kill_9(user: Any, tmp_path: Path) -> None:
    source = tmp_path / "big.bin"
    with source.open("wb") as file:
        for _ in range(SIZE // 2**20):
            file.write(os.urandom(2**20))
    session = user.call("POST", "/api/v2/upload/sessions", {}).json()
    made = user.call(
        "POST",
        session["tus_url"],
        b"",
        {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(SIZE),
            "Upload-Metadata": "filename " + base64.b64encode(b"big.bin").decode(),
        },
        root="",
    )
    assert made.status == 201, made.body
    location = made.headers["Location"]
    url = location if "://" in location else user.url + location
    place = user.place / "jobs" / ".uploads" / session["session_id"]

    def landed() -> int:
        return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())

    begin = time.monotonic()
    points = [SIZE // 5, SIZE // 2, 4 * SIZE // 5]
    offsets = upload_through_kills(
        Restartable(user), url, source, {"Authorization": f"token {user.token}"}, landed, points
    )
    seconds = time.monotonic() - begin
    file = user.get(f"/api/v2/upload/sessions/{session['session_id']}")["files"][0]
    assert (file["state"], file["size"], file["sha256"]) == ("complete", SIZE, sha256_of(source))
    stored = next(path for path in place.rglob("big.bin"))
    assert sha256_of(stored) == file["sha256"]
    print(f"1 GiB, killed at {offsets}, resumed: SHA-256 equal, {seconds:.0f} s in all")
