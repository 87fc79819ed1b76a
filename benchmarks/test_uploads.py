"""Uploads of 2 GiB by curl: ours, which digests every byte, against the reference server of tus in Node, which does
not, and against the contents API as JupyterLab's file browser uses it. ``SLURMDASH_UPLOAD_MIB`` sets another size.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from clients import TusServer
from real_server import HEADERS, RealServer
from upload_sender import MIB, begin, send

SIZE = int(os.environ.get("SLURMDASH_UPLOAD_MIB", "2048")) * MIB
ROUNDS = 5
# JupyterLab's CHUNK_SIZE.
CHUNK = MIB


@pytest.fixture
def source() -> Iterator[Path]:
    """In memory, so that the client is not what is measured."""
    path = Path("/dev/shm") / f"slurmdash-benchmark-{os.getpid()}"
    piece = os.urandom(16 * MIB)
    with path.open("wb") as stream:
        for _ in range(SIZE // len(piece)):
            stream.write(piece)
    yield path
    path.unlink()


def ours(server: RealServer, source: Path, sha256: str) -> float:
    session = server.session()
    took = send(begin(urljoin(server.url, session["tus_url"]), SIZE), source)
    (file,) = server.files(session)
    assert (file["size"], file["sha256"]) == (SIZE, sha256)
    server.delete(session)
    return took


def theirs(server: TusServer, source: Path) -> float:
    took = send(begin(server.url, SIZE), source)
    assert sum(path.stat().st_size == SIZE for path in server.directory.iterdir()) == 1
    shutil.rmtree(server.directory)
    server.directory.mkdir()
    return took


def by_contents(server: RealServer, source: Path) -> float:
    """As JupyterLab: a PUT of JSON with base64 for every MiB, the last with the number -1. An eighth of the file."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    model = {"name": "big.dat", "path": "big.dat", "type": "file", "format": "base64"}
    count = SIZE // 8 // CHUNK
    start = time.perf_counter()
    with source.open("rb") as stream:
        for number in range(1, count + 1):
            content = base64.b64encode(stream.read(CHUNK)).decode()
            body = json.dumps({**model, "content": content, "chunk": -1 if number == count else number})
            headers = {**HEADERS, "Content-Type": "application/json"}
            connection.request("PUT", parts.path + "api/contents/big.dat", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 201), answer.status
    took = time.perf_counter() - start
    connection.close()
    (server.directory / "big.dat").unlink()
    return took * 8


def test_speed(tmp_path: Path, source: Path) -> None:
    with source.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    with (
        RealServer(tmp_path / "a", "--no-sync") as unsynced,
        RealServer(tmp_path / "b") as synced,
        TusServer(tmp_path / "other") as other,
    ):
        ways: dict[str, Callable[[], float]] = {
            "@tus/server, no digest": lambda: theirs(other, source),
            "ours, SHA-256": lambda: ours(unsynced, source, sha256),
            "ours, SHA-256 and fdatasync": lambda: ours(synced, source, sha256),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                os.sync()  # what one has left to be written is not the next one's
                seconds[name].append(way())
        seconds["contents API, 1 MiB chunks"] = [by_contents(synced, source)]
    speed = {name: SIZE / statistics.median(each) / 1e6 for name, each in seconds.items()}
    reference, plain, safe, contents = speed.values()
    print(f"\nupload of {SIZE // MIB} MiB by curl, median of {ROUNDS}:")
    for name, each in speed.items():
        print(
            f"  {name:28} {each:5.0f} MB/s, {each / reference:.2f} of @tus/server, {each / contents:.1f} of the last"
        )
    assert plain / reference >= 1.2
    assert safe / reference >= 0.75
    assert safe / contents >= 8
