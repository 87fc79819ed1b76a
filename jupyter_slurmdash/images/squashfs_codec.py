"""Unpacking the blocks of a squashfs file system, never to more than was asked for.

The numbers of the compressors are those of the superblock (kernel: fs/squashfs/squashfs_fs.h). Everything but
lz4 can be unpacked from the beginning of a block alone, so that a file at the head of a block of 1 MiB does not
cost the whole block. lzo has no well-kept library with wheels and stays unread.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple

import lz4.block
import zstandard

# Squashfs blocks hold at most 1 MiB, so nothing honest needs a larger dictionary or window.
_XZ_MEMORY = 4 * 1024 * 1024
_ZSTD_WINDOW = 2 * 1024 * 1024

FAULTS = (zlib.error, lzma.LZMAError, lz4.block.LZ4BlockError, zstandard.ZstdError, EOFError, ValueError)


class Codec(NamedTuple):
    """``unpack(data, limit)`` gives at most ``limit`` bytes, or raises one of FAULTS.

    With ``partial`` the data may be cut off, and it gives what it can; without, ``limit`` must not be below the
    size of the whole.
    """

    unpack: Callable[[bytes, int], bytes]
    partial: bool


def _zlib(data: bytes, limit: int) -> bytes:
    return zlib.decompressobj().decompress(data, max(1, limit))  # 0 would mean: all


def _xz(data: bytes, limit: int) -> bytes:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY).decompress(data, limit)


def _lz4(data: bytes, limit: int) -> bytes:
    return bytes(lz4.block.decompress(data, uncompressed_size=limit))


def _zstd(data: bytes, limit: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(data)
    return bytes(reader.read(limit))


CODECS = {
    1: Codec(_zlib, True),
    4: Codec(_xz, True),
    5: Codec(_lz4, False),
    6: Codec(_zstd, True),
}
