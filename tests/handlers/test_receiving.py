"""A quick line is a thread's while it is quick, and whatever happens meanwhile ends as it does in the loop."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import http.client
import io
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from live import Live
from real_server import HEADERS, RealServer
from upload_sender import Sending, begin

from jupyter_slurmdash.errors import NoSpace
from jupyter_slurmdash.handlers import line as line_module
from jupyter_slurmdash.handlers import receiving
from jupyter_slurmdash.handlers.line import Line
from jupyter_slurmdash.handlers.receiving import Pace, Receivers, Reception
from jupyter_slurmdash.uploads import digest as digest_module
from jupyter_slurmdash.uploads import flush
from jupyter_slurmdash.uploads.digest import AHEAD, Digest
from jupyter_slurmdash.uploads.files import Part

MIB = 1024**2
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def receivers(live: Live, monkeypatch: pytest.MonkeyPatch) -> Receivers:
    """Every line that brings more than a piece is a quick one."""
    found: Receivers = live.app.web_app.settings["slurmdash_receivers"]
    monkeypatch.setattr(found, "window", 1)
    return found


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that took a line."""
    drain: Callable[..., None] = Reception._drain
    seen: list[str] = []

    def watched(self: Reception, *args: Any) -> None:
        seen.append(threading.current_thread().name)
        drain(self, *args)

    monkeypatch.setattr(Reception, "_drain", watched)
    return seen


@dataclass
class Upload:
    """One file of a session of its own."""

    live: Live
    data: bytes

    def __post_init__(self) -> None:
        session = self.live.call("POST", "/api/v2/upload/sessions", {}).json()
        headers = {**TUS, "Upload-Length": str(len(self.data)), "Upload-Metadata": "filename YS5kYXQ="}
        created = self.live.call("POST", session["tus_url"], None, headers, root="")
        assert created.status == 201, created.body
        self.session_id, self.path = session["session_id"], created.headers["Location"]

    def line(self, start: int = 0, length: int | None = None) -> socket.socket:
        """A line on which a PATCH of ``length`` bytes is announced."""
        head = (
            f"PATCH {self.path} HTTP/1.1\r\nHost: {self.live.host}\r\nTus-Resumable: 1.0.0\r\n"
            f"Authorization: token {self.live.token}\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Upload-Offset: {start}\r\nContent-Length: {len(self.data) - start if length is None else length}\r\n\r\n"
        )
        made = socket.create_connection((self.live.host, self.live.port), timeout=30)
        made.sendall(head.encode())
        return made

    def arrived(self) -> int:
        return int(self.file()["offset"])

    def file(self) -> dict[str, Any]:
        (file,) = self.live.get(f"/api/v2/upload/sessions/{self.session_id}")["files"]
        return dict(file)

    def wait_for(self, size: int) -> None:
        part = f"{self.path.rpartition('/')[2]}.part"
        root = Path(self.live.dash.settings.work_root)
        wait_until(lambda: any(path.stat().st_size >= size for path in root.rglob(part)))


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def status_of(line: socket.socket) -> int:
    answer = http.client.HTTPResponse(line)
    answer.begin()
    answer.read()
    return answer.status


def test_quick_bytes_come_by_a_thread_and_the_line_is_good_afterwards(
    live: Live, receivers: Receivers, threads: list[str]
) -> None:
    upload = Upload(live, os.urandom(6 * MIB + 1))
    with upload.line() as line:
        line.sendall(upload.data)
        assert status_of(line) == 204
        assert threads
        assert threads[0].startswith("slurmdash-receive")
        head = f"GET {live.root}/api/health HTTP/1.1\r\nHost: {live.host}\r\n"
        line.sendall(f"{head}Authorization: token {live.token}\r\n\r\n".encode())
        assert status_of(line) == 200
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


def test_a_slow_line_is_the_loops(live: Live, threads: list[str]) -> None:
    """As usual: less than what shows its pace."""
    upload = Upload(live, os.urandom(2 * MIB))
    with upload.line() as line:
        line.sendall(upload.data)
        assert status_of(line) == 204
    assert threads == []


def test_a_line_that_falls_silent_gives_its_thread_back(
    live: Live, receivers: Receivers, threads: list[str]
) -> None:
    upload = Upload(live, os.urandom(6 * MIB))
    with upload.line() as line:
        line.sendall(upload.data[: 3 * MIB])
        upload.wait_for(3 * MIB)
        wait_until(lambda: receivers._free == 4)
        assert threads
        line.sendall(upload.data[3 * MIB :])
        assert status_of(line) == 204
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


