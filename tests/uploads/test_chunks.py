"""Chunks in any order, several at once, twice, and across killed servers."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
from failing_syncs import fail_syncs
from upload_place import ME, Place, PlainSlot

from jupyter_slurmdash.errors import (
    ChecksumMismatch,
    Conflict,
    InvalidInput,
    NoSpace,
    SlurmDashError,
    StorageFailed,
    TooLarge,
)
from jupyter_slurmdash.uploads.chunks import Chunk, ChunkWriter
from jupyter_slurmdash.uploads.journal import Journal
from jupyter_slurmdash.uploads.magic import HEAD
from jupyter_slurmdash.uploads.protocol import Checksum
from jupyter_slurmdash.uploads.transfers import Transfers

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


def opened(place: Place, session: str, index: int, name: str = "a.dat") -> ChunkWriter:
    return place.uploads.chunks.open(session, ME, Chunk(name, index, TOTAL, body=len(piece(index))))


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


# -- a disk that takes bytes, and does not keep them --------------------------------------------------------


SPOKEN = [(errno.ENOSPC, NoSpace), (errno.EIO, StorageFailed)]


@pytest.mark.parametrize(("number", "error"), SPOKEN)
def test_acknowledged_chunks_outlive_a_failed_sync_at_the_end(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int, error: type[SlurmDashError]
) -> None:
    session = place.session()
    with monkeypatch.context() as patch:
        fail_syncs(patch, TOTAL + 1, number=number)  # each chunk has one
        for index in range(TOTAL - 1):
            send(place, session, index)
        with pytest.raises(error):
            send(place, session, TOTAL - 1)
    check(place, session)


def test_a_file_that_has_lost_chunks_is_not_filled_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    for index in range(TOTAL - 1):
        send(place, session, index)
    with monkeypatch.context() as patch:
        fail_syncs(patch, 2)
        with pytest.raises(NoSpace):
            send(place, session, TOTAL - 1)
    file = only_row(place, session)
    os.truncate(place.root / "uploads" / session / f"{file['id']}.part", 3 * SIZE)
    for again in (place, place.restarted()):
        assert only(again, session).state == "uploading"
        with pytest.raises(Conflict, match="shorter"):
            send(again, session, 0)
        again.close()


def only_row(place: Place, session: str) -> dict[str, Any]:
    """As the database has it: nobody has looked at the file, and completed it."""
    (row,) = place.uploads.sessions._table.files(session)
    return row


def test_a_last_chunk_that_came_shorter_the_second_time(place: Place) -> None:
    session = place.session()
    for index in range(TOTAL - 1):
        send(place, session, index)
    writer = opened(place, session, TOTAL - 1)
    writer.write(piece(TOTAL - 1))
    writer.close()
    send(place, session, TOTAL - 1, DATA[9 * SIZE : 9 * SIZE + 50])
    check(place, session, DATA[: 9 * SIZE + 50])


@pytest.mark.parametrize(("number", "error"), SPOKEN)
def test_one_failed_sync_may_be_of_any_chunk(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int, error: type[SlurmDashError]
) -> None:
    """The kernel tells it once for each open file, whosever bytes were lost."""
    session = place.session()
    first, second, third = (opened(place, session, index) for index in (0, 1, 2))
    for index, writer in ((0, first), (1, second)):
        writer.write(piece(index))
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1, number=number)
        with pytest.raises(error):
            first.finish()
        with pytest.raises(error):
            second.finish()
        after = opened(place, session, 3)  # while the file stays open
        after.write(piece(3))
        assert after.finish()["chunks"] == 1
        third.write(piece(2))
        with pytest.raises(error):
            third.finish()
    assert only(place, session).offset == SIZE
    for index in range(TOTAL):
        send(place, session, index)
    check(place, session)


# -- one file does not hold up another ----------------------------------------------------------------------


@pytest.fixture
def held(place: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file ``big.dat`` with all its chunks that a restarted server must read first: that takes until ``go``."""
    session = place.session()
    for index in range(TOTAL - 1):
        send(place, session, index, name="big.dat")

    def killed(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jupyter_slurmdash.uploads.files.Place.publish", killed)
        with pytest.raises(KeyboardInterrupt):
            send(place, session, TOTAL - 1, name="big.dat")
    reads, go = threading.Event(), threading.Event()
    real = Transfers.finish_held

    def finish_held(self: Transfers, file: Any) -> Any:
        reads.set()
        assert go.wait(60)
        return real(self, file)

    monkeypatch.setattr(Transfers, "finish_held", finish_held)
    return session, reads, go


def test_other_files_do_not_wait_while_one_is_read(place: Place, held: Any) -> None:
    session, reads, go = held
    after = place.restarted()
    early = opened(after, session, 0)  # of another file, and under way already
    early.write(piece(0))
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(send, after, session, index, name="big.dat") for index in (0, 1)]
        assert reads.wait(60)
        others = pool.submit(lambda: [early.finish(), send(after, session, 1)])
        try:
            assert [told["chunks"] for told in others.result(30)] == [1, 2]
            assert not any(one.done() for one in slow)
        finally:
            go.set()
        assert [one.result()["file"]["state"] for one in slow] == ["complete", "complete"]
    done = next(file for file in after.sessions.get(session, ME).files if file.name == "big.dat")
    assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    after.close()


def test_writing_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done in the event loop: no lock of the file, which is held while the disk is synced, and no database."""
    place = Place(tmp_path, chunk_size=HEAD)
    session = place.session("template")
    data = os.urandom(2 * HEAD)

    def writer(index: int) -> ChunkWriter:
        return place.uploads.chunks.open(session, ME, Chunk("x.tar.gz", index, 2, body=HEAD))

    first, second = writer(0), writer(1)
    with monkeypatch.context() as patch, first._shared.lock:
        for name in ("read", "write"):
            patch.setattr(place.database, name, None)
        second.write(data[HEAD:])
        with pytest.raises(InvalidInput, match="gzip") as refused:
            first.write(data[:HEAD])
    assert refused.value.errors[0].pointer == "/files/dataset"
    with pytest.raises(InvalidInput, match="gzip"):
        second.finish()  # though the first has not let go yet
    first.close()
    assert only(place, session).state == "failed"
    (told,) = place.told("upload_error")
    assert "gzip" in str(told["error"])
    assert list((place.root / "uploads" / session).iterdir()) == []
    for index, good in enumerate((b"\x1f\x8b\x08" + data[3:HEAD], data[HEAD:])):
        again = writer(index)
        again.write(good)
        again.finish()
    check(place, session, b"\x1f\x8b\x08" + data[3:])
    place.close()
