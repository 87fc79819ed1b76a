"""What SFTP does with a path, as generators: each yields requests, is sent their replies, and returns its result."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from . import sftpwire as wire
from .base import Ranges, ReadSteps
from .sftpwire import Attributes, ProtocolError, Reply, Request

T = TypeVar("T")

# Requests of one step go out together, and come back together.
Steps = Generator[Sequence[Request], Sequence[Reply], T]

# OpenSSH servers before 8.4 answer with at most 64 KiB, all of them with at most 256 KiB.
_MAX_READ = 32 * 1024
_FOR_READING = struct.pack(">II", 1, 0)
_WHERE = struct.Struct(">QI")


def only(ranges: Ranges) -> ReadSteps[list[bytes]]:
    """The bytes of these ranges and no more steps."""
    return (yield ranges)


def read_in_steps(path: str, steps: ReadSteps[T], close: Callable[[bytes], None]) -> Steps[T]:
    """Open the file, read what ``steps`` asks for, have it closed."""
    [reply] = yield [Request(wire.OPEN, wire.string(wire.encode(path)) + _FOR_READING)]
    handle = wire.expect(reply, wire.HANDLE, path)
    name = wire.string(handle)
    try:
        ranges = next(steps)
        while True:
            ranges = steps.send((yield from _read(name, ranges)))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        close(handle)


def _read(name: bytes, ranges: Ranges) -> Steps[list[bytes]]:
    """The bytes of the ranges; shorter where the file ends."""
    if any(length > _MAX_READ for _, length in ranges):
        return (yield from _read_in_parts(name, ranges))
    asked = [(offset, length) for offset, length in ranges if length > 0]
    replies = (yield [_request(name, *each) for each in asked]) if asked else ()
    came = iter([_data(reply, length) for reply, (_, length) in zip(replies, asked, strict=True)])
    found = [next(came) if length > 0 else b"" for _, length in ranges]
    for index, (offset, length) in enumerate(ranges):
        # A server may answer with less than it was asked for, which is not the end yet.
        while 0 < len(found[index]) < length:
            at, left = offset + len(found[index]), length - len(found[index])
            [reply] = yield [_request(name, at, left)]
            more = _data(reply, left)
            if not more:
                break
            found[index] += more
    return found


def _read_in_parts(name: bytes, ranges: Ranges) -> Steps[list[bytes]]:
    parts = [
        [(at, min(_MAX_READ, offset + length - at)) for at in range(offset, offset + length, _MAX_READ)]
        for offset, length in ranges
    ]
    found = iter((yield from _read(name, [part for some in parts for part in some])))
    return [b"".join(next(found) for _ in some) for some in parts]


def _request(name: bytes, offset: int, length: int) -> Request:
    return Request(wire.READ, name + _WHERE.pack(offset, length), length)


def _data(reply: Reply, length: int) -> bytes:
    """At most ``length`` bytes; none at the end of the file."""
    kind, body = reply
    if kind != wire.DATA:
        if wire.status(reply) == wire.EOF:
            return b""
        raise wire.failure(reply, "the file")
    data, _ = wire.take(body, 0)
    if not 0 < len(data) <= length:
        raise ProtocolError("The server sent another amount of data than it was asked for.")
    return data


def stat(path: str) -> Steps[Attributes]:
    """The attributes of what the path leads to."""
    [reply] = yield [Request(wire.STAT, wire.string(wire.encode(path)))]
    if reply[0] != wire.ATTRS:
        raise wire.failure(reply, path)
    return wire.attributes(reply[1], 0)[0]


def list_directory(
    path: str, entered: set[bytes], close: Callable[[bytes], None]
) -> Steps[list[tuple[str, Attributes]]]:
    """Paths and attributes, links as links; nothing when the directory was entered before."""
    name = wire.string(wire.encode(path))
    real_path, opened = yield [Request(wire.REALPATH, name), Request(wire.OPENDIR, name)]
    real = wire.names(real_path, path)[0][0]
    handle = wire.expect(opened, wire.HANDLE, path)
    entries: list[tuple[bytes, Attributes]] = []
    while real not in entered:
        [reply] = yield [Request(wire.READDIR, wire.string(handle), _MAX_READ)]
        if wire.status(reply) is not None:
            entered.add(real)
            break
        entries += wire.names(reply, path)
    close(handle)
    folder = path.rstrip("/")
    return [(f"{folder}/{wire.decode(name)}", facts) for name, facts in entries if name not in (b".", b"..")]
