"""Files of nobody but the user, from their first byte on and whatever the umask is."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``; what is there already is written over. Raises OSError."""
    with open(path, "wb", opener=_opener) as stream:
        stream.write(data)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
