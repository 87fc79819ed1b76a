"""The library's list with how each template does, beside 5,000 templates and 20,000 jobs, over HTTP."""

from __future__ import annotations

import getpass
import statistics
import time
from pathlib import Path

import sqlalchemy as sa
from live import Live
from records import a_record
from settings import private_values

from jupyter_slurmdash.jobs.model import Check
from jupyter_slurmdash.jobs.templatereport import TemplateReport
from jupyter_slurmdash.store.tables import jobs, template_checks

TEMPLATES, JOBS, ROUNDS = 5_000, 20_000, 200
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


def test_a_page_of_the_library(tmp_path: Path) -> None:
    _furnish(tmp_path)
    live = Live(tmp_path, private_values(tmp_path), {})
    try:
        _fill(live)
        paths = {
            "list page": "/api/v2/templates?limit=100&cursor=t2500",
            "search": "/api/v2/templates/search?q=solves%20250&limit=100",
        }
        found = live.get(paths["list page"])["templates"]
        assert all(each["check"]["level"] == "ok" for each in found)
        assert sum(each["runs"] is not None for each in found) > 10
        took: dict[str, list[float]] = {name: [] for name in paths}
        counted = []
        for number in range(ROUNDS):
            for name, path in paths.items():
                start = time.perf_counter()
                live.get(path)
                took[name].append(time.perf_counter() - start)
            if number % 10 == 0:
                # As after the end of a job.
                live.dash.events.publish("jobs", "job_update", {})
                start = time.perf_counter()
                live.dash.checkups.runs()
                counted.append(time.perf_counter() - start)
        said = ", ".join(f"{name} p95 {_p95(seconds):.1f} ms" for name, seconds in took.items())
        print(
            f"\n{TEMPLATES} templates checked, {JOBS} jobs: {said}; the history anew"
            f" {statistics.median(counted) * 1000:.1f} ms"
        )
        assert all(_p95(seconds) < 20 for seconds in took.values())
    finally:
        live.stop()
