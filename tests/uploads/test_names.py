from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.uploads.names import MAX_BYTES, clean_name

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
