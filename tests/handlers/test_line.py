"""A line as a thread reads it: little comes late, and nothing stays behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from jupyter_slurmdash.handlers import line as line_module
from jupyter_slurmdash.handlers.line import _WORTH, Line

PLENTY = 10_000  # milliseconds


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A sender and its reader."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname(), timeout=30)
        reader, _ = server.accept()
    reader.setblocking(False)
    with sender, reader:
        yield sender, reader


def least(reader: socket.socket) -> int:
    return reader.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)


def test_a_near_line_is_read_when_it_is_worth_it(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new connection's window is small, and a reader is woken up before it is full: so little is worth it here."""
    monkeypatch.setattr(line_module, "QUIET", PLENTY)
    monkeypatch.setattr(line_module, "_WORTH", 1000)
    sender, reader = ends
    memory = memoryview(bytearray(2000))
    sender.sendall(bytes(999))
    later = threading.Timer(0.1, sender.sendall, [b"the rest"])
    later.start()
    with closing(Line(reader)) as line:
        assert line.take(memory, 2000) == 999 + len(b"the rest")
        assert line.was_slower
    later.join()


def test_no_more_is_waited_for_than_a_small_buffer_can_hold(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where ``net.core.rmem_max`` is 208 KiB."""
    monkeypatch.setattr(line_module, "QUIET", PLENTY)
    monkeypatch.setattr(line_module, "_NEAR", 64 * 1024)
    sender, reader = ends
    size = 8 * _WORTH
    sending = threading.Thread(target=sender.sendall, args=[bytes(size)])
    sending.start()
    memory = memoryview(bytearray(_WORTH))
    with closing(Line(reader)) as line:
        while size:
            count = line.take(memory, size)
            assert count
            size -= count
            assert least(reader) <= 32 * 1024
    sending.join()


def test_the_last_bytes_are_not_waited_for(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "QUIET", PLENTY)
    sender, reader = ends
    sender.sendall(b"the end")
    with closing(Line(reader)) as line:
        assert line._readable.poll(PLENTY)
        assert line.take(memoryview(bytearray(_WORTH)), 7) == 7
        assert not line.was_slower


def test_little_on_a_quiet_line_is_left_to_the_loop(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "QUIET", 20)
    sender, reader = ends
    memory = memoryview(bytearray(2 * _WORTH))
    sender.sendall(b"little")
    with closing(Line(reader)) as line:
        assert line.take(memory, len(memory)) == 0
        assert least(reader) == _WORTH
    assert least(reader) == 1
    assert reader.recv(100) == b"little"


def test_a_line_that_ended_is_not_waited_for(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "QUIET", PLENTY)
    sender, reader = ends
    memory = memoryview(bytearray(2 * _WORTH))
    sender.sendall(b"less than was announced")
    sender.close()
    with closing(Line(reader)) as line:
        assert line.take(memory, len(memory)) == len(b"less than was announced")
        assert line.take(memory, len(memory)) == 0


def test_lines_of_other_kinds_are_read_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Unix socket has neither window nor measure."""
    monkeypatch.setattr(line_module, "QUIET", PLENTY)
    sender, reader = socket.socketpair()
    reader.setblocking(False)
    sender.sendall(b"little")
    with sender, reader, closing(Line(reader)) as line:
        assert line.take(memoryview(bytearray(2 * _WORTH)), 2 * _WORTH) == 6
