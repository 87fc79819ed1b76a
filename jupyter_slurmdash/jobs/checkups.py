"""How the templates do: checks in the foreground and in the background, their results, and what became of the jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from ..errors import SlurmDashError, TemplateNotFound
from ..events import Event, EventBus
from ..slurm.base import FINAL_STATES
from ..templates.model import Template, TemplateSummary
from .templatecheck import TemplateChecker
from .templatereport import CheckBrief, CheckState, TemplateHealth, TemplateReport, TemplateRuns

# Seconds between two tellings of what a long run of checks has found so far.
_TELL_EVERY = 0.5
# Failures that are remembered.
_KEPT = 1000
# Seconds for which the history is taken as read where no news of jobs comes in (a notebook, the terminal).
_RUNS_AGE = 5.0
_CLOSE_SECONDS = 5.0

log = logging.getLogger(__name__)


class Shelves(Protocol):
    """Where templates are found; see ``templates/library.py``."""

    def get(self, template_id: str) -> Template: ...
    def find(self, template_id: str) -> Template | None: ...
    def templates(self, *, source: str | None = None) -> list[TemplateSummary]: ...


class Results(Protocol):
    """Where results are kept; see ``store/templatechecks.py``."""

    def save(self, row: dict[str, Any]) -> None: ...
    def briefs(self, ids: list[str]) -> dict[str, dict[str, Any]]: ...
    def row(self, template_id: str) -> dict[str, Any] | None: ...
    def rows(self) -> list[dict[str, Any]]: ...


class History(Protocol):
    """What became of the jobs of each template; see ``store/jobs.py``."""

    def template_runs(self, good: str, bad: Sequence[str], stopped: str) -> dict[str, dict[str, Any]]: ...


class Checkups:
    """Safe to use from many threads. Checks that are started run one after the other in one thread of their own.

    What was found is told on the channel ``templates``: ``template_health {ids}``.
    """

    def __init__(
        self,
        shelves: Shelves,
        checker: TemplateChecker,
        results: Results,
        history: History,
        events: EventBus,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelves = shelves
        self._checker = checker
        self._results = results
        self._history = history
        self._events = events
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._failed: dict[str, str] = {}
        self._running: Future[None] | None = None
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="slurmdash-template-checks")
        # The history as it was read, and when; forgotten by every news of a job, and read anew when somebody asks.
        self._runs: tuple[float, dict[str, TemplateRuns]] | None = None
        self._news = 0
        self._unsubscribe = events.subscribe(self._hear)

    # -- asking ---------------------------------------------------------------------------------------------

    def of(self, template_id: str) -> TemplateHealth:
        """Everything about one template. Raises TemplateNotFound."""
        template = self._shelves.get(template_id)
        # In this order: a check that ends in between has its result then.
        with self._lock:
            running, failure = template_id in self._waiting, self._failed.get(template_id)
        row = self._results.row(template_id)
        report = TemplateReport.from_row(row) if row else None
        state: CheckState = (
            "running" if running else "failed" if failure is not None else "finished" if report else "none"
        )
        brief = report.brief(template) if report else None
        return TemplateHealth(template_id, state, failure or "", report, brief, self.runs().get(template_id))

    def briefs(self, templates: Iterable[TemplateSummary]) -> dict[str, CheckBrief]:
        """By id, of those that were checked."""
        hashes = {template.id: template.hash for template in templates}
        return {
            id: CheckBrief(row["level"], row["checked_at"], row["hash"] == hashes[id])
            for id, row in self._results.briefs(list(hashes)).items()
        }

    def reports(self) -> list[TemplateReport]:
        """The last report on each template that was checked."""
        return [TemplateReport.from_row(row) for row in self._results.rows()]

    def under_way(self) -> list[str]:
        """The ids of the templates whose check was started and has not ended."""
        with self._lock:
            return list(self._waiting)

    def runs(self) -> dict[str, TemplateRuns]:
        """By id, of the templates that jobs of this user have run from and ended."""
        now = self._clock()
        with self._lock:
            known, news = self._runs, self._news
        if known is not None and now - known[0] < _RUNS_AGE:
            return known[1]
        bad = sorted(FINAL_STATES - {"COMPLETED", "CANCELLED"})
        rows = self._history.template_runs("COMPLETED", bad, "CANCELLED")
        found = {
            id: TemplateRuns(
                row["good"], row["bad"], row["stopped"], _seconds(row["wait"]), _seconds(row["run"])
            )
            for id, row in rows.items()
            if row["good"] + row["bad"] + row["stopped"]
        }
        with self._lock:
            if self._news == news:
                self._runs = (now, found)
        return found

    def _hear(self, event: Event) -> None:
        if event.channel == "jobs":
            with self._lock:
                self._runs = None
                self._news += 1

    # -- checking -------------------------------------------------------------------------------------------

    def official(self) -> list[str]:
        """The ids of the official set, which is checked when nothing is named."""
        return [template.id for template in self._shelves.templates(source="official")]

    def check(self, ids: Sequence[str] | None = None) -> list[TemplateReport]:
        """Check these templates now (by default the official set) and keep what was found.

        Raises TemplateNotFound before anything is checked, and SchedulerUnavailable.
        """
        templates = [self._shelves.get(id) for id in (self.official() if ids is None else ids)]
        reports = []
        for template in templates:
            reports.append(self._check(template))
        if reports:
            self._tell([report.template_id for report in reports])
        return reports

    def start(self, ids: Sequence[str] | None = None) -> list[str]:
        """Have them checked in the background; the ids of all that are now under way. Raises TemplateNotFound."""
        wanted = self.official() if ids is None else [self._shelves.get(id).id for id in ids]
        with self._lock:
            for id in wanted:
                self._waiting[id] = None
                self._failed.pop(id, None)
            if self._waiting and self._running is None and not self._closing.is_set():
                self._running = self._executor.submit(self._run)
            return list(self._waiting)

    def close(self) -> None:
        """End after the check that is under way."""
        self._unsubscribe()
        self._closing.set()
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            running = self._running
        if running is not None:
            wait([running], _CLOSE_SECONDS)

    def _run(self) -> None:
        """Check what waits, until nothing does."""
        done: list[str] = []
        told = self._clock()
        while True:
            with self._lock:
                id = next(iter(self._waiting), None)
                if id is None or self._closing.is_set():
                    self._running = None
                    break
            failure = self._try(id)
            with self._lock:
                del self._waiting[id]
                if failure:
                    self._failed[id] = failure
                    while len(self._failed) > _KEPT:
                        del self._failed[next(iter(self._failed))]
                last = not self._waiting
            done.append(id)
            if last or self._clock() - told >= _TELL_EVERY:
                self._tell(done)
                done, told = [], self._clock()

    def _try(self, id: str) -> str:
        """Why the check could not be made; "" when it was."""
        try:
            self._check(self._shelves.get(id))
        except TemplateNotFound:
            return "The template is no longer there."
        except SlurmDashError as error:
            return error.detail
        except Exception:
            # The top of a thread: the others are checked all the same.
            log.exception("The check of the template %s failed", id)
            return "It failed because of a fault in the program; see the server's log."
        return ""

    def _check(self, template: Template) -> TemplateReport:
        report = self._checker.check(template)
        self._results.save(report.to_row())
        return report

    def _tell(self, ids: list[str]) -> None:
        try:
            self._events.publish("templates", "template_health", {"ids": ids}, durable=True)
        except SlurmDashError:
            # What was found is kept; the other processes see it when they look.
            log.warning("That templates were checked could not be told", exc_info=True)


def _seconds(value: Any) -> float | None:
    """PostgreSQL's averages of whole numbers are Decimals."""
    return None if value is None else float(value)
