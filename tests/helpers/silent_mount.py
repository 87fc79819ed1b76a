"""A mount that tells nothing of what is changed on the other side of it, as NFS and Lustre do: FUSE, by bindfs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def silent_mount(source: Path, place: Path) -> Iterator[Path]:
    """``place`` shows ``source``; a change below ``source`` wakes nobody who watches ``place``."""
    if shutil.which("bindfs") is None or not os.access("/dev/fuse", os.W_OK):
        reason = "this needs bindfs and /dev/fuse: make test installs the one as root on Debian"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    source.mkdir(exist_ok=True)
    place.mkdir()
    # No age for what the kernel remembers: an old attribute would be a delay of the mount's own.
    options = "attr_timeout=0,entry_timeout=0,negative_timeout=0"
    subprocess.run(["bindfs", "-o", options, str(source), str(place)], check=True, timeout=30)
    try:
        yield place
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(place)], check=True, timeout=30)
