"""The frame of a SIF file: its global header and its table of contents, bounded and checked.

The layout is that of github.com/apptainer/sif (pkg/sif: sif.go, descriptor.go), little-endian: a global
header of 128 bytes, a table of 585-byte descriptors, data objects.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import NamedTuple

from .squashfs_window import ReadRanges

DEFINITION, PARTITION, SIGNATURE, JSON = 0x4001, 0x4004, 0x4005, 0x4006

# A group's number in a descriptor; in its link it says that a group is meant, not an object.
GROUP_MASK = 0xF0000000

_HEADER = struct.Struct("<32s10s3s3s16s8q")
_DESCRIPTOR = struct.Struct("<i?3I7q128s384s")
_SIGNED = struct.Struct("<i?2I4q128s384s")
_USED = 4  # where in a descriptor it says whether it is
_MAGIC = b"SIF_MAGIC\0"

# Ten times what is ever seen; a larger number is damage or malice.
_MAX_DESCRIPTORS = 512

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


class Header(NamedTuple):
    """The global header. Times are seconds since the epoch; ``free`` of the ``total`` entries of the table, which
    begins at ``offset``, are not used."""

    launch: bytes
    magic: bytes
    version: bytes
    arch: bytes
    identifier: bytes
    created: int
    modified: int
    free: int
    total: int
    offset: int
    table_size: int
    data_offset: int
    data_size: int

    @property
    def signed(self) -> bytes:
        """What of it a signature covers."""
        return b"".join((self.launch, self.magic, self.version, self.identifier))


class Descriptor(NamedTuple):
    """One entry of the table. ``offset`` and ``size`` in bytes; ``extra`` depends on the type; ``name`` is filled up
    with zeros."""

    type: int
    used: bool
    id: int
    group: int
    link: int
    offset: int
    size: int
    padded_size: int
    created: int
    modified: int
    owner: int
    owner_group: int
    name: bytes
    extra: bytes


# As their _make, without its look at the length.
_header = partial(tuple.__new__, Header)
_entry = partial(tuple.__new__, Descriptor)


class Unusable(Exception):
    """Why the file cannot be used, in words for a user."""


def parse_header(head: bytes, size: int) -> Header:
    """The header at the beginning of a file of ``size`` bytes. Raises Unusable."""
    if size == 0:
        raise Unusable("The file is empty.")
    if head[32:42] != _MAGIC:
        kind = next((text for start, text in _OTHER_KINDS if head.lstrip()[: len(start)] == start), None)
        if kind is None and _is_text(head):
            kind = "a text file, not a SIF image."
        raise Unusable(f"The file is {kind}" if kind else "The file is not a SIF image.")
    if len(head) < _HEADER.size:
        raise Unusable("The file is cut off inside its header. Copy it again.")
    header = _header(_HEADER.unpack_from(head))
    if header.version.rstrip(b"\0") != b"01":
        raise Unusable("The image has a newer SIF version than 01, which is the only one known.")
    return header


def _is_text(head: bytes) -> bool:
    try:
        text = head[:512].decode("ascii")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char.isspace() for char in text)


def read_table(head: bytes, read: ReadRanges, header: Header, size: int) -> list[Descriptor]:
    """The used entries. Reads only what ``head`` does not have. Raises Unusable."""
    total = header.total
    if not 0 <= total <= _MAX_DESCRIPTORS or header.offset < _HEADER.size:
        raise Unusable("The image's table of contents is damaged. Copy or build it again.")
    length = total * _DESCRIPTOR.size
    if header.offset + length <= size:
        # The used ones come first as a rule: where the head has all of them, the empty rest is not read.
        marks = head[header.offset + _USED : header.offset + length : _DESCRIPTOR.size]
        used = marks.rstrip(b"\0")
        first = head[header.offset : header.offset + len(used) * _DESCRIPTOR.size]
        has_all = 0 < len(used) == total - header.free and (len(used) < len(marks) or len(used) == total)
        if has_all and used == b"\1" * len(used) and len(first) % _DESCRIPTOR.size == 0:
            return _entries(first)
        data = bytes_at(head, read, header.offset, length)
        if len(data) == length:
            return [entry for entry in _entries(data) if entry.used]
    raise Unusable("The file is cut off inside its table of contents. Copy it again.")


def _entries(data: bytes) -> list[Descriptor]:
    return list(map(_entry, _DESCRIPTOR.iter_unpack(data)))


def bytes_at(head: bytes, read: ReadRanges, offset: int, length: int) -> bytes:
    """From the head when it is there, else read."""
    if offset + length <= len(head):
        return head[offset : offset + length]
    return read([(offset, length)])[0]


def signed_fields(entry: Descriptor, relative_id: int) -> bytes:
    """What of an entry a signature covers (pkg/sif: Descriptor.GetIntegrityReader). Not where the object lies, and
    ``relative_id``, counted from the first of its group, instead of its number."""
    return _SIGNED.pack(
        entry.type,
        True,
        relative_id,
        entry.link,
        entry.size,
        entry.created,
        entry.owner,
        entry.owner_group,
        entry.name,
        entry.extra,
    )
