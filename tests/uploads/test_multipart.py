"""Forms however they are cut into pieces, and what is no form."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upload_place import ME, Place

from jupyter_slurmdash.errors import (
    Conflict,
    InvalidInput,
    NoSpace,
    SessionExpired,
    SessionNotFound,
    SlurmDashError,
    UploadNotFound,
)
from jupyter_slurmdash.uploads.files import Part
from jupyter_slurmdash.uploads.intake import SMALL, Intake
from jupyter_slurmdash.uploads.multipart import Multipart, PartBegin, PartEnd
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.small import SmallFile
from jupyter_slurmdash.uploads.transfers import Transfers

KIND = "multipart/form-data; boundary=XX"


def form(*parts: tuple[str, str | None, bytes], end: bytes = b"--XX--\r\n") -> bytes:
    body = b""
    for name, filename, data in parts:
        extra = "" if filename is None else f'; filename="{filename}"'
        body += (
            f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + data + b"\r\n"
        )
    return body + end


def intake(place: Place, session: str) -> Intake:
    return Intake(place.transfers, place.uploads.small, session, ME, KIND)


def take(place: Place, session: str, body: bytes, step: int = 10_000) -> list[str]:
    sink = intake(place, session)
    try:
        for start in range(0, len(body), step):
            sink.write(body[start : start + step])
        return [file.name for file in sink.finish()]
    finally:
        sink.close()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_cuts_change_nothing(data: bytes, cuts: list[int]) -> None:
    body = form(("file", "a.dat", data.replace(b"--XX", b"")), ("file_type", None, b"data"))
    parser, events, start = Multipart(KIND), [], 0
    for cut in [*sorted(cuts), len(body)]:
        events += parser.feed(body[start:cut])
        start = max(start, min(cut, len(body)))
    parser.finish()
    begins = [event for event in events if isinstance(event, PartBegin)]
    assert begins == [PartBegin("file", "a.dat"), PartBegin("file_type", None)]
    assert sum(isinstance(event, PartEnd) for event in events) == 2
    content = b"".join(event for event in events if isinstance(event, bytes))
    assert content == data.replace(b"--XX", b"") + b"data"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(data: bytes) -> None:
    parser = Multipart(KIND)
    try:
        parser.feed(b"--XX\r\n" + data)
        parser.finish()
    except SlurmDashError as error:
        assert isinstance(error, InvalidInput)  # noqa: PT017


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a%22b.dat", 'a"b.dat'),
        ('a\\"b.dat', 'a"b.dat'),
        ("c:\\dir.dat", "c:\\dir.dat"),
        ("한글.dat", "한글.dat"),
    ],
)
def test_quotes_in_names(sent: str, meant: str) -> None:
    [begin, *_] = Multipart(KIND).feed(form(("file", sent, b"")))
    assert isinstance(begin, PartBegin)
    assert begin.filename == meant


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "text/plain; boundary=x", "multipart/mixed; boundary=x"]
)
def test_no_form(kind: str) -> None:
    with pytest.raises(InvalidInput):
        Multipart(kind)


def test_small_and_large_files_and_the_plans_order_of_fields(place: Place) -> None:
    session, large = place.session(), os.urandom(SMALL * 3 + 11)
    body = form(
        ("file", "a.py", b"1"),
        ("file", "big.bin", large),
        ("file", "d/b.h", b"2"),
        ("file_type", None, b"config"),
    )
    assert take(place, session, body) == ["a.py", "big.bin", "d/b.h"]
    files = place.sessions.get(session, ME).files
    assert {file.name: file.type for file in files} == dict.fromkeys(("a.py", "big.bin", "d/b.h"), "config")
    big = next(file for file in files if file.name == "big.bin")
    assert big.sha256 == hashlib.sha256(large).hexdigest()
    assert all(Path(file.path).stat().st_mode & 0o777 == 0o400 for file in files)
    assert {Path(file.path).name for file in files} == {"a.py", "big.bin", "b.h"}


def test_a_type_holds_for_the_files_after_it(place: Place) -> None:
    session = place.session()
    parts = [
        ("file_type", None, b"data"),
        ("file", "a", b""),
        ("file_type", None, b"model"),
        ("file", "b", b""),
    ]
    take(place, session, form(*parts))
    files = place.sessions.get(session, ME).files
    assert {file.name: file.type for file in files} == {"a": "data", "b": "model"}


def test_a_form_that_breaks_off_leaves_no_half_file(place: Place) -> None:
    session = place.session()
    body = form(("file", "small", b"1"), ("file", "big", bytes(SMALL * 4)))
    with pytest.raises(InvalidInput, match="closing boundary"):
        take(place, session, body[: -SMALL * 2])
    # What was whole when the large one began is there; sent again, it is the same file.
    assert [file.name for file in place.sessions.get(session, ME).files] == ["small"]
    assert take(place, session, body) == ["small", "big"]
    assert len(place.sessions.get(session, ME).files) == 2


def test_a_large_file_that_could_not_be_begun_leaves_no_record(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at its first byte: no file that is under way for ever, which no session could be closed with."""
    session = place.session()

    def full(_part: Part) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    body = form(("file", "small", b"1"), ("file", "big", bytes(SMALL * 2)))
    with monkeypatch.context() as patch:
        patch.setattr(Part, "mark", full)
        with pytest.raises(NoSpace):
            take(place, session, body)
    assert [file.name for file in place.sessions.finalize(session, ME).files] == ["small"]
    assert [path.suffix for path in (place.root / "uploads").rglob("*.*")] == []


