"""The files in a job's directory: a bounded list, and one of them to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import FileNotInJob
from .logs import log_path
from .model import JobRecord, moment
from .stage import RECORD_DIR

MAX_FILES = 5000
_MAX_DEPTH = 12


@dataclass(frozen=True)
class ResultFile:
    """A file of the job's directory; ``path`` is relative to it, ``size`` bytes, ``modified_at`` seconds UTC."""

    path: str
    size: int
    modified_at: float
    is_output: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "size": self.size,
            "modified_at": moment(self.modified_at),
            "is_output": self.is_output,
        }


def list_results(record: JobRecord, output_pattern: str = "") -> tuple[list[ResultFile], bool]:
    """Files, the outputs first, then by path; and whether there were more than are listed."""
    root = Path(record.workdir)
    logs = {log_path(record, "out"), log_path(record, "err")}
    found: list[ResultFile] = []
    truncated = False
    for path, stat in _walk(root, "", 0):
        if len(found) >= MAX_FILES:
            truncated = True
            break
        matches = bool(output_pattern) and fnmatchcase(path, output_pattern)
        # Staged inputs keep the time of their upload, so what is newer than the job is the job's.
        new = not output_pattern and stat.st_mtime >= record.created_at and root / path not in logs
        found.append(ResultFile(path, stat.st_size, stat.st_mtime, matches or new))
    return sorted(found, key=lambda file: (not file.is_output, file.path)), truncated


def _walk(root: Path, below: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError:
        return  # vanished or closed to us meanwhile
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False):
            if path != RECORD_DIR and depth < _MAX_DEPTH:
                yield from _walk(root, path, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield path, entry.stat(follow_symlinks=False)


def result_path(record: JobRecord, path: str) -> Path:
    """The file ``path`` of the job's directory. Raises FileNotInJob for anything outside it, links included."""
    root = Path(record.workdir).resolve()
    target = _file_at(root / path) if "\0" not in path else None
    if target is None or not target.is_relative_to(root):
        raise FileNotInJob(f"The job has no file {path[:200]!r}. Look at its list of files.")
    return target


def _file_at(path: Path) -> Path | None:
    try:
        target = path.resolve()
        return target if target.is_file() else None
    except (OSError, RuntimeError):
        return None  # too long a name, a folder that is closed to us, links in a circle
