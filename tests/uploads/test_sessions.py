from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from upload_place import ME, SLOTS, Place

from jupyter_slurmdash.errors import (
    Conflict,
    InvalidInput,
    SessionExpired,
    SessionNotFound,
    TemplateBroken,
    TemplateNotFound,
    UploadNotFound,
)
from jupyter_slurmdash.uploads.model import SessionFile
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.service import Uploads
from jupyter_slurmdash.uploads.small import SmallFile


def test_a_new_session(place: Place) -> None:
    session = place.sessions.create(ME, "template")
    assert session.expires_at == place.now + 1000
    assert place.sessions.get(session.id, ME) == session
    assert place.sessions.find(session.id, ME) == session


def test_a_template_that_does_not_exist(place: Place) -> None:
    def missing(user: str, template_id: str) -> tuple[()]:
        raise TemplateNotFound("There is no such template.")

    uploads = Uploads(place.uploads.sessions._table, place.transfers._events, place.root, slots=missing)
    with pytest.raises(TemplateNotFound):
        uploads.sessions.create(ME, "nowhere")


def test_a_template_that_breaks_later_stops_no_upload(place: Place) -> None:
    broken: list[str] = []

    def slots(user: str, template_id: str) -> tuple[()]:
        if broken:
            raise TemplateBroken("Line 3 is not YAML.")
        return ()

    uploads = Uploads(place.uploads.sessions._table, place.transfers._events, place.root, slots=slots)
    session = uploads.sessions.create(ME, "edited")
    broken.append("now")
    assert uploads.transfers.create(session.id, ME, NewFile("a.dat", 5)).slot == ""


def test_another_users_session_is_not_there(place: Place) -> None:
    session = place.session()
    for call in (place.sessions.get, place.sessions.find, place.sessions.delete, place.sessions.finalize):
        with pytest.raises(SessionNotFound):
            call(session, "mallory")
    with pytest.raises(SessionNotFound):
        place.sessions.add_path(session, "mallory", "/etc/hostname")
    with pytest.raises(SessionNotFound):
        place.sessions.update_file(session, "mallory", "x", {})
    with pytest.raises(SessionNotFound):
        place.uploads.job_files(session, "mallory")


def test_delete_takes_the_bytes_and_leaves_files_by_path(place: Place) -> None:
    mine = place.root / "mine.dat"
    mine.write_bytes(b"mine")
    session = place.session()
    place.upload(session, "a.dat", b"uploaded")
    place.begin(session, "b.dat", 100)
    place.sessions.add_path(session, ME, str(mine))
    place.sessions.delete(session, ME)
    assert mine.read_bytes() == b"mine"
    assert list((place.root / "uploads").iterdir()) == []
    with pytest.raises(SessionNotFound):
        place.sessions.get(session, ME)


