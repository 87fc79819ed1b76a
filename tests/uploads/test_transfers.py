from __future__ import annotations

import base64
import hashlib
import os
import threading
from pathlib import Path

import pytest
from upload_place import ME, Place, PlainSlot

from jupyter_slurmdash.errors import (
    ChecksumMismatch,
    Conflict,
    InvalidInput,
    NoSpace,
    OffsetMismatch,
    SessionNotFound,
    TooLarge,
    UploadNotFound,
)
from jupyter_slurmdash.store.uploads import UploadTable
from jupyter_slurmdash.uploads.protocol import Checksum
from jupyter_slurmdash.uploads.records import MAX_FILES, NewFile
from jupyter_slurmdash.uploads.transfers import Append

DATA = bytes(range(256)) * 40


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def checksum(data: bytes, algorithm: str = "sha1") -> Checksum:
    return Checksum(algorithm, hashlib.new(algorithm, data).digest())


# -- from the first byte to the last ------------------------------------------------------------------------


def test_a_file_in_one_piece(place: Place) -> None:
    file = place.upload(place.session(), "a.dat", DATA)
    assert (file.state, file.offset, file.size, file.sha256) == (
        "complete",
        len(DATA),
        len(DATA),
        sha256(DATA),
    )
    assert Path(file.path).read_bytes() == DATA
    assert Path(file.path).name == "a.dat"


def test_a_published_file_is_for_reading_only(place: Place) -> None:
    session = place.session()
    file = place.upload(session, "a.dat", DATA)
    assert Path(file.path).stat().st_mode & 0o777 == 0o400
    place.sessions.delete(session, ME)
    assert not Path(file.path).exists()


