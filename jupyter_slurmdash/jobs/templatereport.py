"""How a template does, as data: what its last check found, and what became of its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..templates.model import Template
from ..times import written
from .model import Check, Level

CheckState = Literal["none", "running", "finished", "failed"]
_SEVERITY: tuple[Level, ...] = ("ok", "warning", "error")


def worst(checks: Sequence[Check]) -> Level:
    """The level of the worst finding; "ok" without any."""
    return max((check.level for check in checks), key=_SEVERITY.index, default="ok")


@dataclass(frozen=True)
class CheckBrief:
    """A check in short. ``current`` is False when the template is another since; times in seconds since the epoch."""

    level: Level
    checked_at: float
    current: bool

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateCheckBrief``."""
        return {"level": self.level, "checked_at": written(self.checked_at), "current": self.current}


@dataclass(frozen=True)
class TemplateReport:
    """What a dry run of a template found: its steps in order, each ok or a finding that says what to do.

    ``hash`` is that of the text that was checked.
    """

    template_id: str
    hash: str
    steps: tuple[Check, ...]
    checked_at: float

    @property
    def level(self) -> Level:
        return worst(self.steps)

    def brief(self, template: Template | None) -> CheckBrief:
        """In short, beside the template as it is now."""
        return CheckBrief(self.level, self.checked_at, template is not None and template.hash == self.hash)

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateReport``."""
        return {
            "template_id": self.template_id,
            "hash": self.hash,
            "level": self.level,
            "steps": [step.to_json() for step in self.steps],
            "checked_at": written(self.checked_at),
        }

    def to_row(self) -> dict[str, Any]:
        steps = [step.to_json() for step in self.steps]
        return {**vars(self), "steps": steps, "level": self.level}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> TemplateReport:
        steps = tuple(Check(**step) for step in row["steps"])
        return cls(row["template_id"], row["hash"], steps, row["checked_at"])


@dataclass(frozen=True)
class TemplateRuns:
    """What became of the user's jobs of a template: how many ended well, ended otherwise, and were cancelled.

    Medians in seconds: ``wait`` of the jobs that started, ``run`` of those that ended well; None without such jobs.
    """

    good: int
    bad: int
    cancelled: int
    wait: float | None
    run: float | None

    @property
    def ended(self) -> int:
        """Those that say something of the template; that somebody cancelled a job does not."""
        return self.good + self.bad

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateRuns``."""
        return {
            "good": self.good,
            "ended": self.ended,
            "cancelled": self.cancelled,
            "median_wait": self.wait,
            "median_run": self.run,
        }

    def __str__(self) -> str:
        """``3 of 4 ended well; median wait 12 s, run 3 min``"""
        counted = f"{self.good} of {self.ended} ended well" if self.ended else ""
        stopped = f"{self.cancelled} cancelled" if self.cancelled else ""
        medians = [
            f"{name} {duration(value)}"
            for name, value in (("wait", self.wait), ("run", self.run))
            if value is not None
        ]
        said = ", ".join(filter(None, (counted, stopped)))
        return f"{said}; median {', '.join(medians)}" if medians else said


@dataclass(frozen=True)
class TemplateHealth:
    """All that is known of how a template does. ``state`` is that of the check which was asked for last here;
    ``message`` says why it failed."""

    template_id: str
    state: CheckState
    message: str
    report: TemplateReport | None
    brief: CheckBrief | None
    runs: TemplateRuns | None

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateHealth``."""
        return {
            "template_id": self.template_id,
            "state": self.state,
            "message": self.message,
            "report": self.report.to_json() if self.report else None,
            "check": self.brief.to_json() if self.brief else None,
            "runs": self.runs.to_json() if self.runs else None,
        }


def checked_text(brief: CheckBrief | None, now: float) -> str:
    """``ok, checked 2 h ago``; ``not checked since it was changed``; "" for one that was never checked."""
    if brief is None:
        return ""
    if not brief.current:
        return "not checked since it was changed"
    age = max(0.0, now - brief.checked_at)
    return f"{brief.level}, checked {'just now' if age < 1 else f'{duration(age)} ago'}"


def duration(seconds: float) -> str:
    """In the one unit that says enough: ``12 s``, ``3 min``, ``2 h``, ``5 days``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (unit != "days" and seconds >= size):
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds)} s"
