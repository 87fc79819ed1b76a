"""What the disk did not take after all, though it was written without an error, does not count."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
from failing_syncs import fail_syncs
from upload_place import ME, Place

from jupyter_slurmdash.errors import NoSpace, SlurmDashError, StorageFailed
from jupyter_slurmdash.uploads import flush
from jupyter_slurmdash.uploads.writer import Writer

DATA = os.urandom(1000)
OTHER = os.urandom(1000)  # as when its source was edited meanwhile
SPOKEN = [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EIO, StorageFailed)]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(writer: Writer, data: bytes, piece: int = 200) -> None:
    """Piece by piece, as if the disk were quicker than the client."""
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
        under_way = writer.part._flusher._under_way
        if under_way is not None:
            under_way.exception()  # wait for it


def write_all(writer: Writer, data: bytes) -> None:
    write(writer, data)
    writer.finish()


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_disk_that_is_full_only_when_it_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    """As with delayed allocation, or on a network: the ``fails``-th sync, of two early ones and the last."""
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0, body=1000)
    monkeypatch.setattr(flush, "STEP", 400)
    fail_syncs(monkeypatch, fails)
    with pytest.raises(NoSpace):
        write_all(writer, DATA)
    writer.close()
    kept = place.look(file).offset
    assert kept == {1: 0, 2: 400, 3: 800}[fails]
    again = place.restarted()
    done = again.send(file, kept, DATA[kept:])
    again.close()
    assert (done.state, done.sha256) == ("complete", sha256(DATA))
    assert Path(done.path).read_bytes() == DATA


@pytest.mark.parametrize(("number", "error"), SPOKEN)
def test_a_failed_sync_is_told_with_the_next_piece(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int, error: type[SlurmDashError]
) -> None:
    """And not after all the rest of a large file."""
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0, body=1000)
    monkeypatch.setattr(flush, "STEP", 200)
    fail_syncs(monkeypatch, 1, number=number)
    write(writer, DATA[:200])
    with pytest.raises(error):
        writer.write(DATA[200:400])
    writer.close()
    (told,) = place.told("upload_error")
    assert told["file_id"] == file.id
    assert place.look(file).offset == 0
    assert place.send(file, 0, DATA).sha256 == sha256(DATA)


def test_what_was_never_synced_may_be_lost_by_a_later_request(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.begin(place.session(), "a.dat", 1000)
    assert place.send(file, 0, DATA[:400]).offset == 400
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        with pytest.raises(NoSpace):
            place.send(file, 400, DATA[400:])
    assert place.look(file).offset == 0
    done = place.send(file, 0, DATA)
    assert (done.sha256, Path(done.path).read_bytes()) == (sha256(DATA), DATA)


def test_what_was_synced_outlives_its_request(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces smaller than ``STEP`` are synced too, when there are enough of them."""
    monkeypatch.setattr(flush, "STEP", 400)
    file = place.begin(place.session(), "a.dat", 1000)
    for start in range(0, 600, 200):
        place.send(file, start, DATA[start : start + 200])
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        with pytest.raises(NoSpace):
            place.send(file, 600, DATA[600:])
    assert place.look(file).offset == 400
    assert place.send(file, 400, DATA[400:]).sha256 == sha256(DATA)


def test_a_piece_that_the_disk_did_not_take_is_not_acknowledged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.begin(place.session(), "a.dat", 1000)
    monkeypatch.setattr(flush, "STEP", 100)
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        with pytest.raises(NoSpace):
            place.send(file, 0, DATA[:500])
    assert place.look(file).offset == 0
    assert place.send(file, 0, DATA).sha256 == sha256(DATA)


