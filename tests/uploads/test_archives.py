"""Listings of archives: right for honest ones, cheap for hostile ones, and never an exception of another kind."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import orjson
import pytest
import zstandard
from awkward import AWKWARD
from hostile_archives import HOSTILE, make_all, tar_header, zip_end, zip_entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stopwatch import fastest
from upload_place import ME, Place

from jupyter_slurmdash.errors import Conflict, InvalidInput, UploadNotFound
from jupyter_slurmdash.uploads.archives.listing import is_archive, list_archive
from jupyter_slurmdash.uploads.archives.model import Limits, Listing, NotAnArchive, link_leaves, shown

NAMES = [name for name in AWKWARD if not name.endswith("/")]  # which makes it a folder
# What a test of completeness may take on a busy machine.
PATIENT = Limits(seconds=60, patience=120)
PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

# The bars: processor seconds, and KiB of memory beside what the process has anyway.
SECONDS, MEMORY = 0.2, 32 * 1024


def tar_bytes(members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def facts(listing: Listing) -> list[tuple[str, str, int]]:
    return [(entry.name, entry.kind, entry.size) for entry in listing.entries]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_in_every_packing(tmp_path: Path, ending: str, format: int) -> None:
    members = {"a.dat": bytes(70_000), "mesh/fine/b.msh": b"1 2 3\n", "empty": b"", "메시.dat": b"x" * 513}
    long = "/".join(["folder"] * 14) + "/file.dat"
    path = tmp_path / f"all.tar{ending}"
    path.write_bytes(PACKERS[ending](tar_bytes({**members, long: b"end"}, format)))
    listing = list_archive(path, PATIENT)
    assert facts(listing) == [
        *((name, "file", len(data)) for name, data in members.items()),
        (long, "file", 3),
    ]
    assert (listing.format, listing.complete, listing.notes) == (f"tar{ending}", True, ())
    assert listing.unpacked == 70_000 + 6 + 513 + 3


@pytest.mark.parametrize("ending", [ending for ending in PACKERS if ending])
def test_several_packed_pieces_are_one_file(tmp_path: Path, ending: str) -> None:
    data = tar_bytes({"a": bytes(100_000), "b": b"1"})
    path = tmp_path / f"pieces.tar{ending}"
    path.write_bytes(b"".join(PACKERS[ending](data[at : at + 10_000]) for at in range(0, len(data), 10_000)))
    assert facts(list_archive(path, PATIENT)) == [("a", "file", 100_000), ("b", "file", 1)]


@pytest.mark.parametrize("ending", [".xz", ".zst"])
def test_a_large_window_is_listed_as_far_as_its_memory_goes(tmp_path: Path, ending: str) -> None:
    data = tar_bytes({"a": b"1", "large": os.urandom(1024) * 40_000, "last": b"2"})
    path = tmp_path / f"window.tar{ending}"
    if ending == ".xz":
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 * 1024 * 1024}]
        path.write_bytes(lzma.compress(data, lzma.FORMAT_XZ, filters=filters))
    else:
        wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
        path.write_bytes(zstandard.ZstdCompressor(compression_params=wide).compress(data))
    listing = list_archive(path, PATIENT)
    assert [entry.name for entry in listing.entries] == ["a", "large"]
    assert listing.stopped == "bytes"


def test_links_devices_and_holes(tmp_path: Path) -> None:
    """As GNU tar writes them, sparse files in all its formats."""
    place = tmp_path / "tree"
    (place / "sub").mkdir(parents=True)
    with (place / "holes").open("wb") as stream:
        stream.truncate(10_000_000)
        for at in range(0, 9_000_000, 1_000_000):
            stream.seek(at)
            stream.write(b"data")
    (place / "sub/soft").symlink_to("../holes")
    (place / "sub/away").symlink_to("/etc/passwd")
    os.link(place / "holes", place / "hard")
    os.mkfifo(place / "pipe")
    for format in ("gnu", "--posix 0.0", "--posix 0.1", "--posix 1.0"):
        path = tmp_path / "tree.tar"
        kind, _, version = format.partition(" ")
        how = ["--format=gnu"] if kind == "gnu" else ["--format=posix", f"--sparse-version={version}"]
        order = ["holes", "hard", "sub/soft", "sub/away", "pipe", "sub"]
        subprocess.run(
            ["tar", "-cSf", path, *how, "--no-recursion", "-C", place, *order], check=True, timeout=60
        )
        found = {entry.name.rstrip("/"): entry for entry in list_archive(path, PATIENT).entries}
        assert list(found) == order
        assert (found["holes"].kind, found["holes"].size) == ("file", 10_000_000), format
        assert (found["hard"].kind, found["hard"].target) == ("link", "holes")
        assert (found["sub/soft"].target, found["sub/soft"].trouble) == ("../holes", None)
        assert found["sub/away"].trouble == "link-outside"
        assert (found["pipe"].kind, found["pipe"].trouble) == ("other", "device")
        assert found["sub"].kind == "directory"


def test_awkward_names(tmp_path: Path) -> None:
    members = {name: name.encode() for name in NAMES}
    (tmp_path / "a.tar").write_bytes(tar_bytes(members))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    for name in ("a.tar", "a.zip"):
        listing = list_archive(tmp_path / name, PATIENT)
        assert [entry.name for entry in listing.entries] == [shown(name) for name in NAMES]
        assert [entry.size for entry in listing.entries] == [len(name.encode()) for name in NAMES]


def test_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"PK\5\6 is in the comment too"
        archive.writestr("data/", b"")
        archive.writestr("data/a.csv", b"1,2\n" * 1000)
        archive.writestr("메시.dat", b"x")
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../../etc/passwd")
    listing = list_archive(path)
    assert facts(listing) == [
        ("data/", "directory", 0),
        ("data/a.csv", "file", 4000),
        ("메시.dat", "file", 1),
        ("link", "link", 16),
    ]
    assert (listing.format, listing.complete, listing.notes) == ("zip", True, ())
    # A program that unpacks itself stands before its archive.
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    assert len(list_archive(path).entries) == 4


def test_a_zip64(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("big.dat", "w", force_zip64=True) as stream:
        stream.write(b"1" * 100)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(66_000):
            archive.writestr(f"{number}", b"")
    listing = list_archive(path, Limits(entries=100_000, seconds=60, patience=120))
    with zipfile.ZipFile(path) as archive:
        assert [entry.name for entry in listing.entries] == archive.namelist()
    assert (listing.entries[0].size, listing.complete, listing.notes) == (100, True, ())


def test_what_is_encrypted_or_shared_is_noted(tmp_path: Path) -> None:
    secret = bytearray(zip_entry(b"secret"))
    secret[8] |= 1
    data = bytes(40) + secret
    (tmp_path / "a.zip").write_bytes(b"PK\3\4" + data + zip_end(1, len(secret), 44))
    assert list_archive(tmp_path / "a.zip").notes == ("1 entries are encrypted.",)
    HOSTILE["bomb.zip"](tmp_path / "b.zip")
    assert "the same bytes" in list_archive(tmp_path / "b.zip").notes[0]


def test_names_that_are_dangerous(tmp_path: Path) -> None:
    HOSTILE["names.tar.gz"](tmp_path / "names.tar.gz")
    listing = list_archive(tmp_path / "names.tar.gz")
    assert {entry.name: entry.trouble for entry in listing.entries} == {
        "../../.ssh/authorized_keys": "outside",
        "/etc/passwd": "outside",
        "a/../../b": "outside",
        "C:\\evil": "outside",
        "..\\evil": "outside",
        "a\\x1b[2Jb": "control",
        "a\\x0ab": "control",
        "\\u202egnp.exe": "control",
        "fine.txt": "twice",
        "up": "link-outside",
        "root": "link-outside",
        "down/ok": None,
        "null": "device",
    }
    assert len(listing.notes) == 5
    assert all(note.isprintable() for note in listing.notes)


def test_where_links_lead() -> None:
    inside = (("a/b", "../c"), ("a", "b/../c"), ("a/b/c", "../../d"), ("x", "."))
    outside = (("a", ".."), ("a/b", "../../c"), ("a", "b/../../c"), ("a", "/"), ("a", "./../c"))
    assert not any(link_leaves(name, target) for name, target in inside)
    assert all(link_leaves(name, target) for name, target in outside)


@pytest.mark.parametrize("ending", PACKERS)
def test_what_breaks_off_is_listed_as_far_as_it_goes(tmp_path: Path, ending: str) -> None:
    whole = PACKERS[ending](tar_bytes({"first": b"1" * 600, "second": os.urandom(300_000), "third": b""}))
    path = tmp_path / f"half.tar{ending}"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    listing = list_archive(path, PATIENT)
    assert [entry.name for entry in listing.entries] in (["first", "second"], ["first"], [])
    assert (listing.stopped, listing.complete) == ("damaged", False)
    assert listing.notes[0].startswith("The archive is damaged. ")


def test_a_size_that_is_a_lie(tmp_path: Path) -> None:
    path = tmp_path / "lie.tar"
    path.write_bytes(tar_header(b"large.dat", 2**60) + bytes(1024))
    listing = list_archive(path)
    assert facts(listing) == [("large.dat", "file", 2**60)]
    assert listing.stopped == "damaged"
    assert "times its size" in listing.notes[1]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.csv", b"a,b\n" * 1000),
        ("empty.tar", b""),
        ("one.csv.gz", gzip.compress(b"a,b\n" * 1000)),
        ("one.csv.zst", zstandard.compress(b"a,b\n" * 1000)),
        ("noise", bytes(range(256)) * 4),
    ],
)
def test_what_is_no_archive(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NotAnArchive):
        list_archive(tmp_path / name)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    for name in ("pipe.tar", "not-there.tar", "."):
        with pytest.raises(InvalidInput):
            list_archive(tmp_path / name)


def test_endings() -> None:
    assert all(map(is_archive, ("a.tar", "A.TAR.GZ", "b.tgz", "c.tar.zst", "d.ZIP", "e.npz")))
    assert not any(map(is_archive, ("a.csv.gz", "tar", "a.h5", "zip", "a.rar")))


HUGE = 2**64 - 1


def zip_of_lies(count: int) -> bytes:
    extra = struct.pack("<HHQ", 1, 8, HUGE)
    entries = b"".join(zip_entry(b"%d" % number, 0xFFFFFFFF, 0, number, extra) for number in range(count))
    return b"PK\3\4" + entries + zip_end(count, len(entries), 4)


def tar_of_lies(count: int) -> bytes:
    record = b"43 GNU.sparse.realsize=%d\n" % (2**63 - 1)
    assert len(record) == 43
    header = tar_header(b"about", len(record), b"x") + record.ljust(512, b"\0")
    return b"".join(header + tar_header(b"%d" % number) for number in range(count)) + bytes(1024)


@pytest.mark.parametrize(("name", "data"), [("lies.zip", zip_of_lies(2)), ("lies.tar", tar_of_lies(3))])
def test_sizes_that_no_number_holds_are_told(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    listing = list_archive(path, PATIENT)
    assert sum(entry.size for entry in listing.entries) > HUGE
    answer = orjson.loads(orjson.dumps(listing.to_json()))
    assert answer["unpacked"] == 2**63 - 1
    assert any("more than any disk holds" in note for note in answer["notes"])


# -- hostile ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_all(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_costs_little_time(
    hostile: list[Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(path for path in hostile if path.name == name)
    seconds = fastest(lambda: list_archive(path))
    listing = list_archive(path)
    with capsys.disabled():
        print(
            f"\n{name}: {len(listing.entries)} entries, {listing.stopped}, {seconds * 1000:.0f} ms", end=" "
        )
    assert seconds < SECONDS
    assert len(listing.entries) <= Limits().entries
    assert all(entry.name.isprintable() for entry in listing.entries if entry.trouble == "control")


_MEASURE = """
import json, sys
from pathlib import Path
from jupyter_slurmdash.uploads.archives.listing import list_archive
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
result = {}
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    list_archive(path)
    result[path.name] = peak() - before
