"""Slurm through its own commands, on this machine or, with another transport, on a login node."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..errors import JobNotFound, SchedulerUnavailable, SlurmDashError, TransportError
from ..transport.base import Completed, Transport
from . import commands, parse, refusals
from .base import JobStatus, Node, Partition, Submission
from .commands import Marks
from .limits import SiteLimits
from .shared import Shared
from .site import Site

# A busy controller makes sbatch itself try again for a while; giving up early leaves a job that nobody knows
# of.
SUBMIT_SECONDS = 60.0
QUERY_SECONDS = 30.0
QUEUE_TTL = 5.0
NODES_TTL = 10.0
CONFIG_TTL = 10.0
_NO_ACCOUNTING = re.compile(r"accounting storage is disabled|slurmdbd? is not configured", re.IGNORECASE)
# One argument of a command may be at most 128 KiB long.
_IDS_PER_CALL = 5_000

log = logging.getLogger(__name__)


class SlurmCli:
    """The scheduler port over Slurm's commands (22.05 to 26.05). Thread safe when the transport is.

    Queue answers are shared for 5 s, those about nodes and the configuration for 10 s, one command at a time,
    whoever asks.
    ``environ`` is what the commands' environment is made of: by default this process's own on this machine,
    and nothing elsewhere.
    """

    name = "slurm"
    is_cluster = True

    def __init__(
        self,
        transport: Transport,
        user: str,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(6),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._transport = transport
        self._user = user
        self._clock = clock
        self._nonce = nonce
        here = os.environ if transport.name == "localhost" else {}
        self._environ = dict(here if environ is None else environ)
        self._cluster: str | None = None
        self._queue = Shared(self._load_queue, QUEUE_TTL, clock)
        self._machine = Shared(self._load_machine, NODES_TTL, clock)
        self._config = Shared(self._load_config, CONFIG_TTL, clock)
        self._site = Site(self._ask, self._config.get, user, clock)

    @property
    def cluster(self) -> str:
        """The cluster's name; ``slurm`` while the controller has not told it."""
        if self._cluster is None:
            try:
                self._config.get()
            except SlurmDashError:
                return "slurm"
        return self._cluster or "slurm"

    def submit(self, submission: Submission) -> str:
        """``sbatch``, the script on its standard input. See ``Scheduler.submit``."""
        done = self._sbatch(submission, test=False)
        # Taken or not, the queue may have changed.
        self._queue.forget()
        job_id = parse.submitted(_text(done.stdout))
        if job_id is None:
            raise SchedulerUnavailable(
                "sbatch ended well but named no job. Look at the queue before you submit again."
                f" It said: {_text(done.stdout)[:200]!r}"
            )
        return job_id

    def test(self, submission: Submission) -> str:
        """``sbatch --test-only``. See ``Scheduler.test``."""
        done = self._sbatch(submission, test=True)
        return refusals.clean(_text(done.stderr) + _text(done.stdout))

    def queue(self) -> list[JobStatus]:
        """This user's jobs that the controller holds: also those that ended within its ``MinJobAge`` (300 s).

        At most 5 s old. A pending array is one row (``123_[5-9%2]``), its other tasks have rows of their own.
        """
        return list(self._queue.get())

    def history(self, job_ids: Sequence[str], since: float) -> list[JobStatus]:
        """See ``Scheduler.history``. For an array or a heterogeneous job all its parts come back.

        For a second or two after its end a job may be there without name, comment and directory. Accounting may
        write names otherwise than they were given: 22.05 on a MySQL table in latin1 shows
        ``?`` for Hangul, and a backquote for a double quote.
        """
        wanted = list(dict.fromkeys(job_ids))
        found: list[JobStatus] = []
        for start in range(0, len(wanted), _IDS_PER_CALL):
            marks = self._marks()
            found += self._history(
                commands.history_argv(wanted[start : start + _IDS_PER_CALL], since, marks), marks
            )
        return found

    def find(self, comment: str, since: float) -> JobStatus | None:
        """See ``Scheduler.find``. Always asks anew: it is called when the answer to a submission was lost.

        The queue has comments always; accounting has them only where the site sets
        ``AccountingStoreFlags=job_comment``. So a job that has left the queue (300 s after its end) cannot be
        found on other sites. Use ASCII without double quotes: accounting may change other characters (see
        ``history``).
        """
        self._queue.forget()
        matching = [job for job in self._queue.get() if job.comment == comment]
        if not matching:
            marks = self._marks()
            past = self._history(commands.history_of_user_argv(self._user, since, marks), marks)
            matching = [job for job in past if job.comment == comment]
        # Of an array, the id that sbatch gave: every task carries the comment.
        return replace(matching[0], job_id=commands.job_base(matching[0].job_id)) if matching else None

    def script(self, job_id: str) -> str:
        """See ``Scheduler.script``: the controller's for about 300 s after the end, then what accounting stores where
        the site has ``AccountingStoreFlags=job_script``."""
        # scontrol of 22.05 ends well also for a job that it does not know.
        held = self._ask(commands.held_script_argv(job_id))
        if not held.stdout and refusals.is_away(_text(held.stderr)):
            raise refusals.query_error("scontrol", _text(held.stderr), held.code)
        found = _text(held.stdout) or self._stored_script(job_id)
        if not found:
            raise JobNotFound(
                f"Slurm no longer has the script of job {job_id}: it keeps one for some minutes after the end,"
                " and for good where the site sets AccountingStoreFlags=job_script. Use the script's file."
            )
        return found

    def cancel(self, job_id: str) -> None:
        """See ``Scheduler.cancel``. Cancelling a job that has ended does nothing. Raises JobNotFound,
        InvalidInput, Forbidden."""
        argv = commands.cancel_argv(job_id)
        # scancel of 22.05 ends well and silently for a job that does not exist.
        self._require_known(job_id)
        done = self._ask(argv)
        self._queue.forget()
        if done.code != 0 and not re.search(
            r"already completing or completed|invalid job id", _text(done.stderr), re.I
        ):
            raise refusals.query_error("scancel", _text(done.stderr), done.code)

    def nodes(self) -> list[Node]:
        """The nodes that this user can see, at most 10 s old."""
        found = self._machine.get().nodes
        architectures = self._site.architectures() if found else {}
        return [replace(node, arch=architectures.get(node.name, "")) for node in found]

    def partitions(self) -> list[Partition]:
        """The partitions that this user can see and that have nodes, at most 10 s old."""
        return list(self._machine.get().partitions)

    def limits(self) -> SiteLimits:
        """See ``Scheduler.limits``. At most 10 min old."""
        return self._site.limits()

    def ping(self) -> str:
        """The controller's version, at most 10 s old. See ``Scheduler.ping``."""
        return f"slurm {self._config.get().get('SLURM_VERSION', '(unknown version)')}"

    # -- asking ---------------------------------------------------------------------------------------------

    def _marks(self) -> Marks:
        return Marks(self._nonce())

    def _sbatch(self, submission: Submission, *, test: bool) -> Completed:
        done = self._run(
            commands.submit_argv(submission.workdir, submission.options, test=test),
            commands.submit_environment(self._environ),
            input=submission.script.encode(),
            timeout=SUBMIT_SECONDS,
            # A test has no directory yet.
            cwd=None if test else submission.workdir,
        )
        if done.code != 0:
            raise refusals.submit_error(_text(done.stderr), done.code)
        return done

    def _ask(self, argv: Sequence[str]) -> Completed:
        return self._run(argv, commands.query_environment(self._environ), timeout=QUERY_SECONDS)

    def _run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        timeout: float,
        input: bytes | None = None,
        cwd: str | None = None,
    ) -> Completed:
        try:
            return self._transport.run(argv, input=input, timeout=timeout, cwd=cwd, env=env)
        except TransportError as error:
            raise SchedulerUnavailable(f"Slurm cannot be asked: {error.detail}") from error

    def _answer(self, argv: Sequence[str]) -> str:
        done = self._ask(argv)
        if done.code != 0:
            raise refusals.query_error(argv[0], _text(done.stderr), done.code)
        return _text(done.stdout)

    def _load_queue(self) -> list[JobStatus]:
        marks = self._marks()
        return _told(parse.queue(self._answer(commands.queue_argv(self._user, marks)), marks), "squeue")

    def _load_machine(self) -> parse.Machine:
        marks = self._marks()
        machine = parse.machine(self._answer(commands.nodes_argv(marks)), marks)
        _report(machine.bad, "sinfo")
        return machine

    def _history(self, argv: Sequence[str], marks: Marks) -> list[JobStatus]:
        done = self._ask(argv)
        if _NO_ACCOUNTING.search(_text(done.stderr)):
            return []
        if done.code != 0:
            raise refusals.query_error("sacct", _text(done.stderr), done.code)
        return _told(parse.history(_text(done.stdout), marks), "sacct")

    def _load_config(self) -> dict[str, str]:
        config = parse.config(self._answer(commands.config_argv()))
        self._cluster = config.get("ClusterName") or self._cluster
        return config

    def _stored_script(self, job_id: str) -> str:
        done = self._ask(commands.stored_script_argv(job_id))
        if refusals.is_away(_text(done.stderr)):
            raise refusals.query_error("sacct", _text(done.stderr), done.code)
        return parse.stored_script(_text(done.stdout))

    def _require_known(self, job_id: str) -> None:
        base = commands.job_base(job_id)
        if any(commands.job_base(job.job_id) == base for job in self._queue.get()):
            return
        self._queue.forget()
        if any(commands.job_base(job.job_id) == base for job in self._queue.get()):
            return
        if not any(job.user == self._user for job in self.history([base], since=0.0)):
            raise JobNotFound(f"Slurm knows no job {job_id} of yours.")


def _told(found: parse.Jobs, program: str) -> list[JobStatus]:
    _report(found.bad, program)
    return found.jobs


def _report(bad: Sequence[str], program: str) -> None:
    if bad:
        log.warning("%s printed %d rows that cannot be read; the first: %r", program, len(bad), bad[0])


def _text(data: bytes) -> str:
    # Names may hold any bytes; what is no UTF-8 is shown as U+FFFD, since JSON could not carry it.
    return data.decode("utf-8", errors="replace")
