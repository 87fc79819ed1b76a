"""The bytes of a compressed file, piece by piece and never more than asked for.

Sources: RFC 1952 (gzip), the .xz file format 1.2, RFC 8878 (Zstandard), the bzip2 format.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from .model import Budget, Damaged, Enough

STEP = 64 * 1024  # bytes that come out at once
_IN = 16 * 1024  # bytes that go in at once: bzip2 and xz take a while for them
_LARGE_WINDOW = 8  # times the usual window: what `xz -9` and `zstd --long` ask for

MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}


class _Decoder(Protocol):
    """The common part of bz2's and lzma's decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def compression_of(head: bytes) -> str:
    """``gz``, ``bz2``, ``xz``, ``zst`` by the first bytes; "" for none of them."""
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "")


class Plain:
    """A file that is read as it is, and skipped by seeking."""

    def __init__(self, stream: io.FileIO, size: int, budget: Budget) -> None:
        self._stream, self._size, self._budget = stream, size, budget

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer at the end."""
        self._budget.check()
        return _exactly(self._stream, size)

    def skip(self, size: int) -> None:
        """Raises Damaged when the file ends before."""
        if self._stream.tell() + size > self._size:
            raise Damaged("It ends in the middle of an entry.")
        self._stream.seek(size, io.SEEK_CUR)


class Unpacked:
    """A compressed file that is decompressed as far as it is read. Raises Damaged, Enough."""

    def __init__(self, stream: io.FileIO, kind: str, budget: Budget) -> None:
        self._budget = budget
        self._pieces = _KINDS[kind](stream, budget)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer at the end."""
        parts = []
        while size and self._more():
            part = self._rest[:size]
            self._rest = self._rest[len(part) :]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Raises Damaged when the file ends before."""
        while size:
            if not self._more():
                raise Damaged("It ends in the middle of an entry.")
            step = min(size, len(self._rest))
            self._rest = self._rest[step:]
            size -= step

    def _more(self) -> bool:
        while not self._rest:
            try:
                piece = next(self._pieces, None)
            except (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError, EOFError) as error:
                raise Damaged(f"Its compressed data is broken ({error}).") from error
            if piece is None:
                return False
            self._budget.spend(len(piece))
            self._rest = memoryview(piece)
        return True


def _gzip(stream: io.FileIO, budget: Budget) -> Iterator[bytes]:
    decoder, data, began = zlib.decompressobj(31), b"", False
    while True:
        budget.check()
        if not data:
            data = _exactly(stream, STEP)
            if not data:
                if began:
                    raise EOFError("it ends too early")
                return
        began = True
        piece = decoder.decompress(data, STEP)
        data = decoder.unconsumed_tail
        if piece:
            yield piece
        if decoder.eof:
            # Several files one after the other are one; zeros may fill up a tape's block.
            decoder, data, began = zlib.decompressobj(31), decoder.unused_data.lstrip(b"\0"), False


def _bzip2(stream: io.FileIO, budget: Budget) -> Iterator[bytes]:
    return _decoded(stream, budget, bz2.BZ2Decompressor)


def _xz(stream: io.FileIO, budget: Budget) -> Iterator[bytes]:
    start = stream.tell()
    head = _exactly(stream, 1024)
    stream.seek(start)
    window = budget.limits.window
    if _wants_more(head, window):
        # The window is only touched as far as there are bytes to fill it.
        budget.at_most(window)
        window *= _LARGE_WINDOW
        if _wants_more(head, window):
            raise Enough("memory")
    yield from _decoded(stream, budget, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=window))


def _wants_more(head: bytes, memory: int) -> bool:
    """Whether the .xz file that begins with ``head`` cannot be read with ``memory`` bytes."""
    try:
        lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory).decompress(head, 1)
    except lzma.LZMAError as error:
        return "emory" in str(error)  # "Memory usage limit exceeded": there is no other sign of it
    return False


def _decoded(stream: io.FileIO, budget: Budget, new: Callable[[], _Decoder]) -> Iterator[bytes]:
    decoder, data, began = new(), b"", False
    while True:
        budget.check()
        if decoder.needs_input and not data:
            data = _exactly(stream, _IN)
            if not data:
                if began:
                    raise EOFError("it ends too early")
                return
        began = True
        piece, data = decoder.decompress(data, STEP), b""
        if piece:
            yield piece
        if decoder.eof:
            decoder, data, began = new(), decoder.unused_data.lstrip(b"\0"), False


def _zstd(stream: io.FileIO, budget: Budget) -> Iterator[bytes]:
    window, start = budget.limits.window, stream.tell()
    parameters = zstandard.get_frame_parameters(_exactly(stream, 64))
    stream.seek(start)
    if parameters.window_size > window:
        budget.at_most(window)
        window *= _LARGE_WINDOW
    if parameters.window_size > window:
        raise Enough("memory")
    decoder = zstandard.ZstdDecompressor(max_window_size=window)
    with decoder.stream_reader(stream, read_size=_IN, read_across_frames=True, closefd=False) as reader:
        while piece := reader.read(STEP):
            yield piece


_KINDS: dict[str, Callable[[io.FileIO, Budget], Iterator[bytes]]] = {
    "gz": _gzip,
    "bz2": _bzip2,
    "xz": _xz,
    "zst": _zstd,
}


def _exactly(stream: io.FileIO, size: int) -> bytes:
    """``size`` bytes, fewer only at the end: a raw file may give fewer at any time."""
    data = stream.read(size) or b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data
