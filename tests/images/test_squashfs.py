"""Looking into squashfs file systems that the real mksquashfs made, and into hostile ones."""

from __future__ import annotations

import lzma
import os
import struct
import time
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import lz4.block
import pytest
import sif_writer as writer
import zstandard
from awkward import AWKWARD
from squashfs_maker import TREE, needs_mksquashfs, pack, write_tree
from stopwatch import stopwatch

from jupyter_slurmdash.images.model import SifFacts
from jupyter_slurmdash.images.sif import HEAD_SIZE, read_sif
from jupyter_slurmdash.images.squashfs import File, Folder, SquashFs
from jupyter_slurmdash.images.squashfs_codec import CODECS
from jupyter_slurmdash.images.squashfs_window import SquashfsProblem, Window

BLOCK = 128 * 1024


class Reader:
    """A file in memory that counts, and allows no read outside ``first`` to its end."""

    def __init__(self, data: bytes, first: int = 0) -> None:
        self.data = data
        self.first = first
        self.ranges: list[tuple[int, int]] = []

    def __call__(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        self.ranges += ranges
        for offset, length in ranges:
            assert length >= 0
            assert self.first <= offset
            assert offset + length <= len(self.data)
        return [self.data[offset : offset + length] for offset, length in ranges]

    @property
    def bytes_read(self) -> int:
        return sum(length for _, length in self.ranges)


def system(data: bytes) -> SquashFs:
    return SquashFs(Reader(b"before" + data, 6), 6, len(data))


def facts_of(squashfs: bytes) -> SifFacts:
    image = writer.sif([writer.partition(squashfs)])
    return read_sif(Reader(image), len(image))


def text_of(squashfs: SquashFs, path: str) -> bytes | None:
    node = squashfs.find(path)
    if not isinstance(node, File):
        return None
    [content] = squashfs.contents([node])
    if isinstance(content, SquashfsProblem):
        raise content
    return content


def check_tree(facts: SifFacts) -> None:
    assert facts.problem is None
    assert facts.complete
    assert facts.labels == {"version": "2.1", "n": "3"}
    assert facts.runscript == '#!/bin/sh\nexec solve "$@"'
    assert (facts.startscript, facts.test, facts.help) == ("start", "test", "How to use it")
    assert facts.deffile == "Bootstrap: docker"
    assert facts.environment == {"PATH": "/opt/bin", "A": "1", "B": "x y"}
    assert list(facts.environment_scripts) == [
        "/.singularity.d/env/10-docker2singularity.sh",
        "/.singularity.d/env/90-environment.sh",
    ]
    mesh, solve = facts.apps
    assert (mesh.name, mesh.runscript, mesh.labels) == ("mesh", "exec mesh", {})
    assert (solve.name, solve.runscript, solve.help) == ("solve", "exec solve", "Solves")
    assert (solve.labels, solve.environment) == ({"x": "y"}, {"C": "2"})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_mksquashfs()
    return write_tree(tmp_path_factory.mktemp("squashfs") / "tree", TREE)


@pytest.mark.parametrize("block", ["4K", "128K", "1M"])
@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd", "lz4"])
def test_each_compressor_and_block_size(tree: Path, compressor: str, block: str) -> None:
    check_tree(facts_of(pack(tree, "-comp", compressor, "-b", block)))


@pytest.mark.parametrize(
    "options",
    [
        ("-noI", "-noD", "-noF"),
        ("-no-fragments",),
        ("-no-fragments", "-noD"),
        ("-always-use-fragments", "-b", "4K"),
        ("-no-exports", "-no-xattrs"),
        ("-no-sparse", "-no-duplicates"),
        ("-comp", "xz", "-Xbcj", "x86"),
        ("-comp", "zstd", "-Xcompression-level", "22"),
        ("-comp", "lz4", "-Xhc"),
        ("-comp", "gzip", "-Xwindow-size", "8"),
    ],
    ids=" ".join,
)
def test_other_ways_to_pack(tree: Path, options: tuple[str, ...]) -> None:
    check_tree(facts_of(pack(tree, *options)))


def test_a_compressor_that_we_do_not_have(tree: Path) -> None:
    facts = facts_of(pack(tree, "-comp", "lzo"))
    assert (facts.problem, facts.complete, facts.labels, facts.arch) == (None, False, {}, "amd64")


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd", "lz4"])
def test_files_of_many_blocks(tmp_path: Path, compressor: str) -> None:
    random = os.urandom(9000)
    files = {
        "text": b"".join(b"line %d\n" % number for number in range(12_000)),
        "random": random * 7,
        "sparse": bytes(50_000) + b"end",
        "exact": random[:8192],
        "empty": b"",
    }
    root = write_tree(tmp_path / "tree", files)
    for options in (("-b", "4K"), ("-b", "8K", "-always-use-fragments"), ("-b", "64K", "-no-fragments")):
        packed = system(pack(root, "-comp", compressor, *options))
        for name, content in files.items():
            assert text_of(packed, name) == content, (name, options)


def test_links_are_followed_inside_the_image(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "tree", {"a/file": "here", "outside": "in"})
    links = {
        "relative": "a/file",
        "absolute": "/a/file",
        "a/up": "../outside",
        "above": "../../../../../outside",
        "folder": "a",
        "chain": "relative",
        "dangling": "nowhere",
        "loop": "loop",
        "through": "a/file/x",
        "long": "./" * 2000 + "a/file",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    packed = system(pack(root))
    for path in ("relative", "absolute", "folder/file", "chain", "long", "//a/./file", "a/../a/file"):
        assert text_of(packed, path) == b"here", path
    assert text_of(packed, "a/up") == text_of(packed, "above") == b"in"
    for path in ("dangling", "through", "pipe", "a", "b", "a/file/x"):
        assert text_of(packed, path) is None, path
    with pytest.raises(SquashfsProblem, match="leads nowhere"):
        packed.find("loop")


def test_links_in_the_place_of_descriptions(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "tree", TREE)
    inside = root / ".singularity.d"
    (inside / "runscript").rename(inside / "actual")
    (inside / "runscript").symlink_to("/.singularity.d/actual")
    check_tree(facts_of(pack(root)))
    (inside / "runscript").unlink()
    (inside / "runscript").symlink_to("runscript")
    facts = facts_of(pack(root))
    assert (facts.problem, facts.complete, facts.runscript) == (None, False, "")
    assert facts.labels == {"version": "2.1", "n": "3"}


def test_awkward_names(tmp_path: Path) -> None:
    names = sorted({name for name in AWKWARD if name.strip("./") and "/" not in name and "\0" not in name})
    names = [name for name in names if len(name.encode()) <= 255 and not name.startswith(".")]
    root = write_tree(tmp_path / "tree", {f"scif/apps/{name}/scif/runscript": name for name in names})
    os.makedirs(os.fsencode(root) + b"/scif/apps/\xff\xfe/scif")
    found = {app.name: app.runscript for app in facts_of(pack(root)).apps}
    assert found == {name: name.rstrip("\n") for name in names}
    assert len(found) >= 5


def test_an_image_that_says_nothing_of_itself(tmp_path: Path) -> None:
    facts = facts_of(pack(write_tree(tmp_path / "tree", {"bin/sh": "x"})))
    assert (facts.problem, facts.complete, facts.labels, facts.apps) == (None, True, {}, ())


def test_damaged_labels_are_none(tmp_path: Path) -> None:
    for text in ("{", "[]", "[" * 60_000, "null", "\xff"):
        root = write_tree(tmp_path / "tree", {**TREE, ".singularity.d/labels.json": text})
        facts = facts_of(pack(root))
        assert (facts.labels, facts.help) == ({}, "How to use it")


def test_descriptions_without_end(tmp_path: Path) -> None:
    """Long ones, and many, are left out; the rest is there."""
    long = {".singularity.d/runscript": "x" * (BLOCK + 1), ".singularity.d/test": "x" * BLOCK}
    facts = facts_of(pack(write_tree(tmp_path / "long", {**TREE, **long})))
    assert (facts.complete, facts.runscript, len(facts.test)) == (False, "", BLOCK)
    root = write_tree(tmp_path / "many", {**TREE, "long": "x" * BLOCK})
    for number in range(3000):
        folder = root / f"scif/apps/{number:05}/scif"
        folder.mkdir(parents=True)
        (folder / "runscript").hardlink_to(root / "long")
    image = pack(root)
    tracemalloc.start()
    with stopwatch() as watch:
        facts = facts_of(image)
    assert watch.seconds < 0.5  # tracemalloc takes most of it
    assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    tracemalloc.stop()
    assert not facts.complete
    assert len(facts.apps) <= 100
    assert facts.labels == {"version": "2.1", "n": "3"}
    assert sum(len(app.runscript) for app in facts.apps) <= 1024 * 1024


# -- 100,000 files --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 directories of 500 files each, below a tree as of an image."""
    needs_mksquashfs()
    root = write_tree(tmp_path_factory.mktemp("deep") / "tree", TREE)
    for number in range(200):
        folder = root / f"usr/lib/d{number:03}"
        folder.mkdir(parents=True)
        for file in range(500):
            (folder / f"module-{file * 7919:08}.py").write_bytes(b"%d\n" % (number * file) * 9)
    return root


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 files in the root itself: only its index leads to /.singularity.d and /scif."""
    needs_mksquashfs()
    root = write_tree(tmp_path_factory.mktemp("wide") / "tree", TREE)
    for number in range(100_000):
        (root / f"result-{number:06}").touch()
    return root


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd", "lz4"])
@pytest.mark.parametrize("shape", ["deep", "wide"])
def test_few_reads_among_100_000_files(
    shape: str, compressor: str, request: pytest.FixtureRequest, record_property: pytest.RecordProperty
) -> None:
    root: Path = request.getfixturevalue(shape)
    image = writer.sif([writer.partition(pack(root, "-comp", compressor, "-no-duplicates"))])
    reader = Reader(image)
    start = time.perf_counter()
    facts = read_sif(reader, len(image))
    milliseconds = (time.perf_counter() - start) * 1000
    check_tree(facts)
    print(
        f"\n{shape} {compressor}: {len(reader.ranges)} reads, {reader.bytes_read / 1024:.0f} KiB,"
        f" {milliseconds:.1f} ms of {len(image) / 2**20:.1f} MiB"
    )
    record_property("reads", len(reader.ranges))
    assert len(reader.ranges) <= 15
    assert reader.bytes_read <= 256 * 1024


def test_any_file_of_a_large_directory_is_found_by_its_index(wide: Path) -> None:
    packed = system(pack(wide))
    before = packed.window.bytes_read
    for number in (0, 1, 4095, 50_000, 99_999):
        assert isinstance(packed.find(f"result-{number:06}"), File)
    assert packed.find("result-100000") is None
    assert packed.find("aaa") is None
    assert packed.window.bytes_read - before <= 320 * 1024
    assert isinstance(packed.find("scif/apps"), Folder)


def test_a_listing_without_end_is_left(wide: Path) -> None:
    """The scripts' folder is a link to 100,000 files: time and memory stay bounded, and what was found is kept."""
    link = "/.singularity.d/env s 777 0 0 /"
    image = writer.sif([writer.partition(pack(wide, "-p", link, "-e", ".singularity.d/env"))])
    reader = Reader(image)
    with stopwatch() as watch:
        facts = read_sif(reader, len(image))
    assert watch.seconds < 0.1
    assert reader.bytes_read <= 1024 * 1024 + HEAD_SIZE
    assert (facts.problem, facts.complete) == (None, False)
    assert facts.labels == {"version": "2.1", "n": "3"}


# -- damaged and hostile --------------------------------------------------------------------------------------


def _superblock(**changes: int) -> bytes:
    names = (
        *("magic", "inodes", "mtime", "block", "fragments", "compression", "log", "flags", "ids"),
        *("major", "minor", "root", "used", "id_table", "xattrs", "inode_table", "directories"),
        *("fragment_table", "exports"),
    )
    fields = dict(zip(names, struct.unpack("<5I6H8Q", writer.partition().data[:96]), strict=True))
    fields.update(changes)
    return struct.pack("<5I6H8Q", *fields.values()).ljust(4096, b"\0")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes(4096), "not where it should be"),
        (b"hsqs", "not where it should be"),
        (_superblock(major=3), "not where it should be"),
        (_superblock(used=4097), "cut off"),
        (_superblock(block=0), "damaged"),
        (_superblock(block=1 << 31), "damaged"),
        (_superblock(block=5000), "damaged"),
    ],
)
def test_what_the_kernel_would_refuse_too(data: bytes, words: str) -> None:
    problem = facts_of(data).problem
    assert problem is not None
    assert words in problem


