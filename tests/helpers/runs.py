"""Jobs of templates in a database, and what became of them as counted by hand."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from records import a_record

from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.jobs import JobTable
from jupyter_slurmdash.store.tables import jobs

BAD = ["FAILED", "TIMEOUT"]


def rows(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        vars(
            a_record(
                Path("/work"), run_id=f"{number:036}", submitted_at=100.0, created_at=float(number), **run
            )
        )
        for number, run in enumerate(runs)
    ]


def fill(database: Database, runs: list[dict[str, Any]]) -> JobTable:
    with database.write() as connection:
        connection.execute(sa.delete(jobs))
        if runs:
            connection.execute(sa.insert(jobs), rows(runs))
    return JobTable(database, "user", lambda: "local")


def asked(table: JobTable) -> dict[str, dict[str, Any]]:
    return table.template_runs("COMPLETED", BAD, "CANCELLED")


def check_by_hand(database: Database, runs: list[dict[str, Any]]) -> None:
    found = asked(fill(database, runs))
    assert set(found) == {run["template_id"] for run in runs} - {None}
    for id, row in found.items():
        mine = [run for run in runs if run["template_id"] == id]
        waits = [run["started_at"] - 100.0 for run in mine if run["started_at"] is not None]
        took = [run["elapsed"] for run in mine if run["state"] == "COMPLETED" and run["elapsed"] is not None]
        assert row == {
            "template_id": id,
            "good": sum(run["state"] == "COMPLETED" for run in mine),
            "bad": sum(run["state"] in BAD for run in mine),
            "stopped": sum(run["state"] == "CANCELLED" for run in mine),
            "wait": pytest.approx(statistics.median(waits)) if waits else None,
            "run": pytest.approx(statistics.median(took)) if took else None,
        }
