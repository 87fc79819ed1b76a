"""The embedded scheduler's one decision: what starts now. Taken by whoever looks, and by each runner that
ends."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .commands import submit_environment
from .local_accept import Capacity
from .local_files import Condition, End, LocalFiles, LocalJob, Task, end_task, is_alive, write_json

# As long as slurm.conf's MinJobAge lets an ended job stay in the queue.
KEEP_SECONDS = 300.0
NEVER = "DependencyNeverSatisfied"
Launch = Callable[[Path], None]


@dataclass(frozen=True)
class Entry:
    """A job of the queue with its tasks, and why the next one waits."""

    job: LocalJob
    tasks: list[Task]
    reason: str = ""


def advance(files: LocalFiles, capacity: Capacity, now: float, launch: Launch) -> list[Entry]:
    """Bring the queue up to date and return it, oldest job first. The caller holds ``files.locked()``.

    Tasks whose runner died are ended, what fits is started in the order of submission, and what ended long
    ago is put away. A job that does not fit makes those after it wait (a big job must not starve).
    """
    entries = [Entry(job, _settled(files, job, now)) for job in files.live_jobs()]
    kept = [entry for entry in entries if not _retired(files, entry, now)]
    running = [entry.job for entry in kept for task in entry.tasks if task.running]
    free_cpus = capacity.cpus - sum(job.cpus for job in running)
    free_gpus = capacity.gpus - sum(job.gpus for job in running)
    blocked = False
    result: list[Entry] = []
    for entry in kept:
        job, tasks = entry.job, list(entry.tasks)
        reason = _dependency(files, job) if any(task.waiting for task in tasks) else ""
        for place, task in enumerate(tasks):
            if not task.waiting or reason:
                continue
            if job.together and sum(each.running for each in tasks) >= job.together:
                reason = "JobArrayTaskLimit"
            elif blocked:
                reason = "Priority"
            elif job.cpus > free_cpus or job.gpus > free_gpus:
                reason, blocked = "Resources", True
            else:
                tasks[place] = _start(files, job, task.key, now, launch)
                free_cpus -= job.cpus
                free_gpus -= job.gpus
        result.append(Entry(job, tasks, reason))
    return result


def start_runner(folder: Path) -> None:
    """Start the task's runner so that it outlives this process, with the lock that says it lives."""
    fresh = folder / ".alive"
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Locked before anyone can see it; the lock belongs to the open file, so the runner inherits it.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fresh.rename(folder / "alive")
        # The shell ends at once and leaves the runner to init: no child of ours, nothing to wait for.
        line = 'exec "$@" </dev/null >/dev/null 2>runner.log &'
        runner = [sys.executable, "-P", "-m", "jupyter_slurmdash.slurm.local_runner", str(folder)]
        subprocess.run(
            ["/bin/sh", "-c", line, "sh", *runner],
            cwd=folder,
            env=submit_environment(os.environ),
            pass_fds=[descriptor],
            start_new_session=True,
            check=True,
        )
    finally:
        os.close(descriptor)


def _start(files: LocalFiles, job: LocalJob, key: str, now: float, launch: Launch) -> Task:
    folder = files.task_folder(job, key)
    # Recorded first: a crash in between loses the task, the other way round it would run twice.
    write_json(folder / "launch.json", {"at": now})
    launch(folder)
    return Task(key, now)


def _settled(files: LocalFiles, job: LocalJob, now: float) -> list[Task]:
    """The tasks, with an end for those whose runner is gone without a word."""
    return [_settle(files, job, task, now) for task in files.tasks(job)]


def _settle(files: LocalFiles, job: LocalJob, task: Task, now: float) -> Task:
    if not task.running:
        return task
    folder = files.task_folder(job, task.key)
    if is_alive(folder):
        return task
    # It may have ended between the two looks.
    end_task(
        folder, End("NODE_FAIL", 0, None, "The machine was restarted, or the job's runner was killed", now)
    )
    return next(each for each in files.tasks(job) if each.key == task.key)


def _retired(files: LocalFiles, entry: Entry, now: float) -> bool:
    ends = [task.end.ended_at for task in entry.tasks if task.end is not None]
    if len(ends) < len(entry.tasks) or max(ends) > now - KEEP_SECONDS:
        return False
    files.retire(entry.job)
    return True


def _dependency(files: LocalFiles, job: LocalJob) -> str:
    """Why the job must wait for others: empty when it need not."""
    answers = [_met(files, condition) for condition in job.conditions]
    if not answers:
        return ""
    if job.any_condition:
        return "" if True in answers else "Dependency" if None in answers else NEVER
    return NEVER if False in answers else "Dependency" if None in answers else ""


def _met(files: LocalFiles, condition: Condition) -> bool | None:
    """True when it holds, False when it never will, None when that is open."""
    job = files.job(condition.job)
    tasks = files.tasks(job) if job else []
    watched = [task for task in tasks if condition.task in (None, task.key)]
    if not watched:
        return condition.kind == "afterany"
    if condition.kind == "after":
        return True if all(not task.waiting for task in watched) else None
    states = [task.end.state if task.end else None for task in watched]
    if condition.kind == "afterok" and any(state not in (None, "COMPLETED") for state in states):
        return False
    if None in states:
        return None
    return condition.kind != "afternotok" or any(state != "COMPLETED" for state in states)


def environment_of(job: LocalJob, key: str, host: str, saved: Mapping[str, str]) -> dict[str, str]:
    """The variables of a task: those saved at submission and Slurm's own (sbatch(1), OUTPUT ENVIRONMENT
    VARIABLES)."""
    number = str(job.raw_id(key))
    own = {
        "SLURM_JOB_ID": number,
        "SLURM_JOBID": number,
        "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_USER": job.user,
        "SLURM_JOB_UID": str(os.getuid()),
        "SLURM_JOB_PARTITION": "local",
        "SLURM_CLUSTER_NAME": "local",
        "SLURM_SUBMIT_DIR": job.workdir,
        "SLURM_SUBMIT_HOST": host,
        "SLURM_JOB_NODELIST": host,
        "SLURM_NODELIST": host,
        "SLURMD_NODENAME": host,
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_NTASKS": str(job.ntasks),
        "SLURM_NPROCS": str(job.ntasks),
        "SLURM_CPUS_PER_TASK": str(job.cpus_per_task),
        "SLURM_CPUS_ON_NODE": str(job.cpus),
        "SLURM_JOB_CPUS_PER_NODE": str(job.cpus),
    }
    if job.tasks is not None:
        own |= {
            "SLURM_ARRAY_JOB_ID": str(job.id),
            "SLURM_ARRAY_TASK_ID": key,
            "SLURM_ARRAY_TASK_COUNT": str(len(job.tasks)),
            "SLURM_ARRAY_TASK_MIN": str(job.tasks[0]),
            "SLURM_ARRAY_TASK_MAX": str(job.tasks[-1]),
        }
    return {**saved, **own}
