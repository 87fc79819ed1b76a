"""On what kind of file system a path lies."""

from __future__ import annotations

import os
from pathlib import Path

_NETWORK_FILE_SYSTEMS = frozenset(("nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "beegfs", "ceph", "afs"))


def file_system_type(path: Path) -> str:
    """The type of the file system that holds ``path``, from the kernel's table of mounts; "" when unknown."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    for line in lines:
        fields = line.split()
        point = fields[1].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def is_network(kind: str) -> bool:
    """Whether a file system of this type is, or may be, on another machine."""
    # Behind FUSE may be another machine (sshfs, GlusterFS); the rollback journal is right there and here.
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith("fuse")
