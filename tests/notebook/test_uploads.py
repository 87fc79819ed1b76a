"""Files in a cell: gathered, looked into, submitted."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from shells import add_template, write

from jupyter_slurmdash.errors import NotFound, SessionNotFound
from jupyter_slurmdash.notebook import progress
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.notebook.progress import Progress
from jupyter_slurmdash.uploads.archives.model import NotAnArchive

TEMPLATE = {
    "files": {"input_schema": {"required": [{"name": "dataset", "pattern": "*.csv"}]}},
    "script": {"main_exec": 'cat "$DATASET" mesh/fine/a.msh'},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "in/mesh/fine/a.msh", "of the folder\n")
    write(tmp_path / "in/data.csv", "1,2\n")
    return tmp_path / "in"


@pytest.mark.parametrize("copy", [False, True])
def test_a_job_of_what_was_uploaded(dash: NotebookDash, tmp_path: Path, folder: Path, copy: bool) -> None:
    add_template(tmp_path, **TEMPLATE)
    files = dash.upload([folder / "mesh", folder / "data.csv"], template="test-v1", copy=copy)
    assert sorted((file.name, file.slot) for file in files) == [
        ("data.csv", "dataset"),
        ("mesh/fine/a.msh", ""),
    ]
    assert files.validation is not None
    assert files.validation.valid
    assert ("copied" in repr(files)) is copy
    assert "<td" in files._repr_html_()
    job = dash.submit("test-v1", files=files).wait()
    assert job.state == "COMPLETED"
    assert job.tail() == "1,2\nof the folder"
    assert (job.workdir / "mesh/fine/a.msh").is_symlink() is not copy


def test_what_is_wrong_is_said_at_once(dash: NotebookDash, tmp_path: Path, folder: Path) -> None:
    add_template(tmp_path, **TEMPLATE)
    os.mkfifo(folder / "mesh/pipe")
    files = dash.upload(folder / "mesh", template="test-v1")
    assert "✗ “dataset” has no file yet" in repr(files)
    assert "passed over: " in files._repr_html_()
    more = dash.upload(session=files, slots={"dataset": str(folder / "data.csv")})
    assert more.session_id == files.session_id
    assert len(more) == 2
    assert dash.upload(folder / "data.csv", template=None).validation is None
    with pytest.raises(NotFound):
        dash.upload(folder, template="no-such-template")
    with pytest.raises(SessionNotFound):
        dash.upload(folder, session="no such session")


def test_an_archive_and_the_space(dash: NotebookDash, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../up"), io.BytesIO())
    table = dash.contents(path)
    assert [entry.name for entry in table] == ["../up"]
    assert "! “../up” would be written outside" in repr(table)
    assert "outside" in table._repr_html_()
    (file,) = dash.upload(path)
    assert dash.contents(file).listing == table.listing
    with pytest.raises(NotAnArchive):
        dash.contents(write(tmp_path / "plain.txt", "no archive"))
    room = dash.space()
    assert room.free > 0
    assert room.problem is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with Progress(clock=clock) as tell:
        tell(1_000_000, 4_000_000, "quick")
        assert screen.getvalue() == ""
        clock.now = 1.0
        tell(2_000_000, 4_000_000, "a\nb")
        clock.now = 1.1
        tell(2_500_000, 4_000_000, "too soon")
    assert screen.getvalue() == "\r\x1b[K50 %  2 MB/s  00:00:01  a?b\r\x1b[K"


def test_progress_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, shown = Clock(), []

    class Shell:
        kernel = object()

    monkeypatch.setattr(progress, "get_ipython", Shell)
    monkeypatch.setattr(progress, "display", shown.append)
    with Progress(clock=clock) as tell:
        clock.now = 2.0
        tell(1_000_000, 4_000_000, "mesh.dat")
        (box,) = shown
        bar, text = box.children
        assert (bar.value, text.value) == (0.25, "mesh.dat: 25 %  500 KB/s  00:00:06 of 4 MB")
    assert bar.comm is None
    with Progress(show=False, clock=clock) as tell:
        clock.now = 9.0
        tell(1, 2, "quiet")
    assert len(shown) == 1
