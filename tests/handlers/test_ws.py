"""The WebSocket: what is asked for comes, in batches, and again after a reconnect."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from live import Live
from settings import private_values
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.handlers import ws

Event = dict[str, Any]
_ENDED: WeakSet[WebSocketClientConnection] = WeakSet()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 15))


@asynccontextmanager
async def connected(live: Live, **options: Any) -> AsyncIterator[WebSocketClientConnection]:
    """A connection, and its end at the end."""
    connection = await live.websocket(**options)
    try:
        yield connection
    finally:
        connection.close()
        if connection not in _ENDED:
            await close_code(connection)


@asynccontextmanager
async def opened(live: Live, *channels: str) -> AsyncIterator[WebSocketClientConnection]:
    """A connection whose subscription has certainly arrived."""
    async with connected(live) as connection:
        await ask(connection, *channels)
        yield connection


async def ask(connection: WebSocketClientConnection, *channels: str) -> None:
    await connection.write_message(json.dumps({"subscribe": channels}))
    await handled(connection)


async def handled(connection: WebSocketClientConnection) -> None:
    """Until the server has handled what was sent. Nothing may lie unread: the client would not see the pong."""
    answered = asyncio.get_running_loop().create_future()
    connection.on_pong = lambda data: answered.done() or answered.set_result(data)  # type: ignore[method-assign]
    connection.ping()
    await answered


def told(live: Live) -> None:
    """Until the server's loop has passed on what was published."""
    done = threading.Event()
    live.loop.call_soon_threadsafe(done.set)
    assert done.wait(10)


async def batch(connection: WebSocketClientConnection) -> list[Event]:
    message = await connection.read_message()
    assert isinstance(message, str), f"closed: {connection.close_code} {connection.close_reason}"
    events = json.loads(message)
    assert isinstance(events, list)
    return events


async def collect(connection: WebSocketClientConnection, count: int) -> list[Event]:
    """The next events that the tests told; the server's first look at its images may tell its own."""
    events: list[Event] = []
    while len(events) < count:
        events += [event for event in await batch(connection) if event["type"] == "test"]
    return events


async def close_code(connection: WebSocketClientConnection) -> int | None:
    """Read until the end, which can be read once."""
    while await connection.read_message() is not None:
        pass
    _ENDED.add(connection)
    return connection.close_code


def tell(live: Live, channel: Any, number: int) -> int:
    return int(live.dash.events.publish(channel, "test", {"number": number}).id)


def test_events_of_the_channels_asked_for(live: Live) -> None:
    async def work() -> None:
        async with opened(live, "jobs", "images") as connection:
            tell(live, "uploads", 0)
            tell(live, "jobs", 1)
            tell(live, "templates", 2)
            last = tell(live, "images", 3)
            events = await collect(connection, 2)
            assert [(event["channel"], event["number"]) for event in events] == [("jobs", 1), ("images", 3)]
            assert (events[1]["event_id"], events[1]["type"]) == (last, "test")

    run(work())


def test_nothing_comes_unasked(live: Live) -> None:
    async def work() -> None:
        async with connected(live) as connection:
            await handled(connection)
            tell(live, "jobs", 1)
            told(live)
            await ask(connection, "jobs")
            tell(live, "jobs", 2)
            assert [event["number"] for event in await batch(connection)] == [2]
            await ask(connection, "uploads")
            tell(live, "jobs", 3)
            tell(live, "uploads", 4)
            assert [event["number"] for event in await batch(connection)] == [4]

    run(work())


def test_many_events_come_in_batches_and_in_order(live: Live) -> None:
    async def work() -> None:
        async with opened(live, "jobs") as connection:
            for number in range(95):
                tell(live, "jobs", number)
            events: list[Event] = []
            sizes = []
            while len(events) < 95:
                sizes.append(len(piece := await batch(connection)))
                events += piece
            assert [event["number"] for event in events] == list(range(95))
            assert len(sizes) < 95
            assert max(sizes) <= ws._BATCH_SIZE

    run(work())


