"""SFTP version 3 for reading, with many requests under way at once.

Written from draft-ietf-secsh-filexfer-02, the version OpenSSH speaks. A library's client waits for the
answer to each open, read and close; here an operation is a generator that yields requests and is sent their
replies, so a hundred files cost about as many round trips as one, also when each is read in steps that depend on
each other. File names are bytes on the wire and need not be UTF-8.
"""

from __future__ import annotations

import stat
import struct
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from .base import FileStat, Ranges, ReadSteps

T = TypeVar("T")

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _OPENDIR, _READDIR, _REALPATH, _STAT = 3, 4, 5, 11, 12, 16, 17
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105
_EOF, _NO_SUCH_FILE, _PERMISSION_DENIED = 1, 2, 3

# Replies under way stay below the 2 MB window of a channel, so neither side waits for the other to read.
_MAX_UNDER_WAY = 1536 * 1024
# A server opens so many files at least (its own bound is that of file descriptors, 1024 as a rule).
_MAX_OPERATIONS = 128
# OpenSSH servers before 8.4 answer with at most 64 KiB, all of them with at most 256 KiB.
_MAX_READ = 32 * 1024
_MAX_PACKET = 512 * 1024


_U32 = struct.Struct(">I")
# What every packet begins with: the size of what follows it, its kind, the number of the question.
_FRAME = struct.Struct(">IBI")


class Channel(Protocol):
    """The bytes of the subsystem. ``recv`` gives b"" at the end; both raise TimeoutError."""

    def sendall(self, data: bytes, /) -> object: ...
    def recv(self, size: int, /) -> bytes: ...


class ProtocolError(Exception):
    """The other side sent something that is not SFTP."""


class Attributes(NamedTuple):
    """``size`` bytes, ``mtime`` seconds since the epoch, ``mode`` with the file type's bits."""

    size: int
    mode: int
    mtime: int


class _Request(NamedTuple):
    """``weight`` is what the reply may take, in bytes."""

    kind: int
    body: bytes
    weight: int = 1024


class _Reply(NamedTuple):
    kind: int
    body: bytes


# Requests of one step go out together, and come back together.
Steps = Generator[Sequence[_Request], Sequence[_Reply], T]


class _Operation:
    """One that is under way, and what has arrived of its step."""

    def __init__(self, index: int, steps: Steps[Any]) -> None:
        self.index = index
        self.steps = steps
        self.replies: list[_Reply | None] = []
        self.missing = 0


