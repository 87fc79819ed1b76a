from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upload_place import ME, Place

from jupyter_slurmdash.errors import Conflict, InvalidInput
from jupyter_slurmdash.uploads.names import MAX_BYTES, clean_name, clean_path

KEPT = [
    "train.py",
    "-rf",
    "--comment=injected",
    "a'; echo foo",
    'say "hi"',
    "$(touch x)",
    "back\\slash",
    "trailing dot.",
    "trailing space ",
    " leading space",
    "...",
    "한글 이름.dat",
    "😀 emoji 👩‍🚀.py",
    "x" * MAX_BYTES,
]
REFUSED = [
    "",
    " ",
    ".",
    "..",
    ".slurmdash",
    "a/b",
    "/etc/passwd",
    "../../x",
    "nul\0.py",
    "tab\t.py",
    "line\nbreak",
    "escape\x1b[31m",
    "c1\x85",
    "line\u2028separator",
    "\u202eright to left",
    "half \ud800 pair",
    "x" * (MAX_BYTES + 1),
    "é" * 128,
]


@pytest.mark.parametrize("name", KEPT)
def test_an_awkward_name_is_kept(name: str, tmp_path: Path) -> None:
    assert clean_name(name) == name
    (tmp_path / clean_name(name)).write_text("it can be the name of a file")


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_what_cannot_be_one_file_is_refused_with_a_printable_reason(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_name(name)
    assert refused.value.detail.isprintable()
    assert refused.value.detail.endswith(".")


def test_both_forms_of_hangul_are_one_name() -> None:
    assert clean_name(unicodedata.normalize("NFD", "한글.dat")) == clean_name("한글.dat")


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../x",
        "a/..",
        "./x",
        "/etc/passwd",
        "a//b",
        "a/",
        "a/ /b",
        "a/\0/b",
        "a/.slurmdash/run.json",
        "..\\x/../y",
        "a/" * 40 + "b",
        "/".join(["x" * 200] * 6),
    ],
    ids=ascii,
)
def test_no_path_leaves_its_folder(path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_path(path)
    assert refused.value.detail.isprintable()


@pytest.mark.parametrize("path", ["mesh/fine/a.msh", "-rf/--all", "a/...", "한글/이름.dat", "x" * 255 + "/y"])
def test_a_path_in_a_folder_is_kept(path: str) -> None:
    assert clean_path(path) == path


def test_names_that_differ_in_case_are_two_files(place: Place) -> None:
    session = place.session()
    sent = {"Mesh.dat": b"1", "mesh.dat": b"2", "MESH.DAT": b"3"}
    for name, data in sent.items():
        place.upload(session, name, data)
    files = place.sessions.get(session, ME).files
    assert {file.name: Path(file.path).read_bytes() for file in files} == sent


def test_two_forms_of_one_name_are_a_clash_and_not_two_files(place: Place) -> None:
    session = place.session()
    place.upload(session, "한글é.dat", b"1")
    with pytest.raises(Conflict, match="already"):
        place.upload(session, unicodedata.normalize("NFD", "한글é.dat"), b"22")
    (file,) = place.sessions.get(session, ME).files
    assert unicodedata.is_normalized("NFC", file.name)


@pytest.mark.parametrize("name", KEPT)
def test_an_awkward_name_arrives_as_it_is(place: Place, name: str) -> None:
    session = place.session()
    done = place.upload(session, name, b"bytes")
    assert (done.name, Path(done.path).name) == (name, name)
    assert Path(done.path).read_bytes() == b"bytes"
    place.sessions.delete_file(session, ME, done.id)
    assert not Path(done.path).exists()


@given(st.text())
def test_what_is_taken_stays_inside_its_directory(name: str) -> None:
    try:
        clean = clean_name(name)
    except InvalidInput as refused:
        assert refused.detail.isprintable()  # noqa: PT017
        return
    assert clean_name(clean) == clean
    assert len(clean.encode()) <= MAX_BYTES
    path = Path("/session/file") / clean
    assert path.parent == Path("/session/file")
    assert path.name == clean
