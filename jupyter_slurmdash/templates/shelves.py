"""The shelves on disk: which files are templates, and reading one without being led astray.

Others may write on the community shelf, so a name there is not trusted: a symbolic link is followed only to
a place below the root, only regular files are opened, and never more than the allowed bytes are read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ..formats.yamlsafe import MAX_BYTES
from .model import Source

SUFFIXES: Final = (".yaml", ".yml")
# Deep enough for official/<category>/<file>, and a bound for whatever else is there.
_MAX_DEPTH: Final = 3
_MAX_FILES: Final = 20_000


class Stamp(NamedTuple):
    """What changes when a file does."""

    mtime_ns: int
    size: int
    inode: int
    uid: int


class ShelfFile(NamedTuple):
    path: str
    source: Source
    stamp: Stamp


def user_folder(user: str) -> str | None:
    """The name of a user's private directory; None for a name that cannot be one (``..``, slashes)."""
    bad = not user or user in (".", "..") or "/" in user or "\0" in user or user.startswith(".")
    return None if bad else user


def shelf_files(root: Path, user: str) -> list[ShelfFile]:
    """All template files that ``user`` sees: official, community, their own private ones, archived."""
    shelves: list[tuple[Source, Path]] = [("official", root / "official"), ("community", root / "community")]
    own = user_folder(user)
    if own is not None:
        shelves += [("private", root / "private" / own), ("archived", root / "archived" / own)]
    real_root = os.path.realpath(root)
    found: list[ShelfFile] = []
    for source, folder in shelves:
        if _inside(os.path.realpath(folder), real_root):
            _walk(str(folder), source, real_root, _MAX_DEPTH, found, len(found) + _MAX_FILES)
    return found


def shelf_folders(root: Path, user: str) -> Iterator[str]:
    """The directories in which a template of ``user`` may appear or vanish, and those above them.

    While the root is not made yet: from the nearest directory there is down to it, so that whoever watches one after
    the other is told when it comes.
    """
    above = [root, *root.parents]
    nearest = next((number for number, folder in enumerate(above) if folder.is_dir()), len(above) - 1)
    yield from map(str, reversed(above[: nearest + 1]))
    own = user_folder(user)
    for shelf in ("official", "community"):
        yield from _folders(str(root / shelf), _MAX_DEPTH)
    for shelf in ("private", "archived") if own is not None else ():
        yield str(root / shelf)
        yield from _folders(str(root / shelf / str(own)), _MAX_DEPTH)


def _folders(folder: str, depth: int) -> Iterator[str]:
    yield folder
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries if depth > 1 else ():
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield from _folders(entry.path, depth - 1)


def _walk(folder: str, source: Source, real_root: str, depth: int, found: list[ShelfFile], most: int) -> None:
    # A shelf that is not there, or closed to this user, is an empty one.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == "." or len(found) >= most:
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    _walk(entry.path, source, real_root, depth - 1, found, most)
            elif name.endswith(SUFFIXES):
                stamp = _stamp(entry, real_root)
                if stamp is not None:
                    found.append(ShelfFile(entry.path, source, stamp))


def _stamp(entry: os.DirEntry[str], real_root: str) -> Stamp | None:
    if entry.is_symlink() and not _inside(os.path.realpath(entry.path), real_root):
        return None
    try:
        info = entry.stat()
    except OSError:  # it may vanish while we look
        return None
    return (
        Stamp(info.st_mtime_ns, info.st_size, info.st_ino, info.st_uid)
        if stat.S_ISREG(info.st_mode)
        else None
    )


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a file that was found before; None when it is gone."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return Stamp(info.st_mtime_ns, info.st_size, info.st_ino, info.st_uid)


def _inside(path: str, real_root: str) -> bool:
    return path == real_root or path.startswith(real_root.rstrip("/") + "/")


def read_file(path: str, real_root: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file below ``real_root`` (a real path), at most ``limit`` + 1, so that a longer one shows.

    Raises OSError.
    """
    # O_NONBLOCK: a pipe that stands where the file was must not hang us.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        real = os.path.realpath(path)
        _must_be_inside(real, real_root)
        handle = os.open(real, flags)
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise PermissionError(f"{path} is not a regular file")
        _must_be_inside(_opened_path(handle, path), real_root)
        return _read_up_to(handle, min(info.st_size, limit) + 1)
    finally:
        os.close(handle)


def _read_up_to(handle: int, count: int) -> bytes:
    data = os.read(handle, count)
    while len(data) < count and (more := os.read(handle, count - len(data))):
        data += more
    return data


def _opened_path(handle: int, path: str) -> str:
    """Where an open file lies, whatever was put in the place of its directories meanwhile."""
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:  # no /proc here
        return os.path.realpath(path)


def _must_be_inside(real: str, real_root: str) -> None:
    if not _inside(real, real_root):
        raise PermissionError(f"{real} lies outside {real_root}")
