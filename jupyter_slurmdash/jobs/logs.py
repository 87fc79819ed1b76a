"""Reading what a job wrote, a bounded piece at a time. Nothing is kept in memory, whatever the log's size."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ..errors import FileNotInJob
from ..slurm.directives import parse_directives
from ..slurm.patterns import fill
from ..slurm.values import hosts
from .model import JobRecord

Stream = Literal["out", "err"]
MAX_PIECE = 1024 * 1024
# How many names of a directory are looked at for the logs of an array.
_MAX_TASKS = 100_000


@dataclass(frozen=True)
class LogPiece:
    """Bytes ``offset`` to ``next_offset`` of a log of ``size`` bytes, as text. ``complete``: the job has ended and
    there is no more to come."""

    stream: Stream
    offset: int
    next_offset: int
    size: int
    text: str
    complete: bool

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def log_path(record: JobRecord, stream: Stream) -> Path:
    """Where the stream goes: the script's own directive, with Slurm's patterns filled in (sbatch(1)). For an array
    as a whole the log of the first task that has one; for a task's own, ``record.job_id`` names the task."""
    options = dict(parse_directives(record.script, strict=False))
    default = "slurm-%A_%a.out" if "array" in options else "slurm-%j.out"
    out = options.get("output", default)
    pattern = out if stream == "out" else options.get("error", out)
    usual = Path(record.workdir) / fill_pattern(pattern, record)
    if "array" not in options or "_" in (record.job_id or ""):
        return usual
    return _first_log(pattern, record) or usual


def fill_pattern(pattern: str, record: JobRecord) -> str:
    """The name of the file, as far as it can be known here."""
    return fill(pattern, _letters(record))


def _letters(record: JobRecord) -> dict[str, str]:
    job_id = record.job_id or ""
    array_id, _, task = job_id.partition("_")
    number = job_id.partition("+")[0]
    known = {
        "A": array_id, "a": task, "j": number, "J": number, "n": "0",
        "s": "batch", "t": "0", "u": record.user, "x": record.name,
    }  # fmt: skip
    first = hosts(record.nodes, 1)
    return {**known, "N": first[0].partition(".")[0]} if first else known


def _first_log(pattern: str, record: JobRecord) -> Path | None:
    """The log of the lowest task that has one. Each task has a number of its own for %j too."""
    path = Path(record.workdir) / fill(pattern, {**_letters(record), **dict.fromkeys("ajJ", "\0")})
    name = re.compile("([0-9]+)".join(re.escape(part) for part in path.name.split("\0")))
    if not name.groups:
        return None
    try:
        with os.scandir(path.parent) as entries:
            found = [match for entry in islice(entries, _MAX_TASKS) if (match := name.fullmatch(entry.name))]
    except (OSError, ValueError):
        return None  # not there yet, or a directory for each task
    first = min(found, key=lambda match: int(match[1]), default=None)
    return path.with_name(first[0]) if first else None


def wrote_since(record: JobRecord, stream: Stream, moment: float) -> bool:
    """Did the job write to its log at ``moment`` (seconds UTC) or later?"""
    try:
        return log_path(record, stream).stat().st_mtime >= moment
    except (OSError, ValueError):
        return False


def read_log(record: JobRecord, stream: Stream, offset: int, limit: int, *, final: bool) -> LogPiece:
    """A piece of at most ``limit`` bytes from ``offset`` (negative: from the end). A log that is not there yet is
    empty; a shorter one than ``offset`` (requeued job) is read from its start. Raises FileNotInJob for what is no
    file that can be read."""
    path = log_path(record, stream)
    try:
        start, size, data = _read(path, offset, min(limit, MAX_PIECE))
    except (FileNotFoundError, NotADirectoryError):
        return LogPiece(stream, 0, 0, 0, "", final)
    except OSError as error:
        raise FileNotInJob(f"The log {path.name!r} cannot be read: {error.strerror}.") from error
    at_end = start + len(data) >= size
    if not (at_end and final):
        data = data[: _whole_characters(data)]
    following = start + len(data)
    return LogPiece(
        stream, start, following, size, data.decode("utf-8", errors="replace"), final and following >= size
    )


def _read(path: Path, offset: int, limit: int) -> tuple[int, int, bytes]:
    """Where the piece begins, the size of the whole, and the piece."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size = os.fstat(descriptor).st_size
        start = max(0, size + offset) if offset < 0 else offset
        if start > size:
            start = 0
        return start, size, os.pread(descriptor, limit, start)
    finally:
        os.close(descriptor)


def _whole_characters(data: bytes) -> int:
    """Length of ``data`` without a UTF-8 character that is cut at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return len(data) - back if needed > back else len(data)
    return len(data)
