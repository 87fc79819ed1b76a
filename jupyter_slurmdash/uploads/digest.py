"""SHA-256 beside the writing: with a second processor core, digesting costs no time."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from queue import SimpleQueue

from ..errors import Conflict

_READ = 1024 * 1024
_SMALL = 64 * 1024  # bytes that are digested sooner than handed over
AHEAD = 8  # pieces that may wait for their turn; they are in memory, and must not be changed meanwhile


new_digest = hashlib.sha256

_NICE = 5


class _Aside:
    """One thread for all: it is what keeps the pieces of a file in order, and as quick as a core can be.

    Two queues of the C library's kind: a Future for each piece costs a tenth of the digest itself.
    """

    def __init__(self) -> None:
        self._todo: SimpleQueue[tuple[hashlib._Hash, bytes | memoryview, SimpleQueue[None]]] = SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def update(self, digest: hashlib._Hash, data: bytes | memoryview, done: SimpleQueue[None]) -> None:
        """``done`` gets one None when ``digest`` has seen ``data``."""
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
                    self._thread.start()
        self._todo.put((digest, data, done))

    def _run(self) -> None:
        # Who waits for an answer comes first: on Linux a thread has a niceness of its own. A sandbox may forbid to set
        # it, and a digest that never comes would be worse than one that is in the way.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            digest, data, done = self._todo.get()
            digest.update(data)
            done.put(None)


_aside = _Aside()


def _make_anew() -> None:
    global _aside
    _aside = _Aside()


os.register_at_fork(after_in_child=_make_anew)  # a thread does not come along


class Digest:
    """SHA-256 of a file that comes in pieces. What it did not see (before a restart) it reads from the
    disk.
    """

    def __init__(self) -> None:
        self._hash = new_digest()
        self._seen = 0
        self._done: SimpleQueue[None] = SimpleQueue()
        self._behind = 0

    @property
    def is_behind(self) -> bool:
        """Whether pieces that were handed over may still be read: at most ``AHEAD``, the last ones."""
        return self._behind > 0

    def update(self, data: bytes | memoryview, offset: int) -> None:
        """``data`` stands at ``offset``; left for later when something before it has not been seen."""
        if offset != self._seen:
            return
        self._seen += len(data)
        if len(data) <= _SMALL and not self._behind:
            self._hash.update(data)
            return
        self._behind += 1
        _aside.update(self._hash, data, self._done)
        self._settle(AHEAD)

    def _settle(self, left: int = 0) -> None:
        while self._behind > left or (self._behind and not self._done.empty()):
            self._done.get()
            self._behind -= 1

    def copy(self) -> Digest:
        self._settle()
        other = Digest()
        other._hash, other._seen = self._hash.copy(), self._seen
        return other

    def hexdigest(self, fd: int, size: int) -> str:
        """The digest of the first ``size`` bytes, reading what is missing of them from ``fd``."""
        if self._seen > size:
            self._settle()
            self._hash, self._seen = new_digest(), 0
        self.catch_up(fd, size)
        self._settle()
        return self._hash.hexdigest()

    def catch_up(self, fd: int, size: int) -> None:
        """See all of the first ``size`` bytes of ``fd``. Raises Conflict when it has fewer."""
        while self._seen < size:
            data = os.pread(fd, min(_READ, size - self._seen), self._seen)
            if not data:
                raise Conflict(
                    "The uploaded file has become shorter on the disk. Delete it and send it again."
                )
            self.update(data, self._seen)
