"""The scheduler port: what the product needs of Slurm, whoever gives it (its commands, REST, or
``local``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from .limits import SiteLimits

# Normalised states. PENDING and RUNNING families are alive; the rest is final.
JobState = Literal[
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "SUSPENDED",
    "COMPLETING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "TIMEOUT",
    "OUT_OF_MEMORY",
    "NODE_FAIL",
    "PREEMPTED",
    "BOOT_FAIL",
    "DEADLINE",
    "REQUEUED",
    "UNKNOWN",
]
FINAL_STATES: frozenset[str] = frozenset(
    (
        "COMPLETED",
        "FAILED",
        "CANCELLED",
        "TIMEOUT",
        "OUT_OF_MEMORY",
        "NODE_FAIL",
        "PREEMPTED",
        "BOOT_FAIL",
        "DEADLINE",
    )
)


@dataclass(frozen=True)
class Submission:
    """What ``sbatch`` is given. ``options`` are extra long options by name (``comment``), beside the script's
    own ``#SBATCH`` lines; ``workdir`` becomes the job's working directory; the script goes in on standard
    input."""

    script: str
    workdir: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobStatus:
    """One job (or array task, or part of a heterogeneous job) as the scheduler sees it now.

    ``job_id`` has Slurm's own forms: ``123``, ``123_4``, ``123_[5-9]``, ``123+1``. Times are seconds since
    the epoch (UTC) or None; ``elapsed`` and ``time_limit`` seconds or None; ``exit_code`` is None while it
    runs. ``raw_state`` is Slurm's own word, for states that we do not know.
    """

    job_id: str
    name: str
    user: str
    state: JobState
    raw_state: str
    reason: str = ""
    partition: str = ""
    nodes: str = ""
    node_count: int = 0
    cpus: int = 0
    workdir: str = ""
    comment: str = ""
    submitted_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    elapsed: int | None = None
    time_limit: int | None = None
    exit_code: int | None = None
    signal: int | None = None

    @property
    def final(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class Node:
    """A node of the cluster. ``memory`` in bytes; ``gpus`` configured GPUs; ``state`` Slurm's word in lower
    case; ``arch`` the machine's own word (``x86_64``), "" when it is not known."""

    name: str
    partitions: tuple[str, ...]
    state: str
    cpus: int = 0
    cpus_used: int = 0
    memory: int = 0
    gres: str = ""
    gpus: int = 0
    gpus_used: int = 0
    reason: str = ""
    arch: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "partitions": list(self.partitions),
            "state": self.state,
            "cpus": self.cpus,
            "cpus_used": self.cpus_used,
            "memory": self.memory,
            "gres": self.gres,
            "gpus": self.gpus,
            "gpus_used": self.gpus_used,
            "reason": self.reason,
            "arch": self.arch,
        }


@dataclass(frozen=True)
class Partition:
    """A partition and its limits; ``max_time`` seconds, None when there is no limit."""

    name: str
    is_default: bool
    state: str
    nodes: tuple[str, ...]
    max_time: int | None = None
    cpus_per_node: int = 0
    memory_per_node: int = 0
    gpus_per_node: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "is_default": self.is_default,
            "state": self.state,
            "nodes": list(self.nodes),
            "max_time": self.max_time,
            "cpus_per_node": self.cpus_per_node,
            "memory_per_node": self.memory_per_node,
            "gpus_per_node": self.gpus_per_node,
        }


class Scheduler(Protocol):
    """A scheduler. Errors: SchedulerRefused (its own words in ``detail``), SchedulerUnavailable (it does not
    answer; whether the job was taken is then unknown), JobNotFound.

    ``name`` is ``slurm`` or ``local``; ``cluster`` the cluster's own name; ``is_cluster`` is False for
    ``local``.
    """

    @property
    def name(self) -> str: ...

    @property
    def cluster(self) -> str: ...

    @property
    def is_cluster(self) -> bool: ...

    def submit(self, submission: Submission) -> str:
        """Hand the job over and return its id."""
        ...

    def test(self, submission: Submission) -> str:
        """Would it be taken (``sbatch --test-only``)? Returns the scheduler's words; raises
        SchedulerRefused."""
        ...

    def queue(self) -> list[JobStatus]:
        """All of this user's jobs that the scheduler still holds, in one call."""
        ...

    def history(self, job_ids: Sequence[str], since: float) -> list[JobStatus]:
        """The named jobs as accounting remembers them (one call); without accounting, an empty list."""
        ...

    def find(self, comment: str, since: float) -> JobStatus | None:
        """The job that carries this exact comment, in queue or history; None when there is none."""
        ...

    def script(self, job_id: str) -> str:
        """The script of one of this user's jobs as it was submitted, as long as the scheduler or its accounting keeps
        it. Raises JobNotFound when neither does."""
        ...

    def cancel(self, job_id: str) -> None: ...

    def nodes(self) -> list[Node]: ...

    def partitions(self) -> list[Partition]: ...

    def limits(self) -> SiteLimits:
        """What this user's jobs may ask for; nothing where the scheduler knows no limits."""
        ...

    def ping(self) -> str:
        """The scheduler's version, e.g. ``slurm 22.05.8``; raises SchedulerUnavailable."""
        ...
