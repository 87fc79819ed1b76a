"""The two kinds of packed blocks in a squashfs: metadata (at most 8 KiB, chained) and data."""

from __future__ import annotations

import struct

from .squashfs_codec import FAULTS, Codec
from .squashfs_window import SquashfsProblem, Window

METADATA_SIZE = 8192
# The bits of a data block's size word that are its stored size.
STORED_SIZE = (1 << 24) - 1
DAMAGED = "The image's file system is damaged."

_PLAIN_METADATA = 0x8000
_PLAIN_DATA = 1 << 24
# Of a packed block, what is tried before the whole: files that we want tend to be its first ones.
_FIRST_PIECE = 16 * 1024


class Blocks:
    """Unpacks blocks of a window. Positions are bytes from the start of the file system."""

    def __init__(self, window: Window, codec: Codec, block_size: int) -> None:
        self._window = window
        self._codec = codec
        self._block_size = block_size
        self._metadata: dict[int, tuple[bytes, int]] = {}

    def metadata(self, position: int) -> tuple[bytes, int]:
        """The unpacked metadata block at the position, and the position of the next."""
        if position not in self._metadata:
            self._window.fetch([(position, 2 + METADATA_SIZE)])
            (header,) = struct.unpack("<H", self._window.bytes(position, 2))
            stored = header & ~_PLAIN_METADATA
            if not 0 < stored <= METADATA_SIZE:
                raise SquashfsProblem(DAMAGED)
            data = self._window.bytes(position + 2, stored)
            self._window.count_unpacked(METADATA_SIZE)
            if not header & _PLAIN_METADATA:
                data = self._unpack(data, METADATA_SIZE, METADATA_SIZE)
            self._metadata[position] = (data, position + 2 + stored)
        return self._metadata[position]

    def data(self, position: int, word: int, wanted: int) -> bytes:
        """The first ``wanted`` bytes of the data block or fragment with this size word."""
        stored, is_plain = word & STORED_SIZE, bool(word & _PLAIN_DATA)
        if max(stored, wanted) > self._block_size or (is_plain and stored < wanted):
            raise SquashfsProblem(DAMAGED)
        if is_plain:
            return self._window.bytes(position, wanted)
        partial = self._codec.partial
        for length in sorted({stored, min(stored, _FIRST_PIECE + wanted // 2)} if partial else {stored}):
            self._window.count_unpacked(wanted if partial else self._block_size)
            data = self._unpack(self._window.bytes(position, length), wanted, self._block_size)
            if len(data) >= wanted:
                return data[:wanted]
        raise SquashfsProblem(DAMAGED)

    def _unpack(self, data: bytes, wanted: int, whole: int) -> bytes:
        try:
            return self._codec.unpack(data, wanted if self._codec.partial else whole)
        except FAULTS as fault:
            raise SquashfsProblem(DAMAGED) from fault


class Cursor:
    """Reads on and on through metadata blocks; each but the last must be full."""

    def __init__(self, blocks: Blocks, position: int, offset: int) -> None:
        self._blocks = blocks
        self._position = position
        self._offset = offset

    def take(self, length: int) -> bytes:
        data, following = self._blocks.metadata(self._position)
        piece = data[self._offset : self._offset + length]
        self._offset += len(piece)
        if len(piece) == length:
            return piece
        if len(data) < METADATA_SIZE or self._offset > METADATA_SIZE:
            raise SquashfsProblem(DAMAGED)
        self._position, self._offset = following, 0
        return piece + self.take(length - len(piece))

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size))
