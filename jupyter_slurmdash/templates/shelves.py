"""The shelves on disk: which files are templates, and reading one without being led astray.

Others may write on the community shelf, so a name there is not trusted: a symbolic link is followed only to
a place below the root, only regular files are opened, and never more than the allowed bytes are read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..formats.yamlsafe import MAX_BYTES
from .model import Source

SUFFIXES: Final = (".yaml", ".yml")
# Deep enough for official/<category>/<file>, and a bound for whatever else is there.
_MAX_DEPTH: Final = 3
_MAX_FILES: Final = 20_000


@dataclass(frozen=True)
class Stamp:
    """What changes when a file does."""

    mtime_ns: int
    size: int
    inode: int
    uid: int


@dataclass(frozen=True)
class ShelfFile:
    path: str
    source: Source
    stamp: Stamp


def user_folder(user: str) -> str | None:
    """The name of a user's private directory; None for a name that cannot be one (``..``, slashes)."""
    bad = not user or user in (".", "..") or "/" in user or "\0" in user or user.startswith(".")
    return None if bad else user


def shelf_files(root: Path, user: str) -> Iterator[ShelfFile]:
    """All template files that ``user`` sees: official, community, their own private ones, archived."""
    shelves: list[tuple[Source, Path]] = [("official", root / "official"), ("community", root / "community")]
    own = user_folder(user)
    if own is not None:
        shelves += [("private", root / "private" / own), ("archived", root / "archived" / own)]
    real_root = os.path.realpath(root)
    for source, folder in shelves:
        if _inside(os.path.realpath(folder), real_root):
            for count, entry in enumerate(_walk(str(folder), real_root, _MAX_DEPTH)):
                if count >= _MAX_FILES:
                    break
                yield ShelfFile(entry[0], source, entry[1])


def shelf_folders(root: Path, user: str) -> Iterator[str]:
    """The directories in which a template of ``user`` may appear or vanish, and those above them."""
    yield str(root)
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


def _walk(folder: str, real_root: str, depth: int) -> Iterator[tuple[str, Stamp]]:
    # A shelf that is not there, or closed to this user, is an empty one.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    yield from _walk(entry.path, real_root, depth - 1)
            elif entry.name.endswith(SUFFIXES):
                stamp = _stamp(entry, real_root)
                if stamp is not None:
                    yield entry.path, stamp


def _stamp(entry: os.DirEntry[str], real_root: str) -> Stamp | None:
    if entry.is_symlink() and not _inside(os.path.realpath(entry.path), real_root):
        return None
    with suppress(OSError):  # it may vanish while we look
        info = entry.stat()
        if stat.S_ISREG(info.st_mode):
            return Stamp(info.st_mtime_ns, info.st_size, info.st_ino, info.st_uid)
    return None


def _inside(path: str, real_root: str) -> bool:
    return path == real_root or path.startswith(real_root.rstrip("/") + "/")


def read_file(path: str, root: Path, limit: int = MAX_BYTES) -> bytes:
    """The file's bytes, at most ``limit`` + 1 of them, so that a longer one shows. Raises OSError."""
    real = os.path.realpath(path)
    if not _inside(real, os.path.realpath(root)):
        raise PermissionError(f"{path} leads out of {root}")
    # O_NONBLOCK: a pipe that stands where the file was must not hang us.
    handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise PermissionError(f"{path} is not a regular file")
        return file.read(limit + 1)
