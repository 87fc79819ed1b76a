"""What becomes of jobs: seen once, told once, and true when the scheduler is silent or forgets."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from records import a_record
from shells import run

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.events import Event
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import JobStatus
from jupyter_slurmdash.slurm.commands import job_base


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told(dash: NotebookDash) -> list[Event]:
    found: list[Event] = []
    dash.events.subscribe(found.append)
    return found


def a_status(job_id: str, **changes: Any) -> JobStatus:
    values = {"name": "n", "user": "u", "state": "RUNNING", "raw_state": "RUNNING", **changes}
    return JobStatus(job_id=job_id, **values)


class Quiet:
    """A scheduler whose answers a test writes down."""

    is_cluster = True
    name = cluster = "quiet"

    def __init__(self) -> None:
        self.jobs: list[JobStatus] = []
        self.past: list[JobStatus] = []
        self.looks = 0
        self.down = False

    def queue(self) -> list[JobStatus]:
        self.looks += 1
        if self.down:
            raise SchedulerUnavailable("slurmctld does not answer.")
        return self.jobs

    def history(self, job_ids: list[str], since: float) -> list[JobStatus]:
        return [job for job in self.past if job_base(job.job_id) in job_ids]


@pytest.fixture
def quiet(dash: NotebookDash) -> Quiet:
    scheduler = Quiet()
    dash.jobs.watcher._scheduler = scheduler  # type: ignore[assignment]
    return scheduler


def states(told: list[Event]) -> list[str]:
    return [event.data["job"]["state"] for event in told if event.type == "job_update"]


def test_states_are_told_once(dash: NotebookDash, told: list[Event]) -> None:
    run(dash, "true")
    dash.jobs.watcher.look(force=True)
    assert states(told)[0] == "PENDING"
    assert states(told)[-1] == "COMPLETED"
    assert len(states(told)) == len(set(states(told)))


def test_a_job_from_elsewhere_appears(dash: NotebookDash, quiet: Quiet, told: list[Event]) -> None:
    quiet.jobs = [a_status("41", name="by hand", submitted_at=5.0, workdir="/w")]
    dash.jobs.watcher.look(force=True)
    job = dash.job("41")
    assert (job.record.name, job.record.ours, job.state) == ("by hand", False, "RUNNING")
    assert job.record.to_json()["run_id"] is None
    dash.jobs.watcher.look(force=True)
    assert states(told) == ["RUNNING"]


def test_accounting_tells_the_end(dash: NotebookDash, quiet: Quiet) -> None:
    quiet.jobs = [a_status("41")]
    dash.jobs.watcher.look(force=True)
    quiet.jobs, quiet.past = [], [a_status("41", state="TIMEOUT", raw_state="TIMEOUT", exit_code=0)]
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "TIMEOUT"


@pytest.mark.parametrize(("code", "state"), [("0", "COMPLETED"), ("3", "FAILED")])
def test_without_accounting_the_directory_tells(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path, code: str, state: str
) -> None:
    our_job(dash, tmp_path)
    codes(tmp_path, exit_code=code)
    dash.jobs.watcher.look(force=True)
    assert (dash.job("41").state, dash.job("41").record.exit_code) == (state, int(code))


def test_another_job_of_the_same_directory_says_nothing_about_a_foreign_one(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path
) -> None:
    quiet.jobs = [a_status("41", workdir=str(tmp_path))]
    dash.jobs.watcher.look(force=True)
    codes(tmp_path, exit_code="0")
    quiet.jobs = []
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "RUNNING"


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({"exit_code.1": "0", "exit_code.2": "0", "exit_code.3": "0"}, "COMPLETED"),
        ({"exit_code.1": "0", "exit_code.2": "9", "exit_code.3": "0"}, "FAILED"),
        ({"exit_code.1": "0", "exit_code.3": "0"}, "UNKNOWN"),
        ({"exit_code.1": "4"}, "FAILED"),
        ({}, "UNKNOWN"),
    ],
)
def test_without_accounting_each_task_of_an_array_tells(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path, found: dict[str, str], state: str
) -> None:
    our_job(dash, tmp_path, script="#!/bin/bash\n#SBATCH --array=1-3\n")
    codes(tmp_path, **found)
    dash.jobs.watcher._clock = lambda: 1e10
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == state


def ended(task: int, state: str, code: int) -> JobStatus:
    return a_status(f"41_{task}", state=state, raw_state=state, exit_code=code)


@pytest.mark.parametrize("accounting", [True, False])
def test_a_task_that_failed_and_left_the_queue_is_not_forgotten(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path, accounting: bool
) -> None:
    our_job(dash, tmp_path)
    codes(tmp_path, **{"exit_code.1": "3", "exit_code.2": "0"})
    quiet.jobs = [ended(2, "COMPLETED", 0)]
    if accounting:
        quiet.past = [ended(1, "FAILED", 3), ended(2, "COMPLETED", 0)]
    for _ in range(2):
        dash.jobs.watcher.look(force=True)
        assert (dash.job("41").state, dash.job("41").record.exit_code) == ("FAILED", 3)


def our_job(dash: NotebookDash, workdir: Path, **changes: Any) -> None:
    record = a_record(
        workdir, job_id="41", user=dash.user, cluster=dash.jobs._table.cluster, created_at=1e9, **changes
    )
    dash.jobs._table.insert(vars(record))


def codes(workdir: Path, **values: str) -> None:
    (workdir / ".slurmdash").mkdir()
    for name, value in values.items():
        (workdir / ".slurmdash" / name).write_text(value + "\n")


def test_a_job_that_nobody_knows_is_unknown_in_the_end(dash: NotebookDash, quiet: Quiet) -> None:
    clock = Clock()
    dash.jobs.watcher._clock = clock
    quiet.jobs = [a_status("41")]
    dash.jobs.watcher.look(force=True)
    quiet.jobs = []
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "RUNNING"
    clock.now += 200
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "UNKNOWN"


def test_an_id_that_comes_again_is_another_job(dash: NotebookDash, quiet: Quiet) -> None:
    quiet.jobs = [a_status("41", submitted_at=1000.0, state="COMPLETED", raw_state="COMPLETED", exit_code=0)]
    dash.jobs.watcher.look(force=True)
    quiet.jobs = [a_status("41", submitted_at=9000.0)]
    dash.jobs.watcher.look(force=True)
    assert [job.state for job in dash.list_jobs()] == ["RUNNING", "COMPLETED"]


def test_a_requeued_job_of_ours_is_the_same_job(dash: NotebookDash, quiet: Quiet, tmp_path: Path) -> None:
    our_job(dash, tmp_path, state="FAILED", submitted_at=1000.0)
    quiet.jobs = [a_status("41", submitted_at=9000.0, workdir=str(tmp_path))]
    dash.jobs.watcher.look(force=True)
    assert [(job.state, job.record.ours) for job in dash.list_jobs()] == [("RUNNING", True)]


def test_an_unknown_job_is_not_asked_for_again(dash: NotebookDash, quiet: Quiet, tmp_path: Path) -> None:
    our_job(dash, tmp_path, state="UNKNOWN")
    quiet.past = [a_status("41", state="COMPLETED", raw_state="COMPLETED")]
    dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "UNKNOWN"
    assert dash.jobs.watcher._under_way() == []


def test_a_clock_that_was_set_back_stops_nothing(dash: NotebookDash, quiet: Quiet) -> None:
    clock = Clock()
    watcher = dash.jobs.watcher
    watcher._clock, watcher.interval = clock, 10.0
    watcher.look()
    clock.now -= 3600
    watcher.look()
    assert quiet.looks == 2


def test_nobody_waits_for_a_look_that_is_under_way(dash: NotebookDash, quiet: Quiet) -> None:
    with dash.jobs.watcher._lock:
        dash.jobs.watcher.look()
    assert quiet.looks == 0
    dash.jobs.watcher.look()
    assert quiet.looks == 1


def test_a_look_that_fails_does_not_end_the_watch(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    our_job(dash, tmp_path)
    quiet.jobs = [a_status("41", state="COMPLETED", raw_state="COMPLETED")]
    again = threading.Event()
    looks: list[int] = []

    def failing() -> list[JobStatus]:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("a row that nobody thought of")
        again.set()
        return quiet.jobs

    monkeypatch.setattr(quiet, "queue", failing)
    dash.jobs.watcher.interval = 0.01
    dash.jobs.watcher.start()
    assert again.wait(10)
    dash.jobs.watcher.stop()
    assert dash.job("41").state == "COMPLETED"


def test_a_silent_scheduler_leaves_the_last_state_with_its_age(
    dash: NotebookDash, quiet: Quiet, told: list[Event]
) -> None:
    quiet.jobs = [a_status("41")]
    dash.jobs.watcher.look(force=True)
    quiet.down = True
    for _ in range(3):
        dash.jobs.watcher.look(force=True)
    assert dash.job("41").state == "RUNNING"
    assert dash.jobs.watcher.stale == "slurmctld does not answer."
    assert dash.jobs.watcher.seen_at is not None
    quiet.down = False
    dash.jobs.watcher.look(force=True)
    assert dash.jobs.watcher.stale is None
    assert [event.type for event in told].count("scheduler_state") == 2


def test_the_queue_is_looked_at_once_per_interval(dash: NotebookDash, quiet: Quiet) -> None:
    clock = Clock()
    watcher = dash.jobs.watcher
    watcher._clock, watcher.interval = clock, 10.0
    for _ in range(50):
        dash.jobs.page()
        clock.now += 0.1
    assert quiet.looks == 1
    clock.now += 10
    dash.jobs.page()
    assert quiet.looks == 2


def test_only_one_process_looks(dash: NotebookDash, quiet: Quiet) -> None:
    lease = f"watch:{dash.jobs._table.cluster}:{dash.user}"
    dash.jobs.watcher.look(force=True)
    dash.leases.owner = "another process"
    dash.jobs.watcher.look(force=True)
    assert quiet.looks == 1
    dash.leases.owner = "a third"
    assert not dash.leases.take(lease, 1)


def test_nothing_runs_nothing_is_asked(dash: NotebookDash, quiet: Quiet) -> None:
    watcher = dash.jobs.watcher
    watcher.interval = 0.01
    watcher.start()
    for _ in range(20):
        watcher.wake()
    watcher.stop()
    assert quiet.looks == 0


def test_the_server_follows_by_itself(dash: NotebookDash, told: list[Event]) -> None:
    ended = threading.Event()
    dash.events.subscribe(lambda event: "COMPLETED" in str(event.data) and ended.set())
    dash.start()
    dash.jobs.submit(JobSpec(script="true"))
    assert ended.wait(20)


def test_a_job_that_writes_is_running(
    dash: NotebookDash, quiet: Quiet, told: list[Event], tmp_path: Path
) -> None:
    quiet.jobs = [a_status("41", state="PENDING", raw_state="PENDING", workdir=str(tmp_path))]
    dash.jobs.watcher.look(force=True)
    dash.jobs.log("41", "out")
    assert dash.job("41").state == "PENDING"
    (tmp_path / "slurm-41.out").write_text("epoch 0\n")
    dash.jobs.log("41", "out")
    dash.jobs.log("41", "out")
    assert dash.job("41").state == "RUNNING"
    assert states(told) == ["PENDING", "RUNNING"]


def test_the_log_of_an_earlier_run_tells_nothing(dash: NotebookDash, quiet: Quiet, tmp_path: Path) -> None:
    our_job(dash, tmp_path, state="PENDING", submitted_at=5000.0)
    (tmp_path / "slurm-41.out").write_text("of the first run\n")
    os.utime(tmp_path / "slurm-41.out", (4000, 4000))
    dash.jobs.log("41", "out")
    assert dash.job("41").state == "PENDING"
    os.utime(tmp_path / "slurm-41.out", (5000, 5000))
    dash.jobs.log("41", "out")
    assert dash.job("41").state == "RUNNING"


def test_a_job_that_is_being_submitted_is_no_job_from_elsewhere(
    dash: NotebookDash, quiet: Quiet, tmp_path: Path
) -> None:
    """sbatch has taken it and the queue shows it, while the submission has yet to write its id down."""
    table = dash.jobs._table
    ours = a_record(tmp_path, user=dash.user, cluster=table.cluster, job_id=None, state="SUBMITTING")
    table.insert({**vars(ours), "idempotency_key": "key-12345", "created_at": dash.jobs.watcher._clock()})
    quiet.jobs = [a_status("41", workdir=str(tmp_path))]
    dash.jobs.watcher.look(force=True)
    assert len(dash.list_jobs()) == 0
    table.update(ours.run_id, {"job_id": "41", "state": "PENDING"})
    dash.jobs.watcher.look(force=True)
    assert [(job.record.run_id, job.state) for job in dash.list_jobs()] == [(ours.run_id, "RUNNING")]