@pytest.mark.parametrize("error", [SessionNotFound, SessionExpired, UploadNotFound, NoSpace, Conflict])
def test_giving_a_form_up_says_what_could_not_be_removed(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: type[SlurmDashError]
) -> None:
    def remove(*_args: object) -> None:
        raise error("This is why.")

    sink = intake(place, place.session())
    sink.write(form(("file", "big", bytes(SMALL * 2)))[:-100])
    monkeypatch.setattr(Transfers, "remove", remove)
    if error in (NoSpace, Conflict):
        with pytest.raises(error):
            sink.close()
    sink.close()


def test_refused_forms_leave_nothing(place: Place) -> None:
    for name in ("../x", "/etc/passwd", "a//b", "a/../b", "a/\x07", "a/" * 40 + "b", "x/" + "é" * 128):
        session = place.session()
        with pytest.raises(InvalidInput):
            take(place, session, form(("file", "first", b"1"), ("file", name, b"2")))
        assert place.sessions.get(session, ME).files == ()
    with pytest.raises(InvalidInput, match="no file"):
        take(place, place.session(), form(("file_type", None, b"data"), ("file", "", b"")))
    with pytest.raises(InvalidInput, match="not a gzip"):
        take(place, place.session(), form(("file", "x.tar.gz", b"no" * 1000)))
    with pytest.raises(InvalidInput, match="file_type"):
        take(place, place.session(), form(("file_type", None, b"virus"), ("file", "a", b"")))


def test_names_that_clash(place: Place) -> None:
    session = place.session()
    take(place, session, form(("file", "m.tar", b"1"), ("file", "d/x", b"1")))
    with pytest.raises(Conflict):
        take(place, session, form(("file", "m.tar", b"2")))
    take(place, session, form(("clash", None, b"keep"), ("file", "m.tar", b"2"), ("file", "m.tar", b"3")))
    take(place, session, form(("clash", None, b"replace"), ("file", "m.tar", b"4")))
    read = {file.name: Path(file.path).read_bytes() for file in place.sessions.get(session, ME).files}
    assert read == {"m.tar": b"4", "m (2).tar": b"2", "m (3).tar": b"3", "d/x": b"1"}
    for name in ("d", "d/x/y"):
        with pytest.raises(Conflict, match="folder"):
            take(place, session, form(("file", name, b"")))
    kept = place.transfers.create(session, ME, NewFile("m.tar", 5, clash="keep"))
    assert kept.name == "m (4).tar"
    with pytest.raises(Conflict, match="folder"):
        place.begin(session, "d", 1)


def test_no_space_takes_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    session = place.session()
    monkeypatch.setattr("jupyter_slurmdash.uploads.space.free_space", lambda root: 10)
    with pytest.raises(NoSpace):
        place.uploads.small.add(session, ME, [SmallFile("a", b"12345"), SmallFile("b", b"123456")])
    assert place.sessions.get(session, ME).files == ()


def test_folders_arrive_in_the_job(tmp_path: Path) -> None:
    from jupyter_slurmdash.jobs.stage import _place

    place = Place(tmp_path)
    session = place.session()
    take(place, session, form(("file", "mesh/fine/a.msh", b"1"), ("file", "mesh/b.msh", b"2")))
    for file in place.uploads.job_files(session, ME):
        _place(file, tmp_path / "job" / file.name)
    assert (tmp_path / "job/mesh/fine/a.msh").read_bytes() == b"1"
    assert (tmp_path / "job/mesh/b.msh").read_bytes() == b"2"
    place.close()
