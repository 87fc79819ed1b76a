"""Arrays and heterogeneous jobs are one row each."""

from __future__ import annotations

import pytest

from jupyter_slurmdash.jobs.arrays import as_wholes
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import JobState, JobStatus


def part(job_id: str, state: JobState, **changes: float) -> JobStatus:
    return JobStatus(job_id=job_id, name="n", user="u", state=state, raw_state=state, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["RUNNING", "PENDING", "COMPLETED"], "RUNNING"),
        (["COMPLETED", "PENDING"], "PENDING"),
        (["COMPLETED", "FAILED", "COMPLETED"], "FAILED"),
        (["COMPLETED", "COMPLETED"], "COMPLETED"),
    ],
)
def test_the_whole_is_what_its_parts_are(parts: list[JobState], whole: str) -> None:
    merged = as_wholes(
        part(f"7_{index}", state, started_at=10.0 + index, ended_at=20.0 + index)
        for index, state in enumerate(parts)
    )
    assert [(status.job_id, status.state) for status in merged] == [("7", whole)]
    assert merged[0].started_at == 10.0
    assert (merged[0].ended_at is None) == (whole in ("RUNNING", "PENDING"))


def test_an_array_is_one_job_from_beginning_to_end(dash: NotebookDash) -> None:
    job = dash.submit(script='echo "task $SLURM_ARRAY_TASK_ID"', array="1-3").wait(timeout=30)
    assert job.state == "COMPLETED"
    assert [shown.id for shown in dash.list_jobs()] == [job.id]
    logs = sorted(job.workdir.glob("slurm-*.out"))
    assert [path.read_text() for path in logs] == ["task 1\n", "task 2\n", "task 3\n"]