class SftpReader:
    """Reads directories and files over one channel. From one thread at a time; after an error it is used up.

    Raises TimeoutError, EOFError or ProtocolError when the connection is the trouble, other OSErrors when a
    file is.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._next_id = 0
        self._unheeded: set[int] = set()
        self._outbox += _FRAME.pack(5, _INIT, 3)
        kind, _, _ = self._receive()
        if kind != _VERSION:
            raise ProtocolError("The server does not speak SFTP.")

    def list_files(self, directory: str, suffix: str, depth: int, limit: int) -> list[FileStat]:
        """See ``Transport.list_files``; the directories of a level are read side by side."""
        found: list[FileStat] = []
        entered: set[bytes] = set()
        level = [directory]
        for number in range(depth):
            listings = self._run([_list_directory(path, entered, self._close) for path in level])
            if number == 0 and isinstance(listings[0], OSError):
                raise listings[0]
            entries = self._follow(
                [entry for listing in listings if not isinstance(listing, OSError) for entry in listing]
            )
            level = [path for path, facts in entries if _is_visible_directory(path, facts)]
            found += [
                FileStat(path, facts.size, facts.mtime * 1_000_000_000)
                for path, facts in entries
                if stat.S_ISREG(facts.mode) and path.endswith(suffix)
            ]
            if not level or len(found) >= limit:
                break
        return sorted(found[:limit], key=lambda file: file.path)

    def _follow(self, entries: list[tuple[str, Attributes]]) -> list[tuple[str, Attributes]]:
        """The entries with each link's attributes replaced by its target's; dangling links are left out."""
        plain = [entry for entry in entries if not stat.S_ISLNK(entry[1].mode)]
        links = [path for path, facts in entries if stat.S_ISLNK(facts.mode)]
        targets = zip(links, self._run(_stat(path) for path in links), strict=True)
        return plain + [(path, facts) for path, facts in targets if not isinstance(facts, OSError)]

    def read_ranges(self, path: str, ranges: Ranges) -> list[bytes]:
        """See ``Transport.read_ranges``."""
        return _raised(self._run([_read_in_steps(path, _only(ranges), self._close)]))[0]

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[T]]]) -> list[T | OSError]:
        """See ``Transport.read_steps``."""
        return self._run(_read_in_steps(path, steps, self._close) for path, steps in files)

    # -- the pipeline ---------------------------------------------------------------------------------------

    def _run(self, operations: Iterable[Steps[T]]) -> list[T | OSError]:
        """Drive the operations, some of them at a time, to their results (or errors of their file)."""
        waiting = (_Operation(index, steps) for index, steps in enumerate(operations))
        results: dict[int, T | OSError] = {}
        queue: deque[tuple[_Request, _Operation, int]] = deque()
        under_way: dict[int, tuple[_Operation, int, int]] = {}
        active = weight = 0
        while True:
            while active < _MAX_OPERATIONS and (fresh := next(waiting, None)) is not None:
                active += self._advance(fresh, None, queue, results)
            while queue and (not under_way or weight + queue[0][0].weight <= _MAX_UNDER_WAY):
                request, operation, place = queue.popleft()
                under_way[self._send(request)] = (operation, place, request.weight)
                weight += request.weight
            if not under_way:
                self._flush()
                return [results[index] for index in sorted(results)]
            kind, number, body = self._receive()
            if number in self._unheeded:
                self._unheeded.remove(number)
                continue
            if number not in under_way:
                raise ProtocolError("The server answered a question that was not asked.")
            operation, place, own = under_way.pop(number)
            weight -= own
            operation.replies[place] = _Reply(kind, body)
            operation.missing -= 1
            if not operation.missing:
                active -= 1 - self._advance(operation, operation.replies, queue, results)

    @staticmethod
    def _advance(
        operation: _Operation,
        replies: list[Any] | None,
        queue: deque[tuple[_Request, _Operation, int]],
        results: dict[int, Any],
    ) -> int:
        """One step further; how many operations (1 or 0) are under way with it."""
        try:
            requests = next(operation.steps) if replies is None else operation.steps.send(replies)
        except StopIteration as end:
            results[operation.index] = end.value
        except OSError as error:
            results[operation.index] = error
        except (struct.error, IndexError) as error:
            raise ProtocolError("The server sent a damaged answer.") from error
        else:
            operation.replies, operation.missing = [None] * len(requests), len(requests)
            queue.extend((request, operation, place) for place, request in enumerate(requests))
            return 1
        return 0

    def _close(self, handle: bytes) -> None:
        """Have a file or directory closed. Nobody waits for the answer: the server keeps the order of requests, and a
        file that was read has nothing to lose."""
        self._unheeded.add(self._send(_Request(_CLOSE, _string(handle))))

    def _send(self, request: _Request) -> int:
        self._next_id = (self._next_id + 1) & 0xFFFFFFFF
        self._outbox += _FRAME.pack(len(request.body) + 5, request.kind, self._next_id) + request.body
        return self._next_id

    def _receive(self) -> tuple[int, int, bytes]:
        """Kind, number of the question (or the version), and what follows."""
        self._fill(_U32.size)
        if not _FRAME.size <= 4 + _u32(self._inbox, 0) <= _MAX_PACKET:
            raise ProtocolError("The server sent a packet of an impossible size.")
        self._fill(4 + _u32(self._inbox, 0))
        size, kind, number = _FRAME.unpack_from(self._inbox)
        with memoryview(self._inbox) as inbox:
            body = bytes(inbox[_FRAME.size : 4 + size])
        del self._inbox[: 4 + size]
        return kind, number, body

    def _fill(self, size: int) -> None:
        while len(self._inbox) < size:
            self._flush()
            piece = self._channel.recv(256 * 1024)
            if not piece:
                raise EOFError("The connection was closed.")
            self._inbox += piece

    def _flush(self) -> None:
        """Requests are gathered until we must wait for an answer: one packet of SSH carries many."""
        if self._outbox:
            self._channel.sendall(bytes(self._outbox))
            self._outbox.clear()


# -- operations: generators of requests ----------------------------------------------------------------------


def _open(path: str) -> Steps[bytes]:
    [reply] = yield [_Request(_OPEN, _string(_encode(path)) + struct.pack(">II", 1, 0))]
    return _expect(reply, _HANDLE, path)


def _only(ranges: Ranges) -> ReadSteps[list[bytes]]:
    """The bytes of these ranges and no more steps."""
    return (yield ranges)


def _read_in_steps(path: str, steps: ReadSteps[T], close: Callable[[bytes], None]) -> Steps[T]:
    handle = yield from _open(path)
    try:
        ranges = next(steps)
        while True:
            pieces = yield from _read(handle, ranges)
            ranges = steps.send(pieces)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        close(handle)


class _Piece:
    """A part of a range that one request may ask for; servers may answer with less."""

    def __init__(self, offset: int, length: int) -> None:
        self.offset = offset
        self.left = length
        self.data = b""


def _read(handle: bytes, ranges: Ranges) -> Steps[list[bytes]]:
    split = [list(_pieces(offset, length)) for offset, length in ranges]
    missing = [piece for pieces in split for piece in pieces]
    name = _string(handle)
    while missing:
        replies = yield [
            _Request(_READ, name + struct.pack(">QI", piece.offset, piece.left), piece.left)
            for piece in missing
        ]
        for piece, reply in zip(missing, replies, strict=True):
            _take_in(piece, reply)
        missing = [piece for piece in missing if piece.left]
    return [b"".join(piece.data for piece in pieces) for pieces in split]


def _pieces(offset: int, length: int) -> Iterator[_Piece]:
    for start in range(offset, offset + length, _MAX_READ):
        yield _Piece(start, min(_MAX_READ, offset + length - start))


def _take_in(piece: _Piece, reply: _Reply) -> None:
    if _status(reply) == _EOF:
        piece.left = 0
        return
    data = _expect(reply, _DATA, "the file")
    if not data or len(data) > piece.left:
        raise ProtocolError("The server sent another amount of data than it was asked for.")
    piece.data += data
    piece.offset += len(data)
    piece.left -= len(data)


def _stat(path: str) -> Steps[Attributes]:
    [reply] = yield [_Request(_STAT, _string(_encode(path)))]
    if reply.kind != _ATTRS:
        raise _failure(reply, path)
    return _attributes(reply.body, 0)[0]


def _list_directory(
    path: str, entered: set[bytes], close: Callable[[bytes], None]
) -> Steps[list[tuple[str, Attributes]]]:
    """Paths and attributes, links as links; nothing when the directory was entered before."""
    name = _string(_encode(path))
    real_path, opened = yield [_Request(_REALPATH, name), _Request(_OPENDIR, name)]
    real = _names(real_path, path)[0][0]
    handle = _expect(opened, _HANDLE, path)
    entries: list[tuple[bytes, Attributes]] = []
    while real not in entered:
        [reply] = yield [_Request(_READDIR, _string(handle), _MAX_READ)]
        if _status(reply) is not None:
            entered.add(real)
            break
        entries += _names(reply, path)
    close(handle)
    folder = path.rstrip("/")
    return [(f"{folder}/{_decode(name)}", facts) for name, facts in entries if name not in (b".", b"..")]


# -- bytes ---------------------------------------------------------------------------------------------------


def _raised(results: Sequence[T | OSError]) -> list[T]:
    """The results, when none is an error."""
    good: list[T] = []
    for result in results:
        if isinstance(result, OSError):
            raise result
        good.append(result)
    return good


def _is_visible_directory(path: str, facts: Attributes) -> bool:
    return stat.S_ISDIR(facts.mode) and not path.rpartition("/")[2].startswith(".")


def _encode(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _string(data: bytes) -> bytes:
    return _U32.pack(len(data)) + data


def _u32(data: bytes | bytearray, offset: int) -> int:
    number: int = _U32.unpack_from(data, offset)[0]
    return number


def _take(data: bytes, offset: int) -> tuple[bytes, int]:
    end = offset + 4 + _u32(data, offset)
    if end > len(data):
        raise IndexError("a string ends behind its packet")
    return data[offset + 4 : end], end


def _status(reply: _Reply) -> int | None:
    return _u32(reply.body, 0) if reply.kind == _STATUS else None


def _failure(reply: _Reply, path: str) -> OSError:
    code = _status(reply)
    if code is None:
        raise ProtocolError("The server sent an answer of the wrong kind.")
    if code == _NO_SUCH_FILE:
        return FileNotFoundError(f"{path} is not there.")
    if code == _PERMISSION_DENIED:
        return PermissionError(f"{path} may not be read.")
    return OSError(f"{path} could not be read.")


def _expect(reply: _Reply, kind: int, path: str) -> bytes:
    if reply.kind != kind:
        raise _failure(reply, path)
    return _take(reply.body, 0)[0]


def _names(reply: _Reply, path: str) -> list[tuple[bytes, Attributes]]:
    if reply.kind != _NAME:
        raise _failure(reply, path)
    names: list[tuple[bytes, Attributes]] = []
    offset = 4
    for _ in range(_u32(reply.body, 0)):
        name, offset = _take(reply.body, offset)
        _, offset = _take(reply.body, offset)
        facts, offset = _attributes(reply.body, offset)
        names.append((name, facts))
    if not names:
        raise ProtocolError("The server sent an empty list of names.")
    return names


def _attributes(data: bytes, offset: int) -> tuple[Attributes, int]:
    flags = _u32(data, offset)
    offset += 4
    size = mode = mtime = 0
    if flags & 0x1:
        size = int(struct.unpack_from(">Q", data, offset)[0])
        offset += 8
    if flags & 0x2:
        offset += 8  # uid, gid
    if flags & 0x4:
        mode = _u32(data, offset)
        offset += 4
    if flags & 0x8:
        mtime = _u32(data, offset + 4)
        offset += 8
    if flags & 0x80000000:
        pairs = _u32(data, offset)
        offset += 4
        for _ in range(2 * pairs):
            _, offset = _take(data, offset)
    return Attributes(size, mode, mtime), offset
