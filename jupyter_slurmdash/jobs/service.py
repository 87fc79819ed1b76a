"""All that a door may ask of jobs, in one object: preview, submit, list, follow, read, cancel."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InvalidInput, JobNotFound, TemplateNotFound
from ..images.model import Image
from ..slurm.base import FINAL_STATES, Scheduler
from ..slurm.commands import JOB_ID
from ..store.jobs import JobTable
from .logs import LogPiece, Stream, read_log, wrote_since
from .model import OVER, JobRecord, JobSpec, Preview
from .pinning import GoodRuns, ImageRuns
from .ports import TemplateSource
from .prepare import Planner
from .results import ResultFile, list_results, result_path
from .submit import Submitter
from .watch import Watcher

_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(frozen=True)
class JobPage:
    """Jobs, newest first. ``next_cursor`` leads on; ``total`` counts all that match."""

    jobs: tuple[JobRecord, ...]
    total: int
    next_cursor: str | None


class Jobs:
    """The service. ``job_id`` is the scheduler's id in any of its forms, or our own run id."""

    def __init__(
        self,
        planner: Planner,
        submitter: Submitter,
        scheduler: Scheduler,
        table: JobTable,
        watcher: Watcher,
        templates: TemplateSource,
    ) -> None:
        self._planner = planner
        self._submitter = submitter
        self._scheduler = scheduler
        self._table = table
        self._templates = templates
        self.watcher = watcher

    def preview(self, spec: JobSpec) -> Preview:
        return self._planner.preview(spec)

    def submit(self, spec: JobSpec, key: str | None = None) -> tuple[JobRecord, bool]:
        """See ``Submitter.submit``."""
        record, new = self._submitter.submit(spec, key)
        self.watcher.wake()
        return record, new

    def image_runs(self, image: Image) -> ImageRuns:
        """The last good run with the image at this path, and whether the file has changed since."""
        return GoodRuns(self._table).of(image)

    def test(self, spec: JobSpec) -> str:
        return self._submitter.test(spec)

    def get(self, job_id: str) -> JobRecord:
        """The job; for a part of one (``123_4``) the whole. Raises JobNotFound."""
        part = JOB_ID.fullmatch(job_id)
        if _RUN_ID.fullmatch(job_id):
            row = self._table.by_run_id(job_id)
        else:
            row = self._table.by_job_id(part["base"] if part else job_id)
        if row is None:
            raise JobNotFound(f"There is no job {job_id} among yours.")
        return JobRecord(**row)

    def script(self, job_id: str) -> str:
        """The script as it was submitted, also of a job that was submitted elsewhere, as long as the scheduler has it.
        Raises JobNotFound when nobody has it any more."""
        record = self.get(job_id)
        if record.script or record.job_id is None:
            return record.script
        return self._scheduler.script(record.job_id)

    def page(
        self,
        *,
        state: str = "",
        q: str = "",
        since: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> JobPage:
        """``state`` is a state's name, ``active`` or ``finished``. Looks at the queue first when that is due."""
        self.watcher.look()
        final = sorted(OVER)
        rows, total = self._table.page(
            states=final if state == "finished" else [state.upper()] if state not in ("", "active") else None,
            not_states=final if state == "active" else None,
            q=q,
            since=since,
            before=_read_cursor(cursor) if cursor else None,
            limit=limit,
        )
        last = rows[-1] if len(rows) == limit and rows else None
        following = _write_cursor(last["created_at"], last["run_id"]) if last else None
        return JobPage(tuple(JobRecord(**row) for row in rows), total, following)

    def cancel(self, job_id: str) -> JobRecord:
        """Ask the scheduler to cancel, of an array only the task where ``job_id`` names one; cancelling what has ended
        already changes nothing."""
        record = self.get(job_id)
        if record.state not in FINAL_STATES and record.job_id is not None:
            self._scheduler.cancel(job_id if _is_part(job_id) else record.job_id)
            self.watcher.wake()
        return record

    def refresh(self, job_id: str) -> JobRecord:
        """The job as it is now, as far as a look at the queue is due."""
        self.watcher.look()
        return self.get(job_id)

    def log(self, job_id: str, stream: Stream = "out", offset: int = 0, limit: int = 65536) -> LogPiece:
        """A piece of the job's log, or of the log of the task that ``job_id`` (``123_4``) names; of an array as a
        whole the first task's. See ``read_log``."""
        record = self.get(job_id)
        named = replace(record, job_id=job_id) if _is_part(job_id) else record
        piece = read_log(named, stream, offset, limit, final=record.state in OVER)
        # A job that was put back into the queue has the log of its first run.
        if piece.size and record.state == "PENDING" and wrote_since(named, stream, record.submitted_at or 0):
            self.watcher.wrote(record)
        return piece

    def files(self, job_id: str) -> tuple[list[ResultFile], bool]:
        record = self.get(job_id)
        return list_results(record, self._output_pattern(record))

    def file(self, job_id: str, path: str) -> Path:
        return result_path(self.get(job_id), path)

    def _output_pattern(self, record: JobRecord) -> str:
        if record.template_id is None:
            return ""
        try:
            return self._templates.get(record.template_id).output_pattern
        except TemplateNotFound:
            return ""  # it was removed since; the files are still there


def _is_part(job_id: str) -> bool:
    part = JOB_ID.fullmatch(job_id)
    return part is not None and part["base"] != job_id


def _write_cursor(created_at: float, run_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([created_at, run_id]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[float, str]:
    try:
        created_at, run_id = json.loads(base64.urlsafe_b64decode(cursor))
        return float(created_at), str(run_id)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidInput("The cursor is not one that this server gave. Start again without it.") from error
