"""One task of the embedded scheduler: ``python -m jupyter_slurmdash.slurm.local_runner <task directory>``.

A process of its own session that outlives the server. It runs the script, ends it at its time limit or when
the ``cancel`` file is there and it gets SIGTERM, leaves no process of the job behind, records the end and
lets the next job start. Linux only (sigtimedwait, prctl).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from . import patterns
from .local_files import End, LocalFiles, LocalJob, end_task, read_json, write_json
from .local_queue import environment_of

# slurm.conf's KillWait: from SIGTERM to SIGKILL.
KILL_WAIT = 30.0
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_AGAIN = 0.5
_WATCHED = {signal.SIGCHLD, signal.SIGTERM}


@dataclass(frozen=True)
class Work:
    """What one run needs. ``limit`` and ``kill_wait`` seconds."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    stdout: int
    stderr: int
    limit: float | None
    kill_wait: float = KILL_WAIT


def interpreter(script: Path) -> list[str]:
    """The command that the kernel would run for the script's first line: program and at most one argument.

    Read here instead of executing the file, which a directory mounted noexec would not allow.
    """
    with script.open("rb") as file:
        line = file.readline().removeprefix(b"#!").strip()
    return [os.fsdecode(word) for word in line.split(None, 1)] + [str(script)]


def letters(job: LocalJob, key: str, host: str) -> dict[str, str]:
    """The pattern letters of this task's output files."""
    task = "4294967294" if job.tasks is None else key  # what Slurm writes for a job that is no array
    number = str(job.raw_id(key))
    user = pwd.getpwuid(os.getuid()).pw_name
    return {
        "A": str(job.id), "a": task, "j": number, "J": number, "N": host.partition(".")[0], "n": "0",
        "s": "batch", "t": "0", "u": user, "x": job.name,
    }  # fmt: skip


def open_outputs(job: LocalJob, key: str, host: str) -> tuple[int, int]:
    """Descriptors for output and errors, the same file unless the job names two. Raises OSError."""
    known = letters(job, key, host)
    mode = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if job.append else os.O_TRUNC)
    out_path = os.path.join(job.workdir, patterns.fill(job.output, known))
    out = os.open(out_path, mode, 0o666)
    error_path = os.path.join(job.workdir, patterns.fill(job.error, known)) if job.error else out_path
    return out, out if error_path == out_path else os.open(error_path, mode, 0o666)


class Run:
    """The script while it runs. SIGCHLD and SIGTERM must be blocked: they are waited for, not handled."""

    def __init__(self, work: Work, cancel_file: Path) -> None:
        self._work = work
        self._cancel_file = cancel_file
        self.ended_by = ""

    def to_end(self) -> int:
        """Start it and stay until it has ended with all its processes; the raw wait status.

        ``ended_by`` then is ``""``, ``CANCELLED`` or ``TIMEOUT``. Raises OSError when it cannot be started.
        """
        work = self._work
        process = subprocess.Popen(
            work.argv,
            cwd=work.cwd,
            env=work.env,
            stdin=subprocess.DEVNULL,
            stdout=work.stdout,
            stderr=work.stderr,
            start_new_session=True,
            preexec_fn=_unblock,  # safe: this process has one thread
        )
        deadline = None if work.limit is None else time.monotonic() + work.limit
        told: set[int] = set()
        status = _reap(process.pid)
        while status is None:
            if not self.ended_by and self._asked_to_end(deadline):
                told = _signal_family(signal.SIGTERM)
                deadline = time.monotonic() + work.kill_wait
            elif deadline is not None and time.monotonic() >= deadline:
                _signal_family(signal.SIGKILL)
                deadline = None
            elif self.ended_by:
                # A shell that was just forking has a child by now that was not there to be told.
                told |= _signal_family(signal.SIGTERM, told)
            _wait(deadline, _LOOK_AGAIN if self.ended_by else None)
            status = _reap(process.pid)
        process.returncode = 0  # reaped here, so Popen need not look for it
        _end_family()
        return status

    def _asked_to_end(self, deadline: float | None) -> bool:
        if self._cancel_file.exists():
            self.ended_by = "CANCELLED"
        elif deadline is not None and time.monotonic() >= deadline:
            self.ended_by = "TIMEOUT"
        return bool(self.ended_by)


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)


def _wait(deadline: float | None, longest: float | None = None) -> None:
    """Until a child ends, someone cancels, the deadline comes, or ``longest`` seconds are over."""
    limits = [longest] if longest is not None else []
    if deadline is not None:
        limits.append(max(0.0, deadline - time.monotonic()))
    if limits:
        signal.sigtimedwait(_WATCHED, min(limits))
    else:
        signal.sigwaitinfo(_WATCHED)


def _reap(main: int) -> int | None:
    """Take every child that has ended; the wait status of ``main`` when it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == main:
            found = status


def _family() -> list[int]:
    """All descendants: as a subreaper, this process inherits those whose parent has ended."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # gone, or another user's where /proc is mounted with hidepid=1
            parents[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    members = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return sorted(members - {os.getpid()})


def _signal_family(number: signal.Signals, but: Set[int] = frozenset()) -> set[int]:
    """Signal all descendants but those in ``but``; those that are there."""
    members = set(_family())
    for pid in members - but:
        try:
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            continue
    return members


def _end_family() -> None:
    """Leave nothing of the job behind."""
    while True:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        _signal_family(signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)


def outcome(status: int, ended_by: str, now: float) -> End:
    """The end that a raw wait status means."""
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = 0 if killed else os.WEXITSTATUS(status)
    if ended_by == "CANCELLED":
        return End(f"CANCELLED by {os.getuid()}", code, killed, "", now)
    if ended_by == "TIMEOUT":
        return End("TIMEOUT", code, killed, "TimeLimit", now)
    if killed or code:
        return End("FAILED", code, killed, "NonZeroExitCode" if code else "RaisedSignal", now)
    return End("COMPLETED", 0, None, "", now)


def execute(folder: Path, job: LocalJob, kill_wait: float = KILL_WAIT) -> End:
    """Run the task whose directory this is."""
    home = folder.parent.parent
    host = os.uname().nodename
    saved = read_json(home / "environment.json") or {}
    try:
        out, error = open_outputs(job, folder.name, host)
        work = Work(
            interpreter(home / "script"),
            job.workdir,
            environment_of(job, folder.name, host, saved),
            out,
            error,
            job.time_limit,
            kill_wait,
        )
        current = Run(work, folder / "cancel")
        status = current.to_end()
    except OSError as failure:
        return End(
            "FAILED", 1, None, f"Could not be started: {failure.strerror}: {failure.filename}", time.time()
        )
    return outcome(status, current.ended_by, time.time())


def main(folder: Path) -> None:
    """The runner's life."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    write_json(folder / "runner.json", {"pid": os.getpid()})
    files = LocalFiles(folder.parents[3])
    job = files.job(int(folder.parent.parent.name))
    if job is None:
        raise SystemExit(f"There is no job at {folder.parent.parent}.")
    end_task(folder, execute(folder, job))
    # Only now, since a job's start must not wait for what the queue needs.
    from .local import LocalScheduler

    LocalScheduler(files.root).queue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
