"""The frame of a SIF file: its global header and its table of contents, bounded and checked.

The layout is that of github.com/apptainer/sif (pkg/sif: sif.go, descriptor.go), little-endian: a global
header of 128 bytes, a table of 585-byte descriptors, data objects.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .squashfs_window import ReadRanges

DEFINITION, PARTITION, SIGNATURE, JSON = 0x4001, 0x4004, 0x4005, 0x4006

# A group's number in a descriptor; in its link it says that a group is meant, not an object.
GROUP_MASK = 0xF0000000

_HEADER = struct.Struct("<32s10s3s3s16s8q")
_DESCRIPTOR = struct.Struct("<i?3I7q128s384s")
_WHAT_WE_USE = struct.Struct("<ix3I2q40x128s384s")
_SIGNED = struct.Struct("<i?2I4q128s384s")
_USED = 4
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
    """The global header's fields that we use. ``created`` is seconds since the epoch; ``free`` of the ``total``
    entries of the table are not used; ``signed`` is what of the header a signature covers."""

    arch: bytes
    identifier: bytes
    created: int
    free: int
    total: int
    offset: int
    signed: bytes


class Descriptor(NamedTuple):
    """One used entry of the table. ``offset`` and ``size`` in bytes; ``extra`` depends on the type; ``raw`` is
    the whole entry."""

    type: int
    id: int
    group: int
    link: int
    offset: int
    size: int
    name: bytes
    extra: bytes
    raw: bytes


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
    fields = _HEADER.unpack_from(head)
    if fields[2].rstrip(b"\0") != b"01":
        raise Unusable("The image has a newer SIF version than 01, which is the only one known.")
    signed = b"".join((*fields[:3], fields[4]))
    return Header(fields[3], fields[4], fields[5], fields[7], fields[8], fields[9], signed)


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
        table = _used(head[header.offset : header.offset + length])
        if len(table) == total - header.free:
            return table
        data = bytes_at(head, read, header.offset, length)
        if len(data) == length:
            return _used(data)
    raise Unusable("The file is cut off inside its table of contents. Copy it again.")


def _used(data: bytes) -> list[Descriptor]:
    """The used ones of the entries that are there as a whole."""
    whole = len(data) - len(data) % _DESCRIPTOR.size
    # Most are not used, and unpacking takes its time.
    return [
        _descriptor(data[index * _DESCRIPTOR.size : (index + 1) * _DESCRIPTOR.size])
        for index, is_used in enumerate(data[_USED : whole : _DESCRIPTOR.size])
        if is_used
    ]


def _descriptor(raw: bytes) -> Descriptor:
    kind, number, group, link, offset, size, name, extra = _WHAT_WE_USE.unpack(raw)
    return Descriptor(kind, number, group, link, offset, size, name.rstrip(b"\0"), extra, raw)


def bytes_at(head: bytes, read: ReadRanges, offset: int, length: int) -> bytes:
    """From the head when it is there, else read."""
    if offset + length <= len(head):
        return head[offset : offset + length]
    return read([(offset, length)])[0]


def signed_fields(entry: Descriptor, relative_id: int) -> bytes:
    """What of an entry a signature covers (pkg/sif: Descriptor.GetIntegrityReader). Not where the object lies, and
    ``relative_id``, counted from the first of its group, instead of its number."""
    kind, _, _, _, link, _, size, _, created, _, user, group, name, extra = _DESCRIPTOR.unpack(entry.raw)
    return _SIGNED.pack(kind, True, relative_id, link, size, created, user, group, name, extra)