@pytest.mark.parametrize("value", [0, 1, 95, 4000, 4095, 4096, 2**31, 2**63, 2**64 - 1])
@pytest.mark.parametrize("field", ["root", "inode_table", "directories", "fragment_table", "used", "exports"])
def test_impossible_places(field: str, value: int) -> None:
    facts = facts_of(_superblock(**{field: value}))
    assert not facts.complete


def test_a_root_that_is_no_directory(tree: Path) -> None:
    data = pack(tree)
    inodes = struct.unpack_from("<Q", data, 64)[0]
    assert inodes
    # The first inode is that of a file.
    facts = facts_of(data[:32] + bytes(8) + data[40:])
    assert (facts.problem, facts.complete) == (None, False)


@pytest.mark.parametrize("number", CODECS)
def test_a_codec_never_gives_more_than_was_asked_for(number: int) -> None:
    bomb = bytes(64 * 1024 * 1024)
    packed = {
        1: lambda: zlib.compress(bomb, 1),
        4: lambda: lzma.compress(bomb, preset=0),
        5: lambda: lz4.block.compress(bomb, store_size=False),
        6: lambda: zstandard.compress(bomb, 1),
    }[number]()
    codec = CODECS[number]
    tracemalloc.start()
    with stopwatch() as watch:
        for limit in (0, 1, 8192, 1024 * 1024):
            if codec.partial:
                assert len(codec.unpack(packed, limit)) <= max(1, limit)
            else:
                with pytest.raises(lz4.block.LZ4BlockError):
                    codec.unpack(packed, limit)
    assert watch.seconds < 0.1
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


