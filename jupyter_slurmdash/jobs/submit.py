"""A submission, from top to bottom, exactly once.

Each submission carries an idempotency key, which is also in the job's comment. When the scheduler's answer is lost
the row stays "SUBMITTING"; whoever comes back with the key, or the watcher, looks for the comment before anything is
submitted again.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
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
from ..slurm.base import Scheduler, Submission
from ..slurm.commands import job_base
from ..store.jobs import JobTable
from ..store.leases import Leases
from ..version import __version__
from .checks import CheckRunner
from .model import JobRecord, JobSpec, Plan
from .prepare import Planner
from .script import generate_script
from .stage import directory_name, stage, unstage

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
        with self._leases.held(f"submit:{self._table.user}:{key}", _KEY_SECONDS) as mine:
            if not mine:
                raise Conflict("This submission is under way in another window. Look at the list of jobs.")
            earlier = self._resume(key)
            if earlier is not None:
                return earlier, False
            plan = self._planner.plan(spec)
            script = generate_script(plan)
            self._require_ready(plan, script)
            record = self._reserve(plan, script, key)
            stage(plan, script, run_record(record, plan), Path(record.workdir))
            record = self._hand_over(record)
            self._checks.after_submit(plan, script, record)
            return record, True

    def test(self, spec: JobSpec) -> str:
        """The scheduler's answer to ``--test-only``."""
        plan = self._planner.plan(spec)
        return self._scheduler.test(Submission(generate_script(plan), str(self._work_root)))

    def reconcile(self, older_than: float = _KEY_SECONDS) -> None:
        """Find out about submissions whose answer was lost more than ``older_than`` seconds ago."""
        for row in self._table.in_states([SUBMITTING]):
            if row["created_at"] < self._clock() - older_than:
                self._resume(row["idempotency_key"])

    # -- steps ----------------------------------------------------------------------------------------------

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
        return self._settle(record.run_id, job_id)

    def _settle(self, run_id: str, job_id: str) -> JobRecord:
        now = self._clock()
        self._table.update(
            run_id,
            {
                "job_id": job_id,
                "state": "PENDING",
                "raw_state": "PENDING",
                "submitted_at": now,
                "seen_at": now,
            },
        )
        row = self._table.by_run_id(run_id)
        assert row is not None
        record = JobRecord(**row)
        self._events.publish("jobs", "job_update", {"job": record.to_json()}, durable=True)
        return record

    def _resume(self, key: str) -> JobRecord | None:
        """What became of an earlier submission with this key; None when there was none or it never arrived."""
        row = self._table.by_key(key)
        if row is None:
            return None
        record = JobRecord(**row)
        if record.job_id is not None:
            return record
        status = self._scheduler.find(_COMMENT + key, record.created_at - 60.0)
        if status is not None:
            return self._settle(record.run_id, job_base(status.job_id))
        self._table.delete(record.run_id)
        unstage(Path(record.workdir))
        return None


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
            "digest": plan.image.digest if plan.image else None,
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
