"""Several uploads joined into one: right after any interruption, and never there twice."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from upload_place import ME, Place, PlainSlot

from jupyter_slurmdash.errors import Conflict, Forbidden, InvalidInput, NoSpace, TooLarge, UploadNotFound
from jupyter_slurmdash.uploads.files import Part
from jupyter_slurmdash.uploads.flush import Synced
from jupyter_slurmdash.uploads.joins import Recipe, gather
from jupyter_slurmdash.uploads.model import SessionFile
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.transfers import Append

PIECES = [os.urandom(size) for size in (300_000, 1, 0, 123_457)]
WHOLE = b"".join(PIECES)


def send_parts(place: Place, session: str, pieces: list[bytes]) -> list[str]:
    ids = []
    for piece in pieces:
        part = place.begin(session, "", len(piece), origin="partial")
        if piece:
            part = place.send(part, 0, piece)
        assert (part.state, part.sha256) == ("complete", None)
        ids.append(part.id)
    return ids


def join(place: Place, session: str, ids: list[str], name: str = "whole.dat") -> SessionFile:
    return place.transfers.joins.create(session, ME, NewFile(name, None), ids, "final;x", "filename eA==")


def directory(place: Place, session: str) -> Path:
    return place.root / "uploads" / session


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2], [1, 3]])
def test_joined_in_the_order_asked_for(place: Place, order: list[int]) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)
    assert place.sessions.get(session, ME).files == ()
    file = join(place, session, [ids[index] for index in order])
    wanted = b"".join(PIECES[index] for index in order)
    assert Path(file.path).read_bytes() == wanted
    assert (file.state, file.size, file.sha256) == (
        "complete",
        len(wanted),
        hashlib.sha256(wanted).hexdigest(),
    )
    assert [one.name for one in place.sessions.get(session, ME).files] == ["whole.dat"]
    assert (place.transfers.concat(file), place.transfers.metadata(file)) == ("final;x", "filename eA==")
    left = {path.name for path in directory(place, session).glob("*.part")}
    assert left == {f"{ids[index]}.part" for index in range(4) if index not in order}
    for index in order:
        with pytest.raises(UploadNotFound):
            place.look(SessionFile(**{**vars(file), "id": ids[index]}))


def test_the_first_part_is_taken_as_it_is(place: Place) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)
    inode = (directory(place, session) / f"{ids[0]}.part").stat().st_ino
    assert Path(join(place, session, ids).path).stat().st_ino == inode


def test_one_event_for_the_file_and_none_for_its_parts(place: Place) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)
    assert place.told("upload_complete") == place.told("upload_progress") == []
    file = join(place, session, ids)
    (told,) = place.told("upload_complete")
    assert told["files"][0]["file_id"] == file.id


def test_no_more_bytes_for_a_joined_file(place: Place) -> None:
    session = place.session()
    file = join(place, session, send_parts(place, session, PIECES))
    with pytest.raises(Forbidden):
        place.transfers.open(session, ME, file.id, Append(len(WHOLE), body=1))


def test_what_cannot_be_joined(place: Place) -> None:
    session, other = place.session(), place.session()
    ids = send_parts(place, session, PIECES)
    (foreign,) = send_parts(place, other, [b"x"])
    begun = place.begin(session, "", 10, origin="partial")
    plain = place.upload(session, "plain.dat", b"x")
    for wrong, why in (
        ([ids[0], ids[0]], InvalidInput),
        ([ids[0], begun.id], Conflict),
        ([ids[0], plain.id], InvalidInput),
        ([ids[0], foreign], UploadNotFound),
        ([ids[0], "nothing"], UploadNotFound),
    ):
        with pytest.raises(why):
            join(place, session, wrong)
    with pytest.raises(Conflict, match="plain"):
        join(place, session, ids, "plain.dat")
    assert hashlib.sha256(WHOLE).hexdigest() == join(place, session, ids).sha256


def test_bounds_hold_for_the_sum(tmp_path: Path) -> None:
    place = Place(tmp_path, slots=(PlainSlot("small", "*.sml", max_size=100),), max_size=1000)
    session = place.session("any")
    first, second, third = send_parts(place, session, [bytes(600), bytes(600), bytes(100)])
    with pytest.raises(TooLarge, match="at most 1 KB"):
        join(place, session, [first, second])
    with pytest.raises(TooLarge, match="small"):
        join(place, session, [first, third], "a.sml")
    assert join(place, session, [first, third]).size == 700
    place.close()


def test_a_full_disk_keeps_everything_and_goes_on_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "copy_file_range", full)
        with pytest.raises(NoSpace):
            join(place, session, ids)
    # A client asks for its offset, or somebody looks at the session: either brings it to its end.
    (file,) = place.sessions.get(session, ME).files
    assert (file.state, file.sha256) == ("complete", hashlib.sha256(WHOLE).hexdigest())


@pytest.mark.parametrize("kept", [0, 1, 300_000, 300_001, 300_002, len(WHOLE) - 1, len(WHOLE)])
def test_killed_in_the_middle_of_joining(place: Place, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of the disk after each step, as a new process finds it."""
    session = place.session()
    ids = send_parts(place, session, PIECES)

    class Killed(Exception):
        pass

    moved = Part.append_from

    def until(self: Part, source: int, start: int, length: int) -> None:
        moved(self, source, start, max(0, min(length, kept - self.size)))
        if self.size >= kept and length:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Part, "append_from", until)
        with pytest.raises(Killed):
            join(place, session, ids)
    again = place.restarted()
    (file,) = again.sessions.get(session, ME).files
    assert (file.state, file.sha256) == ("complete", hashlib.sha256(WHOLE).hexdigest())
    assert Path(file.path).read_bytes() == WHOLE
    again.close()


