"""Files on the shelves, written so that they are always whole: a crash leaves the old one or the new one.

Every step goes through an open directory and follows no symbolic link, so nobody who may write on a shared shelf can
lead a name elsewhere. What is written is on the disk (fsync of the file and its directory) before it gets its name.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NoSpace,
    SlurmDashError,
    StorageFailed,
    TemplateNotFound,
)
from ..formats.yamlsafe import MAX_BYTES
from .init import shelf_modes
from .reader import is_id
from .shelves import user_folder

PRIVATE_FILE: Final = 0o600
PUBLIC_FILE: Final = 0o644
PRIVATE_FOLDER: Final = 0o700
PUBLIC_FOLDER: Final = 0o755
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_FORBIDDEN: Final = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
_ODD: Final = frozenset((errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO))
_NO_LINKS: Final = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))
_NO_LOCKS: Final = frozenset((errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS))
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Of shared directories, when a user makes the first; `jupyter slurmdash init` makes the same.
_MODES: Final = dict(shelf_modes())
_LOCK_FILE: Final = ".lock"
_PATIENCE: Final = 10.0  # seconds
_STALE: Final = 3600.0  # seconds


def file_name(template_id: str) -> str:
    """The name of a new template's file: the only way from an id to a name. Raises InvalidInput."""
    if not is_id(template_id):
        raise InvalidInput(
            f"{template_id[:100]!r} cannot be an id: it has 1 to 100 letters, digits, '.', '_' or '-',"
            " begins with a letter or digit, and is no word of the addresses."
        )
    return f"{template_id}.yaml"


@contextmanager
def failures(doing: str) -> Iterator[None]:
    """What the operating system says, in words for a user. ``doing`` completes "Could not …"."""
    try:
        yield
    except OSError as error:
        raise _said(error, doing) from error


def _said(error: OSError, doing: str) -> SlurmDashError:
    if error.errno in _FULL:
        return NoSpace(f"Could not {doing}: the disk or your quota is full. What was there is as it was.")
    if error.errno in _FORBIDDEN:
        return Forbidden(
            f"Could not {doing}: you may not write there. On shared shelves the administrator makes your directory"
            " with `jupyter slurmdash init`."
        )
    if error.errno in _ODD:
        return Forbidden(f"Could not {doing}: a link or another odd file stands in the way. Remove it.")
    if error.errno == errno.ENOENT:
        return TemplateNotFound(f"Could not {doing}: the file or its directory is no longer there.")
    return StorageFailed(
        f"Could not {doing}: {error.strerror}. Try again; if it goes on, tell your administrator."
    )


# -- directories --------------------------------------------------------------------------------------------------


@contextmanager
def folder(root: Path, parts: Sequence[str], make: int | None = None) -> Iterator[int]:
    """An open directory below ``root``; what is missing is made with the mode ``make``. Raises OSError."""
    handle = os.open(os.path.realpath(root), _DIRECTORY)
    try:
        for depth, part in enumerate(parts, 1):
            mode = _MODES.get("/".join(parts[:depth]), make) if make is not None else None
            below = _enter(handle, part, mode)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _enter(handle: int, name: str, make: int | None) -> int:
    if make is not None:
        with suppress(FileExistsError):
            os.mkdir(name, make, dir_fd=handle)
            os.chmod(name, make, dir_fd=handle)
            sync(handle)
    return os.open(name, _DIRECTORY, dir_fd=handle)


@contextmanager
def own_folder(root: Path, shelf: str, user: str) -> Iterator[int]:
    """``private/<user>`` or ``archived/<user>``, closed to others. Raises Forbidden when it is not the user's."""
    name = user_folder(user)
    if name is None:
        raise Forbidden(f"The user name {user!r} cannot have a directory of its own.")
    with folder(root, (shelf, name), PRIVATE_FOLDER) as handle:
        info = os.fstat(handle)
        if info.st_uid not in (os.geteuid(), _uid_of_root(root)):
            raise Forbidden(f"The directory {shelf}/{name} belongs to another user. Tell your administrator.")
        if stat.S_IMODE(info.st_mode) & 0o077 and info.st_uid == os.geteuid():
            os.fchmod(handle, PRIVATE_FOLDER)
        yield handle


def _uid_of_root(root: Path) -> int:
    return os.stat(root).st_uid


@contextmanager
def locked(handle: int) -> Iterator[None]:
    """Only one process or thread at a time changes files of the user to whom the open directory belongs.

    Raises Conflict after 10 s. The lock is the user's own file, so nobody else can hold it.
    """
    lock = os.open(
        _LOCK_FILE,
        os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
        PRIVATE_FILE,
        dir_fd=handle,
    )
    try:
        _wait_for(lock)
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    pause = threading.Event()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict(
                    "Another process of yours is saving templates. Try again in a moment."
                ) from None
            pause.wait(0.01)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return


# -- files --------------------------------------------------------------------------------------------------------


def read_whole(handle: int, name: str) -> tuple[bytes, os.stat_result]:
    """A file's bytes and what the system says of it; nothing but a regular file. Raises OSError."""
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
    try:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.ELOOP, "Not a regular file", name)
        parts, left = [], MAX_BYTES + 1
        while left and (part := os.read(file, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts), info
    finally:
        os.close(file)


def create(handle: int, name: str, data: bytes, mode: int) -> None:
    """A new file, whole or not at all. Raises FileExistsError, also when two come at the same time."""
    draft = _draft(handle, name, data, mode)
    try:
        try:
            os.link(draft, name, src_dir_fd=handle, dst_dir_fd=handle, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _take_name(handle, draft, name)
        sync(handle)
    finally:
        _remove_draft(handle, draft)


def _take_name(handle: int, draft: str, name: str) -> None:
    """For file systems without hard links; between users there is a moment in which the later one wins."""
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=handle, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, "File exists", name)
    os.rename(draft, name, src_dir_fd=handle, dst_dir_fd=handle)


def replace(handle: int, name: str, data: bytes, mode: int, like: os.stat_result | None = None) -> None:
    """Another content for a file, at once. ``like``: root keeps the owner that the file had."""
    draft = _draft(handle, name, data, mode, like)
    try:
        os.rename(draft, name, src_dir_fd=handle, dst_dir_fd=handle)
        sync(handle)
    finally:
        _remove_draft(handle, draft)


def _draft(handle: int, name: str, data: bytes, mode: int, like: os.stat_result | None = None) -> str:
    _sweep(handle)
    draft = f".{name[:200]}.{secrets.token_hex(6)}.tmp"
    file = os.open(draft, _NEW, mode, dir_fd=handle)
    try:
        try:
            os.fchmod(file, mode)
            if like is not None and os.geteuid() == 0:
                os.fchown(file, like.st_uid, like.st_gid)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        finally:
            os.close(file)
    except BaseException:
        _remove_draft(handle, draft)
        raise
    return draft


def _remove_draft(handle: int, draft: str) -> None:
    with suppress(OSError):  # renamed, or a matter for the next sweep
        os.unlink(draft, dir_fd=handle)


def _sweep(handle: int) -> None:
    """Remove what a crash has left behind."""
    for name in os.listdir(handle):
        if name.startswith(".") and name.endswith(".tmp"):
            with suppress(OSError):
                info = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if info.st_uid == os.geteuid() and time.time() - info.st_mtime > _STALE:
                    os.unlink(name, dir_fd=handle)


def remove(handle: int, name: str) -> None:
    os.unlink(name, dir_fd=handle)
    sync(handle)


def sync(handle: int) -> None:
    """The directory's names are on the disk."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a file system that cannot
            raise
