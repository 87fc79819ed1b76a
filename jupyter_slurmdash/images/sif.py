"""A SIF file's own facts, read without Apptainer from its first tens of kilobytes, or from its file system.

The layout is that of github.com/apptainer/sif (pkg/sif: sif.go, descriptor.go), little-endian: a global
header of 128 bytes, a table of 585-byte descriptors, data objects. Everything read is bounded and checked,
for the file may be damaged, cut off, hostile, or no image at all.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from .inside import read_inside
from .metadata import build_time, clean, parse_metadata
from .model import SifFacts
from .squashfs_window import ReadRanges, SquashfsProblem

# Where the header, the usual 48 descriptors, the definition and the metadata of nearly every image end.
HEAD_SIZE = 48 * 1024

_HEADER = struct.Struct("<32s10s3s3s16s8q")
_DESCRIPTOR = struct.Struct("<i?3I7q128s384s")
_USED = 4
_PARTITION = struct.Struct("<ii3s")
_MAGIC = b"SIF_MAGIC\0"
_METADATA_NAME = b"inspect-metadata.json"

_DEFINITION, _PARTITION_TYPE, _SIGNATURE, _JSON = 0x4001, 0x4004, 0x4005, 0x4006
_OCI = (0x400A, 0x400B)
_SQUASHFS = 1
_ENCRYPTED = (5, 6)
_SYSTEM = (1, 2)
_PRIMARY = 2

_YEAR_10000 = 253402300800  # seconds since the epoch; no calendar goes further

# Ten times what is ever seen; a larger number is damage or malice.
_MAX_DESCRIPTORS = 512
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

# What people find behind a name that ends in .sif.
_OTHER_KINDS = (
    (b"hsqs", "a bare squashfs file system, not a SIF image. Build it again with `apptainer build`."),
    (b"\x1f\x8b", "a gzip archive, not a SIF image."),
    (
        b"version https://git-lfs",
        "a Git LFS pointer; the image itself was not downloaded. Run `git lfs pull`.",
    ),
    (b"<", "a web page or XML file, not a SIF image. The download probably failed."),
    (b"\x7fELF", "a program, not a SIF image."),
)


_ReadObject = Callable[[int, int], bytes]


class _Descriptor(NamedTuple):
    """One used entry of the table. ``offset`` and ``size`` in bytes; ``extra`` depends on the type."""

    type: int
    offset: int
    size: int
    name: bytes
    extra: bytes


class _Header(NamedTuple):
    """The global header's fields that we use. ``created`` is seconds since the epoch."""

    arch: bytes
    identifier: bytes
    created: int
    total: int
    offset: int


class _Unusable(Exception):
    """Why the file cannot be used, in words for a user."""


_NOTHING = SifFacts(complete=False)


def read_sif(read: ReadRanges, size: int) -> SifFacts:
    """The facts of the file of ``size`` bytes that ``read`` reads; what is wrong with it is its ``problem``.

    Reads the head (48 KiB) first, and then only what lies behind it: nothing as a rule, and some pages of the
    file system for an image without metadata.
    """
    facts = _NOTHING
    try:
        head = read([(0, min(HEAD_SIZE, size))])[0]
        header = _header(head, size)
        facts = _from_header(header)
        table = _table(head, read, header, size)
        facts = _from_table(facts, table, header.arch)

        def object_at(offset: int, length: int) -> bytes:
            return _bytes(head, read, offset, length)

        facts = _with_metadata(facts, table, object_at, size)
        _check(table, size)
        if not facts.complete:
            facts = _from_file_system(facts, table, read)
    except _Unusable as problem:
        return replace(facts, problem=str(problem))
    return facts


def _from_header(header: _Header) -> SifFacts:
    return SifFacts(
        arch=_architecture(header.arch),
        sif_id=_identifier(header.identifier),
        build_time=header.created if 0 < header.created < _YEAR_10000 else 0,
        complete=False,
    )


def _header(head: bytes, size: int) -> _Header:
    if size == 0:
        raise _Unusable("The file is empty.")
    if head[32:42] != _MAGIC:
        kind = next((text for start, text in _OTHER_KINDS if head.lstrip()[: len(start)] == start), None)
        if kind is None and _is_text(head):
            kind = "a text file, not a SIF image."
        raise _Unusable(f"The file is {kind}" if kind else "The file is not a SIF image.")
    if len(head) < _HEADER.size:
        raise _Unusable("The file is cut off inside its header. Copy it again.")
    fields = _HEADER.unpack_from(head)
    if fields[2].rstrip(b"\0") != b"01":
        raise _Unusable("The image has a newer SIF version than 01, which is the only one known.")
    return _Header(fields[3], fields[4], fields[5], fields[8], fields[9])


