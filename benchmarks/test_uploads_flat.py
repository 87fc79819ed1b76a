"""A server while 5 GiB come in: its memory, how soon it answers others, and what is left to do when they are there.
``SLURMDASH_UPLOAD_MIB`` sets another size.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from clients import TusServer
from plans import a_plan
from real_server import HEADERS, RealServer
from sink import Sink
from upload_sender import MIB, begin, send

from jupyter_slurmdash.jobs.stage import stage
from jupyter_slurmdash.uploads.model import JobFile

SIZE = int(os.environ.get("SLURMDASH_UPLOAD_MIB", "5120")) * MIB
HEALTH = "slurmdash/api/health"
PAUSE = 0.02  # seconds between two questions, as a busy panel asks them


class Asker:
    """Asks for ``url`` again and again until it is stopped; ``seconds`` are those of each answer."""

    def __init__(self, url: str) -> None:
        self.seconds: list[float] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        parts = urlsplit(self._url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        while not self._stop.wait(PAUSE):
            start = time.perf_counter()
            connection.request("GET", parts.path, headers=HEADERS)
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - start)
            assert answer.status == 200
        connection.close()

    def stop(self) -> list[float]:
        self._stop.set()
        self._thread.join(60)
        return sorted(self.seconds)


def beside(source: Path, directory: Path) -> float:
    """What this machine gives at best: the p99 of a bare Tornado server that has nothing to do, beside the same upload
    to a server that is not ours."""
    with Sink() as idle, TusServer(directory) as other:
        asker = Asker(idle.url)
        send(begin(other.url, SIZE), source)
        seconds = asker.stop()
    return seconds[len(seconds) * 99 // 100]


@pytest.fixture
def source() -> Iterator[Path]:
    """A hole in memory: nothing to read, so that disk and memory are the server's alone."""
    path = Path("/dev/shm") / f"slurmdash-benchmark-{os.getpid()}"
    with path.open("wb") as stream:
        stream.truncate(SIZE)
    yield path
    path.unlink()


def test_five_gib(tmp_path: Path, source: Path) -> None:
    with RealServer(tmp_path / "server") as server:
        health = urljoin(server.url, HEALTH)
        idle = Asker(health)
        for _ in range(100):  # a server that has done all this before
            begin(urljoin(server.url, server.session()["tus_url"]), 1)
        quiet = idle.stop()
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # the peak begins anew
        before = server.memory()["VmRSS"]
        session = server.session()
        asker = Asker(health)
        took = send(begin(urljoin(server.url, session["tus_url"]), SIZE), source)
        busy = asker.stop()
        grown = server.memory()["VmHWM"] - before
        start = time.perf_counter()
        done = server.post(f"slurmdash/api/v2/upload/sessions/{session['session_id']}/finalize", 200).json()
        finalized = time.perf_counter() - start
        (file,) = done["files"]
        assert (file["state"], file["size"]) == ("complete", SIZE)
        (path,) = (server.directory / "jobs").rglob("big.dat")
        staged = JobFile("big.dat", str(path), SIZE)
        (server.directory / "jobs").mkdir(exist_ok=True)
        start = time.perf_counter()
        stage(a_plan(files=(staged,)), "", {}, server.directory / "jobs" / "run")
        linked = time.perf_counter() - start
        assert (server.directory / "jobs" / "run" / "big.dat").stat().st_size == SIZE
        assert requests.get(health, headers=HEADERS, timeout=60).ok
    control = beside(source, tmp_path / "other")
    p99 = busy[len(busy) * 99 // 100]
    print(
        f"\n{SIZE // MIB} MiB in {took:.1f} s ({SIZE / took / 1e6:.0f} MB/s): memory +{grown / MIB:.1f} MiB; api/health"
        f" meanwhile {len(busy)} times, median {busy[len(busy) // 2] * 1e3:.1f}, p99 {p99 * 1e3:.1f},"
        f" worst {busy[-1] * 1e3:.1f} ms (before: median {quiet[len(quiet) // 2] * 1e3:.1f} ms; p99 of an idle Tornado"
        f" beside @tus/server: {control * 1e3:.1f} ms); finalized in"
        f" {finalized * 1e3:.1f} ms, staged in {linked * 1e3:.1f} ms"
    )
    assert grown < 32 * MIB
    assert p99 < 0.010
    assert finalized < 0.1
    assert linked < 0.02
