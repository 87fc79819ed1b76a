"""Files and folders that this process sees, as the files that a session takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput
from .names import clean_path
from .records import MAX_FILES


@dataclass(frozen=True)
class Found:
    """``name`` is what the job will see: of a file in a folder its path from there, the folder's name first."""

    name: str
    path: str
    size: int


def walk(paths: Sequence[str | Path]) -> tuple[list[Found], list[str]]:
    """The files at ``paths``, in the order of their names inside a folder, and what was passed over with the reason.

    Links are followed to files, never into folders. Raises InvalidInput for a path that is not there or cannot be read,
    for a name that cannot be taken, and for more files than a session holds.
    """
    found: list[Found] = []
    passed: list[str] = []
    for given in paths:
        path = os.path.abspath(os.path.expanduser(os.fspath(given)))
        if "\0" in path:
            raise InvalidInput("The path has a NUL character. Give the path as your shell shows it.")
        for name, file in _below(path, passed):
            if len(found) >= MAX_FILES:
                raise InvalidInput(
                    f"There are more than {MAX_FILES} files. Pack some of them into an archive and upload that."
                )
            one = _look(name, file, passed, must=file == path)
            if one is not None:
                found.append(one)
    return _once(found), passed


def _below(path: str, passed: list[str]) -> Iterator[tuple[str, str]]:
    """Name and path of each file; the path itself when it is no folder."""
    if not os.path.isdir(path):
        yield os.path.basename(path), path
        return
    root = os.path.basename(path)

    def unreadable(error: OSError) -> None:
        if error.filename == path:
            raise _unreadable(path, error) from error
        passed.append(f"{error.filename}: {error.strerror}")

    for folder, folders, files in os.walk(path, onerror=unreadable):
        folders.sort()
        for name in sorted(files):
            file = os.path.join(folder, name)
            yield os.path.join(root, os.path.relpath(file, path)), file


def _look(name: str, path: str, passed: list[str], must: bool) -> Found | None:
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            # Asking the kernel by opening is the only answer that counts (ACLs, NFS); nothing is read.
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY))
            return Found(clean_path(name), path, status.st_size)
        problem = "it is a device, pipe or socket"
    except OSError as error:
        if must:
            raise _unreadable(path, error) from error
        problem = error.strerror or str(error)
    if must:
        raise InvalidInput(f"{path} is a device, pipe or socket, not a file. Choose a file.")
    passed.append(f"{path}: {problem}")
    return None


def _unreadable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.")


def _once(found: Sequence[Found]) -> list[Found]:
    """Each file once, also when it was given twice. Raises InvalidInput for two files of one name."""
    there: dict[str, Found] = {}
    for file in found:
        other = there.setdefault(file.name, file)
        if other.path != file.path:
            raise InvalidInput(
                f"{other.path} and {file.path} would have the same name in the job. Rename one of them, or give the"
                " folder that holds both."
            )
    return list(there.values())
