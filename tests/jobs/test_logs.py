"""Reading logs: pieces, offsets, whole characters, Slurm's file name patterns."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import a_record

from jupyter_slurmdash.errors import FileNotInJob
from jupyter_slurmdash.jobs.logs import fill_pattern, log_path, read_log


def write(directory: Path, data: bytes, name: str = "slurm-7.out") -> None:
    (directory / name).write_bytes(data)


def test_pieces_put_together_are_the_log(tmp_path: Path) -> None:
    text = "한글 and 😀 and text\n" * 50
    write(tmp_path, text.encode())
    record = a_record(tmp_path)
    offset, read = 0, ""
    while True:
        piece = read_log(record, "out", offset, 7, final=True)
        read += piece.text
        offset = piece.next_offset
        if piece.complete:
            break
    assert read == text


@given(text=st.text(max_size=40), limit=st.integers(4, 9))
def test_no_character_is_ever_cut(tmp_path_factory: pytest.TempPathFactory, text: str, limit: int) -> None:
    directory = tmp_path_factory.mktemp("log")
    data = text.encode("utf-8", errors="replace")
    write(directory, data)
    record, offset, read = a_record(directory), 0, ""
    while offset < len(data):
        piece = read_log(record, "out", offset, limit, final=False)
        assert piece.next_offset > offset
        read += piece.text
        offset = piece.next_offset
    assert read == data.decode()


def test_bytes_that_are_no_text_are_shown_and_passed(tmp_path: Path) -> None:
    write(tmp_path, b"\xff\xfe\xfd ok")
    piece = read_log(a_record(tmp_path), "out", 0, 100, final=False)
    assert piece.text.endswith(" ok")
    assert piece.next_offset == 6


def test_from_the_end_and_past_the_end(tmp_path: Path) -> None:
    write(tmp_path, b"0123456789")
    record = a_record(tmp_path)
    assert read_log(record, "out", -3, 100, final=False).text == "789"
    assert read_log(record, "out", 99, 100, final=False).text == "0123456789"
    assert not read_log(record, "out", 0, 100, final=False).complete
    assert read_log(record, "out", 10, 100, final=True).complete


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    piece = read_log(a_record(tmp_path / "nowhere"), "err", 0, 100, final=False)
    assert (piece.text, piece.size, piece.complete) == ("", 0, False)


@pytest.mark.parametrize(
    ("pattern", "job_id", "expected"),
    [
        ("slurm-%j.out", "7", "slurm-7.out"),
        ("%A_%a.out", "7_3", "7_3.out"),
        ("%4a", "7_3", "0003"),
        ("%x-%u-%%", "7", "job-user-%"),
        ("%N", "7", "%N"),
        ("%j", "7+1", "7"),
        ("%J.%n.%t.%s", "7", "7.0.0.batch"),
        ("%02j", "7", "07"),
        (r"a\%j", "7", "a%j"),
    ],
)
def test_slurms_patterns(tmp_path: Path, pattern: str, job_id: str, expected: str) -> None:
    assert fill_pattern(pattern, replace(a_record(tmp_path), job_id=job_id)) == expected


def test_the_script_says_where_the_log_is(tmp_path: Path) -> None:
    record = a_record(tmp_path, script="#!/bin/bash\n#SBATCH --output=a.txt\n")
    assert log_path(record, "out") == tmp_path / "a.txt"
    assert log_path(record, "err") == tmp_path / "a.txt"
    assert log_path(a_record(tmp_path, script="#!/bin/bash\n#SBATCH --array=1-2\n", job_id="7_1"), "out") == (
        tmp_path / "slurm-7_1.out"
    )


def test_the_first_node_is_known_when_the_job_has_one(tmp_path: Path) -> None:
    assert fill_pattern("%N", a_record(tmp_path, nodes="node[007-009].cluster,x")) == "node007"


ARRAY = "#!/bin/bash\n#SBATCH --array=1-20\n#SBATCH --output={}\n"


@pytest.mark.parametrize("pattern", ["slurm-%A_%a.out", "%4a-(x).txt", "r.%j"])
def test_an_array_shows_the_first_task_that_has_a_log(tmp_path: Path, pattern: str) -> None:
    record = a_record(tmp_path, script=ARRAY.format(pattern))
    assert read_log(record, "out", 0, 100, final=False).size == 0
    for task in ("10", "9", "x"):
        name = fill_pattern(pattern.replace("%j", "%a"), replace(record, job_id=f"7_{task}"))
        (tmp_path / name).write_text(task)
    assert read_log(record, "out", 0, 100, final=False).text == "9"
    if "%j" not in pattern:
        assert read_log(replace(record, job_id="7_10"), "out", 0, 100, final=False).text == "10"


def test_a_directory_for_each_task(tmp_path: Path) -> None:
    record = a_record(tmp_path, script=ARRAY.format("%a/out"))
    assert read_log(record, "out", 0, 100, final=False).size == 0
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "out").write_text("x")
    assert read_log(replace(record, job_id="7_3"), "out", 0, 100, final=False).text == "x"


def a_directory(path: Path) -> None:
    path.mkdir()


def a_circle(path: Path) -> None:
    path.symlink_to(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))


@pytest.mark.parametrize("make", [a_directory, a_circle, os.mkfifo, a_socket])
def test_what_is_no_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "slurm-7.out")
    with pytest.raises(FileNotInJob, match="cannot be read"):
        read_log(a_record(tmp_path), "out", 0, 100, final=False)