def test_a_part_that_has_gone_is_said(place: Place) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)
    (directory(place, session) / f"{ids[3]}.part").unlink()
    with pytest.raises(Conflict, match="has gone"):
        join(place, session, ids)


def test_a_part_that_is_shorter_than_it_was_is_said(place: Place) -> None:
    session = place.session()
    ids = send_parts(place, session, PIECES)
    os.truncate(directory(place, session) / f"{ids[3]}.part", 10)
    with pytest.raises(Conflict, match="shorter"):
        join(place, session, ids)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP])
def test_without_copying_in_the_kernel(place: Place, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, "no")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    session = place.session()
    file = join(place, session, send_parts(place, session, PIECES))
    assert Path(file.path).read_bytes() == WHOLE


def test_never_more_than_one_part_is_there_twice(place: Place) -> None:
    session = place.session()
    ids = send_parts(place, session, [bytes(100_000)] * 8)
    final = place.begin(session, "w.dat", 800_000)
    at = place.uploads.transfers._records.place(final)
    most = 0

    def used(_: str) -> None:
        nonlocal most
        files = [path for path in at.directory.iterdir() if path.suffix == ".part"]
        most = max(most, sum(path.stat().st_size for path in files))

    at.part.unlink(missing_ok=True)
    gather(at, Recipe("", [(one, 100_000) for one in ids]), used, Synced())
    assert at.part.stat().st_size == 800_000
    assert most <= 800_000  # after each part: what was appended is there once


def test_a_session_with_parts_is_removed_with_them(place: Place) -> None:
    session = place.session()
    send_parts(place, session, PIECES)
    place.sessions.delete(session, ME)
    assert not directory(place, session).exists()


def test_parts_hold_their_promised_space(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_slurmdash.uploads.space.free_space", lambda root: 1000)
    session = place.session()
    place.begin(session, "", 900, origin="partial")
    with pytest.raises(NoSpace, match="kept for other uploads"):
        place.begin(session, "", 200, origin="partial")


def test_finalizing_waits_for_parts_under_way(place: Place) -> None:
    session = place.session()
    part = place.begin(session, "", 10, origin="partial")
    writer = place.writer(part, 0)
    with pytest.raises(Conflict, match="Parts"):
        place.sessions.finalize(session, ME)
    writer.close()
    assert place.sessions.finalize(session, ME).state == "finalized"
