"""A job in a cell: wait, read, follow, cancel."""

from __future__ import annotations

import pytest

from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.notebook.job import Job


def test_waiting_prints_each_state(dash: NotebookDash, capsys: pytest.CaptureFixture[str]) -> None:
    job = dash.submit(script="echo hello; echo trouble >&2")
    assert job.wait(timeout=30, progress=True) is job
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{job.id} COMPLETED"
    assert all(line.startswith(f"{job.id} ") for line in lines)
    assert (job.ended, job.state) == (True, "COMPLETED")


def test_the_progress_names_the_state_and_why(dash: NotebookDash, capsys: pytest.CaptureFixture[str]) -> None:
    running = dash.submit(script="exec sleep 60")
    waiting = dash.submit(script="true", dependency=f"afterok:{running.id}")
    with pytest.raises(TimeoutError, match=rf"Job {waiting.id} is PENDING after 0\.1 s"):
        waiting.wait(timeout=0.1, progress=True)
    assert capsys.readouterr().out.startswith(f"{waiting.id} PENDING")
    running.cancel().wait(timeout=30)
    waiting.cancel().wait(timeout=30)


def test_waiting_looks_once_even_without_time(dash: NotebookDash) -> None:
    job = dash.submit(script="true").wait(timeout=30)
    again = Job(dash, job.record)
    assert again.wait(timeout=0).state == "COMPLETED"


def test_the_tail_is_the_last_lines(dash: NotebookDash) -> None:
    job = dash.submit(script="seq 100; echo one >&2; echo two >&2").wait(timeout=30)
    assert job.tail(3) == "98\n99\n100"
    assert len(job.tail().splitlines()) == 20
    assert job.tail(1, stream="err") == "two"


def test_a_log_is_followed_to_its_end(dash: NotebookDash, capsys: pytest.CaptureFixture[str]) -> None:
    job = dash.submit(script="echo 한글; sleep 0.7; seq 20000; echo end")
    job.follow()
    expected = "\n".join(["한글", *map(str, range(1, 20001)), "end", ""])
    assert capsys.readouterr().out == expected
    assert job.state == "COMPLETED"


def test_files_are_paths(dash: NotebookDash) -> None:
    job = dash.submit(script="mkdir d; echo x > d/out.txt").wait(timeout=30)
    assert job.files(outputs=True) == [job.workdir / "d" / "out.txt"]
    assert {path.name for path in job.files()} >= {"out.txt", f"slurm-{job.id}.out"}


def test_a_cancelled_job_has_ended(dash: NotebookDash) -> None:
    job = dash.submit(script="exec sleep 60")
    assert not job.ended
    assert job.cancel().wait(timeout=30).state == "CANCELLED"


def test_how_it_shows(dash: NotebookDash) -> None:
    job = dash.submit(script="true", job_name="<b>name</b>").wait(timeout=30)
    assert repr(job).startswith(f"job: {job.id}  name: <b>name</b>  state: COMPLETED")
    html = job._repr_html_()
    assert "&lt;b&gt;name&lt;/b&gt;" in html
    assert repr(dash.list_jobs()).splitlines()[0].split() == ["job", "name", "state", "why", "on"]
