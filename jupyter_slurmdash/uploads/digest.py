"""SHA-256 beside the writing: with a second processor core, digesting costs no time."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from ..errors import Conflict

_READ = 1024 * 1024
_SMALL = 64 * 1024  # bytes that are digested sooner than handed over
AHEAD = 8  # pieces that may wait for their turn; they are in memory, and must not be changed meanwhile

_aside: ThreadPoolExecutor


def _make_thread() -> None:
    # One for all: it is what keeps the pieces of a file in order, and as quick as a core can be.
    global _aside
    _aside = ThreadPoolExecutor(1, "digest")


_make_thread()
os.register_at_fork(after_in_child=_make_thread)  # a thread does not come along


class Digest:
    """SHA-256 of a file that comes in pieces. What it did not see (before a restart) it reads from the
    disk.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._seen = 0
        self._waiting: deque[Future[None]] = deque()

    @property
    def is_behind(self) -> bool:
        """Whether pieces that were handed over may still be read: at most ``AHEAD``, the last ones."""
        return bool(self._waiting)

    def update(self, data: bytes | memoryview, offset: int) -> None:
        """``data`` stands at ``offset``; left for later when something before it has not been seen."""
        if offset != self._seen:
            return
        self._seen += len(data)
        if len(data) <= _SMALL and not self._waiting:
            self._hash.update(data)
            return
        self._waiting.append(_aside.submit(self._hash.update, data))
        self._settle(AHEAD)

    def _settle(self, left: int = 0) -> None:
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def copy(self) -> Digest:
        self._settle()
        other = Digest()
        other._hash, other._seen = self._hash.copy(), self._seen
        return other

    def hexdigest(self, fd: int, size: int) -> str:
        """The digest of the first ``size`` bytes, reading what is missing of them from ``fd``."""
        if self._seen > size:
            self._settle()
            self._hash, self._seen = hashlib.sha256(), 0
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
