"""Submissions on the embedded scheduler: from values to results, exactly once, nothing lost."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from awkward import AWKWARD
from shells import add_template, run, write

from jupyter_slurmdash.errors import (
    ChecksFailed,
    Conflict,
    InvalidInput,
    SchedulerRefused,
    SchedulerUnavailable,
    SlurmDashError,
    TemplateNotFound,
)
from jupyter_slurmdash.jobs import submit as submit_module
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.jobs.stage import stage
from jupyter_slurmdash.jobs.submit import SUBMITTING, Submitter
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import JobStatus, Submission

# Other names are refused or mended by uploads/names.py, which has its own tests.
FILE_NAMES = [
    name
    for name in (text.replace("/", "_") for text in AWKWARD)
    if name.isprintable() and len(name.encode()) <= 240
]


def test_from_values_to_results(dash: NotebookDash, tmp_path: Path) -> None:
    source = write(tmp_path / "in" / "say.py", "print('hello')\nopen('out.txt', 'w').write('x')\n")
    job = dash.submit("python-script-v1", files={"script": source}, job_name="first").wait(timeout=30)
    assert (job.state, job.record.exit_code) == ("COMPLETED", 0), job.tail(stream="err")
    assert job.tail() == "hello"
    assert [path.name for path in job.files(outputs=True)] == ["out.txt"]
    assert (job.workdir / "say.py").is_symlink()
    kept = json.loads((job.workdir / ".slurmdash" / "run.json").read_text())
    assert kept["template"]["id"] == "python-script-v1"
    assert kept["files"][0]["name"] == "say.py"
    assert (job.workdir / ".slurmdash" / "script.sh").read_text() == job.script
    assert (job.workdir / ".slurmdash" / "exit_code").read_text() == "0\n"


def test_a_failing_command_ends_the_job(dash: NotebookDash) -> None:
    job = run(dash, "echo before\nfalse\necho after")
    assert (job.state, job.record.exit_code, job.tail()) == ("FAILED", 1, "before")


def test_post_exec_runs_on_success_only(dash: NotebookDash, tmp_path: Path) -> None:
    for main, expected in (("true", "done"), ("false", "")):
        add_template(tmp_path, f"t-{main}", script={"main_exec": main, "post_exec": "echo done"})
        dash.library.refresh()
        assert dash.submit(f"t-{main}").wait(timeout=30).tail() == expected


def test_a_slot_is_reached_by_its_own_name_too(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        files={"input_schema": {"required": [{"name": "training_script", "pattern": "*.py"}]}},
        script={"main_exec": 'cat training_script.py; echo "$TRAINING_SCRIPT"'},
    )
    source = write(tmp_path / "my train.py", "text\n")
    job = dash.submit("test-v1", files={"training_script": source}).wait(timeout=30)
    assert job.tail() == "text\nmy train.py"


def test_the_same_key_submits_once(dash: NotebookDash) -> None:
    first, new = dash.jobs.submit(JobSpec(script="true"), "key-12345")
    second, again = dash.jobs.submit(JobSpec(script="echo other"), "key-12345")
    assert (new, again) == (True, False)
    assert first.job_id == second.job_id


def test_many_at_once_with_one_key_submit_once(dash: NotebookDash) -> None:
    results: list[Any] = []

    def submit() -> None:
        try:
            results.append(dash.jobs.submit(JobSpec(script="true"), "key-12345")[0].job_id)
        except Conflict as error:
            results.append(error.code)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({result for result in results if result != "conflict"}) == 1
    assert len(dash.scheduler.queue()) <= 1


class Unreachable:
    """The embedded scheduler behind a line that drops answers: ``arrives`` says whether the job got through."""

    def __init__(self, inner: Any, *, arrives: bool) -> None:
        self._inner, self.arrives, self.down = inner, arrives, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def submit(self, submission: Submission) -> str:
        if self.down and not self.arrives:
            raise SchedulerUnavailable("The controller does not answer.")
        job_id = self._inner.submit(submission)
        if self.down:
            raise SchedulerUnavailable("The answer was lost.")
        return str(job_id)


def behind(dash: NotebookDash, line: Unreachable) -> Submitter:
    submitter = dash.jobs._submitter
    submitter._scheduler = line  # type: ignore[assignment]
    return submitter


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_never_submits_twice(dash: NotebookDash, arrives: bool) -> None:
    line = Unreachable(dash.scheduler, arrives=arrives)
    submitter = behind(dash, line)
    with pytest.raises(SchedulerUnavailable, match="will not be submitted twice"):
        submitter.submit(JobSpec(script="sleep 1"), "key-12345")
    line.down = False
    record, new = submitter.submit(JobSpec(script="sleep 1"), "key-12345")
    assert new is not arrives
    assert record.job_id is not None
    assert [job.id for job in dash.list_jobs()] == [record.job_id]


def test_the_watcher_finds_a_lost_submission(dash: NotebookDash) -> None:
    submitter = behind(dash, Unreachable(dash.scheduler, arrives=True))
    with pytest.raises(SchedulerUnavailable):
        submitter.submit(JobSpec(script="true"), "key-12345")
    assert dash.jobs._table.in_states([SUBMITTING])
    submitter.reconcile(older_than=-1)
    assert not dash.jobs._table.in_states([SUBMITTING])
    assert len(dash.list_jobs()) == 1


def lost(dash: NotebookDash, *, arrives: bool = False) -> tuple[Submitter, Path]:
    """A submission whose answer was lost, and its directory."""
    submitter = behind(dash, Unreachable(dash.scheduler, arrives=arrives))
    with pytest.raises(SchedulerUnavailable):
        submitter.submit(JobSpec(script="true"), "key-12345")
    (row,) = dash.jobs._table.in_states([SUBMITTING])
    return submitter, Path(row["workdir"])


def forgetting(submitter: Submitter, queue: list[JobStatus] | None = None) -> None:
    """The scheduler keeps no comments from now on."""
    submitter._scheduler.find = lambda comment, since: None  # type: ignore[method-assign]
    submitter._scheduler.queue = lambda: queue or []  # type: ignore[method-assign]


def test_a_submission_that_never_arrived_leaves_nothing_behind(dash: NotebookDash) -> None:
    submitter, workdir = lost(dash)
    submitter.reconcile(older_than=-1)
    assert not workdir.exists()
    assert dash.jobs._table.by_key("key-12345") is None


@pytest.mark.parametrize("written", ["result.txt", ".slurmdash/exit_code.3", "out.log"])
def test_results_are_never_removed(dash: NotebookDash, written: str) -> None:
    submitter, workdir = lost(dash)
    forgetting(submitter)
    (workdir / written).write_text("0\n")
    submitter.reconcile(older_than=-1)
    assert (workdir / written).exists()
    row = dash.jobs._table.by_key("key-12345")
    assert row is not None
    assert (row["state"], row["job_id"]) == ("UNKNOWN", None)
    record, new = submitter.submit(JobSpec(script="true"), "key-12345")
    assert (record.run_id, new) == (row["run_id"], False)


def test_a_log_tells_the_id_of_a_forgotten_job(dash: NotebookDash) -> None:
    submitter, workdir = lost(dash)
    forgetting(submitter)
    (workdir / "slurm-4711_2.out").write_text("x")
    (workdir / ".slurmdash" / "exit_code").write_text("3\n")
    submitter.reconcile(older_than=-1)
    dash.jobs.watcher.look(force=True)
    assert (dash.job("4711").state, dash.job("4711").record.exit_code) == ("FAILED", 3)


def test_a_job_in_the_queue_is_known_by_its_directory(dash: NotebookDash) -> None:
    submitter, workdir = lost(dash)
    status = JobStatus("4711", "n", "u", "RUNNING", "RUNNING", workdir=str(workdir))
    forgetting(submitter, [status])
    submitter.reconcile(older_than=-1)
    assert dash.jobs._table.by_job_id("4711") is not None
    assert workdir.exists()


def test_a_submission_under_way_is_left_alone(dash: NotebookDash) -> None:
    submitter, workdir = lost(dash)
    with dash.leases.held(f"submit:{dash.user}:key-12345", 60):
        submitter.reconcile(older_than=-1)
    assert workdir.exists()
    assert dash.jobs._table.in_states([SUBMITTING])


def test_a_submission_that_was_given_up_meanwhile_goes_no_further(
    dash: NotebookDash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*values: Any) -> None:
        stage(*values)
        dash.leases.give_back(*held)
        assert dash.leases.take(held[0], 60)

    held: list[str] = []
    take = dash.leases.take

    def noting(name: str, seconds: float, owner: str | None = None) -> bool:
        if owner is not None:
            held[:] = [name, owner]
        return take(name, seconds, owner)

    monkeypatch.setattr(dash.leases, "take", noting)
    monkeypatch.setattr(submit_module, "stage", slowly)
    with pytest.raises(Conflict, match="too long"):
        dash.submit(script="true")
    assert list((tmp_path / "jobs").iterdir()) == []
    assert dash.scheduler.queue() == []
    assert not dash.jobs._table.in_states([SUBMITTING])


def test_a_job_whose_row_was_given_up_is_kept_all_the_same(dash: NotebookDash) -> None:
    class Slow(Unreachable):
        def submit(self, submission: Submission) -> str:
            (row,) = dash.jobs._table.in_states([SUBMITTING])
            dash.jobs._table.delete(row["run_id"])
            return str(self._inner.submit(submission))

    record, _ = behind(dash, Slow(dash.scheduler, arrives=True)).submit(JobSpec(script="true"))
    assert dash.job(str(record.job_id)).record.run_id == record.run_id


def test_staging_that_fails_leaves_no_row(dash: NotebookDash, tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("in the way")
    with pytest.raises(SlurmDashError, match="could not be made"):
        dash.submit(script="true")
    assert not dash.jobs._table.in_states([SUBMITTING])


def test_a_refusal_leaves_nothing_behind(dash: NotebookDash, tmp_path: Path) -> None:
    class Refusing(Unreachable):
        def submit(self, submission: Submission) -> str:
            raise SchedulerRefused("Slurm said: no.")

    with pytest.raises(SchedulerRefused, match=r"no\."):
        behind(dash, Refusing(dash.scheduler, arrives=False)).submit(JobSpec(script="true"))
    assert list((tmp_path / "jobs").iterdir()) == []
    assert len(dash.list_jobs()) == 0


def test_what_stands_in_the_way_is_told_all_at_once(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        slurm={"partition": "nowhere"},
        apptainer={"image_name": "missing.sif"},
        files={"input_schema": {"required": [{"name": "data", "pattern": "*.dat"}]}},
    )
    with pytest.raises(ChecksFailed) as caught:
        dash.submit("test-v1")
    pointers = {error.pointer for error in caught.value.errors}
    assert {"/files/data", "/image_id", "/options/partition"} <= pointers


@pytest.mark.parametrize(
    ("values", "error", "pointer"),
    [
        ({"template": "none"}, TemplateNotFound, None),
        ({"script": "true", "job_name": "a\nb"}, InvalidInput, "/job_name"),
        ({"script": "true", "job_name": "x" * 101}, InvalidInput, "/job_name"),
        ({"script": "true", "nonsense": 1}, InvalidInput, "/parameters/nonsense"),
        ({"script": "true", "time": "soon"}, InvalidInput, "/options/time"),
        ({"script": "true", "app": "a\0b"}, InvalidInput, "/app"),
        ({"script": "true", "app": "\ud83d"}, InvalidInput, "/app"),
        ({"script": "if then"}, ChecksFailed, "/script"),
        ({}, ChecksFailed, "/template_id"),
    ],
)
def test_bad_values_are_named(
    dash: NotebookDash, values: dict[str, Any], error: type[Exception], pointer: str | None
) -> None:
    with pytest.raises(error) as caught:
        dash.submit(**values)
    if pointer is not None:
        assert caught.value.errors[0].pointer == pointer  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["comment", "chdir"])
def test_what_is_ours_is_no_option(dash: NotebookDash, name: str) -> None:
    with pytest.raises(InvalidInput, match="no such option") as caught:
        dash.jobs.submit(JobSpec(script="true", options={name: "/tmp"}))
    assert caught.value.errors[0].pointer == f"/options/{name}"


def test_a_preview_tells_the_same_without_raising(dash: NotebookDash) -> None:
    preview = dash.jobs.preview(JobSpec(script="true", job_name="a\nb"))
    assert not preview.ready
    assert preview.checks[0].pointer == "/job_name"
    assert dash.jobs.preview(JobSpec(script="true")).ready


def test_parameters_follow_their_schema(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        parameters={
            "type": "object",
            "properties": {
                "epochs": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
                "note": {"type": "string"},
            },
        },
        script={"main_exec": 'echo "$EPOCHS:$NOTE"'},
    )
    assert dash.submit("test-v1", note="it's").wait(timeout=30).tail() == "3:it's"
    with pytest.raises(InvalidInput) as caught:
        dash.submit("test-v1", epochs=99)
    assert caught.value.errors[0].pointer == "/parameters/epochs"
    with pytest.raises(InvalidInput, match="NUL"):
        dash.submit("test-v1", note="a\0b")


def test_an_upload_is_linked_and_may_be_submitted_again(dash: NotebookDash, tmp_path: Path) -> None:
    session = dash.uploads.sessions.create(dash.user, "python-script-v1")
    dash.uploads.sessions.add_path(session.id, dash.user, write(tmp_path / "a.py", "print(1)"))
    for _ in range(2):
        job = dash.submit("python-script-v1", session_id=session.id).wait(timeout=30)
        assert job.tail() == "1"


def test_two_files_of_one_name_are_a_conflict(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        files={"input_schema": {"required": [{"name": "a", "pattern": "*"}, {"name": "b", "pattern": "*"}]}},
    )
    files = {"a": write(tmp_path / "1" / "x.txt", "1"), "b": write(tmp_path / "2" / "x.txt", "2")}
    with pytest.raises(Conflict, match=r"x\.txt"):
        dash.submit("test-v1", files=files)
    assert [path for path in (tmp_path / "jobs").iterdir() if not path.name.startswith(".uploads")] == []
    assert len(dash.list_jobs()) == 0
    del files["b"]


@pytest.mark.parametrize("name", FILE_NAMES, ids=lambda name: ascii(name)[:40])
def test_awkward_files_reach_the_job(dash: NotebookDash, tmp_path: Path, name: str) -> None:
    add_template(
        tmp_path,
        files={"input_schema": {"required": [{"name": "data", "pattern": "*"}]}},
        script={"main_exec": 'cat -- "$DATA"'},
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text("content")
    job = dash.submit("test-v1", files={"data": str(tmp_path / "in" / name)}).wait(timeout=30)
    assert job.tail() == "content", job.tail(stream="err")
    assert not Path("/tmp/slurmdash-was-here").exists()


def test_a_job_directory_that_cannot_be_made_is_said(dash: NotebookDash, tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("in the way")
    with pytest.raises(Exception, match="could not be made") as caught:
        dash.submit(script="true")
    assert caught.value.code == "internal"  # type: ignore[attr-defined]
    os.remove(tmp_path / "jobs")
    assert run(dash, "true").state == "COMPLETED"


def test_another_users_job_is_not_there(dash: NotebookDash) -> None:
    record, _ = dash.jobs.submit(JobSpec(script="true"))
    row = {
        **vars(replace(record, run_id="0" * 8 + "-0000-4000-8000-000000000000", user="other")),
        "job_id": "999",
    }
    dash.jobs._table.insert({**row, "idempotency_key": None})
    with pytest.raises(Exception, match="no job 999"):
        dash.job("999")
