"""Checks before and after a submission: ours, and named ones that a template asks for.

A named check is a function ``(CheckContext) -> Iterable[Check]`` found by the entry point group
``jupyter_slurmdash.checks``; a site adds its own by installing a package. Pre-submit checks run without a record,
post-submit ones with it.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from ..errors import SchedulerUnavailable
from ..events import EventBus
from ..slurm.base import Scheduler
from .checkcontext import CheckContext
from .imagechecks import check_image, check_image_changed, check_image_on_nodes
from .limitchecks import check_limits
from .lockchecks import check_locks
from .lockedvalues import check_left_out
from .model import Check, JobRecord, Plan
from .pinning import GoodRuns
from .ports import FileSource
from .script import main_text

ENTRY_POINTS = "jupyter_slurmdash.checks"

log = logging.getLogger(__name__)

NamedCheck = Callable[[CheckContext], Iterable[Check]]


def installed_checks() -> dict[str, NamedCheck]:
    """All named checks of this installation."""
    found: dict[str, NamedCheck] = {}
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found[point.name] = point.load()
        except Exception:
            # A site's package may fail in any way; only its own checks are lost.
            log.exception("The check %s of %s cannot be loaded; it is left out", point.name, point.value)
    return found


class CheckRunner:
    """Runs what applies to a plan."""

    def __init__(
        self,
        scheduler: Scheduler,
        files: FileSource,
        events: EventBus,
        work_root: str,
        named: Mapping[str, NamedCheck],
        good_runs: GoodRuns,
    ) -> None:
        self._scheduler = scheduler
        self._files = files
        self._events = events
        self._work_root = work_root
        self._named = named
        self._good_runs = good_runs

    def before_submit(self, plan: Plan, script: str) -> list[Check]:
        """Every finding that is not "ok", errors first."""
        found: list[Check] = []
        try:
            context = self._context(plan, script)
        except SchedulerUnavailable as error:
            found.append(Check("scheduler", "error", error.detail))
            context = None
        found += self._check_files(plan)
        found += check_something_to_run(plan)
        found += check_image(plan)
        found += check_image_changed(self._good_runs.of(plan.image) if plan.image else None)
        found += check_syntax(script)
        found += check_locks(plan, script)
        found += check_left_out(plan)
        if context is not None:
            found += check_partition(context)
            found += check_limits(context)
            found += check_image_on_nodes(context)
            for name in plan.template.pre_submit if plan.template else ():
                found += self._run(name, context)
        return sorted((check for check in found if check.level != "ok"), key=lambda check: check.level)

    def after_submit(self, plan: Plan, script: str, record: JobRecord) -> None:
        """Run the template's post-submit checks. The job is submitted already: what they find, and that they fail, is
        logged."""
        names = plan.template.post_submit if plan.template else ()
        if not names:
            return
        try:
            context = self._context(plan, script, record)
        except SchedulerUnavailable as error:
            log.warning("After submitting %s, its checks could not be run: %s", record.job_id, error.detail)
            return
        for name in names:
            for check in self._run(name, context):
                log.warning("After submitting %s: %s: %s", record.job_id, check.name, check.message)

    def _run(self, name: str, context: CheckContext) -> list[Check]:
        try:
            return list(self._named[name](context))
        except Exception as error:
            # A site's check is its own code, and may fail in any way.
            log.exception("The check %s failed", name)
            message = (
                f"The check {name} could not be run ({type(error).__name__}). Tell whoever installed it."
            )
            return [Check(name, "error", message)]

    def _context(self, plan: Plan, script: str, record: JobRecord | None = None) -> CheckContext:
        partitions = self._scheduler.partitions()
        wanted = str(plan.options.get("partition") or "")
        partition = next(
            (part for part in partitions if part.name == wanted or (not wanted and part.is_default)), None
        )
        members = set(partition.nodes) if partition else set()
        nodes = tuple(node for node in self._scheduler.nodes() if node.name in members)
        free = shutil.disk_usage(_existing(Path(self._work_root))).free
        return CheckContext(
            plan, script, partition, nodes, free, self._events, self._scheduler.limits(), record
        )

    def _check_files(self, plan: Plan) -> Iterator[Check]:
        slots = plan.template.slots if plan.template else ()
        for error in self._files.validate(plan.files, slots).errors:
            yield Check("files", "error", error.message, error.pointer)


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


# -- always ---------------------------------------------------------------------------------------------------


def check_something_to_run(plan: Plan) -> Iterator[Check]:
    if not main_text(plan).strip():
        yield Check(
            "nothing-to-run",
            "error",
            "There is nothing to run. Choose a template or an image.",
            "/template_id",
        )


def check_syntax(script: str) -> Iterator[Check]:
    """Would bash read it? (``bash -n`` runs nothing.)"""
    bash = shutil.which("bash")
    if bash is None:
        return
    done = subprocess.run([bash, "-n"], input=script.encode(), capture_output=True, timeout=10, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[0].removeprefix("bash: ")
        yield Check("syntax", "error", f"The script is not valid bash: {reason}", "/script")


def check_partition(context: CheckContext) -> Iterator[Check]:
    plan, partition = context.plan, context.partition
    wanted = plan.options.get("partition")
    if partition is None:
        if wanted and "," not in str(wanted):
            yield Check("partition", "error", f"The cluster has no partition {wanted}.", "/options/partition")
        return
    if partition.state not in ("up", "UP"):
        yield Check(
            "partition", "warning", f"Partition {partition.name} is {partition.state}.", "/options/partition"
        )
