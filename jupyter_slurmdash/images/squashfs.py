"""Finding and reading single files of a squashfs 4.0 file system, a few range reads each.

The format is that of the kernel's Documentation/filesystems/squashfs.rst and fs/squashfs/squashfs_fs.h,
little-endian. Only what lies on the way to a file is read: the superblock, metadata blocks of the inode and the
directory table, the entry of a fragment, data. A large directory's own index tells the block to go to.
Everything is bounded (see ``squashfs_window``), for the image may be hostile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from .squashfs_blocks import DAMAGED, METADATA_SIZE, STORED_SIZE, Blocks, Cursor
from .squashfs_codec import CODECS, Codec
from .squashfs_window import ReadRanges, SquashfsProblem, Window

_SUPERBLOCK = struct.Struct("<5I6H8Q")
_MAGIC = 0x73717368
_NO_FRAGMENT = 0xFFFFFFFF
_FRAGMENTS_PER_BLOCK = METADATA_SIZE // 16

# Inodes, without their common 16 bytes; 8 and above are the extended forms.
_DIRECTORY, _FILE, _LINK, _LONG_DIRECTORY, _LONG_FILE, _LONG_LINK = 1, 2, 3, 8, 9, 10
_INODE = struct.Struct("<4H2I")
_FORMS = {
    _DIRECTORY: struct.Struct("<2I2HI"),
    _LONG_DIRECTORY: struct.Struct("<4I2HI"),
    _FILE: struct.Struct("<4I"),
    _LONG_FILE: struct.Struct("<3Q4I"),
    _LINK: struct.Struct("<2I"),
    _LONG_LINK: struct.Struct("<2I"),
}
_INDEX = struct.Struct("<3I")
_LISTING = struct.Struct("<3I")
_ENTRY = struct.Struct("<HhHH")

_MAX_FILE = 128 * 1024
_MAX_CONTENTS = 1024 * 1024
_MAX_NAME = 256
_MAX_TARGET = 4096
_MAX_LINKS = 8


class Folder(NamedTuple):
    """A directory: where its listing of ``size`` bytes begins, and the (bytes, block, first name) of its index."""

    block: int
    offset: int
    size: int
    shortcuts: tuple[tuple[int, int, bytes], ...] = ()


class File(NamedTuple):
    """A regular file: ``blocks`` are the stored sizes of its full blocks from ``start``, then the fragment."""

    start: int
    size: int
    fragment: int
    offset: int
    blocks: tuple[int, ...]


class Link(NamedTuple):
    """A symbolic link."""

    target: str


Node = Folder | File | Link | None


class _Super(NamedTuple):
    """Of the superblock what we use; positions in bytes from the start of the file system."""

    block_size: int
    codec: Codec
    root: int
    size: int
    inodes: int
    directories: int
    fragments: int
    tables: int


class SquashFs:
    """The file system in the ``size`` bytes at ``start``. Raises SquashfsProblem, and what ``read`` raises."""

    def __init__(self, read: ReadRanges, start: int, size: int) -> None:
        self._super = _superblock(read([(start, min(_SUPERBLOCK.size, size))])[0], size)
        self.window = Window(read, start, self._super.size)
        self._blocks = Blocks(self.window, self._super.codec, self._super.block_size)
        self._entries: dict[tuple[int, int, bytes], Node] = {}
        self._fetch_likely()
        root = self._inode(self._super.root)
        if not isinstance(root, Folder):
            raise SquashfsProblem(DAMAGED)
        self._root = root

    def _fetch_likely(self) -> None:
        """One pipelined read of the places that nearly every look needs.

        mksquashfs writes in the order of the sorted tree, a directory after all below it: first come the inodes and
        listings of /.singularity.d, last those of the root, and right behind them the table of fragments.
        """
        known = self._super
        at_root = known.inodes + (known.root >> 16)
        ends = [(known.inodes, METADATA_SIZE), (at_root, METADATA_SIZE), (known.directories, METADATA_SIZE)]
        self.window.fetch([*ends, (known.tables - METADATA_SIZE, METADATA_SIZE + 64)])

    # -- paths ----------------------------------------------------------------------------------------------

    def find(self, path: str) -> Folder | File | None:
        """What the path leads to, links followed inside the image; None when there is nothing."""
        parts = path.split("/")[::-1]
        stack: list[Folder | File] = [self._root]
        links = 0
        while parts:
            name = parts.pop()
            if name in ("", ".", ".."):
                if name == ".." and len(stack) > 1:
                    stack.pop()
                continue
            folder = stack[-1]
            node = self._entry(folder, name) if isinstance(folder, Folder) else None
            if node is None:
                return None
            if not isinstance(node, Link):
                stack.append(node)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise SquashfsProblem(f"The image's {path} is a link that leads nowhere.")
            if node.target.startswith("/"):
                del stack[1:]
            parts += node.target.split("/")[::-1]
        return stack[-1]

    def names(self, folder: Folder) -> list[str]:
        """The names in it, sorted as on disk."""
        return [name.decode("utf-8", "replace") for name, _ in self._listing(folder)]

    def _entry(self, folder: Folder, text: str) -> Node:
        name = text.encode("utf-8", "replace")
        key = (folder.block, folder.offset, name)
        if key not in self._entries:
            found = (reference for other, reference in self._listing(folder, name) if other == name)
            reference = next(found, None)
            self._entries[key] = None if reference is None else self._inode(reference)
        return self._entries[key]

    def _listing(self, folder: Folder, wanted: bytes | None = None) -> Iterator[tuple[bytes, int]]:
        """Names and inode references; with ``wanted`` only those around this name."""
        skipped, block = 0, folder.block
        for at, own_block, first in folder.shortcuts:
            if wanted is None or first > wanted:
                break
            skipped, block = at, own_block
        cursor = Cursor(
            self._blocks, self._super.directories + block, (folder.offset + skipped) % METADATA_SIZE
        )
        # The size counts three bytes that are not there, for "." and "..".
        left = folder.size - 3 - skipped
        while left > 0:
            count, inodes, _ = cursor.unpack(_LISTING)
            left -= _LISTING.size
            if count >= 256:
                raise SquashfsProblem(DAMAGED)
            for _ in range(count + 1):
                self.window.count_entry()
                offset, _, _, length = cursor.unpack(_ENTRY)
                name = cursor.take(_name_length(length))
                left -= _ENTRY.size + len(name)
                if wanted is not None and name > wanted:
                    return
                yield name, inodes << 16 | offset

    # -- inodes ---------------------------------------------------------------------------------------------

    def _inode(self, reference: int) -> Node:
        """The node at block << 16 | offset of the inode table; None for devices and the like."""
        cursor = Cursor(self._blocks, self._super.inodes + (reference >> 16), reference & 0xFFFF)
        kind = cursor.unpack(_INODE)[0]
        if kind not in _FORMS:
            return None
        fields = cursor.unpack(_FORMS[kind])
        if kind == _DIRECTORY:
            block, _, size, offset, _ = fields
            return Folder(block, offset, size)
        if kind == _LONG_DIRECTORY:
            _, size, block, _, count, offset, _ = fields
            return Folder(block, offset, size, tuple(self._shortcuts(cursor, count)))
        if kind == _FILE:
            start, fragment, offset, size = fields
            return self._file(cursor, start, size, fragment, offset)
        if kind == _LONG_FILE:
            start, size, _, _, fragment, offset, _ = fields
            return self._file(cursor, start, size, fragment, offset)
        if fields[1] > _MAX_TARGET:
            raise SquashfsProblem(DAMAGED)
        return Link(cursor.take(fields[1]).decode("utf-8", "replace"))

    def _shortcuts(self, cursor: Cursor, count: int) -> Iterator[tuple[int, int, bytes]]:
        for _ in range(count):
            self.window.count_entry()
            at, block, length = cursor.unpack(_INDEX)
            yield at, block, cursor.take(_name_length(length))

    def _file(self, cursor: Cursor, start: int, size: int, fragment: int, offset: int) -> File:
        if size > _MAX_FILE:
            return File(start, size, fragment, offset, ())
        full, rest = divmod(size, self._super.block_size)
        count = full + (1 if rest and fragment == _NO_FRAGMENT else 0)
        return File(start, size, fragment, offset, struct.unpack(f"<{count}I", cursor.take(4 * count)))

    # -- data -----------------------------------------------------------------------------------------------

    def contents(self, files: Sequence[File]) -> list[bytes | SquashfsProblem]:
        """The files' bytes, or why not; of a fragment that several share only as much as the last one needs."""
        fitting = list(_fitting(files))
        reach: dict[int, int] = {}
        for file in compress(files, fitting):
            tail = file.size % self._super.block_size
            if tail and file.fragment != _NO_FRAGMENT:
                reach[file.fragment] = max(file.offset + tail, reach.get(file.fragment, 0))
        fragments: dict[int, bytes | SquashfsProblem] = {}
        for number, end in reach.items():
            try:
                fragments[number] = self._fragment(number, end)
            except SquashfsProblem as problem:
                fragments[number] = problem
        too_long = SquashfsProblem("What the image says of itself is too long to be read.")
        pairs = zip(files, fitting, strict=True)
        return [self._content(file, fragments) if fits else too_long for file, fits in pairs]

    def _content(self, file: File, fragments: dict[int, bytes | SquashfsProblem]) -> bytes | SquashfsProblem:
        try:
            data = self._full_blocks(file)
        except SquashfsProblem as problem:
            return problem
        rest = file.size - len(data)
        if rest == 0:
            return data
        fragment = fragments[file.fragment]
        return fragment if isinstance(fragment, SquashfsProblem) else data + fragment[file.offset :][:rest]

    def _full_blocks(self, file: File) -> bytes:
        data, position = bytearray(), file.start
        for word in file.blocks:
            wanted = min(self._super.block_size, file.size - len(data))
            data += self._blocks.data(position, word, wanted) if word else bytes(wanted)
            position += word & STORED_SIZE
        return bytes(data)

    def _fragment(self, number: int, wanted: int) -> bytes:
        place = self._super.fragments + number // _FRAGMENTS_PER_BLOCK * 8
        (block,) = struct.unpack("<Q", self.window.bytes(place, 8))
        cursor = Cursor(self._blocks, block, number % _FRAGMENTS_PER_BLOCK * 16)
        position, word, _ = struct.unpack("<QII", cursor.take(16))
        return self._blocks.data(position, word, wanted)


