"""Files that lie on the cluster already: looked at, never copied."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from ..errors import InvalidInput
from .classify import TYPE_RULES, type_of
from .model import JobFile
from .names import clean_name


def look_at_path(path: str, slot: str = "", rules: Mapping[str, str] = TYPE_RULES) -> JobFile:
    """The regular file at ``path`` (absolute, or below ``~``), which this user can read. Raises
    InvalidInput.
    """
    if "\0" in path:
        raise InvalidInput("The path has a NUL character. Give the path as your shell shows it.")
    real = os.path.normpath(os.path.expanduser(path))
    if not os.path.isabs(real):
        raise InvalidInput(
            f"{path} is not an absolute path. Write it from the root (/…) or from your home (~/…)."
        )
    name = clean_name(os.path.basename(real))
    try:
        status = os.stat(real)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{path} is {_kind(status.st_mode)}, not a file. Choose a file.")
        # Asking the kernel by opening is the only answer that counts (ACLs, NFS); nothing is read.
        os.close(os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    return JobFile(name, real, status.st_size, type_of(name, None, rules), slot, origin="path")


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
