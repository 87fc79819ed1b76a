"""A server that leaves out what ``@tus/server`` does not do either: waiting for the disk."""

from __future__ import annotations

from jupyter_slurmdash.uploads import files, flush


def leave_out_syncs() -> None:
    """In this process."""
    files.Part.sync = lambda self: None  # type: ignore[method-assign]
    files._sync_directory = lambda path: None
    flush.STEP = 2**62