@pytest.mark.parametrize(("number", "error"), SPOKEN)
@pytest.mark.parametrize("length", [600, 1000])
def test_a_network_that_tells_it_at_the_close(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int, error: type[SlurmDashError], length: int
) -> None:
    """As NFS: each close sends what is left, and tells once what the server did not take."""
    file = place.begin(place.session(), "a.dat", 1000)
    part = place.root / "uploads" / file.session_id / f"{file.id}.part"
    real, told = os.close, 0

    def close(fd: int) -> None:
        nonlocal told
        ours = not told and part.exists() and os.path.samestat(os.fstat(fd), part.stat())
        real(fd)
        if ours:
            told += 1
            raise OSError(number, os.strerror(number))

    writer = place.writer(file, 0, body=length)
    writer.write(DATA[:length])
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_slurmdash.uploads.files.os.close", close)
        if length < 1000:
            with pytest.raises(error):
                writer.finish()
            assert told == 1
            assert place.look(file).offset == 0
            place.send(file, 0, DATA)
        else:
            writer.finish()  # it was synced, so nothing is left for the close
    (done,) = place.sessions.get(file.session_id, ME).files
    assert (done.sha256, Path(done.path).read_bytes()) == (sha256(DATA), DATA)


@pytest.mark.parametrize("early", [True, False])
def test_other_bytes_in_the_place_of_those_that_were_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch, early: bool
) -> None:
    file = place.begin(place.session(), "a.dat", 1000)
    monkeypatch.setattr(flush, "STEP", 300 if early else 10_000)
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        writer = place.writer(file, 0, body=1000)
        with pytest.raises(NoSpace):
            write_all(writer, DATA)
        writer.close()
    assert place.look(file).offset == 0
    done = place.send(file, 0, OTHER)
    assert (done.sha256, Path(done.path).read_bytes()) == (sha256(OTHER), OTHER)


def test_a_source_that_changed_after_the_disk_was_full(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session, source = place.session(), tmp_path / "big.dat"
    data, other = random.Random(1).randbytes(400_000), random.Random(2).randbytes(400_000)
    source.write_bytes(data)
    add = place.uploads.local.add
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        with pytest.raises(NoSpace):
            add(session, ME, [source], copy=True)
    source.write_bytes(other)
    (done,) = add(session, ME, [source], copy=True).files
    assert (done.sha256, Path(done.path).read_bytes()) == (sha256(other), other)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_session_is_looked_at_while_its_file_cannot_be_completed(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0)
    writer.write(DATA)
    writer.close()  # all bytes are there, but nobody said that it is complete
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1, number=number)
        (seen,) = place.sessions.get(file.session_id, ME).files
    assert (seen.state, seen.offset) == ("uploading", 0)
    assert place.send(file, 0, DATA).sha256 == sha256(DATA)


def test_closing_waits_for_the_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flush, "STEP", 100)
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0, body=1000)
    writer.write(DATA[:300])
    under_way = writer.part._flusher._under_way
    writer.close()
    assert under_way is not None
    assert under_way.done()
    assert place.look(file).offset == 300
    assert place.send(file, 300, DATA[300:]).sha256 == sha256(DATA)


def is_in_memory(fd: int, offset: int) -> bool:
    """Whether the kernel could answer without its disk."""
    try:
        return os.preadv(fd, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this file system cannot tell what it has in memory")


def test_what_is_on_the_disk_leaves_the_memory(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a large file would push out what others need; its last bytes stay, where archives have their lists."""
    size, step = 4_000_000, 1_000_000
    data = random.Random(3).randbytes(size)
    monkeypatch.setattr(flush, "STEP", step)
    file = place.begin(place.session(), "a.dat", size)
    writer = place.writer(file, 0, body=size)
    writer.write(data[: step - 1])
    assert is_in_memory(writer.part.fd, 0)
    write(writer, data[step - 1 :], step)
    assert not is_in_memory(writer.part.fd, 0)
    assert is_in_memory(writer.part.fd, size - 1)
    done = writer.finish()
    assert (done.sha256, Path(done.path).read_bytes()) == (sha256(data), data)


def test_without_a_thread_all_is_left_for_the_last_sync(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def submit(self, *_: Any) -> None:
            raise RuntimeError("can't start new thread")

    file = place.begin(place.session(), "a.dat", 1000)
    monkeypatch.setattr(flush, "STEP", 100)
    monkeypatch.setattr(flush, "_aside", Full)
    place.send(file, 0, DATA[:600])
    with monkeypatch.context() as patch:
        fail_syncs(patch, 1)
        with pytest.raises(NoSpace):
            place.send(file, 600, DATA[600:])
    assert place.look(file).offset == 0
    assert place.send(file, 0, DATA).sha256 == sha256(DATA)
