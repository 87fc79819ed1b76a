"""What the embedded scheduler knows, as files: any process of the user may look, and a crash leaves nothing
half done.

``live/<id>/`` holds a job that is waiting, running or has just ended, ``done/<id>/`` the older ones. In a
job's directory: ``job.json`` (never changed), ``script``, ``environment.json``, and ``tasks/<task>/`` for
each task that has begun (``_`` for a job that is no array) with ``launch.json``, ``alive`` (locked by the
runner for as long as it lives, however it dies), ``runner.json``, ``cancel``, and at last ``end.json``. Every
JSON file appears whole, by rename.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ONE = "_"


@dataclass(frozen=True)
class Condition:
    """One thing a job waits for: ``kind`` is after, afterok, afterany or afternotok; ``task`` None is the
    whole job."""

    kind: str
    job: int
    task: str | None = None


@dataclass(frozen=True)
class LocalJob:
    """A job as it was accepted. ``time_limit`` seconds; ``tasks`` the array's numbers, None for a job
    without."""

    id: int
    name: str
    user: str
    comment: str
    workdir: str
    submitted_at: float
    time_limit: int | None
    cpus: int
    gpus: int
    ntasks: int
    cpus_per_task: int
    output: str
    error: str | None
    append: bool
    tasks: list[int] | None
    together: int | None
    any_condition: bool
    conditions: list[Condition]

    @property
    def keys(self) -> list[str]:
        """The names of its tasks: ``_`` or the array's numbers."""
        return [ONE] if self.tasks is None else [str(task) for task in self.tasks]

    def raw_id(self, key: str) -> int:
        """A number of its own for each task, as Slurm gives (``SLURM_JOB_ID``)."""
        return self.id if self.tasks is None else self.id + self.tasks.index(int(key))


@dataclass(frozen=True)
class End:
    """How a task ended. ``state`` is Slurm's word; ``ended_at`` seconds since the epoch."""

    state: str
    exit_code: int
    signal: int | None
    reason: str
    ended_at: float


@dataclass(frozen=True)
class Task:
    """A task as its files tell: waiting (no start, no end), running, or ended."""

    key: str
    started_at: float | None = None
    end: End | None = None

    @property
    def waiting(self) -> bool:
        return self.started_at is None and self.end is None

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.end is None


def write_json(path: Path, value: object) -> None:
    """Put the file there whole, or not at all; readable by the user only."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=True)
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The file's content, None when it is not there."""
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return loaded


class LocalFiles:
    """The directory of the embedded scheduler. Whoever writes holds ``locked()``; the runner's files are its
    own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.live = root / "live"
        self.done = root / "done"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes and threads of the user."""
        for folder in (self.live, self.done):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def next_id(self, count: int = 1) -> int:
        """The first of ``count`` numbers that no job had before."""
        path = self.root / "counter.json"
        first = int((read_json(path) or {"next": 1})["next"])
        write_json(path, {"next": first + count})
        return first

    def add(self, job: LocalJob, script: str, environment: Mapping[str, str]) -> None:
        """The job appears among the live ones, whole."""
        fresh = self.live / f".{job.id}"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "tasks").mkdir(mode=0o700, parents=True)
        write_json(fresh / "job.json", asdict(job))
        write_json(fresh / "environment.json", dict(environment))
        # Windows may have given the text other line ends; sbatch takes bytes as they are, and so do we.
        (fresh / "script").write_bytes(script.encode())
        fresh.rename(self.live / str(job.id))

    def live_jobs(self) -> list[LocalJob]:
        """Oldest first."""
        return [job for number in sorted(_numbers(self.live)) if (job := self.job(number)) is not None]

    def done_ids(self) -> list[int]:
        """Newest first."""
        return sorted(_numbers(self.done), reverse=True)

    def folder(self, number: int) -> Path | None:
        for home in (self.live, self.done):
            if (home / str(number)).is_dir():
                return home / str(number)
        return None

    def job(self, number: int) -> LocalJob | None:
        folder = self.folder(number)
        record = read_json(folder / "job.json") if folder else None
        if record is None:
            return None
        conditions = [Condition(**condition) for condition in record.pop("conditions")]
        return LocalJob(**record, conditions=conditions)

    def tasks(self, job: LocalJob) -> list[Task]:
        """All tasks of the job, in order."""
        home = self.folder(job.id)
        if home is None:
            return []
        begun = {path.name for path in (home / "tasks").iterdir()}
        return [_task(home / "tasks" / key, key) if key in begun else Task(key) for key in job.keys]

    def task_folder(self, job: LocalJob, key: str) -> Path:
        """The task's directory, made when it is not there."""
        folder = self.live / str(job.id) / "tasks" / key
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def retire(self, job: LocalJob) -> None:
        """From the live ones to the done ones."""
        (self.live / str(job.id)).rename(self.done / str(job.id))


def end_task(folder: Path, end: End) -> None:
    """Record how the task ended; the first record stays."""
    if not (folder / "end.json").exists():
        write_json(folder / "end.json", asdict(end))


def is_alive(folder: Path) -> bool:
    """Does the task's runner live? It holds a lock that the kernel takes away when it dies."""
    try:
        descriptor = os.open(folder / "alive", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    except FileNotFoundError:
        return []


def _task(folder: Path, key: str) -> Task:
    launch, end = read_json(folder / "launch.json"), read_json(folder / "end.json")
    return Task(key, launch["at"] if launch else None, End(**end) if end else None)