def _is_text(head: bytes) -> bool:
    try:
        text = head[:512].decode("ascii")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char.isspace() for char in text)


def _table(head: bytes, read: ReadRanges, header: _Header, size: int) -> list[_Descriptor]:
    total = header.total
    if not 0 <= total <= _MAX_DESCRIPTORS or header.offset < _HEADER.size:
        raise _Unusable("The image's table of contents is damaged. Copy or build it again.")
    length = total * _DESCRIPTOR.size
    data = _bytes(head, read, header.offset, length) if header.offset + length <= size else b""
    if len(data) < length:
        raise _Unusable("The file is cut off inside its table of contents. Copy it again.")
    table: list[_Descriptor] = []
    for start in range(0, length, _DESCRIPTOR.size):
        if data[start + _USED]:  # most are not, and unpacking takes its time
            fields = _DESCRIPTOR.unpack_from(data, start)
            table.append(_Descriptor(fields[0], fields[5], fields[6], fields[12].rstrip(b"\0"), fields[13]))
    return table


def _from_table(facts: SifFacts, table: list[_Descriptor], arch: bytes) -> SifFacts:
    encrypted = signed = False
    for entry in table:
        if entry.type == _PARTITION_TYPE:
            kind, part, own_arch = _PARTITION.unpack_from(entry.extra)
            encrypted = encrypted or kind in _ENCRYPTED
            arch = own_arch if part == _PRIMARY else arch
        signed = signed or entry.type == _SIGNATURE
    return replace(facts, arch=_architecture(arch), encrypted=encrypted, signed=signed)


def _with_metadata(facts: SifFacts, table: list[_Descriptor], read: _ReadObject, size: int) -> SifFacts:
    for entry in table:
        if entry.type == _JSON and entry.name == _METADATA_NAME and _fits(entry, size, _MAX_METADATA):
            found = parse_metadata(read(entry.offset, entry.size), facts)
            if found is not None:
                return _dated(found)
    for entry in table:
        if entry.type == _DEFINITION and _fits(entry, size, _MAX_DEFINITION):
            text = read(entry.offset, entry.size).decode("utf-8", "replace")
            return replace(facts, deffile=clean(text.rstrip("\0")).rstrip("\n"))
    return facts


def _from_file_system(facts: SifFacts, table: list[_Descriptor], read: ReadRanges) -> SifFacts:
    """What the container's own files say. Raises when even Apptainer could not mount them."""
    for entry in table:
        if entry.type == _PARTITION_TYPE and _PARTITION.unpack_from(entry.extra)[:2] == (_SQUASHFS, _PRIMARY):
            try:
                return _dated(read_inside(read, entry.offset, entry.size, facts))
            except SquashfsProblem as problem:
                if problem.unusable:
                    raise _Unusable(str(problem)) from problem
    return facts


def _dated(facts: SifFacts) -> SifFacts:
    """With the label's build date when the header had none."""
    return facts if facts.build_time else replace(facts, build_time=build_time(facts.labels))


def _fits(entry: _Descriptor, size: int, limit: int) -> bool:
    return 0 <= entry.size <= limit and 0 <= entry.offset <= size - entry.size


def _check(table: list[_Descriptor], size: int) -> None:
    """Raise when the image cannot be run as it lies there."""
    for entry in table:
        if entry.offset < 0 or entry.size < 0:
            raise _Unusable("The image's table of contents is damaged. Copy or build it again.")
        if entry.offset + entry.size > size:
            missing = entry.offset + entry.size - size
            raise _Unusable(f"The file is cut off: at least {missing} bytes are missing. Copy it again.")
    parts = (_PARTITION.unpack_from(entry.extra)[1] for entry in table if entry.type == _PARTITION_TYPE)
    if any(part in _SYSTEM for part in parts):
        return
    if any(entry.type in _OCI for entry in table):
        raise _Unusable(
            "This is an OCI-SIF image, which Apptainer does not run. Build it with `apptainer build`."
        )
    raise _Unusable("The image holds no container file system. Build it again.")


def _bytes(head: bytes, read: ReadRanges, offset: int, length: int) -> bytes:
    """From the head when it is there, else read."""
    if offset + length <= len(head):
        return head[offset : offset + length]
    return read([(offset, length)])[0]


def _architecture(code: bytes) -> str:
    return _ARCHITECTURES.get(code.rstrip(b"\0"), "")


def _identifier(raw: bytes) -> str:
    return str(uuid.UUID(bytes=raw)) if any(raw) else ""
