"""On what kind of file system a path lies."""

from __future__ import annotations

import os
import re
from pathlib import Path

_ESCAPED = re.compile(r"\\([0-7]{3})")
_NETWORK_FILE_SYSTEMS = frozenset(("nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "beegfs", "ceph", "afs"))


def mount_of(path: Path) -> tuple[str, str]:
    """Where the file system that holds ``path`` is mounted, and its type, from the kernel's table of mounts; ("", "")
    when unknown."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", ""
    real = os.path.realpath(path)
    for line in lines:
        fields = line.split(" ")
        point = _plain(fields[1])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return best, kind


def file_system_type(path: Path) -> str:
    """The type of the file system that holds ``path``; "" when unknown."""
    return mount_of(path)[1]


def _plain(text: str) -> str:
    r"""The kernel writes a space, tab, newline and backslash as ``\040`` and so on; see proc_pid_mounts(5)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def is_network(kind: str) -> bool:
    """Whether a file system of this type is, or may be, on another machine."""
    # Behind FUSE may be another machine (sshfs, GlusterFS); the rollback journal is right there and here.
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith("fuse")
