"""Uploads behind a real JupyterHub, through its proxy: as quick as that lets anything through, and longer than it lets
one request last.

The sink keeps nothing; ours has every byte digested and on the disk when it answers, so no more comes through than the
disk takes. Both get their bytes by ``sendfile``: curl takes a third of a core, which in use is another machine's.
"""

from __future__ import annotations

import getpass
import hashlib
import http.client
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from clients import CLIENTS, node
from cutter import Cutter
from hub import Hub, environment_of
from real_server import TOKEN, TUS, UploadApi
from settings import private_values
from sink import Sink
from upload_sender import MIB, begin, send

ROOT = Path(__file__).resolve().parents[1]
SIZE = int(os.environ.get("SLURMDASH_UPLOAD_MIB", "2048")) * MIB
ROUNDS = 5
SLOW = 40_000_000  # bytes
RATE = 100_000  # bytes a second


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Whoever runs this is its only user."""
    place = tmp_path / "server"
    environment = environment_of(place, {**private_values(place), "max_upload_size": 0})
    made = Hub(tmp_path / "hub", {getpass.getuser(): environment}, token=TOKEN, remembered=300)
    yield made
    made.stop()


@pytest.fixture
def server(hub: Hub) -> UploadApi:
    return UploadApi(hub.start(getpass.getuser()))


def _send(url: str, source: Path) -> float:
    """All of ``source`` in one PATCH; seconds until its answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=600)
    start = time.perf_counter()
    connection.putrequest("PATCH", parts.path)
    kind = {"Content-Type": "application/offset+octet-stream", "Content-Length": str(source.stat().st_size)}
    for name, text in {**TUS, **kind, "Upload-Offset": "0"}.items():
        connection.putheader(name, text)
    connection.endheaders()
    with source.open("rb") as stream:
        connection.sock.sendfile(stream)
    answer = connection.getresponse()
    assert answer.status == 204, answer.read()
    took = time.perf_counter() - start
    connection.close()
    return took


def test_as_quick_as_the_proxy(server: UploadApi, hub: Hub) -> None:
    source = Path("/dev/shm") / f"slurmdash-benchmark-{os.getpid()}"
    piece = os.urandom(16 * MIB)
    with source.open("wb") as stream:
        for _ in range(SIZE // len(piece)):
            stream.write(piece)
    sink = Sink()
    hub.add("/sink", sink.url.rstrip("/"))
    bare_url = urljoin(hub.url, "/sink")
    ours, bare = [], []
    for _ in range(ROUNDS):
        os.sync()
        bare.append(_send(bare_url, source))
        session = server.session()
        ours.append(_send(begin(urljoin(server.url, session["tus_url"]), SIZE), source))
        (file,) = server.files(session)
        assert (file["state"], file["size"]) == ("complete", SIZE)
        server.delete(session)
    sink.stop()
    source.unlink()
    speed, limit = (SIZE / statistics.median(each) / 1e6 for each in (ours, bare))
    print(
        f"\n{SIZE // MIB} MiB through JupyterHub's proxy, median of {ROUNDS}: ours {speed:.0f} MB/s,"
        f" a bare Tornado sink {limit:.0f} MB/s: {speed / limit:.0%}"
    )
    assert speed / limit >= 0.9


def test_longer_than_one_request_may_last(server: UploadApi, tmp_path: Path) -> None:
    """40 MB at 100 KB/s are 400 s; the proxy ends a request after 300 s."""
    source = tmp_path / "slow.dat"
    source.write_bytes(os.urandom(SLOW))
    port = urlsplit(server.url).port
    assert port is not None
    lines = [Cutter(port, [], [], rate=RATE) for _ in range(2)]
    sessions = [server.session() for _ in lines]

    def in_one() -> tuple[int, int, float]:
        url = begin(urljoin(lines[0].url, sessions[0]["tus_url"]), SLOW)
        start = time.perf_counter()
        try:
            send(url, source)
            status = 204
        except subprocess.CalledProcessError as error:
            status = error.returncode
        took = time.perf_counter() - start
        kept = requests.head(urljoin(server.url, urlsplit(url).path), headers=TUS, timeout=60)
        return status, int(kept.headers["Upload-Offset"]), took

    def in_pieces() -> tuple[list[int], float]:
        clock = ROOT / "labextension" / "src" / "api" / "chunkclock.ts"
        command = [node(), str(CLIENTS / "pieces.mjs"), lines[1].url + sessions[1]["tus_url"], TOKEN]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, str(source), str(clock)], capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stderr
        return [int(size) for size in done.stdout.split()], time.perf_counter() - start

    with ThreadPoolExecutor(2) as pool:
        one, pieces = pool.submit(in_one), pool.submit(in_pieces)
    status, kept, died = one.result()
    sizes, took = pieces.result()
    for line in lines:
        line.close()
    (file,) = server.files(sessions[1])
    assert file["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    told = ", ".join(f"{size / MIB:.1f}" for size in sizes)
    print(
        f"\n40 MB at 100 KB/s through JupyterHub's proxy: one PATCH ended after {died:.0f} s with {kept / 1e6:.1f} MB"
        f" kept (curl {status}); the panel's {len(sizes)} pieces ({told} MiB) done in {took:.0f} s, SHA-256 equal"
    )
    assert status != 204
    assert kept < SLOW
