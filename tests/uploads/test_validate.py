from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upload_place import ME, SLOTS, Place, PlainSlot, job_file

from jupyter_slurmdash.uploads.content import MAX_BYTES, problems_in
from jupyter_slurmdash.uploads.magic import wrong_beginning
from jupyter_slurmdash.uploads.validate import validate, validate_first_bytes


def write(directory: Path, **files: bytes) -> list[Path]:
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return sorted(directory / name for name in files)


@pytest.fixture
def good(tmp_path: Path) -> list[Path]:
    return write(
        tmp_path,
        **{
            "train.py": b"print(1)",
            "data.tar.gz": gzip.compress(b"x" * 100),
            "config.yaml": b"batch_size: 32\n",
            "notes.txt": b"hello",
        },
    )


def test_all_is_well(good: list[Path]) -> None:
    verdict = validate([job_file(path) for path in good], SLOTS)
    assert verdict.valid
    assert verdict.errors == []
    states = {slot.name: (slot.state, slot.file) for slot in verdict.slots}
    assert states == {
        "training_script": ("ok", "train.py"),
        "dataset": ("ok", "data.tar.gz"),
        "pretrained_model": ("empty", None),
        "config": ("ok", "config.yaml"),
    }
    assert verdict.classified_files == {
        "data": ["data.tar.gz", "notes.txt"],
        "config": ["config.yaml"],
        "code": ["train.py"],
    }
    (note,) = verdict.notes
    assert note.pointer == "/files/notes.txt"
    assert "*.py (training_script)" in note.message
    assert json.loads(json.dumps(verdict.to_json()))["valid"] is True


def test_nothing_is_there() -> None:
    verdict = validate([], SLOTS)
    assert [error.pointer for error in verdict.errors] == [
        "/files/training_script",
        "/files/dataset",
        "/files/config",
    ]
    assert verdict.errors[0].message == "“training_script” has no file yet. Add one matching *.py."
    assert verdict.classified_files == {"data": [], "config": []}


def test_a_line_for_what_does_not_fit_the_schema(good: list[Path], tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# training\nepochs: 3\nbatch_size: 2048\n")
    verdict = validate([job_file(path) for path in good], SLOTS)
    (error,) = verdict.errors
    assert error.pointer == "/files/config"
    assert error.message == "config.yaml line 3: batch_size is 2048, at most 1024."
    assert verdict.slots[3].state == "error"
    assert verdict.slots[3].message == error.message


def test_name_and_size(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"x" * 20_000)
    verdict = validate([job_file(path, "training_script")], SLOTS)
    messages = [error.message for error in verdict.errors if error.pointer == "/files/training_script"]
    assert messages == [
        "notes.txt does not match *.py, which “training_script” asks for. Rename the file.",
        "notes.txt has 20 KB; “training_script” takes at most 10 KB.",
    ]


def test_two_files_in_one_slot(tmp_path: Path) -> None:
    paths = write(tmp_path, **{"a.py": b"", "b.py": b""})
    slots = (PlainSlot("script", "*.py"),)
    verdict = validate([job_file(path, "script") for path in paths], slots)
    assert "b.py" in verdict.errors[0].message


def test_a_file_that_vanished(tmp_path: Path) -> None:
    (path,) = write(tmp_path, **{"a.py": b"x"})
    file = job_file(path)
    path.unlink()
    (error,) = validate([file], (PlainSlot("script", "*.py"),)).errors
    assert "cannot be read" in error.message


def test_files_of_a_session(place: Place) -> None:
    session = place.session("template")
    place.begin(session, "train.py", 10)
    place.begin(session, "notes.txt", 10)
    verdict = place.uploads.validate(place.uploads.session_files(session, ME), SLOTS)
    assert verdict.slots[0].state == "uploading"
    assert "still being uploaded" in str(verdict.slots[0].message)
    assert "/files/notes.txt" in [error.pointer for error in verdict.errors]


def test_a_failed_file_says_why(place: Place) -> None:
    session = place.session("template")
    place.begin(session, "data.tar.gz", 5)
    for name in ("data.tar.gz", "other.gz"):
        file = place.begin(session, name, 5)
        writer = place.writer(file, 0)
        with pytest.raises(Exception, match="gzip"):
            writer.write(b"12345")
        writer.close()
    verdict = place.uploads.validate(place.uploads.session_files(session, ME), SLOTS)
    assert verdict.slots[1].state == "error"
    assert "not a gzip file" in str(verdict.slots[1].message)
    assert "/files/other.gz" in [error.pointer for error in verdict.errors]


def test_a_large_config_is_not_read(tmp_path: Path) -> None:
    (path,) = write(tmp_path, **{"a.json": b"{" + b" " * MAX_BYTES})
    assert validate([job_file(path)], (PlainSlot("any", "*"),)).valid
    (error,) = validate([job_file(path)], (PlainSlot("any", "*", schema={}),)).errors
    assert "too large" in error.message


# -- first bytes --------------------------------------------------------------------------------------------

ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("a", "b")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.gz", gzip.compress(b"")),
        ("a.TGZ", gzip.compress(b"")),
        ("a.zip", ZIP.getvalue()),
        ("a.h5", b"\x89HDF\r\n\x1a\n..."),
        ("a.h5", b"user block".ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n"),
        ("a.nc", b"CDF\x01"),
        ("a.npy", b"\x93NUMPY\x01\x00"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.json", b"{}"),
        ("a.json", b""),
        ("a.py", "# 한글".encode()),
        ("a.dat", b"\0anything"),
        ("a", b"\0anything"),
    ],
)
def test_right_beginnings(name: str, head: bytes) -> None:
    assert wrong_beginning(name, head) is None


@pytest.mark.parametrize(
    ("name", "head", "says"),
    [
        ("a.gz", b"plain text", "it looks like text"),
        ("a.gz", ZIP.getvalue(), "it looks like zip"),
        ("a.zip", b"", "is empty"),
        ("a.h5", b"\0" * 100, "something else"),
        ("a.py", gzip.compress(b"x"), "it looks like gzip"),
        ("a.yaml", b"a: \0", "binary data"),
    ],
)
def test_wrong_beginnings(name: str, head: bytes, says: str) -> None:
    message = wrong_beginning(name, head)
    assert message is not None
    assert says in message


def test_first_bytes_point_to_the_slot() -> None:
    found = validate_first_bytes("d.tar.gz", b"text", PlainSlot("a/b"))
    assert found is not None
    assert found.pointer == "/files/a~1b"
    assert validate_first_bytes("d.tar.gz", b"text") is not None
    assert validate_first_bytes("d.dat", b"text") is None


# -- content ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"a": [1, 2.5, "x", null]}'),
        ("a.json", '\ufeff{"a": 1}'),
        ("a.yaml", "a: 1\nb: [x, y]\n"),
        ("a.yml", ""),
        ("a.toml", "a = 1\n[b]\nc = 'd'\n"),
        ("a.ini", "[a]\nb = 50%\nflag\n"),
        ("a.xml", "<?xml version='1.0'?><a b='c'>d &amp; e</a>"),
        ("a.txt", "not { looked at"),
    ],
)
def test_readable(name: str, text: str) -> None:
    assert problems_in(name, text.encode()) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", '{\n  "a": 1,\n}', "a.json line 3 column 1: "),
        ("a.json", '{"a": NaN}', "NaN is not a value in JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.yaml", "a: 1\nb: [1, 2\n", "a.yaml line "),
        ("a.yaml", "a: b: c\n", "a.yaml line 1 column 5: "),
        ("a.toml", "a = 1\nb = \n", "line 2"),
        ("a.ini", "a = 1\n", "a.ini line 1: "),
        ("a.ini", "[a]\nb = 1\nb = 2\n", "a.ini line 3: “b” is there twice"),
        ("a.ini", "[a]\n[a]\n", "a.ini line 2: “a” is there twice"),
        ("a.ini", "[a]\n = 1\n", "a.ini line 2: "),
        ("a.xml", "<a>\n<b></a>", "a.xml line 2 column "),
        ("a.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE"),
    ],
)
def test_unreadable(name: str, text: str, says: str) -> None:
    (message,) = problems_in(name, text.encode())
    assert says in message
    assert message.endswith(".")
    assert ".." not in message


