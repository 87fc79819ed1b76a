"""The library's list with how each template does, beside 5,000 templates and 20,000 jobs."""

from __future__ import annotations

import functools
import getpass
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from live import Live
from records import a_record
from settings import private_values
from stopwatch import stopwatch

from jupyter_slurmdash.handlers.templates import listed
from jupyter_slurmdash.jobs.model import Check
from jupyter_slurmdash.jobs.templatereport import TemplateReport
from jupyter_slurmdash.store.tables import jobs, template_checks

TEMPLATES, JOBS, ROUNDS = 5_000, 20_000, 100
STATES = ("COMPLETED", "COMPLETED", "FAILED", "CANCELLED")


def _furnish(place: Path) -> None:
    shelf = place / "templates" / "community"
    shelf.mkdir(parents=True)
    for number in range(TEMPLATES):
        (shelf / f"t{number}.yaml").write_text(
            f"template:\n  id: t{number:04}\n  name: t{number}\n  description: Solves {number}\n"
            f"  tags: [gpu, n{number % 50}]\nslurm: {{nodes: 1}}\nscript:\n  main_exec: |\n    echo {number}\n"
        )


def _fill(live: Live) -> None:
    dash = live.dash
    user, cluster = getpass.getuser(), dash.cluster_name.known()
    report = TemplateReport("", "0" * 64, tuple(Check(name, "ok", "It is right.") for name in "abcde"), 1e9)
    checks = [
        {
            **report.to_row(),
            "template_id": template.id,
            "hash": template.hash,
            "user": user,
            "cluster": cluster,
        }
        for template in dash.library.templates()
    ]
    rows = [
        vars(
            a_record(
                Path("/work"),
                run_id=f"{number:036}",
                user=user,
                cluster=cluster,
                created_at=float(number),
                template_id=f"t{number * 7 % TEMPLATES:04}",
                state=STATES[number % 4],
                submitted_at=100.0,
                started_at=100.0 + number % 977,
                elapsed=number % 1009,
                script="#!/bin/bash\n" + "echo\n" * 500,
            )
        )
        for number in range(JOBS)
    ]
    with dash.database.write() as connection:
        connection.execute(sa.insert(template_checks), checks)
        connection.execute(sa.insert(jobs), rows)


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def _processor(work: Callable[[], object]) -> float:
    with stopwatch() as watch:
        work()
    return watch.seconds


def test_a_page_of_the_library(tmp_path: Path) -> None:
    """The server's own work for a page and a search, each another one: processor time."""
    _furnish(tmp_path)
    live = Live(tmp_path, private_values(tmp_path), {})
    try:
        _fill(live)
        dash = live.dash
        found = live.get("/api/v2/templates?limit=50&cursor=t2500")["templates"]
        assert all(each["check"]["level"] == "ok" for each in found)
        assert sum(each["runs"] is not None for each in found) > 5

        def page(number: int) -> None:
            json.dumps(listed(dash, limit=50, cursor=f"t{number * 40:04}"))

        def search(number: int) -> None:
            json.dumps(listed(dash, limit=50, cursor=None, q=f"solves {number}"))

        def history() -> None:
            # As after the end of a job: it is counted anew.
            dash.events.publish("jobs", "job_update", {})
            dash.checkups.runs()

        counted = statistics.median(_processor(history) for _ in range(20))
        for name, ask in (("list page", page), ("search", search)):
            took = [_processor(functools.partial(ask, number)) for number in range(ROUNDS)]
            waited = []
            for number in range(ROUNDS):
                start = time.perf_counter()
                live.get(f"/api/v2/templates?limit=50&cursor=t{number * 40:04}")
                waited.append(time.perf_counter() - start)
            print(
                f"\n{name} of 50 among {TEMPLATES:,} checked templates and {JOBS:,} jobs: median"
                f" {statistics.median(took) * 1000:.1f} ms, p95 {_p95(took):.1f} ms of processor time (a page over"
                f" HTTP here, now: median {statistics.median(waited) * 1000:.1f} ms)"
            )
            assert _p95(took) < 20
        print(f"the history of all of them anew: {counted * 1000:.1f} ms")
    finally:
        live.stop()