print(json.dumps(result))
"""


def test_a_hostile_archive_costs_little_memory(
    hostile: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, hostile)], check=True, capture_output=True, timeout=120
    )
    grown: dict[str, int] = json.loads(done.stdout)
    worst = max(grown, key=lambda name: grown[name])
    with capsys.disabled():
        print(f"\n{len(grown)} hostile archives: at most {grown[worst]} KiB more memory ({worst})", end=" ")
    assert grown[worst] < MEMORY


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(("a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.zip")),
    edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), max_size=6),
    cut=st.integers(0, 6000),
)
def test_no_change_of_an_archive_makes_it_anything_but_a_listing(
    tmp_path: Path, name: str, edits: list[tuple[int, bytes]], cut: int
) -> None:
    members = {"a.dat": bytes(700), "b/c.dat": b"12", "ä" * 120: b""}
    if name == "a.zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(zipfile.ZipInfo(member), content)
        data = bytearray(out.getvalue())
    else:
        data = bytearray(PACKERS[name.removeprefix("a.tar")](tar_bytes(members)))
    for at, piece in edits:
        data[at : at + len(piece)] = piece
    path = tmp_path / name
    path.write_bytes(bytes(data[: cut or None]))
    try:
        listing = list_archive(path, PATIENT)
    except InvalidInput:
        return
    json.dumps(listing.to_json()).encode()
    assert all(entry.size >= 0 for entry in listing.entries)


# -- in a session -------------------------------------------------------------------------------------------


def test_an_archive_of_a_session(place: Place, tmp_path: Path) -> None:
    session_id = place.session()
    file = place.upload(session_id, "mesh.tar.gz", gzip.compress(tar_bytes({"a": b"1", "b": b"22"})))
    assert file.to_json()["archive"] is True
    told = place.uploads.contents(session_id, ME, file.id).to_json(offset=1, limit=5)
    assert (told["total"], told["complete"], told["stopped"]) == (2, True, None)
    assert told["entries"] == [{"name": "b", "kind": "file", "size": 2, "target": None, "trouble": None}]
    (tmp_path / "mine.tar").write_bytes(tar_bytes({"there": b""}))
    named = place.sessions.add_path(session_id, ME, str(tmp_path / "mine.tar"))
    assert facts(place.uploads.contents(session_id, ME, named.id)) == [("there", "file", 0)]

    with pytest.raises(UploadNotFound):
        place.uploads.contents(session_id, ME, "no such file")
    under_way = place.begin(session_id, "late.zip", 1000)
    assert under_way.to_json()["archive"] is False
    with pytest.raises(Conflict, match=r"late\.zip"):
        place.uploads.contents(session_id, ME, under_way.id)
