"""What becomes of the jobs: one look at the queue for everything, differences become events.

Only one of the user's processes looks at a time (a lease), never more often than the interval, and not at all when
nothing runs and nobody asks. What is finished is never asked for again.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import SchedulerUnavailable
from ..events import EventBus
from ..slurm.base import FINAL_STATES, JobStatus, Scheduler
from ..slurm.commands import job_base
from ..store.jobs import JobTable
from ..store.leases import Leases
from ..times import moment
from .arrays import as_wholes, task_count
from .model import OVER, JobRecord
from .submit import SUBMITTING
from .traces import Ending, ending

# A job that is in neither queue nor accounting for this long, and left no exit code, is gone.
_GIVE_UP_SECONDS = 120.0
_FOLLOWED = (
    "state",
    "raw_state",
    "reason",
    "nodes",
    "partition",
    "started_at",
    "ended_at",
    "exit_code",
    "time_limit",
)

_PATIENCE = 2.0  # seconds

log = logging.getLogger(__name__)


class Watcher:
    """Keeps the table of jobs true."""

    def __init__(
        self,
        scheduler: Scheduler,
        table: JobTable,
        leases: Leases,
        events: EventBus,
        interval: float,
        reconcile: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._scheduler = scheduler
        self._table = table
        self._leases = leases
        self._events = events
        self.interval = interval
        self._reconcile = reconcile
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.seen_at: float | None = None
        self.stale: str | None = None

    # -- a look ---------------------------------------------------------------------------------------------

    def look(self, *, force: bool = False) -> None:
        """Bring the table up to date, unless someone did within the interval or is about to: only ``force`` waits.
        Never raises for a silent scheduler: the last state stays, with its age and the reason in ``stale``."""
        if not self._lock.acquire(blocking=force):
            return
        try:
            now = self._clock()
            # A clock that was set back makes the last look one of the future.
            if not force and 0 <= now - self._looked_at < self.interval:
                return
            self._looked_at = now
            lease = f"watch:{self._table.cluster}:{self._table.user}"
            if self._leases.take(lease, self.interval * 3):
                self._ask(now)
        finally:
            self._lock.release()

    def _ask(self, now: float) -> None:
        try:
            self._reconcile()
            self._absorb(self._scheduler.queue())
        except SchedulerUnavailable as error:
            self._set_stale(error.detail)
        else:
            self.seen_at = now
            self._set_stale(None)

    def _set_stale(self, reason: str | None) -> None:
        if (reason is None) != (self.stale is None):
            self._events.publish(
                "jobs", "scheduler_state", {"stale": reason, "seen_at": moment(self.seen_at)}
            )
        self.stale = reason

    def _absorb(self, statuses: list[JobStatus]) -> None:
        rows = self._under_way()
        active = {row["job_id"]: JobRecord(**row) for row in rows}
        # Taken by the scheduler, but its id is not written down yet: no job from elsewhere. (A row is reserved
        # before sbatch, and the queue was asked before the rows were read, so none can be missed.)
        submitting = {row["workdir"] for row in rows if row["job_id"] is None}
        arrays = {job_base(each.job_id) for each in statuses if each.job_id != job_base(each.job_id)}
        seen = set()
        ended = []
        for status in as_wholes(statuses):
            seen.add(status.job_id)
            record = active.get(status.job_id)
            if record is None and status.workdir in submitting:
                continue
            if record is None:
                record = self._known_or_new(status)
            if not (status.final and status.job_id in arrays):
                self._follow(record, status)
            elif record.state not in FINAL_STATES:
                ended.append(record)  # what has ended stays, though tasks leave the queue one by one
        for record in ended:
            self._end_array(record, [each for each in statuses if job_base(each.job_id) == record.job_id])
        vanished = [record for job_id, record in active.items() if job_id and job_id not in seen]
        if vanished:
            self._settle_vanished(vanished)

    def _under_way(self) -> list[dict[str, Any]]:
        return self._table.in_states(sorted(OVER), negate=True)

    def _known_or_new(self, status: JobStatus) -> JobRecord:
        row = self._table.by_job_id(status.job_id)
        if row is not None and _same(row, status):
            return JobRecord(**row)
        record = _foreign(status, self._table, self._clock())
        self._table.insert(vars(record))
        return record

    def _end_array(self, record: JobRecord, parts: list[JobStatus]) -> None:
        """The last tasks have ended; earlier ones may have left the queue, failed, some minutes ago."""
        past = self._scheduler.history([str(record.job_id)], _begin(record))
        # What is in both is newer in the queue.
        (whole,) = as_wholes({part.job_id: part for part in [*past, *parts]}.values())
        found = _ending(record)
        if not past and found is not None and found.code and whole.state == "COMPLETED":
            whole = replace(whole, state="FAILED", raw_state="FAILED", exit_code=found.code)
        self._follow(record, whole)

    def _settle_vanished(self, records: list[JobRecord]) -> None:
        since = min(_begin(record) for record in records)
        found = {
            status.job_id: status
            for status in as_wholes(
                self._scheduler.history([str(record.job_id) for record in records], since)
            )
        }
        for record in records:
            status = found.get(str(record.job_id))
            if status is not None and status.final:
                self._follow(record, status)
            else:
                self._settle_from_directory(record)

    def _settle_from_directory(self, record: JobRecord) -> None:
        """Without accounting, the job's own record of its exit code tells."""
        now = self._clock()
        found = _ending(record)
        # A task that was killed recorded nothing, so zeros mean success only when all are there.
        if found is None or (found.code == 0 and found.tasks < task_count(record.script)):
            if now - (record.seen_at or record.created_at) < _GIVE_UP_SECONDS:
                return  # accounting is often some seconds behind the queue
            self._apply(
                record, {"state": "UNKNOWN", "reason": "The scheduler no longer knows this job."}, None
            )
            return
        state = "COMPLETED" if found.code == 0 else "FAILED"
        self._apply(
            record,
            {
                "state": state,
                "raw_state": state,
                "exit_code": found.code,
                "ended_at": found.ended_at,
                "reason": "",
            },
            now,
        )

    def _follow(self, record: JobRecord, status: JobStatus) -> None:
        values: dict[str, Any] = {
            "state": status.state,
            "raw_state": status.raw_state,
            "reason": status.reason,
            "nodes": status.nodes,
            "partition": status.partition or record.partition,
            "started_at": status.started_at,
            "ended_at": status.ended_at if status.final else None,
            "exit_code": status.exit_code if status.final else None,
            "time_limit": status.time_limit or record.time_limit,
            "elapsed": status.elapsed,
        }
        if status.submitted_at:
            values["submitted_at"] = status.submitted_at
        self._apply(record, values, self._clock())

    def _apply(self, record: JobRecord, values: dict[str, Any], seen_at: float | None) -> None:
        changed = any(values[name] != getattr(record, name) for name in _FOLLOWED if name in values)
        if seen_at is not None:
            values["seen_at"] = seen_at
        self._table.update(record.run_id, values)
        if changed:
            after = replace(record, **values)
            self._events.publish("jobs", "job_update", {"job": after.to_json()}, durable=True)

    def wrote(self, record: JobRecord) -> None:
        """A job that writes is running, whatever the queue said some seconds ago."""
        self._apply(record, {"state": "RUNNING", "raw_state": "RUNNING", "reason": ""}, None)

    # -- in the background (the server) ---------------------------------------------------------------------

    def start(self) -> None:
        """Look at the queue while jobs are under way, until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="slurmdash-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was submitted or cancelled: do not wait for the idle look."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._under_way():
                    self.look()
            except Exception:
                # The thread's top: whatever one look failed at, the next one may do better.
                log.exception("Could not bring the list of jobs up to date")
            self._wake.wait(self.interval)
            self._wake.clear()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            # It may wait for a silent controller; the thread is a daemon.
            self._thread.join(_PATIENCE)


def _same(row: dict[str, Any], status: JobStatus) -> bool:
    """Is this row's job the one of ``status``? Slurm's counter wraps: a finished job of long ago with this id is
    another. A requeued one has a new time of submission too, but our directories are never used twice."""
    if row["ours"] and row["workdir"] == status.workdir:
        return True
    return bool((row["submitted_at"] or 0) >= (status.submitted_at or 0) - 60)


def _begin(record: JobRecord) -> float:
    """From when accounting is asked, with room for a clock that differs."""
    return (record.submitted_at or record.created_at) - 60


def _ending(record: JobRecord) -> Ending | None:
    """Only our scripts record their end; in anybody else's directory such a file is another job's."""
    return ending(Path(record.workdir)) if record.ours else None


def _foreign(status: JobStatus, table: JobTable, now: float) -> JobRecord:
    """A record of a job that was submitted elsewhere."""
    return JobRecord(
        run_id=str(uuid.uuid4()),
        cluster=table.cluster,
        job_id=status.job_id,
        user=table.user,
        name=status.name,
        state=SUBMITTING,  # so that its first state is a change, and told
        raw_state="",
        reason="",
        partition=status.partition,
        nodes="",
        workdir=status.workdir,
        ours=False,
        template_id=None,
        template_version=None,
        template_hash=None,
        image_id=None,
        image_path=None,
        sif_id=None,
        image_digest=None,
        image_size=None,
        image_mtime_ns=None,
        request={},
        script="",
        idempotency_key=None,
        submitted_at=status.submitted_at,
        started_at=None,
        ended_at=None,
        elapsed=None,
        time_limit=status.time_limit,
        exit_code=None,
        seen_at=now,
        created_at=status.submitted_at or now,
    )
