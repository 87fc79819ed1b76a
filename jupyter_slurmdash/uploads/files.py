"""The bytes of an upload on disk.

While it is under way they are in ``<root>/<session>/<file id>.part``, written strictly one after the
other, so the file's size is how much has arrived: nothing else has to be kept in step, and a killed
server finds it there again. The one exception are bytes whose checksum is still to be verified; while
they come, ``<file id>.mark`` holds the offset up to which all is acknowledged. A whole file is renamed to
``<root>/<session>/<file id>/<name>``. A file that comes in chunks of any order has holes; see ``journal.py``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import Conflict, NoSpace, StorageFailed
from .flush import Flusher, Synced
from .journal import Journal
from .private import write_private

_READ = 1024 * 1024
_MOVE = 16 * 1024 * 1024
# What is full, and what to do about it.
_FULL = {
    errno.ENOSPC: "The disk is full. Free some space on it",
    errno.EDQUOT: "Your quota is full. Delete files of yours, or ask for more",
    errno.EFBIG: "The file is larger than the file system or your limits allow. Split it",
}
_NO_RANGE = frozenset((errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM))
_NO_LOCKS = frozenset((errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS))


class Place:
    """Where the bytes of one file go. ``directory`` is its session's."""

    def __init__(self, directory: Path, file_id: str, name: str) -> None:
        self.directory = directory
        self.part = directory / f"{file_id}.part"
        self.mark = directory / f"{file_id}.mark"
        self.metadata = directory / f"{file_id}.meta"
        self.recipe = directory / f"{file_id}.join"
        self.journal = directory / f"{file_id}.chunks"
        # The folders of a name are made where the job is; here every file has one of its own.
        self.final = directory / file_id / name.rpartition("/")[2]

    def acknowledged(self) -> int:
        """How many bytes have arrived and count; 0 when there is nothing."""
        journal = Journal.read(self.journal)
        if journal is not None:
            return journal.received
        try:
            size = self.part.stat().st_size
        except FileNotFoundError:
            return 0
        try:
            return min(size, int(self.mark.read_text() or "0"))
        except FileNotFoundError:
            return size

    def publish(self) -> None:
        """Give the whole file its name; afterwards it is there even when the power fails."""
        self.final.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(self.part, self.final)
        self.seal()
        _sync_directory(self.final.parent)
        _sync_directory(self.directory)

    def seal(self) -> None:
        """Jobs get the file by hard links: what one of them wrote into it, the others would read."""
        self.final.chmod(0o400)

    def remove(self) -> None:
        """Remove all of it; what is not there is no error."""
        for path in (self.part, self.mark, self.metadata, self.recipe, self.journal):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.final.parent, ignore_errors=True)


