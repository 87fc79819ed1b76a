"""Chunks in any order, several at once, twice, and across killed servers."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from upload_place import ME, Place, PlainSlot

from jupyter_slurmdash.errors import ChecksumMismatch, Conflict, InvalidInput, NoSpace, TooLarge
from jupyter_slurmdash.uploads.chunks import Chunk
from jupyter_slurmdash.uploads.journal import Journal
from jupyter_slurmdash.uploads.protocol import Checksum

SIZE = 1000  # chunk_size of the place
DATA = os.urandom(9 * SIZE + 123)
TOTAL = 10


def piece(index: int, data: bytes = DATA) -> bytes:
    return data[index * SIZE : (index + 1) * SIZE]


def send(
    place: Place, session: str, index: int, data: bytes | None = None, name: str = "a.dat", **more: Any
) -> dict[str, Any]:
    body = piece(index) if data is None else data
    chunk = Chunk(name, index, more.pop("total", TOTAL), body=len(body), **more)
    writer = place.uploads.chunks.open(session, ME, chunk)
    try:
        writer.write(body)
        return writer.finish()
    finally:
        writer.close()


def only(place: Place, session: str) -> Any:
    (file,) = place.sessions.get(session, ME).files
    return file


def check(place: Place, session: str, data: bytes = DATA) -> None:
    file = only(place, session)
    assert (file.state, file.size, file.sha256) == ("complete", len(data), hashlib.sha256(data).hexdigest())
    assert Path(file.path).read_bytes() == data


@pytest.mark.parametrize("seed", range(6))
def test_any_order_with_some_twice_and_a_restart(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    session = place.session()
    order = list(range(TOTAL)) + chance.choices(range(TOTAL), k=5)
    chance.shuffle(order)
    half = place.restarted()
    sent: set[int] = set()
    for number, index in enumerate(order):
        receipt = send(place if number % 2 else half, session, index)
        sent.add(index)
        assert (receipt["received"], receipt["chunks"]) == (True, len(sent))
        file = only(place, session)
        assert file.offset == sum(len(piece(each)) for each in sent)
        assert (file.state == "complete") == (len(sent) == TOTAL)
    check(place, session)
    half.close()


def test_all_at_the_same_time(place: Place) -> None:
    session = place.session()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: send(place, session, index), [*range(TOTAL), *range(TOTAL)]))
    check(place, session)
    assert len(place.told("upload_complete")) == 1


def test_one_chunk_and_an_empty_file(place: Place) -> None:
    session = place.session()
    send(place, session, 0, b"all of it", "one.dat", total=1)
    send(place, session, 0, b"", "none.dat", total=1)
    files = place.sessions.get(session, ME).files
    assert {file.name: file.size for file in files} == {"one.dat": 9, "none.dat": 0}


def test_other_bytes_for_a_chunk_that_is_there(place: Place) -> None:
    session = place.session()
    send(place, session, 3)
    for wrong in (bytes(SIZE), piece(3)[:-1] + b"\0"):
        with pytest.raises(Conflict, match="other bytes"):
            send(place, session, 3, wrong)
    for index in range(TOTAL):
        send(place, session, index)
    with pytest.raises(Conflict, match="other bytes"):
        send(place, session, 9, piece(9) + b"more")
    check(place, session)


def test_a_chunk_that_was_broken_off_was_never_there(place: Place) -> None:
    session = place.session()
    writer = place.uploads.chunks.open(session, ME, Chunk("a.dat", 0, TOTAL, body=SIZE))
    writer.write(bytes(400))
    writer.close()
    assert only(place, session).offset == 0
    for index in range(TOTAL):
        send(place, session, index)
    check(place, session)


def test_what_is_no_chunk(place: Place) -> None:
    session = place.session()
    for index, total in ((0, 0), (10, 10), (0, 10**9)):
        with pytest.raises(InvalidInput):
            send(place, session, index, b"x", total=total)
    with pytest.raises(InvalidInput, match="all but the last"):
        send(place, session, 0, bytes(999))
    with pytest.raises(TooLarge):
        send(place, session, 0, bytes(1001))
    with pytest.raises(InvalidInput, match="empty"):
        send(place, session, 9, b"")
    send(place, session, 0)
    with pytest.raises(Conflict):
        send(place, session, 1, total=11)
    place.upload(session, "tus.dat", b"x")
    with pytest.raises(Conflict):
        send(place, session, 0, name="tus.dat")


def test_tus_does_not_write_into_it(place: Place) -> None:
    session = place.session()
    send(place, session, 4)
    with pytest.raises(Conflict, match="chunks"):
        place.writer(only(place, session), SIZE)


def test_a_wrong_checksum_is_not_kept(place: Place) -> None:
    session = place.session()
    with pytest.raises(ChecksumMismatch):
        send(place, session, 2, checksum=Checksum("sha256", b"other"))
    assert only(place, session).offset == 0
    send(place, session, 2, checksum=Checksum("sha256", hashlib.sha256(piece(2)).digest()))
    assert only(place, session).offset == SIZE


def test_a_wrong_kind_of_file_stops_with_its_first_chunk(place: Place) -> None:
    session = place.session()
    send(place, session, 1, name="x.tar.gz")
    with pytest.raises(InvalidInput, match="gzip"):
        send(place, session, 0, name="x.tar.gz")
    assert only(place, session).state == "failed"
    good = b"\x1f\x8b\x08" + DATA[3:]
    for index in range(TOTAL):
        send(place, session, index, piece(index, good), "x.tar.gz")
    check(place, session, good)


def test_bounds(tmp_path: Path) -> None:
    place = Place(tmp_path, slots=(PlainSlot("small", "*.sml", max_size=2000),), max_size=5000)
    session = place.session("any")
    with pytest.raises(TooLarge):
        send(place, session, 0, total=7)
    with pytest.raises(TooLarge, match="small"):
        send(place, session, 0, name="a.sml", total=4)
    assert place.sessions.get(session, ME).files == ()
    place.close()


def test_a_full_disk_keeps_what_is_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    send(place, session, 0)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(NoSpace):
            send(place, session, 1)
    assert only(place, session).offset == SIZE
    for index in range(TOTAL):
        send(place, session, index)
    check(place, session)


def test_killed_between_the_last_chunk_and_the_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    for index in range(TOTAL - 1):
        send(place, session, index)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("jupyter_slurmdash.uploads.files.Place.publish", killed)
        with pytest.raises(KeyboardInterrupt):
            send(place, session, TOTAL - 1)
    again = place.restarted()
    check(again, session)
    again.close()


def test_a_torn_line_of_the_journal_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "x.chunks"
    Journal(SIZE, 3).create(path)
    Journal(SIZE, 3).add(path, 1, SIZE)
    with path.open("ab") as stream:
        stream.write(b"2 10")
    read = Journal.read(path)
    assert read is not None
    assert (read.lengths, read.size, read.contiguous, read.received) == ({1: SIZE}, None, 0, SIZE)


def test_a_deleted_file_begins_anew(place: Place) -> None:
    session = place.session()
    send(place, session, 0, bytes(SIZE))
    place.sessions.delete_file(session, ME, only(place, session).id)
    for index in range(TOTAL):
        send(place, session, index)
    check(place, session)
