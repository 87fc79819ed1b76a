"""Writes SIF files, right and wrong ones, for tests."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEFINITION, PARTITION, SIGNATURE, JSON, OCI_BLOB = 0x4001, 0x4004, 0x4005, 0x4006, 0x400B
DATA_START = 4096 + 48 * 585
ID = uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10")


@dataclass(frozen=True)
class Part:
    """One data object; ``extra`` is the descriptor's."""

    type: int
    data: bytes
    name: str = ""
    extra: bytes = b""


def definition(text: str = "Bootstrap: scratch\n") -> Part:
    return Part(DEFINITION, text.encode())


def metadata(**attributes: Any) -> Part:
    document = {"data": {"attributes": attributes}, "type": "container"}
    return Part(JSON, json.dumps(document).encode(), "inspect-metadata.json")


# A superblock that is right, with a root that is not there: the kernel would mount it, and find nothing.
_FOLDED = struct.pack("<5I6H8Q", 0x73717368, 1, 0, 4096, 0, 1, 12, 0, 1, 4, 0, 0, 4096, *(6 * [4090]))


def partition(
    data: bytes = _FOLDED.ljust(4096, b"\0"), kind: int = 1, part: int = 2, arch: bytes = b"02\0"
) -> Part:
    return Part(PARTITION, data, extra=struct.pack("<ii3s", kind, part, arch))


def signature() -> Part:
    return Part(SIGNATURE, b"signature", "part-signature")


def sif(
    parts: Sequence[Part],
    *,
    arch: bytes = b"02\0",
    version: bytes = b"01\0",
    created: int = 1_700_000_000,
    total: int = 48,
    table_offset: int = 4096,
    identifier: bytes = ID.bytes,
    gap: int = 0,
) -> bytes:
    """The file; ``gap`` bytes lie between the table and the data."""
    offset = max(DATA_START, table_offset + 585 * len(parts)) + gap
    table, body = bytearray(), bytearray()
    for number, part in enumerate(parts, 1):
        at = offset + len(body)
        sizes = (at, len(part.data), len(part.data), created, created, 0, 0)
        table += struct.pack("<i?3I7q", part.type, True, number, 0xF0000001, 0, *sizes)
        table += part.name.encode().ljust(128, b"\0") + part.extra.ljust(384, b"\0")
        body += part.data
    launch = b"#!/usr/bin/env run-singularity\n\0".ljust(32, b"\0")
    numbers = (created, created, total - len(parts), total, table_offset, 48 * 585, offset, len(body))
    header = struct.pack("<32s10s3s3s16s8q", launch, b"SIF_MAGIC\0", version, arch, identifier, *numbers)
    whole = bytearray(offset)
    whole[: len(header)] = header
    whole[table_offset : table_offset + len(table)] = table
    return bytes(whole + body)


def image(**attributes: Any) -> bytes:
    """A whole image with these metadata attributes."""
    return sif([definition(), metadata(**attributes), partition()])


def without(data: bytes, kind: int) -> bytes:
    """The image with the objects of one type taken out, and overwritten, for no reader shall find them."""
    changed = bytearray(data)
    total, at = struct.unpack_from("<2q", data, 88)
    for start in range(at, at + 585 * total, 585):
        own, used, _, _, _, offset, size = struct.unpack_from("<i?3I2q", data, start)
        if used and own == kind:
            changed[start : start + 585] = bytes(585)
            changed[offset : offset + size] = bytes(size)
    return bytes(changed)
