"""The plan's chunks over HTTP, by hand and by curl."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from upload_server import HEADERS, Server

from jupyter_slurmdash.handlers.contract import contract

MIB = 1024 * 1024
NAME = "한글 mesh.dat"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server", "--chunk-size", str(MIB))
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def headers(index: int, total: int, name: str = NAME, **more: str) -> dict[str, str]:
    about = {"X-Chunk-Index": str(index), "X-Total-Chunks": str(total), "X-File-Name": quote(name)}
    return {**HEADERS, "Content-Type": "application/octet-stream", **about, "X-File-Type": "data", **more}


def test_out_of_order_in_parallel_through_a_killed_server(server: Server) -> None:
    data = os.urandom(16 * MIB + 5)
    total = 17
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/chunks"

    def send(index: int) -> Any:
        body = data[index * MIB : (index + 1) * MIB]
        return requests.post(url, headers=headers(index, total), data=body, timeout=60)

    order = random.Random(5).sample(range(total), total)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, order[:8]))
    assert [answer.status_code for answer in answers] == [200] * 8
    schema = contract().schema({"$ref": "#/components/schemas/ChunkReceipt"})
    assert schema.errors(answers[0].json()) == []
    server.kill()
    server.start()
    (file,) = server.call("GET", f"/sessions/{session}").json()["files"]
    assert (file["name"], file["type"]) == (NAME, "data")
    assert file["offset"] == sum(len(data[index * MIB : (index + 1) * MIB]) for index in order[:8])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, order[6:]))
    done = server.call("POST", f"/sessions/{session}/finalize").json()
    assert done["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()
    assert done["total_size"] == len(data)


def test_curl(server: Server, tmp_path: Path) -> None:
    data = os.urandom(MIB + 7)
    session = server.session()["session_id"]
    for index in (1, 0):
        path = tmp_path / str(index)
        path.write_bytes(data[index * MIB : (index + 1) * MIB])
        options = [f"-H{name}: {text}" for name, text in headers(index, 2, "c.dat").items()]
        command = ["curl", "-sSf", "--data-binary", f"@{path}", *options]
        subprocess.run([*command, f"{server.api}/sessions/{session}/chunks"], check=True, capture_output=True)
    (file,) = server.call("POST", f"/sessions/{session}/finalize").json()["files"]
    assert file["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"X-Chunk-Index": "-1"}, 400),
        ({"X-Chunk-Index": "two"}, 400),
        ({"X-Chunk-Index": "2"}, 400),
        ({"X-Total-Chunks": "0"}, 400),
        ({"X-File-Name": "..%2f..%2fetc%2fpasswd"}, 400),
        ({"X-File-Name": ""}, 400),
        ({"X-File-Name": "%ff%fe"}, 400),
        ({"X-File-Type": "virus"}, 400),
        ({"Upload-Checksum": "md5 YQ=="}, 400),
        ({"Upload-Checksum": "sha1 YQ=="}, 460),
    ],
)
def test_what_is_refused(server: Server, wrong: dict[str, str], status: int) -> None:
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/chunks"
    answer = requests.post(url, headers=headers(1, 2, **wrong), data=b"x", timeout=60)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].startswith("slurmdash:")
    seen = server.call("GET", f"/sessions/{session}").json()["files"]
    assert all(file["offset"] == 0 for file in seen)
