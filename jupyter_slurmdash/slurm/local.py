"""The embedded scheduler: the same scripts as processes of this user, for a laptop and the first five
minutes.

It is not a cluster, and says so (``is_cluster`` is False). There is no daemon: the queue moves on when
someone looks and when a job ends. See ``local_files`` for how it remembers, ``local_accept`` for what it
refuses.
"""

from __future__ import annotations

import os
import platform
import pwd
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import JobNotFound, SchedulerRefused
from . import values
from .base import JobStatus, Node, Partition, Submission
from .commands import job_base, submit_environment
from .forms import array_indices
from .limits import SiteLimits
from .local_accept import PARTITION, Capacity, accept, options_of
from .local_files import ONE, End, LocalFiles, LocalJob, Task, end_task, read_json, write_json
from .local_queue import Entry, Launch, advance, start_runner


def this_machine() -> Capacity:
    """What this machine has: CPUs this process may use, NVIDIA GPUs, memory in bytes."""
    return Capacity(
        host=os.uname().nodename,
        cpus=len(os.sched_getaffinity(0)),
        gpus=len(list(Path("/dev").glob("nvidia[0-9]*"))),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )


class LocalScheduler:
    """The scheduler port on this machine. Thread safe; several processes of a user see the same jobs.

    ``state_dir`` belongs to one user (mode 0700). ``launch`` starts the runner of a task's directory.
    """

    name = "local"
    cluster = "local"
    is_cluster = False

    def __init__(
        self,
        state_dir: str | os.PathLike[str],
        clock: Callable[[], float] = time.time,
        capacity: Capacity | None = None,
        launch: Launch = start_runner,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._files = LocalFiles(Path(state_dir).absolute())
        self._clock = clock
        self._capacity = capacity or this_machine()
        self._launch = launch
        self._environ = os.environ if environ is None else environ
        self._user = pwd.getpwuid(os.getuid()).pw_name

    def submit(self, submission: Submission) -> str:
        """See ``Scheduler.submit``."""
        options = options_of(submission)
        environment = submit_environment(self._environ)
        with self._files.locked():
            draft = self._accept(options, submission, 0)
            number = self._files.next_id(len(draft.keys))
            job = self._accept(options, submission, number)
            self._files.add(job, submission.script, environment)
            self._advance()
        return str(number)

    def test(self, submission: Submission) -> str:
        """See ``Scheduler.test``."""
        options = options_of(submission)
        with self._files.locked():
            job = self._accept(options, submission, 0)
        return f"Job would run here, on {self._capacity.host}, with {job.cpus} of {self._capacity.cpus} CPUs."

    def queue(self) -> list[JobStatus]:
        """Jobs that wait, run, or ended within the last 300 s; a waiting array is one row
        (``12_[3-9%2]``)."""
        with self._files.locked():
            entries = self._advance()
        return [status for entry in entries for status in self._rows(entry)]

    def history(self, job_ids: Sequence[str], since: float) -> list[JobStatus]:
        """See ``Scheduler.history``. It remembers every job."""
        with self._files.locked():
            self._advance()
            jobs = [
                self._files.job(int(job_base(job_id))) for job_id in dict.fromkeys(map(job_base, job_ids))
            ]
            entries = [Entry(job, self._files.tasks(job)) for job in jobs if job is not None]
        return [status for entry in entries for status in self._rows(entry)]

    def find(self, comment: str, since: float) -> JobStatus | None:
        """See ``Scheduler.find``."""
        with self._files.locked():
            self._advance()
            for job in self._newest_first(since):
                if job.comment == comment:
                    return self._status(job, self._files.tasks(job)[0], str(job.id))
        return None

    def script(self, job_id: str) -> str:
        """See ``Scheduler.script``. It keeps every script."""
        with self._files.locked():
            folder = self._files.folder(int(job_base(job_id)))
        if folder is None:
            raise JobNotFound(f"The local scheduler knows no job {job_id}.")
        return (folder / "script").read_text(encoding="utf-8")

    def cancel(self, job_id: str) -> None:
        """See ``Scheduler.cancel``. Cancelling what has ended does nothing. Raises JobNotFound,
        InvalidInput."""
        number = int(job_base(job_id))
        with self._files.locked():
            self._advance()
            job = self._files.job(number)
            keys = _keys(job_id, job) if job else []
            if job is None or not keys:
                raise JobNotFound(f"The local scheduler knows no job {job_id}.")
            for task in self._files.tasks(job):
                if task.key in keys and task.end is None:
                    self._cancel(job, task)
            self._advance()

    def nodes(self) -> list[Node]:
        """This machine."""
        with self._files.locked():
            running = [entry.job for entry in self._advance() for task in entry.tasks if task.running]
        cpus, gpus = sum(job.cpus for job in running), sum(job.gpus for job in running)
        capacity = self._capacity
        return [
            Node(
                name=capacity.host,
                partitions=(PARTITION,),
                state="idle" if not cpus else "allocated" if cpus >= capacity.cpus else "mixed",
                cpus=capacity.cpus,
                cpus_used=cpus,
                memory=capacity.memory,
                gres=f"gpu:{capacity.gpus}" if capacity.gpus else "",
                gpus=capacity.gpus,
                gpus_used=gpus,
                arch=platform.machine(),
            )
        ]

    def partitions(self) -> list[Partition]:
        """The one partition, ``local``, without a time limit."""
        capacity = self._capacity
        return [
            Partition(
                PARTITION, True, "up", (capacity.host,), None, capacity.cpus, capacity.memory, capacity.gpus
            )
        ]

    def limits(self) -> SiteLimits:
        """This machine has no accounts; what bounds a job is in its one partition."""
        return SiteLimits()

    def ping(self) -> str:
        """Always there: ``local``."""
        return "local"

    # -- steps ----------------------------------------------------------------------------------------------

    def _accept(self, options: Mapping[str, str], submission: Submission, number: int) -> LocalJob:
        job = accept(options, submission.workdir, number, self._user, self._clock(), self._capacity)
        for condition in job.conditions:
            if self._files.job(condition.job) is None:
                raise SchedulerRefused(f"Job dependency problem: there is no job {condition.job}.")
        return job

    def _advance(self) -> list[Entry]:
        return advance(self._files, self._capacity, self._clock(), self._launch)

    def _newest_first(self, since: float) -> Iterable[LocalJob]:
        yield from reversed(self._files.live_jobs())
        for number in self._files.done_ids():
            job = self._files.job(number)
            if job is not None and job.submitted_at < since:
                return
            if job is not None:
                yield job

    def _cancel(self, job: LocalJob, task: Task) -> None:
        folder = self._files.task_folder(job, task.key)
        if task.waiting:
            end_task(folder, End(f"CANCELLED by {os.getuid()}", 0, None, "", self._clock()))
            return
        write_json(folder / "cancel", {})
        # A runner that has not written its number yet looks for the file when it has.
        runner = read_json(folder / "runner.json")
        if runner is not None:
            try:
                os.kill(runner["pid"], signal.SIGTERM)
            except ProcessLookupError:
                return

    def _rows(self, entry: Entry) -> list[JobStatus]:
        job = entry.job
        rows = [self._status(job, task, _id(job, task.key)) for task in entry.tasks if not task.waiting]
        waiting = [task for task in entry.tasks if task.waiting]
        if waiting:
            rows.append(self._status(job, waiting[0], _waiting_id(job, waiting), entry.reason))
        return rows

    def _status(self, job: LocalJob, task: Task, job_id: str, reason: str = "") -> JobStatus:
        end, started = task.end, task.started_at
        raw = end.state if end else "RUNNING" if task.running else "PENDING"
        until = end.ended_at if end else self._clock()
        return JobStatus(
            job_id=job_id,
            name=job.name,
            user=job.user,
            state=values.state(raw),
            raw_state=raw,
            reason=end.reason if end else reason,
            partition=PARTITION,
            nodes=self._capacity.host if started is not None else "",
            node_count=1,
            cpus=job.cpus,
            workdir=job.workdir,
            comment=job.comment,
            submitted_at=job.submitted_at,
            started_at=started,
            ended_at=end.ended_at if end else None,
            elapsed=max(0, int(until - started)) if started is not None else None,
            time_limit=job.time_limit,
            exit_code=end.exit_code if end else None,
            signal=end.signal if end else None,
        )


def _id(job: LocalJob, key: str) -> str:
    return str(job.id) if job.tasks is None else f"{job.id}_{key}"


def _waiting_id(job: LocalJob, waiting: Sequence[Task]) -> str:
    """``12_[3-5,9%2]``: the waiting tasks of an array as squeue writes them."""
    if job.tasks is None:
        return str(job.id)
    spans: list[list[int]] = []
    for number in (int(task.key) for task in waiting):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    text = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
    return f"{job.id}_[{text}{f'%{job.together}' if job.together else ''}]"


def _keys(job_id: str, job: LocalJob) -> list[str]:
    """The tasks that an id names."""
    chosen = job_id.partition("_")[2]
    if not chosen:
        return job.keys if "+" not in job_id else []
    try:
        wanted, _ = array_indices(chosen.strip("[]"))
    except ValueError:
        return []
    return [key for key in job.keys if key != ONE and int(key) in wanted]