def test_a_wait_for_bytes_uses_up_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else pieces came into memory whose bytes are still to be digested."""
    monkeypatch.setattr(line_module, "QUIET", 10_000)
    monkeypatch.setattr(receiving, "_QUICK", 10)
    texts = [b"piece %d" % number for number in range(AHEAD)]
    here, there = socket.socketpair()
    there.setblocking(False)
    stream = SimpleNamespace(socket=there, closed=lambda: False)
    sink = SimpleNamespace(is_behind=True, keep_up=lambda: None)
    reception = Reception(stream, sum(map(len, texts[1:])), sink, Receivers(1))  # type: ignore[arg-type]
    reception._pace.came(1)
    came: list[memoryview] = []

    def put(piece: memoryview) -> None:
        came.append(piece)
        if len(came) < len(texts):
            threading.Timer(0.005, here.send, [texts[len(came)]]).start()

    with here, there, closing(Line(there)) as line:
        reception._drain(line, memoryview(texts[0]), put)
    assert [bytes(piece) for piece in came] == texts
    assert len(reception._pieces) == len(texts) - 1


def test_a_thread_that_read_nothing_uses_up_no_memory_either() -> None:
    """The loop reads on where it left off, though the digest is as far behind as it may be."""
    data = os.urandom((AHEAD + 2) * 200_000)
    coming = io.BytesIO(data)

    async def read_into(memory: memoryview, *, partial: bool) -> int:
        return coming.readinto(memory[:200_000])

    def take(memory: memoryview, _left: int) -> int:
        return coming.readinto(memory[:200_000]) if coming.tell() < AHEAD * 200_000 else 0

    async def receive() -> None:
        for _ in range(2):
            writer.write(await reception.piece())

    goes_on, other = threading.Event(), SimpleNamespace(update=lambda _: goes_on.wait(20))
    digest_module._aside().update(other, b"", SimpleQueue())  # type: ignore[arg-type]  # another upload's turn
    writer = Digested()
    stream = SimpleNamespace(socket=None, closed=lambda: False, read_into=read_into)
    reception = Reception(stream, len(data), writer, Receivers(2**40))  # type: ignore[arg-type]
    reception._pace.is_quick = True
    first = asyncio.run(reception.piece())
    reception._drain(SimpleNamespace(take=take, was_slower=False), first, writer.write)  # type: ignore[arg-type]
    assert writer.digest._behind == AHEAD
    threading.Timer(0.2, goes_on.set).start()
    asyncio.run(receive())
    assert writer.digest.hexdigest(-1, len(data)) == hashlib.sha256(data).hexdigest()


class Digested:
    """A sink that does nothing else."""

    has_time = False

    def __init__(self) -> None:
        self.digest = Digest()

    @property
    def is_behind(self) -> bool:
        return self.digest.is_behind

    def write(self, data: memoryview) -> None:
        self.digest.update(data, self.digest.seen, here=self.has_time)

    def keep_up(self) -> None:
        pass


def test_more_quick_lines_than_threads(live: Live, receivers: Receivers) -> None:
    uploads = [Upload(live, os.urandom(3 * MIB)) for _ in range(12)]

    def send(upload: Upload) -> int:
        with upload.line() as line:
            line.sendall(upload.data)
            return status_of(line)

    with ThreadPoolExecutor(len(uploads)) as pool:
        assert set(pool.map(send, uploads)) == {204}
    for upload in uploads:
        assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()
    assert receivers._free == 4


def test_a_quick_line_waits_for_the_disk(
    live: Live, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else does: meanwhile the server answers others."""
    monkeypatch.setattr(flush, "STEP", MIB)
    monkeypatch.setattr(flush, "LEAD", 2 * MIB)
    sync, wait, waits, goes_on = os.fdatasync, flush.wait, threading.Event(), threading.Event()

    def fdatasync(fd: int) -> None:
        assert goes_on.wait(20)
        sync(fd)

    def watched(what: Any) -> None:
        waits.set()
        wait(what)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(flush, "wait", watched)
    upload = Upload(live, os.urandom(32 * MIB))
    with upload.line() as line, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(line.sendall, upload.data)
        assert waits.wait(20)
        held = upload.arrived()
        assert 2 * MIB < held < 8 * MIB
        assert not goes_on.wait(0.2)
        assert upload.arrived() == held
        assert not sent.done()
        goes_on.set()
        assert status_of(line) == 204
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


