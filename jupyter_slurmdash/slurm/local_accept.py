"""What the embedded scheduler takes and what it refuses, in the words of Slurm where it has some. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import SchedulerRefused
from . import forms, values
from .base import Submission
from .directives import parse_directives
from .local_files import Condition, LocalJob

PARTITION = "local"
# slurm.conf(5): MaxArraySize is 1001 unless a site raises it; a script has at most 4 MiB.
MAX_ARRAY_SIZE = 1001
MAX_SCRIPT_BYTES = 4 * 2**20

_CANNOT = {
    "hetjob": "parts of a heterogeneous job",
    "begin": "a time to begin at",
    "constraint": "constraints",
    "reservation": "reservations",
    "hold": "held jobs",
    "licenses": "licences",
    "nodefile": "lists of nodes",
    "exclude": "lists of nodes",
    "wrap": "a wrapped command",
    "export-file": "a file of variables",
    "gpus": "--gpus; ask with --gres=gpu:1",
    "gpus-per-node": "--gpus-per-node; ask with --gres=gpu:1",
    "gpus-per-task": "--gpus-per-task; ask with --gres=gpu:1",
}


@dataclass(frozen=True)
class Capacity:
    """What this machine has. ``memory`` in bytes."""

    host: str
    cpus: int
    gpus: int
    memory: int


def options_of(submission: Submission) -> dict[str, str]:
    """The script's options, those of the submission over them. Raises SchedulerRefused for a bad script."""
    script = submission.script
    if not script:
        raise SchedulerRefused("Batch script is empty.")
    if not script.startswith("#!"):
        raise SchedulerRefused(
            "This does not look like a batch script. Begin the script with a line such as #!/bin/bash."
        )
    if "\r\n" in script:
        raise SchedulerRefused(
            "Batch script contains DOS line breaks (\\r\\n). Save the script with Unix line ends."
        )
    if "\0" in script or len(script.encode(errors="replace")) > MAX_SCRIPT_BYTES:
        raise SchedulerRefused("A batch script is text of at most 4 MiB, without NUL characters.")
    given = {name.replace("_", "-"): value for name, value in submission.options.items()}
    return {**dict(parse_directives(script)), **given}


def accept(
    options: Mapping[str, str], workdir: str, job_id: int, user: str, now: float, capacity: Capacity
) -> LocalJob:
    """The job, or SchedulerRefused with the reason."""
    for name, what in _CANNOT.items():
        if name in options:
            raise SchedulerRefused(f"The local scheduler does not know {what}. Remove it, or use a cluster.")
    _check_place(options, capacity)
    ntasks = _count(options, "ntasks", _count(options, "ntasks-per-node", 1))
    cpus_per_task = _count(options, "cpus-per-task", 1)
    gpus = values.gpus(options.get("gres", ""))
    cpus = capacity.cpus if "exclusive" in options else ntasks * cpus_per_task
    _check_size(options, cpus, gpus, capacity)
    tasks, together = _array(options)
    any_condition, conditions = _conditions(options.get("dependency", ""))
    return LocalJob(
        id=job_id,
        name=options.get("job-name") or "sbatch",
        user=user,
        comment=options.get("comment", ""),
        workdir=options.get("chdir") or workdir,
        submitted_at=now,
        time_limit=_time(options),
        cpus=cpus,
        gpus=gpus,
        ntasks=ntasks,
        cpus_per_task=cpus_per_task,
        output=options.get("output") or ("slurm-%A_%a.out" if tasks else "slurm-%j.out"),
        error=options.get("error") or None,
        append=options.get("open-mode", "").startswith("a"),
        tasks=tasks,
        together=together,
        any_condition=any_condition,
        conditions=conditions,
    )


def _check_place(options: Mapping[str, str], capacity: Capacity) -> None:
    if options.get("partition", PARTITION) != PARTITION:
        raise SchedulerRefused(
            f"Invalid partition name specified: {options['partition']}."
            f' This machine is not a cluster; its only partition is "{PARTITION}".'
        )
    if options.get("nodes", "1").partition("-")[0] not in ("0", "1"):
        raise SchedulerRefused(
            "Node count specification invalid. The local scheduler has one node: ask for nodes=1."
        )
    named = values.hosts(options.get("nodelist", ""))
    if any(name not in (capacity.host, "localhost") for name in named):
        raise SchedulerRefused(f"Invalid node name specified. The only node here is {capacity.host}.")


def _check_size(options: Mapping[str, str], cpus: int, gpus: int, capacity: Capacity) -> None:
    if cpus > capacity.cpus:
        raise SchedulerRefused(
            f"Requested node configuration is not available: {cpus} CPUs are asked for, this machine has"
            f" {capacity.cpus}. Lower ntasks or cpus_per_task."
        )
    if gpus > capacity.gpus:
        raise SchedulerRefused(
            f"Invalid generic resource (gres) specification: {gpus} GPUs are asked for, this machine has"
            f" {capacity.gpus}. Ask for fewer."
        )
    memory = _memory(options, "mem") or _memory(options, "mem-per-cpu") * cpus
    if memory > capacity.memory:
        raise SchedulerRefused(
            f"Memory specification can not be satisfied: this machine has {capacity.memory // 2**20} MB."
            " Ask for less."
        )


def _memory(options: Mapping[str, str], name: str) -> int:
    try:
        return forms.memory_bytes(options[name]) if name in options else 0
    except ValueError as error:
        raise SchedulerRefused(f"Invalid --{name} specification. {error}") from error


def _count(options: Mapping[str, str], name: str, default: int) -> int:
    value = options.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,8}", value):
        raise SchedulerRefused(f'Invalid numeric value "{value}" for --{name}. Use a whole number from 1.')
    return int(value)


def _time(options: Mapping[str, str]) -> int | None:
    try:
        return forms.seconds(options["time"]) if "time" in options else None
    except ValueError as error:
        raise SchedulerRefused(f"Invalid --time specification. {error}") from error


def _array(options: Mapping[str, str]) -> tuple[list[int] | None, int | None]:
    if not options.get("array"):
        return None, None
    try:
        tasks, together = forms.array_indices(options["array"])
    except ValueError as error:
        raise SchedulerRefused(f"Invalid job array specification. {error}") from error
    if tasks[-1] >= MAX_ARRAY_SIZE:
        raise SchedulerRefused(
            f"Invalid job array specification. Task numbers go up to {MAX_ARRAY_SIZE - 1}."
        )
    return tasks, together


def _conditions(text: str) -> tuple[bool, list[Condition]]:
    """``(is one enough, conditions)`` from ``afterok:1:2,afterany:3_4``."""
    if not text:
        return False, []
    found: list[Condition] = []
    for part in re.split(r"[,?]", text):
        kind, *ids = part.split(":")
        if kind not in ("after", "afterok", "afterany", "afternotok") or not ids:
            raise SchedulerRefused(
                f"Job dependency problem: {part[:64]!r}. Here a job can wait with afterok, afterany,"
                " afternotok or after."
            )
        for each in ids:
            match = re.fullmatch(r"([0-9]{1,9})(?:_([0-9]{1,9}|\*))?", each)
            if match is None:
                raise SchedulerRefused(f"Job dependency problem: {each[:64]!r} is no job id.")
            found.append(Condition(kind, int(match[1]), None if match[2] in (None, "*") else match[2]))
    return "?" in text, found