def test_a_reconnect_misses_nothing(live: Live) -> None:
    first = tell(live, "jobs", 0)
    for number in range(1, 25):
        tell(live, "jobs", number)
        tell(live, "images", number)

    async def work() -> None:
        async with connected(live) as connection:
            await connection.write_message(json.dumps({"subscribe": ["jobs"], "last_event_id": first}))
            events = await collect(connection, 24)
            tell(live, "jobs", 25)
            events += await collect(connection, 1)
            assert [event["number"] for event in events] == list(range(1, 26))
            ids = [event["event_id"] for event in events]
            assert ids == sorted(set(ids))

    run(work())


def test_what_was_published_during_the_replay_comes_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: list[ws.EventsHandler] = []
    original = ws.EventsHandler.open

    def remember(self: ws.EventsHandler, *args: Any, **kwargs: Any) -> None:
        handlers.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(ws.EventsHandler, "open", remember)
    first = tell(live, "jobs", 0)

    def publish_then_ask() -> None:
        # In one turn of the server's loop: the event is known to the bus, and still on its way to the handler.
        tell(live, "jobs", 1)
        handlers[0].on_message(json.dumps({"subscribe": ["jobs"], "last_event_id": first}))
        tell(live, "jobs", 2)

    async def work() -> None:
        async with connected(live) as connection:
            await handled(connection)
            live.loop.call_soon_threadsafe(publish_then_ask)
            events = await collect(connection, 2)
            tell(live, "jobs", 3)
            events += await collect(connection, 1)
            assert [event["number"] for event in events] == [1, 2, 3]

    run(work())


@pytest.mark.parametrize("last_id", [0, 1, -5])
def test_what_is_no_longer_kept_means_reload(live: Live, last_id: int) -> None:
    async def work() -> None:
        async with connected(live) as connection:
            await connection.write_message(json.dumps({"subscribe": ["jobs"], "last_event_id": last_id}))
            assert await batch(connection) == [{"type": "reload"}]
            tell(live, "jobs", 1)
            assert [event["number"] for event in await batch(connection)] == [1]

    run(work())


def test_too_many_missed_mean_reload(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = EventBus(history=3)
    ids = [bus.publish("jobs", "x", {}).id for _ in range(5)]
    monkeypatch.setattr(live.dash, "events", bus)

    async def work() -> None:
        async with connected(live) as connection:
            await connection.write_message(json.dumps({"subscribe": ["jobs"], "last_event_id": ids[0]}))
            assert await batch(connection) == [{"type": "reload"}]

    run(work())


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "[]",
        "3",
        "null",
        "{}",
        '{"subscribe": "jobs"}',
        '{"subscribe": ["nonsense"]}',
        '{"subscribe": [["jobs"]]}',
        '{"subscribe": 1}',
        '{"subscribe": ["jobs"], "last_event_id": "x"}',
        '{"subscribe": ["jobs"], "last_event_id": 1.5}',
        "[" * 30000,
        b"\xff\xfe",
    ],
    ids=lambda message: ascii(message)[:30],
)
def test_a_message_that_makes_no_sense_ends_it(live: Live, message: str | bytes) -> None:
    async def work() -> None:
        async with connected(live) as connection:
            await connection.write_message(message, binary=isinstance(message, bytes))
            assert await close_code(connection) == 1007

    run(work())


def test_too_long_a_message_ends_it(live: Live) -> None:
    async def work() -> None:
        async with connected(live) as connection:
            await connection.write_message(" " * (ws._MAX_MESSAGE + 1))
            assert await close_code(connection) in (1006, 1009, None)

    run(work())


