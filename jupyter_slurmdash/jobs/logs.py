"""Reading what a job wrote, a bounded piece at a time. Nothing is kept in memory, whatever the log's size."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..slurm.directives import parse_directives
from .model import JobRecord

Stream = Literal["out", "err"]
MAX_PIECE = 1024 * 1024


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
    """Where the stream goes: the script's own directive, with Slurm's patterns filled in (sbatch(1))."""
    options = dict(parse_directives(record.script))
    default = "slurm-%A_%a.out" if "array" in options else "slurm-%j.out"
    out = options.get("output", default)
    pattern = out if stream == "out" else options.get("error", out)
    return Path(record.workdir) / fill_pattern(pattern, record)


def fill_pattern(pattern: str, record: JobRecord) -> str:
    """Slurm's file name patterns that can be known here: %j %A %a %x %u %%, with optional zero padding."""
    job_id = record.job_id or ""
    array_id, _, task = job_id.partition("_")
    values = {
        "j": job_id.partition("+")[0],
        "A": array_id,
        "a": task,
        "x": record.name,
        "u": record.user,
        "%": "%",
    }

    def fill(match: re.Match[str]) -> str:
        width, letter = match.groups()
        value = values.get(letter)
        if value is None:
            return match.group(0)
        return value.zfill(min(int(width), 10)) if width and value.isdigit() else value

    return re.sub(r"%(\d{0,2})([A-Za-z%])", fill, pattern)


def read_log(record: JobRecord, stream: Stream, offset: int, limit: int, *, final: bool) -> LogPiece:
    """A piece of at most ``limit`` bytes from ``offset`` (negative: from the end). A log that is not there yet is
    empty; a shorter one than ``offset`` (requeued job) is read from its start."""
    try:
        descriptor = os.open(log_path(record, stream), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return LogPiece(stream, 0, 0, 0, "", final)
    try:
        size = os.fstat(descriptor).st_size
        start = max(0, size + offset) if offset < 0 else offset
        if start > size:
            start = 0
        data = os.pread(descriptor, min(limit, MAX_PIECE), start)
    finally:
        os.close(descriptor)
    at_end = start + len(data) >= size
    if not (at_end and final):
        data = data[: _whole_characters(data)]
    following = start + len(data)
    return LogPiece(
        stream, start, following, size, data.decode("utf-8", errors="replace"), final and following >= size
    )


def _whole_characters(data: bytes) -> int:
    """Length of ``data`` without a UTF-8 character that is cut at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return len(data) - back if needed > back else len(data)
    return len(data)
