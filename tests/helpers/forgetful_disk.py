"""A disk that takes bytes and loses them, inside an upload server: as with delayed allocation, or on a network.

Linux tells a failed writeback to one sync of the open file, and takes the bytes for written from then on. So does this:
what was written to a file since its last sync is dirty; a sync that is ordered to fail makes zeros of all of that.
"""

from __future__ import annotations

import os
import threading
import uuid
from pathlib import Path
from typing import Any

from jupyter_slurmdash.uploads import flush

STEP = 16 * 1024  # bytes between two syncs of a file that comes in
_ORDER, _TOLD = "fail-sync", "syncs"


class Syncs:
    """The test's side, by files in the server's ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._order, self._told = directory / _ORDER, directory / _TOLD

    def order(self, after: int, number: int) -> None:
        """Of the syncs from now on, the one after ``after`` others fails with the error ``number``."""
        new = self._order.with_suffix(".new")
        new.write_text(f"{uuid.uuid4()} {after} {number}")
        os.rename(new, self._order)

    def take_back(self) -> None:
        self._order.unlink(missing_ok=True)

    def mark(self) -> int:
        """Where ``since`` begins for what is still to come."""
        return self._told.stat().st_size if self._told.exists() else 0

    def since(self, mark: int) -> list[tuple[str, int]]:
        """(file id, error number or 0) of each sync that has ended since."""
        if not self._told.exists():
            return []
        with self._told.open() as stream:
            stream.seek(mark)
            lines = [line.split() for line in stream]
        return [(file_id, int(number)) for file_id, number in lines]


class ForgetfulDisk:
    """The server's side, for files whose inode numbers are not used again (tmpfs)."""

    def __init__(self, directory: Path) -> None:
        self._order, self._told = directory / _ORDER, directory / _TOLD
        self._lock = threading.Lock()
        self._dirty: dict[int, list[tuple[int, int]]] = {}
        self._ordered, self._left = "", -1
        self._pwrite, self._copy, self._fdatasync = os.pwrite, os.copy_file_range, os.fdatasync

    def install(self) -> None:
        """In this process; with early syncs for small files too, which quick lines wait for."""
        flush.STEP = flush.LEAD = STEP
        os.pwrite, os.copy_file_range, os.fdatasync = self.pwrite, self.copy, self.fdatasync  # type: ignore[assignment]

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        return self._note(fd, offset, self._pwrite(fd, data, offset))

    def copy(self, source: int, target: int, count: int, start: int, offset: int) -> int:
        return self._note(target, offset, self._copy(source, target, count, start, offset))

    def _note(self, fd: int, offset: int, length: int) -> int:
        with self._lock:
            self._dirty.setdefault(os.fstat(fd).st_ino, []).append((offset, offset + length))
        return length

    def fdatasync(self, fd: int) -> None:
        with self._lock:
            dirty = self._dirty.pop(os.fstat(fd).st_ino, [])
            number = self._due()
            if number:
                self._lose(fd, dirty)
        if not number:
            self._fdatasync(fd)
        self._tell(fd, number)
        if number:
            raise OSError(number, os.strerror(number))

    def _due(self) -> int:
        """The error of this sync; 0 for none."""
        try:
            order, after, number = self._order.read_text().split()
        except FileNotFoundError:
            return 0
        if order != self._ordered:
            self._ordered, self._left = order, int(after)
        self._left -= 1
        return int(number) if self._left == -1 else 0

    def _lose(self, fd: int, dirty: list[tuple[int, int]]) -> None:
        size = os.fstat(fd).st_size
        for start, end in dirty:
            self._pwrite(fd, bytes(max(0, min(end, size) - start)), start)

    def _tell(self, fd: int, number: int) -> None:
        file_id = os.readlink(f"/proc/self/fd/{fd}").rpartition("/")[2].partition(".")[0]
        with self._told.open("a") as stream:
            stream.write(f"{file_id} {number}\n")
