"""A SIF file's own facts, read without Apptainer from its first tens of kilobytes, or from its file system.

Everything read is bounded and checked, for the file may be damaged, cut off, hostile, or no image at all.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from .inside import read_inside
from .metadata import build_time, clean, parse_metadata
from .model import SifFacts, hyphenated
from .siftable import (
    DEFINITION,
    JSON,
    PARTITION,
    SIGNATURE,
    Descriptor,
    Unusable,
    bytes_at,
    parse_header,
    read_table,
)
from .signatures import signature_of
from .squashfs_window import ReadRanges, SquashfsProblem

# The header and the first seven entries of the table: all that nearly every image has.
HEAD_SIZE = 8 * 1024

# Behind the table of 48 entries that Apptainer makes come the definition and the metadata, mostly of 2 or 3 KiB. Where
# each question costs a round trip, this is asked for together with the head.
LIKELY = (4096 + 48 * 585, 4096)

_PARTITION = struct.Struct("<ii3s")
_METADATA_NAME = b"inspect-metadata.json".ljust(128, b"\0")

_OCI = (0x400A, 0x400B)
_SQUASHFS = 1
_ENCRYPTED = (5, 6)
_SYSTEM = (1, 2)
_PRIMARY = 2

_YEAR_10000 = 253402300800  # seconds since the epoch; no calendar goes further

# Ten times what is ever seen; a larger number is damage or malice.
_MAX_SIGNATURES = 64
_MAX_METADATA = 1024 * 1024
_MAX_DEFINITION = 64 * 1024

_ARCHITECTURES = {
    b"01": "386",
    b"02": "amd64",
    b"03": "arm",
    b"04": "arm64",
    b"05": "ppc64",
    b"06": "ppc64le",
    b"07": "mips",
    b"08": "mipsle",
    b"09": "mips64",
    b"10": "mips64le",
    b"11": "s390x",
    b"12": "riscv64",
}

# Fields of SifFacts, gathered on the way: most images cost as much in copies of half known facts as in reading.
_Found = dict[str, Any]

_NOTHING: _Found = vars(SifFacts(complete=False))


class _Partition(NamedTuple):
    entry: Descriptor
    kind: int
    part: int
    arch: bytes


class _Objects:
    """The objects of a file of ``size`` bytes, by their type; seen in one go, which is much of the work of reading."""

    def __init__(self, head: bytes, read: ReadRanges, size: int, table: Sequence[Descriptor]) -> None:
        self.partitions: list[_Partition] = []
        self._head = head
        self._read = read
        self._size = size
        self._by_type: dict[int, list[Descriptor]] = {}
        self._is_damaged = False
        self._end = 0
        for entry in table:
            self._by_type.setdefault(entry.type, []).append(entry)
            if entry.type == PARTITION:
                self.partitions.append(_Partition(entry, *_PARTITION.unpack_from(entry.extra)))
            if entry.offset < 0 or entry.size < 0:
                self._is_damaged = True
            self._end = max(self._end, entry.offset + entry.size)

    def of(self, kind: int) -> Sequence[Descriptor]:
        return self._by_type.get(kind, ())

    def read(self, entry: Descriptor, limit: int) -> bytes | None:
        """The object's bytes; None when they are not all there, or more than ``limit``."""
        if 0 <= entry.size <= limit and 0 <= entry.offset <= self._size - entry.size:
            return bytes_at(self._head, self._read, entry.offset, entry.size)
        return None

    def check(self) -> None:
        """Raise when the image cannot be run as it lies there."""
        if self._is_damaged:
            raise Unusable("The image's table of contents is damaged. Copy or build it again.")
        if self._end > self._size:
            missing = self._end - self._size
            raise Unusable(f"The file is cut off: at least {missing} bytes are missing. Copy it again.")
        for partition in self.partitions:
            if partition.part in _SYSTEM:
                return
        if any(map(self.of, _OCI)):
            raise Unusable(
                "This is an OCI-SIF image, which Apptainer does not run. Build it with `apptainer build`."
            )
        raise Unusable("The image holds no container file system. Build it again.")


def read_sif(read: ReadRanges, size: int) -> SifFacts:
    """The facts of the file of ``size`` bytes that ``read`` reads; what is wrong with it is its ``problem``.

    Reads the head (8 KiB) first, and then only what it names: the metadata, or the definition and some pages of the
    file system for an image without it.
    """
    found: _Found = _NOTHING.copy()
    try:
        _gather(found, read, size)
    except Unusable as problem:
        found["problem"] = str(problem)
    return SifFacts.of(found)


def _gather(found: _Found, read: ReadRanges, size: int) -> None:
    head = read([(0, min(HEAD_SIZE, size))])[0]
    header = parse_header(head, size)
    found["arch"] = _architecture(header.arch)
    found["sif_id"] = hyphenated(header.identifier) if header.identifier.strip(b"\0") else ""
    found["build_time"] = header.created if 0 < header.created < _YEAR_10000 else 0
    objects = _Objects(head, read, size, read_table(head, read, header, size))
    _from_table(found, objects, header.arch)
    _from_metadata(found, objects)
    objects.check()
    if not found["complete"]:
        _from_file_system(found, objects.partitions, read)


def _from_table(found: _Found, objects: _Objects, arch: bytes) -> None:
    for partition in objects.partitions:
        if partition.part == _PRIMARY and partition.arch != arch:
            found["arch"] = _architecture(partition.arch)
        if partition.kind in _ENCRYPTED:
            found["encrypted"] = True
    if signatures := objects.of(SIGNATURE):
        said = tuple(signature_of(entry.extra) for entry in signatures[:_MAX_SIGNATURES])
        found.update(signed=True, signatures=said)


def _from_metadata(found: _Found, objects: _Objects) -> None:
    for entry in objects.of(JSON):
        if entry.name == _METADATA_NAME and (data := objects.read(entry, _MAX_METADATA)) is not None:
            fields = parse_metadata(data)
            if fields is not None:
                _take_over(found, fields)
                return
    for entry in objects.of(DEFINITION):
        if (data := objects.read(entry, _MAX_DEFINITION)) is not None:
            found["deffile"] = clean(data.decode("utf-8", "replace").rstrip("\0")).rstrip("\n")
            return


def _from_file_system(found: _Found, partitions: list[_Partition], read: ReadRanges) -> None:
    """What the container's own files say. Raises when even Apptainer could not mount them."""
    for entry, kind, part, _ in partitions:
        if (kind, part) == (_SQUASHFS, _PRIMARY):
            try:
                _take_over(found, read_inside(read, entry.offset, entry.size, found["deffile"]))
                return
            except SquashfsProblem as problem:
                if problem.unusable:
                    raise Unusable(str(problem)) from problem


def _take_over(found: _Found, fields: _Found) -> None:
    """What the image says, with the label's build date when the header had none."""
    found.update(fields)
    if not found["build_time"]:
        found["build_time"] = build_time(fields["labels"])


def _architecture(code: bytes) -> str:
    return _ARCHITECTURES.get(code.rstrip(b"\0"), "")