def test_who_does_not_read_is_cut_off(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that really reads nothing, until the kernel's buffers on both sides are full."""
    monkeypatch.setattr(ws, "_MAX_WAITING", 500)
    handlers: list[ws.EventsHandler] = []
    original = ws.EventsHandler.open

    def remember(self: ws.EventsHandler, *args: Any, **kwargs: Any) -> None:
        handlers.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(ws.EventsHandler, "open", remember)
    monkeypatch.setattr(ws.EventsHandler, "get_compression_options", lambda self: None)
    before = len(live.dash.events._listeners)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(10)
        deaf.connect((live.host, live.port))
        head = f"GET {live.root}/api/ws HTTP/1.1\r\nHost: {live.host}:{live.port}\r\n"
        head += f"Authorization: token {live.token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        deaf.sendall(head.encode())
        assert b" 101 " in deaf.recv(4096)
        message = b'{"subscribe": ["jobs"]}'
        mask = b"\0\0\0\0"  # XOR with it changes nothing
        deaf.sendall(bytes([0x81, 0x80 | len(message)]) + mask + message)
        deadline = time.monotonic() + 10
        while not (handlers and handlers[0]._channels):
            assert time.monotonic() < deadline
            told(live)
        connection: Any = handlers[0].ws_connection
        largest = told_in_all = 0
        while not handlers[0]._cut_off:
            assert told_in_all < 20_000, "never cut off"
            live.dash.events.publish("jobs", "test", {"text": "x" * 5000})
            told(live)
            told_in_all += 1
            largest = max(largest, len(connection.stream._write_buffer))
        assert told_in_all > 500
        # One batch at most lies in Tornado's buffer.
        assert largest <= (ws._BATCH_SIZE + 1) * 6000
        assert handlers[0]._waiting == []
    deadline = time.monotonic() + 10
    while len(live.dash.events._listeners) > before:
        assert time.monotonic() < deadline
        told(live)


def test_who_reads_slowly_misses_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with opened(live, "jobs") as connection:
            for number in range(2000):
                tell(live, "jobs", number)
            told(live)
            events = await collect(connection, 2000)
            assert [event["number"] for event in events] == list(range(2000))

    run(work())


def test_who_leaves_is_forgotten(live: Live) -> None:
    before = len(live.dash.events._listeners)

    async def work() -> None:
        async with opened(live, "jobs"):
            assert len(live.dash.events._listeners) == before + 1
            tell(live, "jobs", 1)

    run(work())
    deadline = time.monotonic() + 10
    while len(live.dash.events._listeners) > before:
        assert time.monotonic() < deadline
        told(live)


def test_messages_are_compressed(live: Live) -> None:
    async def work() -> None:
        request = HTTPRequest(
            f"ws://{live.host}:{live.port}{live.root}/api/ws",
            headers={"Authorization": f"token {live.token}"},
        )
        connection = await websocket_connect(request, compression_options={})
        assert "permessage-deflate" in connection.headers["Sec-WebSocket-Extensions"]
        connection.close()
        await close_code(connection)

    run(work())


def test_a_plain_request_is_refused(live: Live) -> None:
    assert live.call("GET", "/api/ws").status in (400, 426)


OTHER = """
import json, sys, time
import jupyter_slurmdash as sd
dash = sd.connect(**json.loads(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
job = dash.submit(script="true", job_name="from another process")
print(job.id, time.time(), flush=True)
dash.close()
"""


def test_a_job_of_another_process_is_told_within_two_seconds(live: Live) -> None:
    values = json.dumps(private_values(Path(live.app.root_dir)))
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, values], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    async def work() -> None:
        assert other.stdin is not None
        async with opened(live, "jobs") as connection:
            other.stdin.write("\n")
            other.stdin.flush()
            while not arrived:
                for event in await batch(connection):
                    if event["type"] == "job_update" and event["job"]["name"] == "from another process":
                        arrived.append((event["job"]["job_id"], time.time()))

    arrived: list[tuple[str, float]] = []
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    run(work())
    out, _ = other.communicate(timeout=30)
    job_id, submitted = out.split()
    assert arrived[0][0] == job_id
    assert arrived[0][1] - float(submitted) < 2
