"""The jobs' service as the doors see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from shells import add_template, run

from jupyter_slurmdash.errors import FileNotInJob, InvalidInput, JobNotFound
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.notebook.api import NotebookDash


def test_pages_lead_on_and_count(dash: NotebookDash) -> None:
    ids = [dash.jobs.submit(JobSpec(script="true", job_name=f"job {index}"))[0].job_id for index in range(5)]
    seen, cursor = [], None
    while True:
        page = dash.jobs.page(limit=2, cursor=cursor)
        assert page.total == 5
        seen += [job.job_id for job in page.jobs]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]


def test_filters(dash: NotebookDash) -> None:
    done = run(dash, "true", job_name="alpha one")
    failed = run(dash, "false", job_name="beta")
    assert [job.job_id for job in dash.jobs.page(state="failed").jobs] == [failed.id]
    assert [job.job_id for job in dash.jobs.page(q="ALPHA one").jobs] == [done.id]
    assert [job.job_id for job in dash.jobs.page(q=failed.id).jobs] == [failed.id]
    assert len(dash.jobs.page(state="finished").jobs) == 2
    assert dash.jobs.page(state="active").total == 0
    assert dash.jobs.page(since=9e9).total == 0
    assert dash.jobs.page(q="100%").total == 0


def test_a_made_up_cursor_is_refused(dash: NotebookDash) -> None:
    for cursor in ("x", "W10=", "e30="):
        with pytest.raises(InvalidInput, match="cursor"):
            dash.jobs.page(cursor=cursor)


def test_cancel(dash: NotebookDash) -> None:
    job = dash.submit(script="sleep 60")
    assert job.cancel().wait(timeout=30).state == "CANCELLED"
    assert dash.jobs.cancel(job.id).state == "CANCELLED"
    with pytest.raises(JobNotFound):
        dash.jobs.cancel("4711")


def test_only_files_of_the_job_are_read(dash: NotebookDash, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    job = run(dash, f"echo x > out.txt; mkdir d; echo y > d/e.txt; ln -s {tmp_path}/secret link")
    assert dash.jobs.file(job.id, "d/e.txt").read_text() == "y\n"
    for path in ("../secret", "link", "d", "", "nothing", "/etc/passwd", "d/../../../secret", "a\0b"):
        with pytest.raises(FileNotInJob):
            dash.jobs.file(job.id, path)
    assert [path.name for path in job.files(outputs=True)] == ["e.txt", "out.txt"]


def test_the_templates_pattern_says_what_the_outputs_are(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        files={"output_pattern": "*.vtk"},
        script={"main_exec": "touch a.vtk b.txt"},
    )
    job = dash.submit("test-v1").wait(timeout=30)
    assert [path.name for path in job.files(outputs=True)] == ["a.vtk"]
    (tmp_path / "templates" / "community" / "test-v1.yaml").unlink()
    dash.library.refresh()
    assert [path.name for path in job.files(outputs=True)] == ["a.vtk", "b.txt"]


def test_the_schedulers_word_before_submitting(dash: NotebookDash) -> None:
    assert dash.jobs.test(JobSpec(script="true"))


def test_the_log_arrives_while_the_job_runs(dash: NotebookDash) -> None:
    job = dash.submit(script="echo first; while [ ! -e go ]; do sleep 0.1; done; echo second")
    while dash.jobs.log(job.id, "out").text != "first\n":
        assert job.refresh().state in ("PENDING", "RUNNING")
    assert not dash.jobs.log(job.id, "out").complete
    (job.workdir / "go").touch()
    job.wait(timeout=30)
    piece = dash.jobs.log(job.id, "out", 6)
    assert (piece.text, piece.complete) == ("second\n", True)


def test_a_task_of_an_array_by_its_id(dash: NotebookDash) -> None:
    job = dash.submit(script='echo "task $SLURM_ARRAY_TASK_ID"', array="1-2").wait(timeout=30)
    assert dash.jobs.get(f"{job.id}_2").run_id == job.record.run_id
    assert dash.jobs.log(f"{job.id}_2").text == "task 2\n"
    assert dash.jobs.log(job.id).text == "task 1\n"
    for no_id in ("4711_1", "x", "1_x"):
        with pytest.raises(JobNotFound):
            dash.jobs.get(no_id)


def test_one_task_is_cancelled(dash: NotebookDash) -> None:
    job = dash.submit(script='[ "$SLURM_ARRAY_TASK_ID" = 1 ] || sleep 60', array="1-2")
    dash.jobs.cancel(f"{job.id}_2")
    job.wait(timeout=30)
    assert (job.workdir / ".slurmdash" / "exit_code.1").read_text() == "0\n"


def test_folders_of_logs_are_made(dash: NotebookDash) -> None:
    job = run(dash, "echo out; echo err >&2", output="logs/a/%j.out", error="errors/x.err")
    assert (job.state, job.tail(), job.tail(stream="err")) == ("COMPLETED", "out", "err")
    outside = dash.jobs.preview(JobSpec(script="true", options={"output": "../x/y"}))
    assert "../x/y" in outside.script
