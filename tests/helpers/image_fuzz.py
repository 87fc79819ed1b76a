"""Spoilt images: real ones with bytes changed where they matter."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import sif_writer as writer
from squashfs_maker import TREE, pack, write_tree

# Values at which a careless reader goes wrong.
_ODD = (
    0,
    1,
    2,
    3,
    8,
    127,
    255,
    4096,
    8191,
    8192,
    0x7FFF,
    0x8000,
    0xFFFF,
    0xFFFFFF,
    0x1000000,
    2**31 - 1,
    2**31,
)
_ODD_WIDE = (*_ODD, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


class Seed(NamedTuple):
    """A good image, and the regions (first, end) of it that its reader looks at."""

    image: bytes
    regions: tuple[tuple[int, int], ...]


class Checked:
    """A file in memory. Fails on a read that does not lie in it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        for offset, length in ranges:
            if not 0 <= offset <= offset + length <= len(self._data):
                raise AssertionError(f"read outside the file: {offset}, {length}")
        return [self._data[offset : offset + length] for offset, length in ranges]


def seeds(place: Path) -> list[Seed]:
    """Images with metadata and without, the latter packed in every way. Needs mksquashfs."""
    tree = write_tree(place / "tree", {name: text for name, text in TREE.items() if name != "bin/solve"})
    many = write_tree(place / "many", {**TREE, **{f"{number:04}": "" for number in range(1500)}})
    (tree / "link").symlink_to(".singularity.d")
    plain = ("-noI", "-noD", "-noF", "-no-xattrs")
    packed = [pack(tree, *plain), pack(many, *plain), pack(tree, *plain, "-no-fragments", "-b", "4K")]
    packed += [pack(tree, "-comp", name, "-no-xattrs") for name in ("gzip", "xz", "zstd", "lz4")]
    parts = [writer.definition(), writer.metadata(labels={"a": "b"}, apps={"x": {}}), writer.partition()]
    whole = writer.sif([*parts, writer.signature()])
    table = (4096, 4096 + 5 * 585)
    found = [Seed(whole, ((0, 128), table, (writer.DATA_START, len(whole))))]
    for squashfs in packed:
        image = writer.sif([writer.partition(squashfs)])
        start = len(image) - len(squashfs)
        inodes, directories = struct.unpack_from("<2Q", squashfs, 64)
        used = struct.unpack_from("<Q", squashfs, 40)[0]
        inner = ((0, 96), (inodes, directories), (directories, used), (96, inodes))
        regions = ((0, 128), table, *((start + first, start + end) for first, end in inner))
        found.append(Seed(image, regions))
    return found


def mutate(seed: Seed, source: random.Random) -> bytes:
    """The image with up to twelve changes, most of them in one region; now and then cut off."""
    data = bytearray(seed.image)
    chosen = source.choice(seed.regions)
    for _ in range(source.randint(1, 12)):
        first, end = chosen if source.random() < 0.8 else source.choice(seed.regions)
        place = source.randrange(first, end)
        kind = source.random()
        if kind < 0.4:
            data[place] = source.randrange(256)
        elif kind < 0.6:
            data[place] ^= 1 << source.randrange(8)
        elif kind < 0.9:
            width = source.choice((1, 2, 4, 8))
            value = source.choice(_ODD_WIDE) % (1 << 8 * width)
            _overwrite(data, place, value.to_bytes(width, "little"))
        else:
            other = source.randrange(first, end)
            _overwrite(data, place, bytes(data[other : other + source.randint(1, 32)]))
    if source.random() < 0.02:
        del data[source.randrange(len(data)) :]
    return bytes(data)


def _overwrite(data: bytearray, place: int, piece: bytes) -> None:
    fitting = piece[: len(data) - place]
    data[place : place + len(fitting)] = fitting
