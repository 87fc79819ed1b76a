"""What is kept of the shelves for the next start: only what still stands, and never what someone else may read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from many_templates import many_templates
from template_place import CHECKS, ME

from jupyter_slurmdash.templates import shelfmemory
from jupyter_slurmdash.templates.library import Library

FILES = 100


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return many_templates(tmp_path / "t", ME, FILES)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "data-index.json"


def library(index: Path, *, checks: tuple[str, ...] = CHECKS, **options: Any) -> Library:
    return Library(index.parent / "t", ME, False, checks, index=index, **options)


def everything(found: Library) -> list[Any]:
    return [*found.snapshot().by_id.values(), *found.snapshot().archived.values()]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    read, seen = shelfmemory.read_file, []
    monkeypatch.setattr(shelfmemory, "read_file", lambda path, root: (seen.append(path), read(path, root))[1])
    return seen


def test_a_restart_reads_only_what_changed(paths: list[Path], index: Path, reads: list[str]) -> None:
    first = library(index)
    first.refresh()
    assert len(reads) == FILES
    assert index.stat().st_mode & 0o777 == 0o600
    reads.clear()
    second = library(index)
    second.refresh()
    assert reads == []
    assert everything(second) == everything(first)
    # What a list does not show is read when it is asked for, once.
    whole = second.get("bench-00000")
    assert whole.main_exec
    assert second.get("bench-00000") is whole
    assert whole == first.get("bench-00000")
    assert set(reads) == {str(paths[0])}
    reads.clear()
    paths[1].write_text(paths[1].read_text() + "# more\n")
    paths[2].unlink()
    third = library(index)
    third.refresh()
    assert reads == [str(paths[1])]
    assert third.get("bench-00001").hash != first.snapshot().by_id["bench-00001"].hash
    assert third.find("bench-00002") is None


def test_it_is_forgotten_when_the_rules_are_others(paths: list[Path], index: Path, reads: list[str]) -> None:
    library(index).refresh()
    reads.clear()
    library(index, checks=(*CHECKS, "another")).refresh()
    assert len(reads) == FILES


@pytest.mark.parametrize("text", ["", "[", "[]", '{"key": 1}', "\ud800", '{"files": [[1]]}', None])
def test_a_spoilt_index_is_no_index(
    text: str | None, paths: list[Path], index: Path, reads: list[str]
) -> None:
    library(index).refresh()
    if text is None:
        found = json.loads(index.read_text())
        found["files"][3][2].pop()
        text = json.dumps(found)
    index.write_bytes(text.encode("utf-8", "surrogatepass"))
    reads.clear()
    found = library(index)
    assert found.count()[1] == 0
    assert len(everything(found)) == len(reads) == FILES


def test_broken_and_new_files_are_not_in_it(paths: list[Path], index: Path, reads: list[str]) -> None:
    paths[0].write_text("template: [\n")
    os.utime(paths[0], (1e9, 1e9))
    new = paths[1].with_name("new.yaml")
    new.write_text("template: {id: new, name: new}\n")
    library(index).refresh()
    reads.clear()
    again = library(index)
    again.refresh()
    assert sorted(reads) == sorted([str(paths[0]), str(new)])
    assert again.count()[1] == 1


def test_where_it_cannot_be_written(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = Library(tmp_path / "t", ME, False, CHECKS, index=tmp_path / "file/index.json")
    assert found.refresh()
    assert len(everything(found)) == FILES


def test_lists_do_not_wait_for_the_disk_while_it_is_watched(tmp_path: Path) -> None:
    """But a template is always as its file is now."""
    now = [1000.0]
    found = Library(tmp_path / "t", ME, False, CHECKS, clock=lambda: now[0])
    [path] = many_templates(tmp_path / "t", ME, 1)
    assert found.refresh()
    found.watched = True
    first = found.get("bench-00000")
    path.write_text(path.read_text().replace("The flow", "Our flow"))
    now[0] += 5
    assert [template.hash for template in found.templates()] == [first.hash]
    assert found.get("bench-00000").display_name.startswith("Our flow")
    path.with_name("other.yaml").write_text("template: {id: other, name: other}\n")
    now[0] += 5
    assert len(found.templates()) == 1
    assert found.get("other").name == "other"
    path.unlink()
    assert found.find("bench-00000") is None
