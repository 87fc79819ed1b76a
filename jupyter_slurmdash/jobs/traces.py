"""What a job left in its directory: that it ran, under which id, and how it ended, where no scheduler tells."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .stage import RECORD_DIR

_LOG = re.compile(r"slurm-([0-9]{1,10})(?:_[0-9]+)?\.(?:out|err)")
_CODE = re.compile(r"exit_code(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Ending:
    """How a job ended: the worst ``code`` of ``tasks`` that left one; ``ended_at`` the last one's, seconds UTC."""

    code: int
    tasks: int
    ended_at: float


def ending(workdir: Path) -> Ending | None:
    """From the exit codes that the script, or each task of an array, recorded; None when there is none."""
    found: list[tuple[int, float]] = []
    for path in _paths(workdir / RECORD_DIR):
        if _CODE.fullmatch(path.name):
            try:
                found.append((int(path.read_text()), path.stat().st_mtime))
            except (OSError, ValueError):
                continue  # not written to its end
    if not found:
        return None
    return Ending(max(code for code, _ in found), len(found), max(ended for _, ended in found))


def has_run(workdir: Path) -> bool:
    """Does the directory hold more than was staged? When in doubt it does."""
    if not workdir.is_dir():
        return False
    if any(_CODE.fullmatch(path.name) for path in _paths(workdir / RECORD_DIR)):
        return True
    try:
        kept = json.loads((workdir / RECORD_DIR / "run.json").read_text(encoding="utf-8"))
        staged = {RECORD_DIR, *(file["name"] for file in kept["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return True
    # Second names of slots are links, and so are files of the user's own.
    return any(path.name not in staged and not path.is_symlink() for path in _paths(workdir))


def job_id_of_logs(workdir: Path) -> str | None:
    """The id in the name of a log, where the name is the usual one."""
    found = (_LOG.fullmatch(path.name) for path in _paths(workdir))
    return next((match[1] for match in found if match), None)


def _paths(directory: Path) -> list[Path]:
    try:
        return [directory / name for name in os.listdir(directory)]
    except OSError:
        return []