def _fitting(files: Sequence[File]) -> Iterator[bool]:
    """Which are not too long, neither each nor together."""
    left = _MAX_CONTENTS
    for file in files:
        fits = file.size <= min(left, _MAX_FILE)
        left -= file.size if fits else 0
        yield fits


def _name_length(stored: int) -> int:
    """Names are stored with their length less one."""
    if stored >= _MAX_NAME:
        raise SquashfsProblem(DAMAGED)
    return stored + 1


def _superblock(data: bytes, size: int) -> _Super:
    fields = _SUPERBLOCK.unpack(data) if len(data) == _SUPERBLOCK.size else (0,) * 19
    magic, _, _, block_size, _, compression, _, _, _, major, minor, root, used, *places = fields
    ids, attributes, inodes, directories, fragments, exports = places
    if magic != _MAGIC or (major, minor) != (4, 0):
        raise SquashfsProblem(
            "The image's file system is not where it should be. Copy or build it again.", True
        )
    if used > size:
        raise SquashfsProblem("The image's file system is cut off. Copy or build it again.", True)
    if compression not in CODECS:
        raise SquashfsProblem("The image's file system is packed in a way that cannot be read from here.")
    if block_size not in {1 << power for power in range(12, 21)}:
        raise SquashfsProblem(DAMAGED, True)
    tables = min(fragments, exports, ids, attributes, used)
    return _Super(block_size, CODECS[compression], root, used, inodes, directories, fragments, tables)