class Part:
    """The open ``.part`` file. Another process that has it open makes this raise Conflict.

    ``chunked``: its bytes are those that the journal names, and were on the disk before it did; ``size`` is how many.
    """

    def __init__(self, place: Place, synced: Synced | None = None, finished: Path | None = None) -> None:
        """``synced`` is what is known of it from before, and kept up to date. ``finished`` is the whole file, which is
        only read.
        """
        place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = place
        self.synced = synced or Synced()
        self.chunked = place.journal.exists()
        self._lost = False
        if finished is not None:
            self.fd = os.open(finished, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            self.size = os.fstat(self.fd).st_size
            self._flusher = Flusher(self.fd, self.size, self.synced)
            return
        self.fd = os.open(place.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._lock()
            self.size = place.acknowledged()
            self._flusher = Flusher(self.fd, self.size, self.synced)
            if place.mark.exists():
                self.rewind(self.size)  # its checksum never came
        except BaseException:
            os.close(self.fd)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "Another program of yours writes this file. Wait until it is done, or end it."
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:  # a file system without locks
                raise

    def append(self, data: bytes | memoryview) -> None:
        """Write ``data`` at the end. Raises NoSpace or StorageFailed, for bytes that came before too, with ``size``
        grown by what did fit.
        """
        view = memoryview(data)
        with full_disk():
            while view:
                written = os.pwrite(self.fd, view, self.size)
                self.size += written
                view = view[written:]
            self._flusher.grown(self.size)

    def keep_up(self) -> None:
        """Wait while the disk is far behind."""
        self._flusher.keep_up(self.size)

    def append_from(self, source: int, start: int, length: int) -> None:
        """Write ``length`` bytes of the descriptor ``source`` at the end: inside the kernel, and without any copy
        where the file system can share blocks. Raises NoSpace, Conflict when ``source`` is shorter.
        """
        while length:
            with full_disk():
                moved = _move(source, start, self.fd, self.size, length)
            if not moved:
                raise Conflict(
                    "A part of the upload has become shorter on the disk. Delete it and send it again."
                )
            self.size += moved
            start, length = start + moved, length - moved

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        """Write ``data`` at ``offset``; ``size`` stays. Raises NoSpace."""
        view = memoryview(data)
        while view:
            with full_disk():
                written = os.pwrite(self.fd, view, offset)
            offset += written
            view = view[written:]

    def mark(self) -> None:
        """From here on, bytes do not count until ``unmark``."""
        temporary = self._place.mark.with_suffix(".mark~")
        write_private(temporary, str(self.size).encode())
        os.rename(temporary, self._place.mark)

    def unmark(self) -> None:
        self._place.mark.unlink(missing_ok=True)

    def rewind(self, size: int) -> None:
        """Forget what lies behind ``size``."""
        os.ftruncate(self.fd, size)
        self.size = size
        self._flusher.shrunk(size)
        self.unmark()

    def cut(self) -> None:
        """Let the file end where its bytes do. Raises Conflict when the disk has fewer of them."""
        there = os.fstat(self.fd).st_size
        if there < self.size:
            raise Conflict("The uploaded file has become shorter on the disk. Delete it and send it again.")
        if there > self.size:
            os.ftruncate(self.fd, self.size)  # of a chunk that was broken off

    def sync(self) -> None:
        """Return when the bytes are on the disk."""
        self._flusher.sync(self.size)

    def settle(self) -> None:
        """Wait for the sync that is under way, and begin none. Raises OSError when the disk is known not to have taken
        what came; ``close`` forgets that then.
        """
        try:
            self._flusher.settle()
            _close_another(self.fd)
        except OSError:
            self._lost = True  # a network tells it once
            raise

    def close(self) -> None:
        """What the disk did not take after all is forgotten: whoever goes on sends it again. Chunks that count stay."""
        try:
            with suppress(OSError):
                self.settle()
            if self._lost and not self.chunked:
                self.rewind(self.synced.size)
        finally:
            with full_disk():
                os.close(self.fd)


def _close_another(fd: int) -> None:
    """A network's file system tells at the close of a descriptor what it did not take, and after the last one nothing
    could be taken back. Raises OSError.
    """
    try:
        other = os.dup(fd)
    except OSError:
        return  # too many are open: then the last one tells it
    os.close(other)


@contextmanager
def full_disk() -> Iterator[None]:
    """A full disk or quota as NoSpace, one that fails as StorageFailed: around a block, or on a function as
    ``@full_disk()``.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"{_FULL[error.errno]}, then go on; what the disk has taken is kept.") from error
        if error.errno != errno.EIO:
            raise
        raise StorageFailed(
            f"The disk failed: {error.strerror}. Go on later; if it stays so, tell your administrator."
        ) from error


def _move(source: int, start: int, target: int, offset: int, length: int) -> int:
    try:
        return os.copy_file_range(source, target, min(length, _MOVE), start, offset)
    except OSError as error:
        if error.errno not in _NO_RANGE:
            raise
        return os.pwrite(target, os.pread(source, min(length, _READ), start), offset)


def free_space(path: Path) -> int:
    """Bytes that this user may still write to the file system of ``path``."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a file system that cannot
            raise
    finally:
        os.close(descriptor)