def test_a_file_whose_publishing_was_interrupted_is_for_reading_only_too(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    part = place.root / "uploads" / file.session_id / f"{file.id}.part"
    part.write_bytes(DATA)
    final = place.root / "uploads" / file.session_id / file.id / "a.dat"
    final.parent.mkdir()
    part.rename(final)
    assert place.look(file).state == "complete"
    assert final.stat().st_mode & 0o777 == 0o400


def test_space_is_promised_to_the_users_own_uploads_only(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_slurmdash.uploads.space.free_space", lambda root: 1000)
    theirs = place.sessions.create("grace").id
    place.transfers.create(theirs, "grace", NewFile("big.dat", 900))
    mine = place.session()
    place.begin(mine, "a.dat", 900)
    with pytest.raises(NoSpace, match="kept for other uploads"):
        place.begin(mine, "b.dat", 200)


def test_a_file_in_pieces_is_not_there_before_the_last(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    for start in range(0, len(DATA), 1000):
        assert not list(place.root.rglob("a.dat"))
        now = place.send(file, start, DATA[start : start + 1000])
        assert now.offset == min(start + 1000, len(DATA))
    assert now.state == "complete"
    assert now.sha256 == sha256(DATA)


def test_only_the_user_may_read(place: Place) -> None:
    file = place.upload(place.session(), "a.dat", DATA)
    path = Path(file.path)
    assert path.stat().st_mode & 0o777 == 0o400
    assert {parent.stat().st_mode & 0o777 for parent in (path.parent, path.parent.parent)} == {0o700}


def test_an_empty_file_is_complete_at_once(place: Place) -> None:
    file = place.begin(place.session(), "empty.dat", 0)
    assert (file.state, file.sha256, file.size) == ("complete", sha256(b""), 0)
    assert Path(file.path).read_bytes() == b""


def test_a_length_that_comes_later(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", None)
    assert place.send(file, 0, DATA[:100]).state == "uploading"
    assert place.look(file).size is None
    with pytest.raises(InvalidInput, match="cannot be 99"):
        place.writer(file, 100, total=99)
    done = place.send(file, 100, DATA[100:], total=len(DATA))
    assert (done.state, done.sha256) == ("complete", sha256(DATA))


def test_a_length_that_was_reached_already(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", None)
    place.send(file, 0, DATA)
    done = place.send(file, len(DATA), b"", total=len(DATA))
    assert (done.state, done.size) == ("complete", len(DATA))


def test_a_length_does_not_change(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", 100)
    with pytest.raises(InvalidInput, match="cannot change"):
        place.writer(file, 0, total=200)
    assert place.send(file, 0, DATA[:100], total=100).state == "complete"


def test_a_wrong_offset_writes_nothing(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:1000])
    for offset in (0, 999, 1001):
        with pytest.raises(OffsetMismatch) as refused:
            place.writer(file, offset, body=10)
        assert refused.value.extra == {"offset": 1000}
    assert place.look(file).offset == 1000


def test_a_body_that_is_too_long(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", 100)
    with pytest.raises(TooLarge):
        place.writer(file, 0, body=101)
    writer = place.writer(file, 0)  # a body of unknown length
    writer.write(DATA[:60])
    with pytest.raises(TooLarge):
        writer.write(DATA[:41])
    writer.close()
    assert place.look(file).offset == 60


def test_a_complete_file_takes_no_more(place: Place) -> None:
    file = place.upload(place.session(), "a.dat", DATA)
    with pytest.raises(TooLarge):
        place.transfers.open(file.session_id, ME, file.id, Append(len(DATA), body=1))
    with pytest.raises(OffsetMismatch):
        place.transfers.open(file.session_id, ME, file.id, Append(0, body=1))
    again = place.transfers.open(file.session_id, ME, file.id, Append(len(DATA), body=0))
    assert again == place.look(file)


# -- what goes wrong on the way -----------------------------------------------------------------------------


def test_a_connection_that_breaks_keeps_what_arrived(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    writer = place.writer(file, 0)
    writer.write(DATA[:5000])
    writer.close()
    writer.close()
    assert place.look(file).offset == 5000
    assert place.send(file, 5000, DATA[5000:]).sha256 == sha256(DATA)


def test_a_new_process_goes_on_and_knows_the_digest(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:3000])
    later = place.restarted()
    assert later.look(file).offset == 3000
    assert later.send(file, 3000, DATA[3000:]).sha256 == sha256(DATA)
    later.close()


def test_killed_before_the_file_got_its_name(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    writer = place.writer(file, 0)
    writer.write(DATA)
    writer.close()  # all bytes are there, but nobody said that it is complete
    later = place.restarted()
    done = later.look(file)
    assert (done.state, done.sha256) == ("complete", sha256(DATA))
    later.close()


def test_killed_after_the_file_got_its_name(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    writer = place.writer(file, 0)
    writer.write(DATA)
    writer.close()
    directory = place.root / "uploads" / file.session_id
    (directory / file.id).mkdir()
    os.rename(directory / f"{file.id}.part", directory / file.id / "a.dat")
    later = place.restarted()
    (seen,) = later.sessions.get(file.session_id, ME).files
    assert (seen.state, seen.sha256) == ("complete", sha256(DATA))
    assert later.look(file) == seen
    later.close()


def test_bytes_that_vanished_are_not_acknowledged(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:3000])
    os.truncate(place.root / "uploads" / file.session_id / f"{file.id}.part", 1000)
    assert place.look(file).offset == 1000
    assert place.send(file, 1000, DATA[1000:]).sha256 == sha256(DATA)


def test_a_right_checksum(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:1000], checksum=checksum(DATA[:1000]))
    done = place.send(file, 1000, DATA[1000:], checksum=checksum(DATA[1000:], "sha256"))
    assert done.sha256 == sha256(DATA)


def test_a_wrong_checksum_forgets_the_body_and_only_that(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:1000])
    with pytest.raises(ChecksumMismatch):
        place.send(file, 1000, DATA[1000:], checksum=checksum(b"other"))
    assert place.look(file).offset == 1000
    assert place.send(file, 1000, DATA[1000:]).sha256 == sha256(DATA)


def test_a_body_with_a_checksum_that_breaks_off_does_not_count(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:1000])
    writer = place.writer(file, 1000, checksum=checksum(DATA[1000:]))
    writer.write(DATA[1000:2000])
    killed = place.restarted()
    assert killed.sessions.get(file.session_id, ME).files[0].offset == 1000
    writer.close()
    assert killed.look(file).offset == 1000
    assert killed.send(file, 1000, DATA[1000:]).sha256 == sha256(DATA)
    killed.close()


def test_killed_with_an_unverified_checksum(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    place.send(file, 0, DATA[:10])
    directory = place.root / "uploads" / file.session_id
    (directory / f"{file.id}.mark").write_text("4")
    assert place.look(file).offset == 4
    assert (directory / f"{file.id}.part").read_bytes() == DATA[:4]
    assert place.send(file, 4, DATA[4:]).sha256 == sha256(DATA)


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A real file system of 1 MiB."""
    directory = tmp_path / "small"
    directory.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=1m none '{directory}' 2>/dev/null"):
        pytest.skip("a small tmpfs needs the right to mount")
    return directory


def test_a_full_disk_keeps_what_fits_and_the_session(place: Place, small_disk: Path) -> None:
    try:
        object.__setattr__(place.uploads.settings, "root", small_disk / "uploads")
        file = place.begin(place.session(), "a.dat", None)
        writer = place.writer(file, 0)
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (512 * 1024))
        data = os.urandom(1024 * 1024)
        with pytest.raises(NoSpace):
            writer.write(data)
        writer.close()
        (told,) = place.told("upload_error")
        assert "full" in str(told["error"])
        kept = place.look(file).offset
        assert 0 < kept < len(data)
        filler.unlink()
        done = place.send(file, kept, data[kept : 700 * 1024], total=700 * 1024)
        assert done.sha256 == sha256(data[: 700 * 1024])
        with pytest.raises(NoSpace, match="needed"):
            place.begin(file.session_id, "b.dat", 900 * 1024)
    finally:
        os.system(f"umount '{small_disk}'")


def test_space_is_promised_only_once(place: Place) -> None:
    session = place.session()
    free = os.statvfs(place.root).f_bavail * os.statvfs(place.root).f_frsize
    first = place.begin(session, "a.dat", free * 6 // 10)
    with pytest.raises(NoSpace, match="kept for other uploads"):
        place.begin(session, "b.dat", free * 6 // 10)
    place.transfers.remove(session, ME, first.id)
    place.begin(session, "b.dat", free * 6 // 10)


def test_too_large_for_the_server_or_the_slot(tmp_path: Path) -> None:
    place = Place(tmp_path, max_size=20_000)
    session = place.session("template")
    with pytest.raises(TooLarge, match="20 KB"):
        place.begin(session, "a.dat", 20_001)
    with pytest.raises(TooLarge, match="training_script") as refused:
        place.begin(session, "train.py", 10_001)
    assert refused.value.errors[0].pointer == "/files/training_script"
    assert place.sessions.get(session, ME).files == ()
    file = place.begin(session, "b.dat", None)
    with pytest.raises(TooLarge):
        place.writer(file, 0, body=20_001)
    with pytest.raises(TooLarge):
        place.writer(file, 0, total=20_001)
    place.close()


def test_a_wrong_kind_of_file_stops_after_its_first_piece(place: Place) -> None:
    session = place.session("template")
    file = place.begin(session, "data.tar.gz", 5 * 1024**2)
    writer = place.writer(file, 0)
    with pytest.raises(InvalidInput, match="gzip") as refused:
        writer.write(b"no gzip " * 1000)
    assert refused.value.errors[0].pointer == "/files/dataset"
    writer.close()
    assert place.told("upload_error")[0]["file_id"] == file.id
    assert place.sessions.get(session, ME).files[0].state == "failed"
    assert not list(place.root.rglob("*.part"))
    with pytest.raises(InvalidInput, match="gzip"):
        place.look(file)
    right = place.upload(session, "data.tar.gz", b"\x1f\x8b" + bytes(5000))
    assert right.state == "complete"
    assert [one.name for one in place.sessions.get(session, ME).files] == ["data.tar.gz"]


def test_a_small_wrong_file_is_looked_at_when_it_is_whole(place: Place) -> None:
    file = place.begin(place.session(), "a.png", 6)
    place.send(file, 0, b"abc")
    with pytest.raises(InvalidInput, match="PNG"):
        place.upload(place.session(), "b.png", b"abcdef")


# -- several at once ----------------------------------------------------------------------------------------


def test_a_newer_connection_makes_the_older_let_go(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    old = place.transfers.open(
        file.session_id,
        ME,
        file.id,
        Append(0, let_go=lambda: threading.Thread(target=lambda: old.close()).start()),
    )
    old.write(DATA[:2000])  # type: ignore[union-attr]
    assert place.look(file).offset == 2000
    with pytest.raises(Conflict, match="newer"):
        old.write(b"more")  # type: ignore[union-attr]
    with pytest.raises(Conflict, match="newer"):
        old.finish()  # type: ignore[union-attr]
    assert place.send(file, 2000, DATA[2000:]).sha256 == sha256(DATA)


def test_two_that_begin_at_once_write_once(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    results: list[str] = []

    def go() -> None:
        try:
            place.send(file, 0, DATA)
            results.append("sent")
        except (OffsetMismatch, TooLarge):
            results.append("refused")

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 3 + ["sent"]
    assert place.look(file).sha256 == sha256(DATA)


def test_another_process_that_writes_is_noticed(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", len(DATA))
    writer = place.writer(file, 0)
    other = place.restarted()
    with pytest.raises(Conflict, match="Another program"):
        other.look(file)
    writer.close()
    assert other.look(file).offset == 0
    other.close()


# -- names and records --------------------------------------------------------------------------------------


def test_a_name_is_never_overwritten_without_a_word(place: Place) -> None:
    session = place.session()
    file = place.begin(session, "a.dat", 100)
    again = place.begin(session, "a.dat", 100)  # its answer got lost, so the client asks once more
    assert again.id != file.id
    with pytest.raises(UploadNotFound):
        place.look(file)
    place.send(again, 0, DATA[:10])
    with pytest.raises(Conflict) as refused:
        place.begin(session, "a.dat", 100)
    assert refused.value.extra == {"file_id": again.id}
    other = place.begin(session, "b.dat", 100)
    with pytest.raises(Conflict):
        place.begin(session, "b.dat", 101)
    writer = place.writer(other, 0)
    with pytest.raises(Conflict):
        place.begin(session, "b.dat", 100)
    writer.close()


def test_metadata_is_kept_word_for_word(place: Place) -> None:
    session, text = place.session(), "filename " + base64.b64encode("é".encode()).decode()
    file = place.transfers.create(session, ME, NewFile("é", 5), text)
    assert place.transfers.metadata(file) == text
    assert place.transfers.metadata(place.begin(session, "b", 1)) == ""


def test_asked_again_a_removal_takes_what_a_killed_server_left(place: Place) -> None:
    """It had removed the record, and not yet the bytes."""
    session = place.session()
    kept = place.begin(session, "kept.dat", 4)
    place.send(kept, 0, b"kept")
    whole, part = place.begin(session, "whole.dat", 4), place.begin(session, "part.dat", 4)
    place.send(whole, 0, b"full")
    place.send(part, 0, b"ha")
    root = place.root / "uploads" / session
    for file in (whole, part):
        UploadTable(place.database).delete_file(file.id)
        with pytest.raises(UploadNotFound):
            place.transfers.remove(session, ME, file.id)
    for strange in ("..", "", "kept.dat", f"../{session}"):
        with pytest.raises(UploadNotFound):
            place.transfers.remove(session, ME, strange)
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["kept.dat"]


def test_removing_an_upload_frees_its_space(place: Place) -> None:
    session = place.session()
    for size in (len(DATA), 2 * len(DATA)):
        file = place.begin(session, "a.dat", size)
        place.send(file, 0, DATA)
        place.transfers.remove(session, ME, file.id)
        assert list((place.root / "uploads" / session).iterdir()) == []
        with pytest.raises(UploadNotFound):
            place.look(file)


def test_another_users_upload_is_not_there(place: Place) -> None:
    file = place.begin(place.session(), "a.dat", 100)
    with pytest.raises(SessionNotFound):
        place.transfers.look(file.session_id, "mallory", file.id)
    with pytest.raises(SessionNotFound):
        place.transfers.open(file.session_id, "mallory", file.id, Append(0))
    with pytest.raises(SessionNotFound):
        place.transfers.remove(file.session_id, "mallory", file.id)
    with pytest.raises(SessionNotFound):
        place.transfers.create(file.session_id, "mallory", NewFile("b", 1))


def test_a_session_holds_so_many_files(place: Place) -> None:
    session = place.session()
    row = place.begin(session, "a", 0)
    with place.database.write() as connection:
        columns = (
            "session_id, name, type, slot, size, offset, state, origin, path, pinned, created_at, updated_at"
        )
        values = "session_id, name || n, type, slot, size, offset, state, origin, path, pinned, 0, 0"
        connection.exec_driver_sql(
            f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {MAX_FILES - 1})"
            f" INSERT INTO upload_files (id, {columns}) SELECT n, {values} FROM upload_files, c WHERE id = '{row.id}'"
        )
    with pytest.raises(Conflict, match=f"{MAX_FILES} files"):
        place.begin(session, "one too many", 0)


# -- events -------------------------------------------------------------------------------------------------


def test_events_of_a_file(place: Place) -> None:
    ticks = iter([0.0, 0.1, 0.3, 0.4, 0.7])
    place.transfers.ticks = lambda: next(ticks, 1.0)
    file = place.begin(place.session(), "a.dat", len(DATA))
    writer = place.writer(file, 0)
    for start in range(0, len(DATA), 2560):
        writer.write(DATA[start : start + 2560])
    writer.finish()
    progress = place.told("upload_progress")
    assert [told["uploaded_bytes"] for told in progress] == [5120, 10240, 10240]
    assert progress[0]["file_name"] == "a.dat"
    assert progress[0]["file_id"] == file.id
    assert progress[-1]["progress"] == 100.0
    (complete,) = [event for event in place.events if event.type == "upload_complete"]
    assert complete.durable
    assert complete.data["files"][0]["sha256"] == sha256(DATA)


def test_other_viewers_are_told_of_every_change(place: Place, tmp_path: Path) -> None:
    session = place.session("pytorch")
    first = place.begin(session, "train.py", 5)
    assert place.told("upload_changed")[-1]["files"][0]["file_id"] == first.id
    path = tmp_path / "other.py"
    path.write_text("1")
    second = place.sessions.add_path(session, ME, str(path))
    assert place.told("upload_changed")[-1]["files"][0]["path"] == str(path)
    slot = first.slot
    place.sessions.update_file(session, ME, second.id, {"slot": slot})
    moved = place.told("upload_changed")[-1]["files"]
    assert [(file["file_id"], file["slot"]) for file in moved] == [(second.id, slot), (first.id, None)]
    place.sessions.delete_file(session, ME, first.id)
    assert place.told("upload_changed")[-1] == {"session_id": session, "removed": [first.id]}


def test_a_slot_without_bounds(tmp_path: Path) -> None:
    place = Place(tmp_path, slots=(PlainSlot("any", "*"),))
    assert place.begin(place.session("t"), "x", 10**9).slot == "any"
    place.close()