def test_a_huge_dictionary_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 512 * 1024 * 1024}]
    with pytest.raises(lzma.LZMAError):
        CODECS[4].unpack(lzma.compress(b"x", filters=filters), 8192)
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    writer_ = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(zstandard.ZstdError):
        CODECS[6].unpack(writer_.compress(b"x" * 100) + writer_.flush(), 8192)


def test_the_window_counts(tree: Path) -> None:
    data = bytes(3 * 1024 * 1024)
    window = Window(Reader(data), 0, len(data))
    assert window.bytes(16_000, 1000) == bytes(1000)
    assert (window.reads, window.bytes_read) == (1, 32 * 1024)
    assert window.bytes(0, 0) == b""
    for offset, length in ((-1, 2), (len(data), 1), (0, len(data) + 1), (2**70, 1)):
        with pytest.raises(SquashfsProblem, match="outside"):
            window.bytes(offset, length)
    with pytest.raises(SquashfsProblem, match="scattered"):
        window.bytes(0, 2 * 1024 * 1024)
    scattered = Window(Reader(data), 0, len(data))
    with pytest.raises(SquashfsProblem, match="scattered"):
        scattered.fetch([(place, 1) for place in range(0, len(data), 40_000)])
    with pytest.raises(SquashfsProblem, match="far more"):
        window.count_unpacked(5 * 1024 * 1024)
    shorter = Window(lambda ranges: [b"" for _ in ranges], 0, len(data))
    with pytest.raises(SquashfsProblem, match="shorter"):
        shorter.bytes(0, 1)
