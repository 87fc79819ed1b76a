"""A disk that does not take what it was given, in this process."""

from __future__ import annotations

import errno
import os

import pytest


def fail_syncs(patch: pytest.MonkeyPatch, *which: int, number: int = errno.ENOSPC) -> None:
    """The syncs of these numbers (from 1) fail."""
    real, calls = os.fdatasync, 0

    def fdatasync(fd: int) -> None:
        nonlocal calls
        calls += 1
        if calls in which:
            raise OSError(number, os.strerror(number))
        real(fd)

    patch.setattr(os, "fdatasync", fdatasync)
