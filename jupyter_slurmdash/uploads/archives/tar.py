"""The entries of a tar, in the order in which they stand; their bytes are passed over.

Sources: POSIX.1-2017 pax ("ustar Interchange Format", "pax Interchange Format"); the GNU tar manual ("Basic Tar
Format", "Storing Sparse Files").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from .model import Budget, Damaged, Entry, Kind, entry

BLOCK = 512
_ZEROS = bytes(BLOCK)
_MAX_HEADER = 64 * 1024  # of a long name or an extended header; longer ones are no names
_MAX_IN_A_ROW = 16  # headers before the entry that they describe
_MAX_SPARSE = 4096  # blocks of a map of holes
_KINDS: dict[bytes, Kind] = {
    **dict.fromkeys((b"0", b"\0", b"7", b"S"), "file"),
    **dict.fromkeys((b"1", b"2"), "link"),
    b"5": "directory",
    b"D": "directory",
    **dict.fromkeys((b"3", b"4", b"6"), "other"),
}
# No bytes follow these, whatever their header says of a size.
_WITHOUT_DATA = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))


class Source(Protocol):
    """Where the bytes come from."""

    def read(self, size: int) -> bytes: ...
    def skip(self, size: int) -> None: ...


@dataclass
class _Said:
    """What headers said of the entry that comes next."""

    name: bytes | None = None
    target: bytes | None = None
    size: int | None = None  # of its bytes in the archive
    real: int | None = None  # of the whole file, with its holes
    headers: int = 0


def is_header(block: bytes) -> bool:
    """Whether the block can be the header of an entry: its checksum is right."""
    if len(block) < BLOCK:
        return False
    try:
        said = int(block[148:156].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 32
    # Old tars added signed bytes.
    return said == total or said == total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])


def entries(source: Source, budget: Budget) -> Iterator[Entry]:
    """Raises Damaged and Enough, after what could be read before."""
    said = _Said()
    while True:
        budget.check()
        block = source.read(BLOCK)
        if block == _ZEROS or not (block or said.headers):
            return  # a block of zeros, or the end of a tar that was written without them
        if len(block) < BLOCK:
            raise Damaged("It ends in the middle of a header.")
        if not is_header(block):
            raise Damaged("What should be a header is none.")
        kind, size = block[156:157], _number(block[124:136])
        if kind in (b"L", b"K", b"x", b"g", b"X"):
            said.headers += 1
            if size > _MAX_HEADER or said.headers > _MAX_IN_A_ROW:
                raise Damaged("A header is far too long.")
            data = source.read(size)
            _skip(source, size, done=len(data))
            _take(said, kind, data)
            continue
        if kind == b"V":  # the name of a tape
            said = _Said()
            continue
        found, stored = _entry(source, block, kind, size, said, budget)
        yield found
        _skip(source, stored)
        if said.headers:
            said = _Said()


def _entry(
    source: Source, block: bytes, kind: bytes, size: int, said: _Said, budget: Budget
) -> tuple[Entry, int]:
    """The entry, and how many bytes of its own follow."""
    name = said.name if said.name is not None else _name(block)
    budget.entry(len(name))
    stored = said.size if said.size is not None else size
    real = said.real if said.real is not None else stored
    if kind == b"S":
        real = _number(block[483:495])
        if block[482]:
            _pass_map(source, budget)
    if kind in _WITHOUT_DATA:
        stored = real = 0
    what = _KINDS.get(kind, "file")
    if kind == b"\0" and name.endswith(b"/"):
        what = "directory"
    target = None
    if what == "link":
        target = _text(said.target if said.target is not None else block[157:257].partition(b"\0")[0])
    # A hard link names another entry, from the root of the archive: as a link in the root would.
    return entry(_text(name), what, real, target, root=kind == b"1"), stored


def _skip(source: Source, size: int, done: int = 0) -> None:
    """Pass over the rest of ``size`` bytes and what fills their last block up."""
    source.skip(-(-size // BLOCK) * BLOCK - done)


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    if not block[345] or block[257:263] != b"ustar\0":
        return name
    return block[345:500].partition(b"\0")[0] + b"/" + name


def _number(cell: bytes) -> int:
    """Octal digits, or a number of base 256 when the highest bit is set. Raises Damaged."""
    if cell[0] & 0x80:
        number = int.from_bytes(bytes((cell[0] & 0x7F,)) + cell[1:], "big")
        if cell[0] & 0x40 or number >= 2**63:
            raise Damaged("An entry says that it has fewer than no bytes, or more than can be.")
        return number
    try:
        return int(cell.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise Damaged("An entry's size is no number.") from error


def _pass_map(source: Source, budget: Budget) -> None:
    for _ in range(_MAX_SPARSE):
        budget.check()
        block = source.read(BLOCK)
        if len(block) < BLOCK:
            break
        if not block[504]:
            return
    raise Damaged("A map of holes has no end.")


def _take(said: _Said, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        said.name = data.partition(b"\0")[0]
    elif kind == b"K":
        said.target = data.partition(b"\0")[0]
    elif kind in (b"x", b"X"):
        _take_records(said, data)


def _take_records(said: _Said, data: bytes) -> None:
    """``<length> <keyword>=<value>\\n``, one after the other; the length is of all of it."""
    while data.strip(b"\0"):
        digits, space, _ = data[:20].partition(b" ")
        if not space or not digits.isdigit() or not len(digits) + 2 < int(digits) <= len(data):
            raise Damaged("An extended header cannot be read.")
        record, data = data[len(digits) + 1 : int(digits) - 1], data[int(digits) :]
        key, _, value = record.partition(b"=")
        if key in (b"path", b"GNU.sparse.name"):
            # The true name of a sparse file wins over the one that older tars shall see.
            if key == b"GNU.sparse.name" or said.name is None or said.real is None:
                said.name = value
        elif key == b"linkpath":
            said.target = value
        elif key == b"size":
            said.size = _decimal(value)
        elif key in (b"GNU.sparse.realsize", b"GNU.sparse.size"):
            said.real = _decimal(value)


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > 19 or int(value) >= 2**63:
        raise Damaged("An entry's size is no number.")
    return int(value)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
