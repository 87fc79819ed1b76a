"""SHA-256 beside the writing: with a second processor core, digesting costs no time. Where that core is a sender's, who
is waited for anyway, it is quicker to digest what was just read than to wake somebody up for it.
"""

from __future__ import annotations

import hashlib
import os
import threading
from queue import SimpleQueue

from ..errors import Conflict
from .afterfork import anew_after_fork
from .standback import stand_back

_READ = 1024 * 1024
_SMALL = 64 * 1024  # bytes that are digested sooner than handed over
AHEAD = 8  # pieces that may wait for their turn; they are in memory, and must not be changed meanwhile


new_digest = hashlib.sha256


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
        if self._thread is not None or self._started():
            self._todo.put((digest, data, done))
        else:
            digest.update(data)
            done.put(None)

    def _started(self) -> bool:
        """Whether there is a thread; at a limit of processes none can be started, until some have ended."""
        with self._start:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="digest", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread  # not before it runs: who sees it leaves pieces to it
        return True

    def _run(self) -> None:
        stand_back()
        while True:
            digest, data, done = self._todo.get()
            digest.update(data)
            done.put(None)


_aside = anew_after_fork(_Aside)


class Digest:
    """SHA-256 of a file that comes in pieces, ``seen`` bytes from its beginning so far. What it did not see (before a
    restart) it reads from the disk.
    """

    def __init__(self) -> None:
        self._hash = new_digest()
        self.seen = 0
        self._done: SimpleQueue[None] = SimpleQueue()
        self._behind = 0

    @property
    def is_behind(self) -> bool:
        """Whether pieces that were handed over may still be read: at most ``AHEAD``, the last ones."""
        return self._behind > 0

    def update(self, data: bytes | memoryview, offset: int, *, here: bool = False) -> None:
        """``data`` stands at ``offset``; left for later when something before it has not been seen. ``here``: in this
        thread, if nothing before it is still being digested in the other.
        """
        if offset != self.seen:
            return
        self._settle(self._behind)
        if (here or len(data) <= _SMALL) and not self._behind:
            self._hash.update(data)
            self.seen += len(data)
            return
        _aside().update(self._hash, data, self._done)
        # Not before: a piece that was never handed over would be waited for without an end.
        self.seen += len(data)
        self._behind += 1
        self._settle(AHEAD)

    def _settle(self, left: int = 0) -> None:
        while self._behind > left or (self._behind and not self._done.empty()):
            self._done.get()
            self._behind -= 1

    def copy(self) -> Digest:
        self._settle()
        other = Digest()
        other._hash, other.seen = self._hash.copy(), self.seen
        return other

    def hexdigest(self, fd: int, size: int) -> str:
        """The digest of the first ``size`` bytes, reading what is missing of them from ``fd``."""
        if self.seen > size:
            self._settle()
            self._hash, self.seen = new_digest(), 0
        self.catch_up(fd, size)
        self._settle()
        return self._hash.hexdigest()

    def catch_up(self, fd: int, size: int) -> None:
        """See all of the first ``size`` bytes of ``fd``. Raises Conflict when it has fewer."""
        while self.seen < size:
            data = os.pread(fd, min(_READ, size - self.seen), self.seen)
            if not data:
                raise Conflict(
                    "The uploaded file has become shorter on the disk. Delete it and send it again."
                )
            self.update(data, self.seen)
