"""The disk writes what has come while more comes, so that little is left for the sync at the end.

``fdatasync`` again and again in a thread: what is only begun (``sync_file_range``, ``posix_fadvise``) the kernel holds
back behind other work, and two thirds of a large file were still to be written at its end.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor

STEP = 16 * 1024 * 1024  # bytes that are worth a sync of their own
_THREADS = 4

_aside: ThreadPoolExecutor


def _make_threads() -> None:
    global _aside
    _aside = ThreadPoolExecutor(_THREADS, "flush")


_make_threads()
os.register_at_fork(after_in_child=_make_threads)  # threads do not come along


class Flusher:
    """Syncs of one open file, one at a time. ``safe``: so many bytes of it are on the disk for certain."""

    def __init__(self, fd: int, size: int) -> None:
        self.safe = size
        self._fd = fd
        self._begun = size
        self._under_way: Future[None] | None = None

    def grown(self, size: int) -> None:
        """The file has ``size`` bytes now. Never waits."""
        if size - self._begun < STEP or (self._under_way is not None and not self._under_way.done()):
            return
        if self._under_way is not None and self._under_way.exception() is not None:
            return  # sync() and settle() tell it; the kernel tells each failure once
        self.safe, self._begun = self._begun, size
        # A descriptor of its own: the file may be closed before the thread comes to it.
        self._under_way = _aside.submit(_sync, os.dup(self._fd))

    def shrunk(self, size: int) -> None:
        self.safe, self._begun = min(self.safe, size), min(self._begun, size)

    def settle(self) -> None:
        """Wait for what is under way. Raises OSError when the disk did not take what it had been given."""
        if self._under_way is not None:
            self._under_way.result()
            self.safe = self._begun

    def sync(self, size: int) -> None:
        """Return when all ``size`` bytes are on the disk. Raises OSError, and so does ``settle`` then."""
        self.settle()
        self._under_way = Future()
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._under_way.set_exception(error)
            raise
        self._under_way.set_result(None)
        self.safe = self._begun = size


def _sync(fd: int) -> None:
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)
