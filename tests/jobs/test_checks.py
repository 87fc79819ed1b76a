"""Checks: each names what is wrong and the field that mends it."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from plans import FileSlot, a_file, a_plan, a_template
from shells import add_template

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.formats.textdata import first_bad_row
from jupyter_slurmdash.jobs import checks, namedchecks
from jupyter_slurmdash.jobs.checkcontext import CheckContext
from jupyter_slurmdash.jobs.model import Check
from jupyter_slurmdash.jobs.pinning import GoodRuns
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import Node, Partition, Submission
from jupyter_slurmdash.slurm.limits import SiteLimits

GPU = Partition("gpu", False, "up", ("gpu001",), max_time=8 * 3600)
GPU_NODE = Node("gpu001", ("gpu",), "idle", gpus=2)


def a_context(plan: object = None, **changes: object) -> CheckContext:
    values = {
        "plan": plan or a_plan(),
        "script": "",
        "partition": GPU,
        "nodes": (GPU_NODE,),
        "free_bytes": 1000,
        "events": EventBus(),
        "limits": SiteLimits(),
        **changes,
    }
    return CheckContext(**values)  # type: ignore[arg-type]


def names(found: object) -> list[tuple[str, str, str]]:
    return [(check.name, check.level, check.pointer) for check in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gres", "bad"),
    [
        ("gpu:2", False),
        ("gpu", False),
        ("gpu:3", True),
        ("gpu:a100:4", True),
        ("gpu:1,gpu:2", True),
        ("", False),
    ],
)
def test_gpus(gres: str, bad: bool) -> None:
    found = names(namedchecks.check_gpu_availability(a_context(a_plan(options={"gres": gres}))))
    assert found == ([("check_gpu_availability", "error", "/options/gres")] if bad else [])


def test_size_of_the_data() -> None:
    plan = a_plan(files=(a_file("d", type="data", size=1001),))
    assert names(namedchecks.validate_dataset_size(a_context(plan))) == [
        ("validate_dataset_size", "error", "/files")
    ]
    assert names(namedchecks.validate_dataset_size(a_context(plan, free_bytes=1001))) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1 2 3\n4 5 6\n", None),
        ("x, y\n1, 2\n# note\n\n3e5, nan\n", None),
        ("1 2\n3\n", 2),
        ("1 2\nthree 4\n", 2),
        ("", 1),
        ("\0\1", 1),
        ("1 2\n" * 50_000, None),
    ],
)
def test_columns_of_numbers(tmp_path: Path, text: str, line: int | None) -> None:
    path = tmp_path / "a.dat"
    path.write_text(text)
    bad = first_bad_row(str(path))
    assert (bad[0] if bad else None) == line
    plan = a_plan(files=(a_file("a.dat", "data", path=str(path)), a_file("b.txt")))
    assert bool(names(namedchecks.validate_dat_format(a_context(plan)))) == (line is not None)


def test_partition_and_time() -> None:
    assert names(checks.check_partition(a_context(a_plan(options={"partition": "x"}), partition=None))) == [
        ("partition", "error", "/options/partition")
    ]
    down = replace(GPU, state="down")
    assert names(checks.check_partition(a_context(partition=down))) == [
        ("partition", "warning", "/options/partition")
    ]


def test_bash_reads_the_script_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    assert names(checks.check_syntax(f"touch {marker}")) == []
    assert names(checks.check_syntax("if true; then")) == [("syntax", "error", "/script")]
    assert not marker.exists()


def test_every_check_of_the_official_set_is_installed() -> None:
    assert {
        "check_gpu_availability",
        "validate_dataset_size",
        "validate_dat_format",
        "notify_user",
        "log_submission",
    } <= set(checks.installed_checks())


def test_a_package_that_cannot_be_loaded_costs_only_its_own_checks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = EntryPoint("good", "jupyter_slurmdash.jobs.namedchecks:notify_user", checks.ENTRY_POINTS)
    bad = EntryPoint("bad", "nowhere_at_all:check", checks.ENTRY_POINTS)
    monkeypatch.setattr(checks, "entry_points", lambda group: [bad, good])
    assert list(checks.installed_checks()) == ["good"]
    assert "bad" in caplog.text


def raising(_context: CheckContext) -> list[Check]:
    raise RuntimeError("a bug of the site's")


def test_a_check_that_fails_is_a_finding(dash: NotebookDash) -> None:
    runner = checks.CheckRunner(
        dash.scheduler, dash.uploads, EventBus(), "/tmp", {"broken": raising}, GoodRuns(dash.jobs._table)
    )
    plan = a_plan(template=a_template(slots=(), pre_submit=("broken",)))
    (found,) = runner.before_submit(plan, "true")
    assert (found.name, found.level) == ("broken", "error")
    assert "RuntimeError" in found.message


def test_a_check_that_fails_afterwards_takes_nothing_back(
    dash: NotebookDash, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dash._checks_by_name["notify_user"] = raising
    add_template(tmp_path, validation={"post_submit": ["notify_user"]})
    dash.library.refresh()
    assert dash.submit("test-v1").id
    assert "The check notify_user failed" in caplog.text


def test_a_scheduler_that_falls_silent_afterwards_takes_nothing_back(
    dash: NotebookDash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_template(tmp_path, validation={"post_submit": ["notify_user"]})
    dash.library.refresh()
    inner = dash.scheduler.submit

    def silent() -> list[Partition]:
        raise SchedulerUnavailable("It does not answer.")

    def submit(submission: Submission) -> str:
        monkeypatch.setattr(dash.scheduler, "partitions", silent)
        return inner(submission)

    monkeypatch.setattr(dash.scheduler, "submit", submit)
    assert dash.submit("test-v1").id


def test_post_submit_ones_do_nothing_before() -> None:
    context = a_context(a_plan(template=a_template(slots=(FileSlot("a", "*", "input", True),))))
    assert list(namedchecks.notify_user(context)) == []
    assert list(namedchecks.log_submission(context)) == []
    assert context.events.since(0) is None or context.events.since(0) == []