# -- time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["small", "tus", "path"])
def test_a_session_that_another_server_removes_while_files_come(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """At the last moment: what was written already goes, and the answer says why."""
    session = place.session()
    (tmp_path / "a.dat").write_bytes(b"1")
    ways: dict[str, Callable[[], object]] = {
        "small": lambda: place.uploads.small.add(session, ME, [SmallFile("a.dat", b"1")]),
        "tus": lambda: place.transfers.create(session, ME, NewFile("a.dat", 9), "filename YS5kYXQ="),
        "path": lambda: place.uploads.local.add(session, ME, [tmp_path / "a.dat"]),
    }
    table = place.sessions._table
    for name in ("insert_file", "insert_files"):
        insert = getattr(table, name)

        def late(*rows: Any, insert: Callable[..., object] = insert) -> object:
            table.delete_session(session)
            return insert(*rows)

        monkeypatch.setattr(table, name, late)
    with pytest.raises(SessionNotFound):
        ways[way]()
    directory = place.root / "uploads" / session
    assert not directory.exists() or not list(directory.iterdir())


def test_a_session_is_removed_when_the_files_that_come_are_there(place: Place) -> None:
    """Not in the middle of them; whoever comes later finds none."""
    session = place.session()
    add, going, removed = place.uploads.small.add, threading.Event(), threading.Event()
    insert = place.sessions._table.insert_files

    def slow(*rows: Any) -> None:
        going.set()
        assert not removed.wait(0.2), "it was removed under the hands of who writes"
        insert(*rows)

    place.sessions._table.insert_files = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        added = pool.submit(add, session, ME, [SmallFile("a.dat", b"1")])
        going.wait(10)
        pool.submit(lambda: (place.sessions.delete(session, ME), removed.set())).result()
        assert added.result()[0].name == "a.dat"
    assert not (place.root / "uploads" / session).exists()
    with pytest.raises(SessionNotFound):
        add(session, ME, [SmallFile("b.dat", b"1")])
    assert not (place.root / "uploads" / session).exists()


def test_a_session_that_nobody_touches_expires_and_is_collected(place: Place) -> None:
    session = place.session()
    place.upload(session, "a.dat", b"x" * 100)
    place.now += 1000
    with pytest.raises(SessionExpired):
        place.sessions.get(session, ME)
    assert place.sessions.expire(ME) == 1
    with pytest.raises(SessionNotFound):
        place.sessions.get(session, ME)
    assert list((place.root / "uploads").iterdir()) == []
    assert place.sessions.expire(ME) == 0


def test_every_piece_prolongs_the_session(place: Place) -> None:
    session = place.session()
    file = place.begin(session, "a.dat", 100)
    for offset in range(0, 90, 10):
        place.now += 900
        place.send(file, offset, b"0123456789")
    assert place.sessions.expire(ME) == 0
    assert place.sessions.get(session, ME).expires_at == place.now + 1000


def test_a_file_that_is_being_written_keeps_its_session(place: Place) -> None:
    session = place.session()
    writer = place.writer(place.begin(session, "a.dat", 100), 0)
    place.now += 2000
    assert place.sessions.expire(ME) == 0
    writer.close()
    assert place.sessions.expire(ME) == 1


def test_what_belongs_to_others_is_left_to_them(place: Place) -> None:
    theirs = place.sessions.create("grace").id
    place.now += 2000
    assert place.sessions.expire(ME) == 0
    assert place.sessions.expire("grace") == 1
    assert place.uploads.sessions._table.session(theirs) is None


def test_directories_without_a_record_are_swept_when_they_are_old(place: Place) -> None:
    uploads = place.root / "uploads"
    assert place.sessions.expire(ME) == 0
    old, young, foreign = (uploads / name for name in (ID.format(1), ID.format(2), "someone-elses-folder"))
    for directory in (old, young, foreign):
        directory.mkdir(parents=True)
        (directory / "x.part").write_bytes(b"x")
        os.utime(directory / "x.part", (place.now - 1001,) * 2)
        os.utime(directory, (place.now - 1001,) * 2)
    os.utime(young / "x.part", (place.now - 500,) * 2)
    assert place.sessions.expire(ME) == 1
    assert sorted(path.name for path in uploads.iterdir()) == sorted([young.name, foreign.name])


ID = "00000000-0000-4000-8000-00000000000{}"


# -- files by path ------------------------------------------------------------------------------------------


def test_a_file_by_path_is_never_copied(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("print(1)")
    session = place.session("template")
    file = place.sessions.add_path(session, ME, str(path))
    assert (file.state, file.origin, file.path, file.size) == ("complete", "path", str(path), 8)
    assert (file.slot, file.type) == ("training_script", "code")
    assert not (place.root / "uploads" / session).exists()
    path.write_text("print(12345)")
    (job_file,) = place.uploads.job_files(session, ME)
    assert (job_file.size, job_file.path, job_file.origin) == (12, str(path), "path")
    path.unlink()
    with pytest.raises(InvalidInput, match=r"train\.py cannot be read"):
        place.uploads.job_files(session, ME)


def test_paths_that_are_no_file(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    os.mkfifo(tmp_path / "fifo")
    bad = [
        "relative.py",
        str(tmp_path),
        str(tmp_path / "missing"),
        str(tmp_path / "fifo"),
        "/dev/null",
        "a\0b",
        "/",
    ]
    for path in bad:
        with pytest.raises(InvalidInput):
            place.sessions.add_path(session, ME, path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "home.dat").write_text("x")
    assert place.sessions.add_path(session, ME, "~/home.dat").path == str(tmp_path / "home.dat")


def test_a_path_and_an_upload_cannot_have_one_name(place: Place, tmp_path: Path) -> None:
    session = place.session()
    (tmp_path / "a.dat").write_text("x")
    place.begin(session, "a.dat", 1)
    with pytest.raises(Conflict):
        place.sessions.add_path(session, ME, str(tmp_path / "a.dat"))


def test_at_path(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    file = place.uploads.at_path(str(tmp_path / "a.json"), "config")
    assert (file.name, file.slot, file.type, file.size) == ("a.json", "config", "config", 2)


# -- slots and types ----------------------------------------------------------------------------------------


def test_files_find_their_slots(place: Place) -> None:
    session = place.session("template")
    names = ["train.py", "other.py", "data.tar.gz", "config.yaml", "notes.txt"]
    slots = [place.begin(session, name, 10).slot for name in names]
    assert slots == ["training_script", "", "dataset", "config", ""]


def test_what_the_user_sets_wins(place: Place) -> None:
    session = place.session("template")
    first, second = place.begin(session, "train.py", 5), place.begin(session, "other.py", 5)
    moved = place.sessions.update_file(session, ME, second.id, {"slot": "training_script"})
    assert (moved.slot, moved.type, moved.pinned) == ("training_script", "code", True)
    assert place.look(first).slot == ""
    changed = place.sessions.update_file(session, ME, second.id, {"type": "data"})
    assert (changed.slot, changed.type) == ("training_script", "data")
    taken_out = place.sessions.update_file(session, ME, second.id, {"slot": None})
    assert (taken_out.slot, taken_out.pinned) == ("", True)
    placed = place.uploads.assign(place.uploads.session_files(session, ME), SLOTS)
    assert {file.name: file.slot for file in placed} == {"train.py": "training_script", "other.py": ""}


@pytest.mark.parametrize("door", ["stream", "small", "path"])
@pytest.mark.parametrize("chosen", [None, "training_script", ""])
def test_what_comes_for_a_file_stands_where_that_one_stood(
    place: Place, tmp_path: Path, door: str, chosen: str | None
) -> None:
    def bring(session: str, data: bytes, clash: str) -> SessionFile:
        if door == "stream":
            return place.upload(session, "train.py", data, clash=clash)
        if door == "small":
            return place.uploads.small.add(session, ME, [SmallFile("train.py", data, clash=clash)])[0]
        (tmp_path / "train.py").write_bytes(data)
        return place.uploads.local.add(session, ME, [tmp_path / "train.py"], clash=clash).files[0]

    session = place.session("template")
    other = place.upload(session, "other.py", b"1")  # stands in the slot
    first = bring(session, b"print(1)", "")
    assert (other.slot, first.slot) == ("training_script", "")
    if chosen is not None:
        place.sessions.update_file(session, ME, first.id, {"slot": chosen or None})
    second = bring(session, b"print(2, 3)", "replace")
    assert second.id != first.id
    assert (second.slot, second.pinned) == (chosen or "", chosen is not None)
    # One that found its slot by itself finds it again.
    found = bring(place.session("template"), b"print(1)", "")
    again = bring(found.session_id, b"print(2, 3)", "replace")
    assert (again.id != found.id, again.slot, again.pinned) == (True, "training_script", False)


def test_what_the_user_cannot_set(place: Place) -> None:
    session = place.session("template")
    file = place.begin(session, "train.py", 5)
    with pytest.raises(InvalidInput, match="training_script, dataset"):
        place.sessions.update_file(session, ME, file.id, {"slot": "nowhere"})
    with pytest.raises(InvalidInput, match="data, config, code, model"):
        place.sessions.update_file(session, ME, file.id, {"type": "virus"})
    with pytest.raises(InvalidInput):
        place.begin(session, "x.py", 5, slot="nowhere")
    with pytest.raises(UploadNotFound):
        place.sessions.update_file(session, ME, "nobody", {"slot": None})


def test_the_client_may_name_slot_and_type(place: Place) -> None:
    file = place.begin(place.session("template"), "x.bin", 5, slot="dataset", type="model")
    assert (file.slot, file.type, file.pinned) == ("dataset", "model", True)
    assert place.begin(place.session(), "x.bin", 5, type="application/zip", slot="any").type == "data"


# -- the end ------------------------------------------------------------------------------------------------


def test_finalize(place: Place) -> None:
    session = place.session("template")
    file = place.begin(session, "train.py", 5)
    with pytest.raises(Conflict, match=r"train\.py"):
        place.sessions.finalize(session, ME)
    with pytest.raises(Conflict, match=r"train\.py"):
        place.uploads.job_files(session, ME)
    place.send(file, 0, b"12345")
    done = place.sessions.finalize(session, ME)
    assert done.state == "finalized"
    assert done.files[0].sha256
    assert len(place.told("upload_complete")[-1]["files"]) == 1
    told = len(place.events)
    assert place.sessions.finalize(session, ME) == done
    assert len(place.events) == told
    with pytest.raises(Conflict, match="finalized"):
        place.begin(session, "more.py", 5)
    with pytest.raises(Conflict, match="finalized"):
        place.sessions.delete_file(session, ME, file.id)


def test_a_failed_file_stands_in_the_way(place: Place) -> None:
    session = place.session()
    file = place.begin(session, "a.gz", 5)
    with pytest.raises(InvalidInput):
        place.send(file, 0, b"12345")
    with pytest.raises(Conflict, match="Failed"):
        place.sessions.finalize(session, ME)
    place.sessions.delete_file(session, ME, file.id)
    assert place.sessions.finalize(session, ME).files == ()


def test_files_for_a_job(place: Place) -> None:
    session = place.session("template")
    uploaded = place.upload(session, "train.py", b"print(1)")
    (file,) = place.uploads.job_files(session, ME)
    assert (file.name, file.size, file.slot, file.type) == ("train.py", 8, "training_script", "code")
    assert (file.sha256, file.origin, file.pinned) == (uploaded.sha256, "upload", False)
    job = place.root / "job"
    job.mkdir()
    os.link(file.path, job / "train.py")
    place.sessions.delete(session, ME)
    assert (job / "train.py").read_bytes() == b"print(1)"
