"""What is well and what is not, part by part."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shells import add_template

from jupyter_slurmdash.errors import SchedulerUnavailable, TransportError
from jupyter_slurmdash.health import Component, Health, Status
from jupyter_slurmdash.images.looks import Looks
from jupyter_slurmdash.images.model import NodeScan, Scan
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.store import migrations
from jupyter_slurmdash.version import __version__


def part(health: Health, name: str) -> Component:
    return next(each for each in health.components if each.name == name)


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def test_all_is_well(dash: NotebookDash) -> None:
    health = dash.health()
    assert health.status == "ok", health
    assert [each.name for each in health.components] == [
        "scheduler",
        "database",
        "templates",
        "images",
        "disk",
    ]
    body = health.to_json()
    assert body["version"] == __version__
    assert body["scheduler"] == {
        "name": "local",
        "is_cluster": False,
        "cluster": "local",
        "version": "local",
    }
    assert all(each["checked_at"].endswith("Z") for each in body["components"])
    assert part(health, "images").detail == "not scanned yet"
    newest = max(path.stem[:4] for path in Path(migrations.__file__).parent.glob("versions/0*.py"))
    assert part(health, "database").detail == f"sqlite, schema {newest}"


def test_a_scan_is_dated(dash: NotebookDash) -> None:
    dash.settings.nodes = {}
    dash.catalog.scan()
    found = part(dash.health(), "images")
    assert found.status in ("ok", "degraded")
    assert found.detail.startswith("scanned 2") or ": " in found.detail


def test_a_silent_scheduler_is_down(dash: NotebookDash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dash.scheduler, "ping", failing(SchedulerUnavailable("It does not answer.")))
    health = dash.health()
    assert (health.status, part(health, "scheduler").detail) == ("down", "It does not answer.")
    assert health.scheduler["version"] == ""


def test_a_broken_database_is_down(dash: NotebookDash, tmp_path: Path) -> None:
    dash.database.engine.dispose()
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data").write_text("in the way")
    health = dash.health()
    assert (health.status, part(health, "database").status) == ("down", "down")
    assert "does not answer" in part(health, "database").detail


def test_a_broken_template_degrades(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, script={"main_exec": 3})
    dash.library.refresh()
    health = dash.health()
    assert (health.status, part(health, "templates").status) == ("degraded", "degraded")
    assert "1 with an error" in part(health, "templates").detail


def test_nodes_that_do_not_answer_degrade(dash: NotebookDash, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [NodeScan(f"node{number:03}", "failed", message="refused the key") for number in range(9)]
    looks = Looks([Scan("1", "finished", 0.0, 1.0, tuple(nodes))])
    monkeypatch.setattr(dash.catalog, "looks", lambda: looks)
    found = part(dash.health(), "images")
    told = "; ".join(f"node{number:03}: refused the key" for number in range(5))
    assert (found.status, found.detail) == ("degraded", told)


@pytest.mark.parametrize(
    ("free", "status", "detail"), [(500 * 1024**2, "degraded", "500 MB free"), (5 * 1024**3, "ok", "5120 MB")]
)
def test_little_space_degrades(
    dash: NotebookDash, monkeypatch: pytest.MonkeyPatch, free: int, status: Status, detail: str
) -> None:
    class Usage:
        pass

    usage = Usage()
    usage.free = free  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = part(dash.health(), "disk")
    assert (found.status, found.detail.startswith(detail)) == (status, True)


def test_a_work_root_that_cannot_be_written(dash: NotebookDash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    health = dash.health()
    assert part(health, "disk").status == "down"
    assert health.status == "degraded", "jobs elsewhere can still be seen"


@pytest.mark.parametrize("error", [TransportError("no route"), OSError("I/O error")])
def test_one_part_does_not_take_the_others_down(
    dash: NotebookDash, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(dash.library, "count", failing(error))
    health = dash.health()
    assert (part(health, "templates").status, part(health, "templates").detail) == ("down", str(error))
    assert part(health, "disk").status == "ok"
