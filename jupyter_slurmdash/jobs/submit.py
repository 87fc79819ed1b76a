"""A submission, from top to bottom, exactly once.

Each submission carries an idempotency key, which is also in the job's comment. When the scheduler's answer is lost
the row stays "SUBMITTING"; whoever comes back with the key, or the watcher, looks for the comment before anything is
submitted again.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import (
    ChecksFailed,
    Conflict,
    FieldError,
    InvalidInput,
    SchedulerRefused,
    SchedulerUnavailable,
)
from ..events import EventBus
from ..slurm.base import JobStatus, Scheduler, Submission
from ..slurm.commands import job_base
from ..store.jobs import JobTable
from ..store.leases import Leases
from ..version import __version__
from .checks import CheckRunner
from .edits import final_script
from .model import JobRecord, JobSpec, Plan
from .prepare import Planner
from .stage import directory_name, stage, unstage
from .traces import has_run, job_id_of_logs

SUBMITTING = "SUBMITTING"
_COMMENT = "slurmdash:"
# As in the contract; the key becomes part of the job's comment.
_KEY = re.compile(r"[A-Za-z0-9_.-]{8,100}")
# A submission holds its key for as long as sbatch may take; a dead process gives it back by then.
_KEY_SECONDS = 120.0


class Submitter:
    """Submits, and finds out what became of a submission whose answer was lost."""

    def __init__(
        self,
        planner: Planner,
        checks: CheckRunner,
        scheduler: Scheduler,
        table: JobTable,
        leases: Leases,
        events: EventBus,
        work_root: str,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._planner = planner
        self._checks = checks
        self._scheduler = scheduler
        self._table = table
        self._leases = leases
        self._events = events
        self._work_root = Path(work_root)
        self._clock = clock
        self._new_id = new_id

    def submit(self, spec: JobSpec, key: str | None = None) -> tuple[JobRecord, bool]:
        """The job, and whether it is new (False: this key was submitted before).

        Raises ChecksFailed with every finding, SchedulerRefused, SchedulerUnavailable (ask again with the same key),
        Conflict while another process submits the same key, InvalidInput for a key that the contract does not know.
        """
        key = _checked(key) if key is not None else self._new_id()
        with self._holding(key) as owner:
            if owner is None:
                raise Conflict("This submission is under way in another window. Look at the list of jobs.")
            earlier = self._resume(key)
            if earlier is not None:
                return earlier, False
            plan = self._planner.plan(spec)
            script = final_script(plan).text
            self._require_ready(plan, script)
            record = self._reserve(plan, script, key)
            self._stage(plan, record, owner)
            record = self._hand_over(record)
            self._checks.after_submit(plan, script, record)
            return record, True

    def test(self, spec: JobSpec) -> str:
        """The scheduler's answer to ``--test-only``."""
        plan = self._planner.plan(spec)
        return self._scheduler.test(Submission(final_script(plan).text, str(self._work_root)))

    def reconcile(self, older_than: float = _KEY_SECONDS) -> None:
        """Find out about submissions whose answer was lost more than ``older_than`` seconds ago."""
        for row in self._table.in_states([SUBMITTING]):
            # Rows of jobs from elsewhere begin in this state too.
            if row["idempotency_key"] is None or row["created_at"] >= self._clock() - older_than:
                continue
            with self._holding(row["idempotency_key"]) as owner:
                if owner is not None:
                    self._resume(row["idempotency_key"])

    # -- steps ----------------------------------------------------------------------------------------------

    def _lease(self, key: str) -> str:
        return f"submit:{self._table.user}:{key}"

    @contextmanager
    def _holding(self, key: str) -> Iterator[str | None]:
        """Hold ``key`` inside the block, against other threads too; the owner's name, None when it is taken."""
        owner = str(uuid.uuid4())
        taken = self._leases.take(self._lease(key), _KEY_SECONDS, owner)
        try:
            yield owner if taken else None
        finally:
            if taken:
                self._leases.give_back(self._lease(key), owner)

    def _stage(self, plan: Plan, record: JobRecord, owner: str) -> None:
        """Make the job's directory. Raises the errors of ``stage``, Conflict when that took too long."""
        workdir = Path(record.workdir)
        try:
            stage(plan, record.script, run_record(record, plan), workdir)
        except BaseException:
            self._table.delete(record.run_id)
            raise
        # Copying may take longer than the lease. Whoever took it meanwhile has given up on this row, and may have
        # submitted under the same key.
        mine = self._leases.take(self._lease(str(record.idempotency_key)), _KEY_SECONDS, owner)
        if not mine or self._table.by_run_id(record.run_id) is None:
            self._table.delete(record.run_id)
            unstage(workdir)
            raise Conflict("Copying the files took too long, and the submission was given up. Submit again.")

    def _require_ready(self, plan: Plan, script: str) -> None:
        found = [check for check in self._checks.before_submit(plan, script) if check.level == "error"]
        if found:
            raise ChecksFailed(
                " ".join(check.message for check in found),
                [FieldError(check.pointer, check.message) for check in found],
            )

    def _reserve(self, plan: Plan, script: str, key: str) -> JobRecord:
        run_id, now = self._new_id(), self._clock()
        template, image = plan.template, plan.image
        record = JobRecord(
            run_id=run_id,
            cluster=self._table.cluster,
            job_id=None,
            user=self._table.user,
            name=plan.job_name,
            state=SUBMITTING,
            raw_state="",
            reason="",
            partition=str(plan.options.get("partition") or ""),
            nodes="",
            workdir=str(self._work_root / directory_name(plan.job_name, run_id, now)),
            ours=True,
            template_id=template.id if template else None,
            template_version=template.version if template else None,
            template_hash=template.hash if template else None,
            image_id=image.id if image else None,
            image_path=image.path if image else None,
            sif_id=image.facts.sif_id if image else None,
            image_digest=image.digest if image else None,
            image_size=image.size if image else None,
            image_mtime_ns=image.mtime_ns if image else None,
            request=plan.spec.to_json(),
            script=script,
            idempotency_key=key,
            submitted_at=None,
            started_at=None,
            ended_at=None,
            elapsed=None,
            time_limit=None,
            exit_code=None,
            seen_at=None,
            created_at=now,
        )
        self._table.insert(vars(record))
        return record

    def _hand_over(self, record: JobRecord) -> JobRecord:
        submission = Submission(
            record.script, record.workdir, {"comment": _COMMENT + str(record.idempotency_key)}
        )
        try:
            job_id = self._scheduler.submit(submission)
        except SchedulerRefused:
            # Certainly not taken. The uploads are where they were, so the user mends and submits again.
            self._table.delete(record.run_id)
            unstage(Path(record.workdir))
            raise
        except SchedulerUnavailable as error:
            raise SchedulerUnavailable(
                f"{error.detail} Nothing you entered is lost. Submit again with the idempotency key "
                f"{record.idempotency_key}: the job will not be submitted twice."
            ) from error
        return self._settle(record, job_id)

    def _settle(self, record: JobRecord, job_id: str) -> JobRecord:
        now = self._clock()
        state = {"job_id": job_id, "state": "PENDING", "raw_state": "PENDING"}
        return self._write(record, {**state, "submitted_at": now, "seen_at": now})

    def _write(self, record: JobRecord, values: dict[str, Any]) -> JobRecord:
        after = replace(record, **values)
        self._table.update(record.run_id, values)
        if self._table.by_run_id(record.run_id) is None:
            # sbatch took so long that the row was given up. The job is there all the same.
            self._table.insert(vars(after))
        self._events.publish("jobs", "job_update", {"job": after.to_json()}, durable=True)
        return after

    def _resume(self, key: str) -> JobRecord | None:
        """What became of an earlier submission with this key; None when there was none or it never arrived."""
        row = self._table.by_key(key)
        if row is None:
            return None
        record = JobRecord(**row)
        if record.job_id is not None or record.state != SUBMITTING:
            return record
        status = self._scheduler.find(_COMMENT + key, record.created_at - 60.0) or self._at_work_in(record)
        if status is not None:
            return self._settle(record, job_base(status.job_id))
        if has_run(Path(record.workdir)):
            return self._keep(record)
        self._table.delete(record.run_id)
        unstage(Path(record.workdir))
        return None

    def _at_work_in(self, record: JobRecord) -> JobStatus | None:
        """The job whose directory is this record's, which no other submission has."""
        return next((job for job in self._scheduler.queue() if job.workdir == record.workdir), None)

    def _keep(self, record: JobRecord) -> JobRecord:
        """It ran, though the scheduler has forgotten it: its directory holds results."""
        job_id = job_id_of_logs(Path(record.workdir))
        if job_id is not None:
            return self._settle(record, job_id)  # the watcher finds out how it ended
        reason = f"The job ran, but the scheduler no longer knows it. Its files are in {record.workdir}."
        return self._write(record, {"state": "UNKNOWN", "reason": reason})


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        message = "An idempotency key has 8 to 100 letters, digits, '.', '_' and '-'."
        raise InvalidInput(message, [FieldError("/headers/Idempotency-Key", message)])
    return key


def run_record(record: JobRecord, plan: Plan) -> dict[str, Any]:
    """What ``.slurmdash/run.json`` keeps: enough to know, and to repeat, what ran."""
    return {
        "run_id": record.run_id,
        "slurmdash": __version__,
        "user": record.user,
        "cluster": record.cluster,
        "created_at": record.created_at,
        "request": dict(record.request),
        "template": {
            "id": record.template_id,
            "version": record.template_version,
            "sha256": record.template_hash,
        },
        "image": {
            "path": record.image_path,
            "sif_id": record.sif_id,
            "digest": record.image_digest,
            "size": record.image_size,
            "mtime_ns": record.image_mtime_ns,
        },
        "files": [
            {
                "name": file.name,
                "slot": file.slot,
                "size": file.size,
                "sha256": file.sha256,
                "origin": file.origin,
            }
            for file in plan.files
        ],
    }
