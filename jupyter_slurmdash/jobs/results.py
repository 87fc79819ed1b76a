"""The files in a job's directory: a bounded list, and one of them to read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ..errors import FileNotInJob
from ..times import moment
from .logs import log_path
from .model import JobRecord
from .stage import RECORD_DIR

MAX_FILES = 5000
# Millions of entries would cost minutes and all the memory, so the walk ends after so many.
_MAX_ENTRIES = 20_000
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
    files, truncated = _files_below(root)
    found: list[ResultFile] = []
    for path, stat in files:
        matches = bool(output_pattern) and fnmatchcase(path, output_pattern)
        # Staged inputs keep the time of their upload, so what is newer than the job is the job's.
        new = not output_pattern and stat.st_mtime >= record.created_at and root / path not in logs
        found.append(ResultFile(path, stat.st_size, stat.st_mtime, matches or new))
    return sorted(found, key=lambda file: (not file.is_output, file.path)), truncated


def _files_below(root: Path) -> tuple[list[tuple[str, os.stat_result]], bool]:
    """At most ``MAX_FILES`` files by relative path, of at most ``_MAX_ENTRIES`` entries looked at; and whether there
    may be more."""
    found: list[tuple[str, os.stat_result]] = []
    left = _MAX_ENTRIES
    pending = [("", 0)]
    while pending:
        below, depth = pending.pop()
        entries = _entries(root / below, left + 1)
        left -= len(entries)
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            mode, stat = _kind(entry)
            if mode == "directory" and path != RECORD_DIR and depth < _MAX_DEPTH:
                pending.append((path, depth + 1))
            elif mode == "file" and stat is not None:
                found.append((path, stat))
        if left < 0 or len(found) > MAX_FILES:
            return found[:MAX_FILES], True
    return found, False


def _entries(directory: Path, limit: int) -> list[os.DirEntry[str]]:
    """What has a name that can be told: JSON holds text, and other names are bytes."""
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in islice(entries, limit) if entry.name.isascii() or _is_text(entry.name)]
    except OSError:
        return []  # vanished or closed to us meanwhile


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _kind(entry: os.DirEntry[str]) -> tuple[Literal["directory", "file", ""], os.stat_result | None]:
    """Links are neither; so is what vanished meanwhile."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return "directory", None
        if entry.is_file(follow_symlinks=False):
            return "file", entry.stat(follow_symlinks=False)
    except OSError:
        pass
    return "", None


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
    except (OSError, RuntimeError, ValueError):
        return (
            None  # too long a name or one that is no text, a folder that is closed to us, links in a circle
        )
