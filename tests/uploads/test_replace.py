"""A file in the place of another: the old one is there until the new one is, and never are there two of one name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from upload_place import ME, Place

from jupyter_slurmdash.errors import Conflict, NoSpace
from jupyter_slurmdash.store.uploads import UploadTable
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.small import SmallFile, SmallFiles

NAME = "a.dat"
DOORS = ["small", "path", "tus"]


def replace(place: Place, session: str, door: str, data: bytes = b"new") -> None:
    if door == "small":
        place.uploads.small.add(session, ME, [SmallFile(NAME, data, clash="replace")])
    elif door == "path":
        path = place.root / "mine" / NAME
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        place.uploads.local.add(session, ME, [path], clash="replace")
    else:
        place.transfers.create(session, ME, NewFile(NAME, len(data), clash="replace"))


def at_the_end(patch: pytest.MonkeyPatch, door: str, act: Callable[[], None]) -> None:
    """``act`` instead of the transaction that brings the new file."""
    if door != "tus":
        patch.setattr(UploadTable, "insert_files", lambda *_args, **_options: act())
        return
    original, calls = UploadTable.insert_file, 0

    def insert_file(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return original(*args, **options) if calls == 1 else act()

    patch.setattr(UploadTable, "insert_file", insert_file)


def only(place: Place, session: str) -> Any:
    (file,) = place.sessions.get(session, ME).files
    return file


@pytest.mark.parametrize("door", DOORS)
def test_the_old_file_stays_when_the_database_is_full(
    place: Place, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    session = place.session()
    old = place.upload(session, NAME, b"old")

    def full() -> None:
        raise NoSpace("The disk is full.")

    with monkeypatch.context() as patch:
        at_the_end(patch, door, full)
        with pytest.raises(NoSpace):
            replace(place, session, door)
    file = only(place, session)
    assert (file.id, Path(file.path).read_bytes()) == (old.id, b"old")
    assert [path.name for path in (place.root / "uploads" / session).iterdir()] == [old.id]


@pytest.mark.parametrize("door", DOORS)
def test_the_old_file_stays_when_the_server_dies(
    place: Place, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    session = place.session()
    old = place.upload(session, NAME, b"old")
    pid = os.fork()
    if pid == 0:
        at_the_end(monkeypatch, door, lambda: os._exit(9))
        replace(place.restarted(), session, door)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    file = only(place, session)
    assert (file.id, Path(file.path).read_bytes()) == (old.id, b"old")


@pytest.mark.parametrize("door", DOORS)
def test_the_old_bytes_go_with_their_record(place: Place, door: str) -> None:
    session = place.session()
    old = place.upload(session, NAME, b"old")
    replace(place, session, door)
    assert only(place, session).id != old.id
    assert not (place.root / "uploads" / session / old.id).exists()


@pytest.mark.parametrize("door", DOORS)
def test_a_file_that_is_being_written_is_not_replaced(place: Place, door: str) -> None:
    session = place.session()
    file = place.begin(session, NAME, 10)
    writer = place.writer(file, 0, body=10)
    writer.write(b"12345")
    with pytest.raises(Conflict) as raised:
        replace(place, session, door)
    assert raised.value.extra == {"file_id": file.id}
    writer.write(b"67890")
    assert writer.finish().state == "complete"
    assert Path(only(place, session).path).read_bytes() == b"1234567890"


def test_a_connection_that_comes_while_its_file_is_replaced(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the end of that, and its upload is gone then: never is it half of something."""
    session = place.session()
    file = place.begin(session, NAME, 10)
    seen: list[bool] = []
    original = SmallFiles._write

    def write(self: SmallFiles, *args: Any) -> None:
        seen.append(self._records.locks.busy(file.id))
        original(self, *args)

    monkeypatch.setattr(SmallFiles, "_write", write)
    replace(place, session, "small")
    assert seen == [True]
    assert not place.uploads.small._records.locks.busy(file.id)


def test_a_name_that_comes_while_a_small_file_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another connection, or from another process: no lock is between them."""
    session = place.session()
    other = place.restarted()
    original = SmallFiles._write

    def write(self: SmallFiles, *args: Any) -> None:
        original(self, *args)
        other.begin(session, NAME, 10)

    monkeypatch.setattr(SmallFiles, "_write", write)
    with pytest.raises(Conflict, match=NAME):
        place.uploads.small.add(session, ME, [SmallFile("b.dat", b"1"), SmallFile(NAME, b"1")])
    assert (only(place, session).name, only(place, session).state) == (NAME, "uploading")
    assert list((place.root / "uploads").rglob("*.dat")) == []
    other.close()


def test_a_file_is_replaced_by_one(place: Place) -> None:
    session = place.session()
    place.upload(session, NAME, b"old")
    twice = [SmallFile(NAME, data, clash="replace") for data in (b"new", b"newer")]
    with pytest.raises(Conflict, match=NAME):
        place.uploads.small.add(session, ME, twice)
    assert Path(only(place, session).path).read_bytes() == b"old"