def test_not_utf8() -> None:
    (message,) = problems_in("a.yaml", b"a: 1\nb: \xff\n")
    assert message.startswith("a.yaml line 2: the text is not UTF-8")


SCHEMA = {"type": "object", "properties": {"steps": {"type": "integer"}}, "required": ["steps"]}


def test_json_against_a_schema_has_lines() -> None:
    (message,) = problems_in("a.json", b'{\n  "x": 1,\n  "steps": "many"\n}', schema=SCHEMA)
    assert message.startswith("a.json line 3: steps is 'many', must be a whole number")


DEEP = {
    "properties": {
        "training": {"properties": {"steps": {"items": {"properties": {"size": {"type": "integer"}}}}}}
    }
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "x: 1\ntraining:\n  steps:\n    - size: 1\n    - size: many\n"),
        ("a.json", '{\n"training": {\n"steps": [\n{"size": 1},\n{"size": "many"}]}}'),
    ],
)
def test_deep_inside_a_file_the_pointer_is_told_too(name: str, text: str) -> None:
    (message,) = problems_in(name, text.encode(), schema=DEEP)
    assert message == f"{name} line 5: size is 'many', must be a whole number (/training/steps/1/size)."


def test_toml_against_a_schema() -> None:
    (message,) = problems_in("a.toml", b"steps = 1.5\n", schema=SCHEMA)
    assert message.startswith("a.toml: steps is 1.5")
    (message,) = problems_in("a.toml", b"", schema=SCHEMA)
    assert "steps is required" in message


def test_the_slots_format_comes_before_the_ending() -> None:
    assert problems_in("a.cfg", b"steps: 1", wanted="yaml", schema=SCHEMA) == []
    assert problems_in("a.cfg", b"steps: [", wanted="YAML")


def test_a_broken_schema_is_the_templates_fault() -> None:
    (message,) = problems_in("a.json", b"{}", schema={"type": "nonsense"})
    assert "template's author" in message


def test_json_that_yaml_does_not_read_has_no_lines() -> None:
    (message,) = problems_in("a.json", b'{"steps": "x", "steps": "y"}', schema=SCHEMA)
    assert message.startswith("a.json: steps is 'y'")


@given(
    st.sampled_from(["a.json", "a.yaml", "a.toml", "a.ini", "a.xml"]), st.binary() | st.text().map(str.encode)
)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    for message in problems_in(name, data, schema=SCHEMA):
        assert message.startswith(name)
