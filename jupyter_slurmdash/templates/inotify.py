"""What Linux tells of changed directories (inotify(7)), by the C library's own calls: three of them, no dependency.

Only a hint: file systems on the network say nothing of what other machines change, and a queue may overflow. Whoever
waits here must look at the disk by itself now and then.
"""

from __future__ import annotations

import ctypes
import os
import select
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

# From <sys/inotify.h>.
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x8, 0x40, 0x80
_CREATE, _DELETE, _ATTRIB = 0x100, 0x200, 0x4
_ONLYDIR, _DONT_FOLLOW = 0x01000000, 0x02000000
_MASK: Final = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ATTRIB | _ONLYDIR | _DONT_FOLLOW
_BUFFER: Final = 64 * 1024


class Waiter:
    """Sleeps until a watched directory changes, time is up, or ``wake`` is called. Not thread safe but for ``wake``.

    With ``hints`` off, or where the system has none to give, it only sleeps.
    """

    def __init__(self, hints: bool = True) -> None:
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._libc = ctypes.CDLL(None, use_errno=True)
        start = getattr(self._libc, "inotify_init1", None) if hints else None
        self._inotify: int = start(os.O_NONBLOCK | os.O_CLOEXEC) if start is not None else -1
        self._poll = select.poll()
        for handle in (self._wake_out, self._inotify):
            if handle >= 0:
                self._poll.register(handle, select.POLLIN)

    def watch(self, folders: Iterable[str]) -> None:
        """Watch these directories too; one that is watched already, or cannot be, is no matter."""
        if self._inotify >= 0:
            for folder in folders:
                self._libc.inotify_add_watch(self._inotify, os.fsencode(folder), _MASK)

    def wait(self, seconds: float) -> bool:
        """Whether something was told before time was up; what is told is forgotten then."""
        told = [handle for handle, _ in self._poll.poll(seconds * 1000)]
        for handle in told:
            try:
                while os.read(handle, _BUFFER):
                    pass
            except BlockingIOError:
                pass
        return bool(told)

    def wake(self) -> None:
        with suppress(BlockingIOError):  # it was woken so often that it cannot sleep on
            os.write(self._wake_in, b"x")

    def close(self) -> None:
        for handle in (self._wake_out, self._wake_in, self._inotify):
            if handle >= 0:
                os.close(handle)
