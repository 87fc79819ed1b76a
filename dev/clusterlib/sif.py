"""Spoiling .sif files on purpose: the tests need some that are not as Apptainer 1.x writes them."""

from __future__ import annotations

import struct

from .shell import ClusterError

# github.com/apptainer/sif, pkg/sif/sif.go: the global header ends with eight int64, the first descriptor
# follows at `offset`; each one is packed, and its name starts behind the numbers.
_NUMBERS = struct.Struct("<8q")
_NUMBERS_AT = 64
_DESCRIPTOR = struct.Struct("<i?III5q2q128s384s")
_GENERIC_JSON = 0x4006
_METADATA = b"inspect-metadata.json"


def without_metadata(data: bytes) -> bytes:
    """The image as an older builder would have left it: no inspect-metadata.json, all else as it was."""
    ctime, mtime, free, total, offset, *rest = _NUMBERS.unpack_from(data, _NUMBERS_AT)
    image = bytearray(data)
    for start in range(offset, offset + total * _DESCRIPTOR.size, _DESCRIPTOR.size):
        kind, used, _, _, _, at, size, *_, name, _ = _DESCRIPTOR.unpack_from(data, start)
        if used and kind == _GENERIC_JSON and name.rstrip(b"\0") == _METADATA:
            image[start : start + _DESCRIPTOR.size] = bytes(_DESCRIPTOR.size)
            image[at : at + size] = bytes(size)  # nor may a reader find the text by searching
            _NUMBERS.pack_into(image, _NUMBERS_AT, ctime, mtime, free + 1, total, offset, *rest)
            return bytes(image)
    raise ClusterError("the image has no inspect-metadata.json that could be taken out")
