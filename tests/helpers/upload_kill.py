"""An upload through a server that is killed in the middle of it, again and again."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import requests
from tusclient.client import TusClient

_PIECE = 1024 * 1024


class Killable(Protocol):
    def kill(self) -> None: ...
    def start(self) -> None: ...


def upload_through_kills(
    server: Killable,
    url: str,
    source: Path,
    headers: Mapping[str, str],
    landed: Callable[[], int],
    points: Sequence[int],
) -> list[int]:
    """Send ``source`` to the tus upload at ``url``; kill the server when ``landed()`` bytes pass each of
    ``points``.

    After each kill the client asks for the offset and goes on from there; tuspy sends the last stretch.
    Answers with the offsets that the restarted servers acknowledged. ``headers`` are those for signing
    in.
    """
    acknowledged = []
    for point in points:
        sender = threading.Thread(target=_send, args=(url, source, headers, _offset(url, headers)))
        sender.start()
        deadline = time.monotonic() + 120
        while landed() < point:
            assert time.monotonic() < deadline, "the bytes did not arrive"
        server.kill()
        on_disk = landed()
        sender.join()
        server.start()
        acknowledged.append(_offset(url, headers))
        assert acknowledged[-1] <= on_disk
    client = TusClient(url.rpartition("/")[0], headers=dict(headers))
    with source.open("rb") as stream:
        client.uploader(file_stream=stream, url=url, chunk_size=8 * _PIECE).upload()
    return acknowledged


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _offset(url: str, headers: Mapping[str, str]) -> int:
    answer = requests.head(url, headers={**headers, "Tus-Resumable": "1.0.0"}, timeout=60)
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["Upload-Offset"])


def _send(url: str, source: Path, headers: Mapping[str, str], offset: int) -> None:
    """Send the rest in one request, until it ends or the server dies."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    length = source.stat().st_size - offset
    try:
        with source.open("rb") as stream:
            stream.seek(offset)
            about = {"Upload-Offset": str(offset), "Content-Length": str(length), "Tus-Resumable": "1.0.0"}
            kind = {"Content-Type": "application/offset+octet-stream"}
            connection.request("PATCH", parts.path, stream, {**headers, **about, **kind})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass  # killed
    finally:
        connection.close()
