"""Uploads: our tus PATCH against the contents API as JupyterLab's file browser uses it, on one server."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from upload_server import HEADERS, TUS, Server

MIB = 1024 * 1024
SIZE = 512 * MIB
# What both sides send again and again; random, so that nothing on the way can make it smaller.
PIECE = os.urandom(16 * MIB)
# JupyterLab's CHUNK_SIZE.
CHUNK = MIB


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    made.stop()


def connect(server: Server) -> http.client.HTTPConnection:
    parts = urlsplit(server.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)


def by_tus(server: Server, connection: http.client.HTTPConnection, sha256: str) -> None:
    """One PATCH for all; the last answer comes when the data is on the disk and its SHA-256 is known."""
    session = server.session()
    name = base64.b64encode(b"big.dat").decode()
    headers = {**TUS, "Upload-Length": str(SIZE), "Upload-Metadata": f"filename {name}"}
    connection.request("POST", session["tus_url"], headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201
    pieces = (PIECE for _ in range(SIZE // len(PIECE)))
    body = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    connection.request("PATCH", answer.headers["Location"], pieces, {**body, "Content-Length": str(SIZE)})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 204
    [file] = server.call("GET", f"/sessions/{session['session_id']}").json()["files"]
    assert (file["size"], file["sha256"]) == (SIZE, sha256)


def by_contents(server: Server, connection: http.client.HTTPConnection) -> None:
    """As JupyterLab: a PUT of JSON with base64 for every MiB, the last with the number -1."""
    path = urlsplit(server.url).path + "api/contents/big.dat"
    count = SIZE // CHUNK
    for number in range(1, count + 1):
        start = (number - 1) * CHUNK % len(PIECE)
        content = base64.b64encode(PIECE[start : start + CHUNK]).decode()
        model = {"name": "big.dat", "path": "big.dat", "type": "file", "format": "base64"}
        body = json.dumps({**model, "content": content, "chunk": -1 if number == count else number})
        connection.request("PUT", path, body, {**HEADERS, "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 201), answer.status


def test_512_mib(server: Server) -> None:
    connection = connect(server)
    whole = hashlib.sha256()
    for _ in range(SIZE // len(PIECE)):
        whole.update(PIECE)
    speeds = []
    for _ in range(3):
        start = time.perf_counter()
        by_tus(server, connection, whole.hexdigest())
        speeds.append(SIZE / (time.perf_counter() - start) / 1e6)
    start = time.perf_counter()
    by_contents(server, connection)
    theirs = SIZE / (time.perf_counter() - start) / 1e6
    connection.close()
    ours = max(speeds)
    print(
        f"\nupload of 512 MiB: contents API {theirs:.0f} MB/s, tus with SHA-256 {ours:.0f} MB/s:"
        f" {ours / theirs:.1f} times as fast"
    )
    assert ours / theirs >= 4
