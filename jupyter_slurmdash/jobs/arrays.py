"""An array, or a heterogeneous job, as one job: the scheduler speaks of its tasks, the list shows one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..slurm.base import JobStatus
from ..slurm.commands import job_base
from ..slurm.directives import parse_directives
from ..slurm.forms import array_indices

# What the whole is, by the first of these that any part is; when none is, all parts have ended.
_ALIVE = ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "PENDING", "REQUEUED")


def as_wholes(statuses: Iterable[JobStatus]) -> list[JobStatus]:
    """One status per job: parts of one base id are merged."""
    groups: dict[str, list[JobStatus]] = {}
    for status in statuses:
        groups.setdefault(job_base(status.job_id), []).append(status)
    return [_merge(job_id, parts) for job_id, parts in groups.items()]


def task_count(script: str) -> int:
    """How many tasks a script asks for; 1 when it is no array."""
    options = dict(parse_directives(script, strict=False))
    return len(array_indices(options["array"])[0]) if "array" in options else 1


def _merge(job_id: str, parts: Sequence[JobStatus]) -> JobStatus:
    first = parts[0]
    if len(parts) == 1 and first.job_id == job_id:
        return first
    alive = next((state for state in _ALIVE if any(part.state == state for part in parts)), None)
    if alive is not None:
        shown = next(part for part in parts if part.state == alive)
    else:
        shown = next((part for part in parts if part.state != "COMPLETED"), first)
    started = [part.started_at for part in parts if part.started_at]
    ended = [part.ended_at for part in parts if part.ended_at]
    return replace(
        shown,
        job_id=job_id,
        started_at=min(started, default=None),
        ended_at=max(ended, default=None) if alive is None else None,
    )
