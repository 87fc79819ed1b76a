"""What Slurm's commands print, as rows by column name, jobs, nodes and partitions. Pure functions.

A row that is not understood is handed back as a ``bad`` one with its text: it is never dropped without a
word, and it never disturbs the rows around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import values
from .base import FINAL_STATES, JobStatus, Node, Partition
from .commands import HISTORY_COLUMNS, JOB_ID, QUEUE_COLUMNS, SINFO_COLUMNS, Marks

_STATE_FLAGS = "*~#!%$@^-+&"
_SUBMITTED = re.compile(r"([0-9]+)(?:;\S+)?")
_STORED_SCRIPT = re.compile(r"Batch Script for \S+\n-{40,}\n")
_NODE_ARCH = re.compile(r"NodeName=(\S+) Arch=(\S+)")


@dataclass
class Table:
    """``rows`` map column to text; ``bad`` holds the beginning (200 characters) of each row not
    understood."""

    rows: list[dict[str, str]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    def add(self, columns: Sequence[str], fields: Sequence[str]) -> None:
        # A remark of the command that slipped into its output stands on lines before the row's first field.
        first = fields[0].rpartition("\n")[2].strip()
        if len(fields) != len(columns) or not first:
            self.bad.append(" ".join(fields)[:200])
        else:
            self.rows.append(dict(zip(columns, (first, *fields[1:]), strict=True)))


@dataclass
class Jobs:
    """Jobs read, and the text of what could not be read."""

    jobs: list[JobStatus] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def stored_script(text: str) -> str:
    """The script from ``sacct --batch-script``; of an array that of its first task. "" when there is none."""
    parts = _STORED_SCRIPT.split(text)
    script = parts[1].strip("\n") if len(parts) > 1 else ""
    return "" if script == "NONE" else script and script + "\n"


def marked_rows(text: str, columns: Iterable[str], marks: Marks) -> Table:
    """Rows of squeue or sinfo: fields apart by ``marks.field``, each row ended by ``marks.end``."""
    names = list(columns)
    table = Table()
    *records, rest = text.split(marks.end)
    for record in records:
        table.add(names, record.removeprefix("\n").split(marks.field))
    if rest.strip():
        table.bad.append(rest.strip()[:200])  # cut off half way, or nothing but a remark
    return table


def delimited_rows(text: str, columns: Iterable[str], marks: Marks) -> Table:
    """Rows of ``sacct --parsable``: the delimiter stands after every field, so fields are counted, not
    lines."""
    names = list(columns)
    table = Table()
    *fields, rest = text.split(marks.field)
    width = len(names)
    for start in range(0, len(fields), width):
        table.add(names, fields[start : start + width])
    if rest.strip():
        table.bad.append(rest.strip()[:200])
    return table


def queue(text: str, marks: Marks) -> Jobs:
    """The jobs that ``squeue`` printed for ``commands.queue_argv``."""
    return _jobs(marked_rows(text, QUEUE_COLUMNS, marks), from_queue=True)


def history(text: str, marks: Marks) -> Jobs:
    """The jobs that ``sacct`` printed for ``commands.history_argv``."""
    return _jobs(delimited_rows(text, HISTORY_COLUMNS, marks), from_queue=False)


def _jobs(table: Table, *, from_queue: bool) -> Jobs:
    found = Jobs(bad=table.bad)
    for row in table.rows:
        if JOB_ID.fullmatch(row["job_id"]) is None:
            found.bad.append(f"{row['job_id']} {row['state']}"[:200])
        else:
            found.jobs.append(_job(row, from_queue=from_queue))
    return found


def _job(row: dict[str, str], *, from_queue: bool) -> JobStatus:
    state = values.state(row["state"])
    code, signal = (
        values.wait_status(row["exit_status"]) if from_queue else values.exit_code(row["exit_code"])
    )
    final = state in FINAL_STATES
    waiting = state == "PENDING"
    return JobStatus(
        job_id=row["job_id"],
        # Accounting makes the record first and fills it a moment later: until then the name is Slurm's own.
        name="" if not row["workdir"] and row["name"] == "allocation" else row["name"],
        user=row["user"],
        state=state,
        raw_state=row["state"].strip(),
        # Accounting keeps why a job last waited, which says nothing of a job that has ended.
        reason=values.text(row["reason"]) if from_queue or not final else "",
        partition=row["partition"],
        nodes=values.text(row["nodes"]),
        node_count=values.number(row["node_count"]),
        cpus=values.number(row["cpus"]),
        workdir=row["workdir"],
        comment="" if row["comment"] == "(null)" else row["comment"],
        submitted_at=values.timestamp(row["submitted_at"]),
        # A waiting job shows when it may start, a running one when it must end: both are guesses, not facts.
        started_at=None if waiting else values.timestamp(row["started_at"]),
        ended_at=values.timestamp(row["ended_at"]) if final else None,
        elapsed=None if waiting else values.duration(row["elapsed"]),
        time_limit=values.duration(row["time_limit"]),
        exit_code=code if final else None,
        signal=signal if final else None,
    )


def submitted(text: str) -> str | None:
    """The job id in the answer of ``sbatch --parsable`` (``123`` or ``123;cluster``); None when there is
    none.

    Only the last line counts: a site's plugin may have greeted the user before it.
    """
    lines = text.split()
    match = _SUBMITTED.fullmatch(lines[-1]) if lines else None
    return match[1] if match else None


@dataclass
class Machine:
    """Nodes and partitions, and the text of what could not be read."""

    nodes: list[Node]
    partitions: list[Partition]
    bad: list[str]


def machine(text: str, marks: Marks) -> Machine:
    """What ``sinfo`` printed for ``commands.nodes_argv``."""
    table = marked_rows(text, SINFO_COLUMNS, marks)
    by_node: dict[str, list[dict[str, str]]] = {}
    by_partition: dict[str, list[dict[str, str]]] = {}
    for row in table.rows:
        by_node.setdefault(row["node"], []).append(row)
        by_partition.setdefault(row["partition"], []).append(row)
    return Machine(
        [_node(name, rows) for name, rows in by_node.items()],
        [_partition(name, rows) for name, rows in by_partition.items()],
        table.bad,
    )


def _node(name: str, rows: Sequence[dict[str, str]]) -> Node:
    row = rows[0]
    state = row["state"].strip().lower()
    reason = values.text(row["reason"])
    if "*" in state and not reason:
        reason = "Not responding"
    used, total = _cpus(row["cpus"])
    return Node(
        name=name,
        partitions=tuple(dict.fromkeys(each["partition"] for each in rows)),
        state=state.rstrip(_STATE_FLAGS),
        cpus=total,
        cpus_used=used,
        memory=values.number(row["memory"]) * 2**20,
        gres=values.text(row["gres"]),
        gpus=values.gpus(row["gres"]),
        gpus_used=values.gpus(row["gres_used"]),
        reason=reason,
    )


def _partition(name: str, rows: Sequence[dict[str, str]]) -> Partition:
    row = rows[0]
    return Partition(
        name=name,
        is_default=row["starred"].strip().endswith("*"),
        state=row["available"].strip().lower(),
        nodes=tuple(dict.fromkeys(each["node"] for each in rows)),
        max_time=values.duration(row["max_time"]),
        cpus_per_node=max(_cpus(each["cpus"])[1] for each in rows),
        memory_per_node=max(values.number(each["memory"]) for each in rows) * 2**20,
        gpus_per_node=max(values.gpus(each["gres"]) for each in rows),
    )


def _cpus(value: str) -> tuple[int, int]:
    """``(allocated, total)`` from ``allocated/idle/other/total``."""
    parts = [values.number(part) for part in value.strip().split("/")]
    return (parts[0], parts[3]) if len(parts) == 4 else (0, 0)


def architectures(text: str) -> dict[str, str]:
    """The architecture (``x86_64``) of each node that ``scontrol show node --oneliner`` tells one of; a node that never
    answered has none."""
    found = (_NODE_ARCH.match(line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def config(text: str) -> dict[str, str]:
    """The ``name = value`` lines of ``scontrol show config``."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}