def test_a_wait_for_the_disk_makes_no_line_slow() -> None:
    for wait, is_quick in ((lambda: None, False), (lambda: time.sleep(2 * receiving._QUICK), True)):
        pace = Pace(1)
        pace._began -= receiving._QUICK / 2 if is_quick else 2 * receiving._QUICK
        pace.excuse(wait)
        pace.came(1)
        assert pace.is_quick == is_quick


def test_what_came_before_the_line_broke_stays(live: Live, receivers: Receivers) -> None:
    upload = Upload(live, os.urandom(6 * MIB))
    with upload.line() as line:
        line.sendall(upload.data[: 4 * MIB])
    wait_until(lambda: upload.arrived() == 4 * MIB)
    with upload.line(4 * MIB) as line:
        line.sendall(upload.data[4 * MIB :])
        assert status_of(line) == 204
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


def test_a_newer_connection_takes_over_from_a_thread(live: Live, receivers: Receivers) -> None:
    upload = Upload(live, os.urandom(64 * MIB))
    stop = threading.Event()

    def send_on(line: socket.socket) -> None:
        try:
            for start in range(0, len(upload.data), MIB):
                line.sendall(upload.data[start : start + MIB])
                stop.wait(0.01)  # never silent for long, so the thread keeps it
        except OSError:
            pass  # it was ended

    with upload.line() as old, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_on, old)
        upload.wait_for(2 * MIB)
        wait_until(lambda: receivers._free < 4)
        probe = live.call("HEAD", upload.path, None, TUS, root="")
        offset = int(probe.headers["Upload-Offset"])
        with upload.line(offset) as new:
            stop.set()
            sending.result(20)
            # What the old one brought meanwhile counts, so the new one may have to ask again.
            wait_until(lambda: receivers._free == 4)
            status = status_of(new) if offset != upload.arrived() else None
        if status is not None:
            assert status == 409
            offset = upload.arrived()
        with upload.line(offset) as new:
            new.sendall(upload.data[offset:])
            assert status_of(new) == 204
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


def test_a_refusal_in_the_middle_is_heard(
    live: Live, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Part.append

    def fill_up(self: Part, data: bytes | memoryview) -> None:
        if self.size + len(data) > 2 * MIB:
            append(self, data[: 2 * MIB - self.size])
            raise NoSpace("The disk is full.")
        append(self, data)

    upload = Upload(live, os.urandom(3 * MIB))
    with monkeypatch.context() as full:
        full.setattr(Part, "append", fill_up)
        with upload.line() as line:
            line.sendall(upload.data)
            assert status_of(line) == 507
    assert upload.arrived() == 2 * MIB
    with upload.line(2 * MIB) as line:
        line.sendall(upload.data[2 * MIB :])
        assert status_of(line) == 204
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


@pytest.mark.parametrize("missing", ["thread", "descriptor"])
def test_without_a_thread_the_loop_goes_on(
    live: Live, receivers: Receivers, threads: list[str], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refuse(_socket: socket.socket) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    upload = Upload(live, os.urandom(3 * MIB))
    with monkeypatch.context() as bare:
        if missing == "thread":
            bare.setattr(receiving, "ThreadPoolExecutor", Unstartable)
        else:
            bare.setattr(socket.socket, "dup", refuse)
        with upload.line() as line:
            line.sendall(upload.data)
            assert status_of(line) == 204
    assert threads == []
    assert receivers._free == 4
    assert upload.file()["sha256"] == hashlib.sha256(upload.data).hexdigest()


class Unstartable(ThreadPoolExecutor):
    def submit(self, *_: object, **__: object) -> Any:
        raise RuntimeError("can't start new thread")


def test_a_server_that_goes_down_waits_for_no_line(tmp_path: Path) -> None:
    source = tmp_path / "endless"
    with source.open("wb") as stream:
        stream.truncate(16 * 1024 * MIB)
    with RealServer(tmp_path / "server") as server:
        url = begin(urljoin(server.url, server.session()["tus_url"]), source.stat().st_size)
        sending = Sending(url, source, {**HEADERS, **TUS}, 0)
        wait_until(lambda: any(part.stat().st_size > 64 * MIB for part in tmp_path.rglob("*.part")))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5
    sending.result()
