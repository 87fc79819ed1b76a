"""The entries of a zip, from the directory at its end; no entry is opened.

Source: APPNOTE.TXT 6.3.10, sections 4.3.12 (central directory), 4.3.14 to 4.3.16 (its end, ZIP64), 4.5.3 (extra field
of ZIP64).
"""

from __future__ import annotations

import io
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .model import Budget, Damaged, Entry, Kind, entry

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_HEADER = struct.Struct("<4s6H3L5H2L")
_TAIL = _END.size + 0xFFFF
_STEP = 64 * 1024
_LOCAL = 30  # bytes of the header before an entry's own bytes, without its name
_UTF8, _ENCRYPTED = 0x800, 0x1
_UNIX = 3


@dataclass
class ZipFacts:
    """What the entries together tell. ``shared`` says that two of them use the same bytes."""

    encrypted: int = 0
    shared: bool = False


def find_end(stream: io.FileIO, size: int) -> tuple[int, int]:
    """Where the directory begins and its length, bytes. Raises Damaged when there is none."""
    start = max(0, size - _TAIL)
    stream.seek(start)
    tail = stream.read(_TAIL) or b""
    at = _end_in(tail)
    *_, length, offset, _comment = _END.unpack_from(tail, at)
    end = start + at
    if (found := _end64(stream, tail, at, end)) is not None:
        length, offset, end = found
    # Where it says may be wrong by what stands before the archive (a program that unpacks itself).
    if length > end or offset > end - length:
        raise Damaged("Its directory is not where its end says.")
    return end - length, length


def _end_in(tail: bytes) -> int:
    """Where the end record is: its comment reaches to the end of the file, which one inside a comment cannot. Where
    something was appended to the file, the last one that there is.
    """
    last = at = tail.rfind(b"PK\5\6", 0, max(0, len(tail) - _END.size + 4))
    while at >= 0:
        if at + _END.size + _END.unpack_from(tail, at)[-1] == len(tail):
            return at
        at = tail.rfind(b"PK\5\6", 0, at)
    if last < 0:
        raise Damaged("Its directory is missing: the end of the file is not there.")
    return last


def _end64(stream: io.FileIO, tail: bytes, at: int, end: int) -> tuple[int, int, int] | None:
    if at < _LOCATOR64.size:
        return None
    magic, _, where, _ = _LOCATOR64.unpack_from(tail, at - _LOCATOR64.size)
    if magic != b"PK\6\7":
        return None
    if where > end - _LOCATOR64.size - _END64.size:
        raise Damaged("Its directory is not where its end says.")
    stream.seek(where)
    block = stream.read(_END64.size) or b""
    if len(block) < _END64.size or not block.startswith(b"PK\6\6"):
        raise Damaged("Its directory is not where its end says.")
    *_, length, offset = _END64.unpack(block)
    return length, offset, where


def entries(stream: io.FileIO, size: int, budget: Budget, facts: ZipFacts) -> Iterator[Entry]:
    """Raises Damaged and Enough, after what could be read before."""
    start, length = find_end(stream, size)
    stream.seek(start)
    spans: list[tuple[int, int]] = []
    data = b""
    try:
        while length or data:
            more = stream.read(min(_STEP, length)) or b""
            if not more:
                raise Damaged("Its directory ends too early.")
            length -= len(more)
            data, at = data + more, 0
            while (step := _entry(data, at, budget, facts)) is not None:
                found, at, span = step
                spans.append(span)
                yield found
            data = data[at:]
    finally:
        facts.shared = _overlap(spans)


def _entry(
    data: bytes, at: int, budget: Budget, facts: ZipFacts
) -> tuple[Entry, int, tuple[int, int]] | None:
    """The entry at ``at``, where the next begins, and which bytes it uses; None when it is not all there yet."""
    budget.check()
    if len(data) - at < _HEADER.size:
        return None
    head = _HEADER.unpack_from(data, at)
    if head[0] != b"PK\1\2":
        raise Damaged("What should be an entry of its directory is none.")
    made_by, flags, packed, size = head[1] >> 8, head[3], head[8], head[9]
    name_length, extra_length, comment_length, attributes, offset = *head[10:13], head[15], head[16]
    end = at + _HEADER.size + name_length + extra_length + comment_length
    if len(data) < end:
        return None
    budget.entry(name_length)
    raw = data[at + _HEADER.size : at + _HEADER.size + name_length]
    extra = data[at + _HEADER.size + name_length : end - comment_length]
    size, packed, offset = _large(extra, size, packed, offset)
    facts.encrypted += flags & _ENCRYPTED
    name = _name(raw, flags)
    kind = _kind(name, attributes >> 16 if made_by == _UNIX else 0)
    found = entry(name, kind, 0 if kind == "directory" else size)
    return found, end, (offset, offset + _LOCAL + name_length + packed)


def _large(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The values with those of ZIP64 in the place of what did not fit into 32 bits."""
    if 0xFFFFFFFF not in (size, packed, offset):
        return size, packed, offset
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if tag == 1:
            numbers = iter(struct.unpack_from(f"<{min(3, len(field) // 8)}Q", field))
            values = [
                next(numbers, value) if value == 0xFFFFFFFF else value for value in (size, packed, offset)
            ]
            return values[0], values[1], values[2]
    return size, packed, offset


def _name(raw: bytes, flags: int) -> str:
    if flags & _UTF8:
        return raw.decode("utf-8", "backslashreplace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _kind(name: str, mode: int) -> Kind:
    if stat.S_ISLNK(mode):
        return "link"
    if name.endswith("/") or stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) or not stat.S_IFMT(mode) else "other"


def _overlap(spans: list[tuple[int, int]]) -> bool:
    spans.sort()
    return any(one[1] > other[0] for one, other in pairwise(spans))
