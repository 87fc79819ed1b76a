"""The disk writes what has come while more comes, so that little is left for the sync at the end.

``fdatasync`` again and again in a thread: what is only begun (``sync_file_range``, ``posix_fadvise``) the kernel holds
back behind other work, and two thirds of a large file were still to be written at its end.

What is on the disk leaves the kernel's memory: who reads it next is a job, on another node mostly, and a user whose
memory is limited pays for what stays. Pages that are used again and again are also quicker than 2 GiB of others.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from .afterfork import anew_after_fork

STEP = 16 * 1024 * 1024  # bytes that are worth a sync of their own
# Bytes that may come in while the disk is busy with those before them. Without a bound a quick line fills the memory
# with what the disk has yet to take, and its sync at the end keeps the machine from everything else for as long.
LEAD = 32 * 1024 * 1024
_THREADS = 4

_aside = anew_after_fork(lambda: ThreadPoolExecutor(_THREADS, "flush"))


@dataclass
class Synced:
    """How many bytes of a file, from its beginning, are on the disk for certain; 0 while nobody has asked the disk.

    It outlives the descriptors of the file: what one request wrote may be what the sync of a later one loses.
    """

    size: int = 0


class Flusher:
    """Syncs of one open file of ``size`` bytes, one at a time. ``synced`` is kept up to date."""

    def __init__(self, fd: int, size: int, synced: Synced) -> None:
        self._fd = fd
        self._synced = synced
        synced.size = self._begun = min(synced.size, size)
        self._under_way: Future[None] | None = None

    def grown(self, size: int) -> None:
        """The file has ``size`` bytes now. Never waits. Raises OSError when the disk did not take what it had been
        given before.
        """
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self.settle()
        if size - self._begun < STEP:
            return
        try:
            # Whoever closes the file settles first.
            self._under_way = _aside().submit(_put_away, self._fd, self._synced.size, size)
        except RuntimeError:
            return  # no thread can be started: all is left for the last sync
        self._begun = size

    def keep_up(self, size: int) -> None:
        """Wait while more than ``LEAD`` of the ``size`` bytes there are now are yet to be given to the disk. Beside
        the loop; what the disk did not take, ``grown`` tells.
        """
        under_way = self._under_way
        if under_way is not None and size - self._begun > LEAD:
            wait([under_way])

    def shrunk(self, size: int) -> None:
        self._synced.size, self._begun = min(self._synced.size, size), min(self._begun, size)

    def settle(self) -> None:
        """Wait for what is under way. Raises OSError when the disk did not take what it had been given; the kernel
        tells it once, this does again and again.
        """
        if self._under_way is not None:
            self._under_way.result()
            self._synced.size = self._begun

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
        self._synced.size = self._begun = size


def _put_away(fd: int, start: int, end: int) -> None:
    os.fdatasync(fd)
    with suppress(OSError):  # it is no more than advice
        os.posix_fadvise(fd, start, end - start, os.POSIX_FADV_DONTNEED)
