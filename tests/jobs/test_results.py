"""The files of a job, whatever lies in its directory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from records import a_record

from jupyter_slurmdash.errors import FileNotInJob
from jupyter_slurmdash.jobs import results
from jupyter_slurmdash.jobs.results import list_results, result_path


def paths(workdir: Path) -> list[str]:
    return [file.path for file in list_results(a_record(workdir))[0]]


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    for name in (b"good \xed\x95\x9c", b"bad \xff", b"bad directory \xff/file"):
        path = os.path.join(os.fsencode(tmp_path), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            pass
    files, truncated = list_results(a_record(tmp_path))
    assert json.dumps([file.to_json() for file in files], ensure_ascii=False).encode()
    assert (paths(tmp_path), truncated) == (["good 한"], False)


def test_a_file_that_vanishes_while_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    entries = results._entries

    def vanishing(directory: Path, limit: int) -> list[os.DirEntry[str]]:
        found = entries(directory, limit)
        (tmp_path / "a").unlink()
        return found

    monkeypatch.setattr(results, "_entries", vanishing)
    assert paths(tmp_path) == ["b"]


def many_files(place: Path) -> None:
    for number in range(12):
        (place / str(number)).touch()


def many_directories(place: Path) -> None:
    for number in range(30):
        (place / str(number) / "a").mkdir(parents=True)


@pytest.mark.parametrize("fill", [many_files, many_directories])
def test_a_walk_has_an_end_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(results, "MAX_FILES", 10)
    monkeypatch.setattr(results, "_MAX_ENTRIES", 20)
    fill(tmp_path)
    files, truncated = list_results(a_record(tmp_path))
    assert truncated
    assert len(files) <= 10


def test_all_of_a_small_tree_is_listed(tmp_path: Path) -> None:
    for path in ("a", "d/b", "d/e/c", ".slurmdash/run.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "link").symlink_to("a")
    assert paths(tmp_path) == ["a", "d/b", "d/e/c"]
    assert list_results(a_record(tmp_path / "nowhere")) == ([], False)


def test_a_path_that_is_no_text_is_no_file(tmp_path: Path) -> None:
    for path in ("\ud800", "a\0b", "x" * 5000):
        with pytest.raises(FileNotInJob):
            result_path(a_record(tmp_path), path)
