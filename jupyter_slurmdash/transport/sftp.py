"""SFTP version 3 for reading, with many requests under way at once.

Written from draft-ietf-secsh-filexfer-02, the version OpenSSH speaks. A library's client waits for the
answer to each open, read and close; here an operation is a generator that yields requests and is sent their
replies, so a hundred files cost about as many round trips as one, also when each is read in steps that depend on
each other. File names are bytes on the wire and need not be UTF-8.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from . import sftpwire as wire
from .base import FileStat, Ranges, ReadSteps
from .sftpsteps import Steps, list_directory, only, read_in_steps, stat
from .sftpwire import FRAME, Attributes, ProtocolError, Reply, Request

__all__ = ["ProtocolError", "SftpReader"]

T = TypeVar("T")

# Replies under way stay below the 2 MB window of a channel, so neither side waits for the other to read.
_MAX_UNDER_WAY = 1536 * 1024
# A server opens so many files at least (its own bound is that of file descriptors, 1024 as a rule).
_MAX_OPERATIONS = 128
_MAX_PACKET = 512 * 1024


class Channel(Protocol):
    """The bytes of the subsystem. ``recv`` gives b"" at the end; both raise TimeoutError."""

    def sendall(self, data: bytes, /) -> object: ...
    def recv(self, size: int, /) -> bytes: ...


class _Operation:
    """One that is under way, and what has arrived of its step."""

    __slots__ = ("index", "missing", "replies", "steps")

    def __init__(self, index: int, steps: Steps[Any]) -> None:
        self.index = index
        self.steps = steps
        self.replies: list[Reply | None] = []
        self.missing = 0


class SftpReader:
    """Reads directories and files over one channel. From one thread at a time; after an error it is used up.

    Raises TimeoutError, EOFError or ProtocolError when the connection is the trouble, other OSErrors when a
    file is.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox = b""
        self._at = 0  # how far it has been read
        self._outbox = bytearray()
        self._next_id = 0
        self._unheeded: set[int] = set()
        self._outbox += FRAME.pack(5, wire.INIT, 3)
        kind, _, _ = self._receive()
        if kind != wire.VERSION:
            raise ProtocolError("The server does not speak SFTP.")

    def list_files(self, directory: str, suffix: str, depth: int, limit: int) -> list[FileStat]:
        """See ``Transport.list_files``; the directories of a level are read side by side."""
        found: list[FileStat] = []
        entered: set[bytes] = set()
        level = [directory]
        for number in range(depth):
            listings = self._run([list_directory(path, entered, self._close) for path in level])
            if number == 0 and isinstance(listings[0], OSError):
                raise listings[0]
            entries = self._follow(
                [entry for listing in listings if not isinstance(listing, OSError) for entry in listing]
            )
            level = [path for path, facts in entries if _is_visible_directory(path, facts)]
            found += [
                FileStat(path, facts.size, facts.mtime * 1_000_000_000)
                for path, facts in entries
                if facts.is_file and path.endswith(suffix)
            ]
            if not level or len(found) >= limit:
                break
        return sorted(found[:limit], key=lambda file: file.path)

    def _follow(self, entries: list[tuple[str, Attributes]]) -> list[tuple[str, Attributes]]:
        """The entries with each link's attributes replaced by its target's; dangling links are left out."""
        plain = [entry for entry in entries if not entry[1].is_link]
        links = [path for path, facts in entries if facts.is_link]
        targets = zip(links, self._run(stat(path) for path in links), strict=True)
        return plain + [(path, facts) for path, facts in targets if not isinstance(facts, OSError)]

    def read_ranges(self, path: str, ranges: Ranges) -> list[bytes]:
        """See ``Transport.read_ranges``."""
        return _raised(self._run([read_in_steps(path, only(ranges), self._close)]))[0]

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[T]]]) -> list[T | OSError]:
        """See ``Transport.read_steps``."""
        return self._run(read_in_steps(path, steps, self._close) for path, steps in files)

    # -- the pipeline ---------------------------------------------------------------------------------------

    def _run(self, operations: Iterable[Steps[T]]) -> list[T | OSError]:
        """Drive the operations, some of them at a time, to their results (or errors of their file)."""
        waiting = (_Operation(index, steps) for index, steps in enumerate(operations))
        results: dict[int, T | OSError] = {}
        queue: deque[tuple[Request, _Operation, int]] = deque()
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
            operation.replies[place] = (kind, body)
            operation.missing -= 1
            if not operation.missing:
                active -= 1 - self._advance(operation, operation.replies, queue, results)

    @staticmethod
    def _advance(
        operation: _Operation,
        replies: list[Any] | None,
        queue: deque[tuple[Request, _Operation, int]],
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
            for place, request in enumerate(requests):
                queue.append((request, operation, place))
            return 1
        return 0

    def _close(self, handle: bytes) -> None:
        """Have a file or directory closed. Nobody waits for the answer: the server keeps the order of requests, and a
        file that was read has nothing to lose."""
        self._unheeded.add(self._send(Request(wire.CLOSE, wire.string(handle))))

    def _send(self, request: Request) -> int:
        self._next_id = (self._next_id + 1) & 0xFFFFFFFF
        self._outbox += FRAME.pack(len(request.body) + 5, request.kind, self._next_id) + request.body
        return self._next_id

    def _receive(self) -> tuple[int, int, bytes]:
        """Kind, number of the question (or the version), and what follows."""
        while True:
            inbox, at = self._inbox, self._at
            if len(inbox) - at >= 4:
                end = at + 4 + wire.u32(inbox, at)
                if not FRAME.size <= end - at <= _MAX_PACKET:
                    raise ProtocolError("The server sent a packet of an impossible size.")
                if end <= len(inbox):
                    self._at = end
                    _, kind, number = FRAME.unpack_from(inbox, at)
                    return kind, number, inbox[at + FRAME.size : end]
            self._flush()
            more = self._channel.recv(256 * 1024)
            if not more:
                raise EOFError("The connection was closed.")
            self._inbox, self._at = inbox[at:] + more, 0

    def _flush(self) -> None:
        """Requests are gathered until we must wait for an answer: one packet of SSH carries many."""
        if self._outbox:
            self._channel.sendall(bytes(self._outbox))
            self._outbox.clear()


def _raised(results: Sequence[T | OSError]) -> list[T]:
    """The results, when none is an error."""
    good: list[T] = []
    for result in results:
        if isinstance(result, OSError):
            raise result
        good.append(result)
    return good


def _is_visible_directory(path: str, facts: Attributes) -> bool:
    return facts.is_directory and not path.rpartition("/")[2].startswith(".")
