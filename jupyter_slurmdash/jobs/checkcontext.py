"""What a check may look at. A module of its own, so that checks and their runner need not know each other."""

from __future__ import annotations

from dataclasses import dataclass

from ..events import EventBus
from ..slurm.base import Node, Partition
from ..slurm.limits import SiteLimits
from .model import JobRecord, Plan


@dataclass(frozen=True)
class CheckContext:
    """What a check may look at. ``partition`` is the one the job goes to, None when the cluster does not know it;
    ``limits`` what it may ask for; ``free_bytes`` the room where the job's directory will be."""

    plan: Plan
    script: str
    partition: Partition | None
    nodes: tuple[Node, ...]
    free_bytes: int
    events: EventBus
    limits: SiteLimits
    record: JobRecord | None = None
