"""The server dies, or the disk is full, at one certain moment: what random schedules have found, each by itself."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from upload_place import ME, Place

from jupyter_slurmdash.errors import Conflict, NoSpace, TooLarge
from jupyter_slurmdash.store.uploads import UploadTable
from jupyter_slurmdash.uploads import small
from jupyter_slurmdash.uploads.chunks import Chunk
from jupyter_slurmdash.uploads.files import Part
from jupyter_slurmdash.uploads.files import Place as FilePlace
from jupyter_slurmdash.uploads.intake import SMALL, Intake
from jupyter_slurmdash.uploads.journal import Journal
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.small import SmallFile

BIG = os.urandom(SMALL * 3)
KIND = "multipart/form-data; boundary=XX"


def dies(work: Callable[[], object]) -> None:
    """Run ``work`` in a process that ends in the middle of it, as by ``kill -9``: see ``die``."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def die(*_args: Any, **_options: Any) -> None:
    os._exit(9)


def full(*_args: Any, **_options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def form(data: bytes) -> bytes:
    head = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
    return head + data + b"\r\n--XX--\r\n"


def intake(place: Place, session: str) -> Intake:
    return Intake(place.transfers, place.uploads.small, session, ME, KIND)


def send_form(place: Place, session: str, data: bytes = BIG) -> str:
    sink = intake(place, session)
    try:
        sink.write(form(data))
        (file,) = sink.finish()
    finally:
        sink.close()
    return str(file.sha256)


@pytest.mark.parametrize("moment", ["in the body", "size recorded", "renamed"])
def test_a_form_can_be_sent_again_after_a_death(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    session = place.session()

    def work() -> None:
        sink = intake(place.restarted(), session)
        sink.write(form(BIG)[: SMALL * 2])
        if moment == "in the body":
            die()
        sink.write(form(BIG)[SMALL * 2 :])

    with monkeypatch.context() as patch:
        if moment == "size recorded":
            patch.setattr(Part, "unmark", die)
        if moment == "renamed":
            patch.setattr(FilePlace, "seal", die)
        dies(work)
    (half,) = place.sessions.get(session, ME).files
    assert (half.offset, half.state) == ((0, "uploading") if moment != "renamed" else (len(BIG), "complete"))
    assert send_form(place, session) == hashlib.sha256(BIG).hexdigest()
    (file,) = place.sessions.get(session, ME).files
    assert Path(file.path).read_bytes() == BIG


def test_a_large_file_that_is_sent_again_is_compared(place: Place) -> None:
    session = place.session()
    first = send_form(place, session)
    assert send_form(place, session) == first
    for other in (BIG[:-1], BIG + b"x", BIG[:-1] + bytes([BIG[-1] ^ 1])):
        with pytest.raises(Conflict, match="other bytes"):
            send_form(place, session, other)
    (file,) = place.sessions.get(session, ME).files
    assert Path(file.path).read_bytes() == BIG


def test_a_chunk_can_be_sent_again_after_a_death_before_its_file_was_recorded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = place.session()
    chunk = Chunk("a.dat", 0, 1, body=5)
    for method, owner in (("create", Journal), ("insert_file", UploadTable)):
        with monkeypatch.context() as patch:
            patch.setattr(owner, method, die)
            dies(lambda: place.restarted().uploads.chunks.open(session, ME, chunk))
        assert place.sessions.get(session, ME).files == ()
    writer = place.uploads.chunks.open(session, ME, chunk)
    writer.write(b"12345")
    assert writer.finish()["file"]["state"] == "complete"


def test_small_files_get_their_names_when_they_are_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = place.session()
    files = [SmallFile("a.py", b"print(1)")]
    monkeypatch.setattr(small.os, "rename", die)
    dies(lambda: place.restarted().uploads.small.add(session, ME, files))
    assert list((place.root / "uploads").rglob("a.py")) == []


def test_a_full_disk_is_told_by_every_door(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    file = place.begin(session, "begun.dat", 10)
    place.send(file, 0, b"12345")
    for module in ("files", "journal", "joins"):
        monkeypatch.setattr(f"jupyter_slurmdash.uploads.{module}.os.rename", full)
    monkeypatch.setattr(Path, "mkdir", full)
    monkeypatch.setattr(os, "open", full)
    for work in (
        lambda: place.begin(session, "new.dat", 10),
        lambda: place.writer(file, 5),
        lambda: place.uploads.chunks.open(session, ME, Chunk("c.dat", 0, 1, body=5)),
        lambda: place.uploads.small.add(session, ME, [SmallFile("a.py", b"print(1)")]),
    ):
        with pytest.raises(NoSpace):
            work()
    monkeypatch.undo()
    assert [(one.name, one.offset) for one in place.sessions.get(session, ME).files] == [("begun.dat", 5)]
    assert place.send(file, 5, b"67890").state == "complete"


def test_a_session_can_be_looked_at_on_a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file has all its bytes, but there was no space to give it its name."""
    session = place.session()
    file = place.begin(session, "a.dat", 5)
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_slurmdash.uploads.files.os.rename", full)
        with pytest.raises(NoSpace):
            place.send(file, 0, b"12345")
        (seen,) = place.sessions.get(session, ME).files
        assert (seen.state, seen.offset) == ("uploading", 5)
    (seen,) = place.sessions.get(session, ME).files
    assert seen.state == "complete"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "small"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "small", directory]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs needs the right to mount")
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def test_a_disk_that_is_full_for_the_database_too(small_disk: Path) -> None:
    """As in a home directory at its quota: told as such, and all goes on when there is space."""
    place = Place(small_disk)
    session = place.session()
    file = place.begin(session, "a.dat", 10)
    writer = place.writer(file, 0)
    writer.write(b"12345")
    with (small_disk / "filler").open("ab", buffering=0) as filler:
        while os.statvfs(small_disk).f_bavail:
            filler.write(bytes(4096))
    with pytest.raises(NoSpace, match="database"):
        writer.finish()
    (seen,) = place.sessions.get(session, ME).files
    assert seen.offset == 5
    (small_disk / "filler").unlink()
    assert place.send(file, 5, b"67890").sha256 == hashlib.sha256(b"1234567890").hexdigest()
    place.close()


def test_no_half_record_of_a_joined_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    parts = [place.begin(session, "", 3, origin="partial") for _ in range(2)]
    for part in parts:
        place.send(part, 0, b"abc")
    ids = [part.id for part in parts]
    join = place.transfers.joins.create
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_slurmdash.uploads.joins.os.rename", full)
        with pytest.raises(NoSpace):
            join(session, ME, NewFile("ab.dat", None), ids)
        assert place.sessions.get(session, ME).files == ()
    assert join(session, ME, NewFile("ab.dat", None), ids).size == 6


@pytest.mark.parametrize("reason", ["no space", "too large for its slot"])
def test_a_file_stays_when_the_one_that_was_to_replace_it_is_refused(place: Place, reason: str) -> None:
    session = place.session("template")
    first = place.upload(session, "train.py", b"print(1)")
    size = 20_000 if reason != "no space" else 2**60
    with pytest.raises((NoSpace, TooLarge)):
        place.begin(session, "train.py", size, clash="replace")
    (file,) = place.sessions.get(session, ME).files
    assert (file.id, Path(file.path).read_bytes()) == (first.id, b"print(1)")
    assert place.upload(session, "train.py", b"print(2)", clash="replace").slot == "training_script"
