"""A SIF file's own facts, read without Apptainer from its first tens of kilobytes, or from its file system.

Everything read is bounded and checked, for the file may be damaged, cut off, hostile, or no image at all.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .inside import read_inside
from .metadata import build_time, clean, parse_metadata
from .model import SifFacts, hyphenated
from .siftable import (
    DEFINITION,
    JSON,
    PARTITION,
    SIGNATURE,
    Descriptor,
    Header,
    Unusable,
    bytes_at,
    parse_header,
    read_table,
)
from .signatures import signature_of
from .squashfs_window import ReadRanges, SquashfsProblem

# The header and the first seven entries of the table: all that nearly every image has.
HEAD_SIZE = 8 * 1024

_PARTITION = struct.Struct("<ii3s")
_METADATA_NAME = b"inspect-metadata.json"

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

_ReadObject = Callable[[int, int], bytes]


_NOTHING = SifFacts(complete=False)


def read_sif(read: ReadRanges, size: int) -> SifFacts:
    """The facts of the file of ``size`` bytes that ``read`` reads; what is wrong with it is its ``problem``.

    Reads the head (8 KiB) first, and then only what it names: the metadata, or the definition and some pages of the
    file system for an image without it.
    """
    facts = _NOTHING
    try:
        head = read([(0, min(HEAD_SIZE, size))])[0]
        header = parse_header(head, size)
        facts = _from_header(header)
        table = read_table(head, read, header, size)
        facts = _from_table(facts, table, header.arch)

        def object_at(offset: int, length: int) -> bytes:
            return bytes_at(head, read, offset, length)

        facts = _with_metadata(facts, table, object_at, size)
        _check(table, size)
        if not facts.complete:
            facts = _from_file_system(facts, table, read)
    except Unusable as problem:
        return facts.but(problem=str(problem))
    return facts


def _from_header(header: Header) -> SifFacts:
    return _NOTHING.but(
        arch=_architecture(header.arch),
        sif_id=_identifier(header.identifier),
        build_time=header.created if 0 < header.created < _YEAR_10000 else 0,
    )


def _from_table(facts: SifFacts, table: list[Descriptor], arch: bytes) -> SifFacts:
    encrypted = False
    for entry in table:
        if entry.type == PARTITION:
            kind, part, own_arch = _PARTITION.unpack_from(entry.extra)
            encrypted = encrypted or kind in _ENCRYPTED
            arch = own_arch if part == _PRIMARY else arch
    signatures = tuple(signature_of(entry.extra) for entry in table if entry.type == SIGNATURE)
    return facts.but(
        arch=_architecture(arch),
        encrypted=encrypted,
        signed=bool(signatures),
        signatures=signatures[:_MAX_SIGNATURES],
    )


def _with_metadata(facts: SifFacts, table: list[Descriptor], read: _ReadObject, size: int) -> SifFacts:
    for entry in table:
        if entry.type == JSON and entry.name == _METADATA_NAME and _fits(entry, size, _MAX_METADATA):
            found = parse_metadata(read(entry.offset, entry.size), facts)
            if found is not None:
                return _dated(found)
    for entry in table:
        if entry.type == DEFINITION and _fits(entry, size, _MAX_DEFINITION):
            text = read(entry.offset, entry.size).decode("utf-8", "replace")
            return facts.but(deffile=clean(text.rstrip("\0")).rstrip("\n"))
    return facts


def _from_file_system(facts: SifFacts, table: list[Descriptor], read: ReadRanges) -> SifFacts:
    """What the container's own files say. Raises when even Apptainer could not mount them."""
    for entry in table:
        if entry.type == PARTITION and _PARTITION.unpack_from(entry.extra)[:2] == (_SQUASHFS, _PRIMARY):
            try:
                return _dated(read_inside(read, entry.offset, entry.size, facts))
            except SquashfsProblem as problem:
                if problem.unusable:
                    raise Unusable(str(problem)) from problem
    return facts


def _dated(facts: SifFacts) -> SifFacts:
    """With the label's build date when the header had none."""
    return facts if facts.build_time else facts.but(build_time=build_time(facts.labels))


def _fits(entry: Descriptor, size: int, limit: int) -> bool:
    return 0 <= entry.size <= limit and 0 <= entry.offset <= size - entry.size


def _check(table: list[Descriptor], size: int) -> None:
    """Raise when the image cannot be run as it lies there."""
    for entry in table:
        if entry.offset < 0 or entry.size < 0:
            raise Unusable("The image's table of contents is damaged. Copy or build it again.")
        if entry.offset + entry.size > size:
            missing = entry.offset + entry.size - size
            raise Unusable(f"The file is cut off: at least {missing} bytes are missing. Copy it again.")
    parts = (_PARTITION.unpack_from(entry.extra)[1] for entry in table if entry.type == PARTITION)
    if any(part in _SYSTEM for part in parts):
        return
    if any(entry.type in _OCI for entry in table):
        raise Unusable(
            "This is an OCI-SIF image, which Apptainer does not run. Build it with `apptainer build`."
        )
    raise Unusable("The image holds no container file system. Build it again.")


def _architecture(code: bytes) -> str:
    return _ARCHITECTURES.get(code.rstrip(b"\0"), "")


def _identifier(raw: bytes) -> str:
    return hyphenated(raw) if any(raw) else ""
