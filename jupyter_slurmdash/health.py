"""Is everything there? Each component with a word, a reason and the time it was asked."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import SlurmDashError
from .times import moment
from .version import __version__

if TYPE_CHECKING:
    from .dash import Dash

Status = Literal["ok", "degraded", "down"]
_LOW_SPACE = 1024**3


@dataclass(frozen=True)
class Component:
    """One part. ``checked_at`` seconds since the epoch, UTC."""

    name: str
    status: Status
    detail: str
    checked_at: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "detail": self.detail,
            "checked_at": moment(self.checked_at),
        }


@dataclass(frozen=True)
class Health:
    """All parts together: down when the scheduler or the database is, degraded when anything is not ok."""

    user: str
    scheduler: dict[str, Any]
    components: tuple[Component, ...]

    @property
    def status(self) -> Status:
        if any(part.status == "down" and part.name in ("scheduler", "database") for part in self.components):
            return "down"
        return "ok" if all(part.status == "ok" for part in self.components) else "degraded"

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "version": __version__,
            "user": self.user,
            "scheduler": self.scheduler,
            "components": [part.to_json() for part in self.components],
        }


def check_health(dash: Dash) -> Health:
    """Ask every component now."""
    asked: tuple[tuple[str, Callable[[Dash], tuple[Status, str]]], ...] = (
        ("scheduler", _scheduler),
        ("database", _database),
        ("templates", _templates),
        ("images", _images),
        ("disk", _disk),
    )
    components = []
    for name, ask in asked:
        try:
            status, detail = ask(dash)
        except SlurmDashError as error:
            status, detail = "down", error.detail
        except OSError as error:
            status, detail = "down", str(error)
        components.append(Component(name, status, detail, time.time()))
    scheduler = {
        "name": dash.scheduler.name,
        "is_cluster": dash.scheduler.is_cluster,
        "cluster": dash.cluster_name.learn(),
        "version": components[0].detail if components[0].status == "ok" else "",
    }
    return Health(dash.user, scheduler, tuple(components))


def _scheduler(dash: Dash) -> tuple[Status, str]:
    return "ok", dash.scheduler.ping()


def _database(dash: Dash) -> tuple[Status, str]:
    return "ok", f"{dash.database.url.get_backend_name()}, schema {dash.database.answer()}"


def _templates(dash: Dash) -> tuple[Status, str]:
    count, broken = dash.library.count()
    return ("degraded" if broken else "ok"), f"{count} templates, {broken} with an error"


def _images(dash: Dash) -> tuple[Status, str]:
    looks = dash.catalog.looks()
    if errors := looks.node_errors():
        return "degraded", "; ".join(f"{error.node}: {error.message}" for error in errors[:5])
    scan = looks.last
    by = f" by {scan.by}" if scan is not None and scan.by else ""
    return "ok", f"scanned {moment(scan.finished_at)}{by}" if scan else "not scanned yet"


def _disk(dash: Dash) -> tuple[Status, str]:
    work = Path(dash.settings.work_root)
    there = next(parent for parent in (work, *work.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        return "down", f"{there} cannot be written"
    free = shutil.disk_usage(there).free
    return ("degraded" if free < _LOW_SPACE else "ok"), f"{free // 1024**2} MB free for jobs"
