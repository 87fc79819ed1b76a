"""Slurm's commands as argument lists: pure, nothing is run here.

Text fields such as a job's name may hold any character, newlines too, and Slurm prints them raw. So each call
gets a fresh random ``Marks``: nobody can have put into a job what was drawn after it was submitted. Sources:
sbatch(1), squeue(1), sacct(1), sinfo(1), scancel(1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import InvalidInput

# Our name for a column → Slurm's name for it. The job id comes first: it is how a row's beginning is known.
QUEUE_COLUMNS: dict[str, str] = {
    "job_id": "JobArrayID",
    "raw_id": "JobID",
    "het_id": "HetJobID",
    "state": "State",
    "reason": "Reason",
    "user": "UserName",
    "partition": "Partition",
    "nodes": "NodeList",
    "node_count": "NumNodes",
    "cpus": "NumCPUs",
    "submitted_at": "SubmitTime",
    "started_at": "StartTime",
    "ended_at": "EndTime",
    "elapsed": "TimeUsed",
    "time_limit": "TimeLimit",
    "exit_status": "exit_code",
    "name": "Name",
    "comment": "Comment",
    "workdir": "WorkDir",
}
HISTORY_COLUMNS: dict[str, str] = {
    "job_id": "JobID",
    "state": "State",
    "reason": "Reason",
    "user": "User",
    "partition": "Partition",
    "nodes": "NodeList",
    "node_count": "NNodes",
    "cpus": "AllocCPUS",
    "submitted_at": "Submit",
    "started_at": "Start",
    "ended_at": "End",
    "elapsed": "ElapsedRaw",
    "time_limit": "Timelimit",
    "exit_code": "ExitCode",
    "name": "JobName",
    "comment": "Comment",
    "workdir": "WorkDir",
}
# sacctmgr's names for what we ask of limits; its own columns, in this order.
ASSOCIATION_COLUMNS = (
    "Account",
    "Partition",
    "QOS",
    "DefaultQOS",
    "MaxWall",
    "MaxTRESPerJob",
    "MaxTRESPerNode",
)
QOS_COLUMNS = ("Name", "MaxWall", "MaxTRESPerJob", "MaxTRESPerNode", "Flags")
_SACCTMGR = ("sacctmgr", "--noheader", "--parsable2", "--readonly", "show")
SINFO_COLUMNS: dict[str, str] = {
    "node": "NodeHost",
    "partition": "PartitionName",
    "starred": "Partition",
    "available": "Available",
    "max_time": "Time",
    "state": "StateLong",
    "cpus": "CPUsState",
    "memory": "Memory",
    "gres": "Gres",
    "gres_used": "GresUsed",
    "reason": "Reason",
}

# Times as seconds since the epoch where the command honours it (squeue and sacct of 22.05 do), ISO in UTC
# elsewhere; array expressions of any length instead of the usual 64 characters.
QUERY_ENV: dict[str, str] = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SLURM_TIME_FORMAT": "%s",
    "SLURM_BITSTR_LEN": "0",
}

_OPTION_NAME = re.compile(r"[a-z][a-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
JOB_ID = re.compile(r"(?P<base>[0-9]{1,10})(?:_(?:[0-9]+|\[[0-9,:-]+(?:%[0-9]+)?\])|\+[0-9]+)?")
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|PASS(?:_|$)|_PWD$|"
    r"(?:^|_)AUTH(?:_|$)|(?:^|_)(?:API|ACCESS|PRIVATE)?KEYS?(?:_ID)?$",
    re.IGNORECASE,
)
_SCHEDULER_OWN = ("JUPYTER", "JPY_", "SBATCH_", "SLURM_", "SLURMD_", "SRUN_")


@dataclass(frozen=True)
class Marks:
    """The separators of one call: ``field`` between fields, ``end`` after a record. ``nonce``: letters and
    digits."""

    nonce: str

    @property
    def field(self) -> str:
        return f"<{self.nonce}>"

    @property
    def end(self) -> str:
        return f"</{self.nonce}>"


def job_base(job_id: str) -> str:
    """The number before ``_`` or ``+``. Raises InvalidInput for what is not a job id."""
    match = JOB_ID.fullmatch(job_id)
    if match is None:
        raise InvalidInput(f"{job_id[:64]!r} is not a job id; ids look like 123, 123_4, 123_[5-9] or 123+1.")
    return match["base"]


def submit_argv(workdir: str, options: Mapping[str, str], *, test: bool = False) -> list[str]:
    """``sbatch`` for a script on standard input. ``options`` by long name; an empty value is a plain flag.

    ``--ignore-pbs``, since sbatch otherwise obeys ``#PBS`` and ``#BSUB`` lines anywhere in the script, also
    after the first command. Raises InvalidInput for a name or value that cannot be an option.
    """
    argv = ["sbatch", "--test-only" if test else "--parsable", "--ignore-pbs", f"--chdir={workdir}"]
    for name, value in options.items():
        long = name.replace("_", "-")
        if not _OPTION_NAME.fullmatch(long) or _CONTROL.search(value):
            raise InvalidInput(f"--{long[:64]} cannot be given to sbatch: use one line of plain text.")
        argv.append(f"--{long}={value}" if value else f"--{long}")
    return argv


def submit_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of ``environ`` a job may see: ``sbatch`` exports its whole environment into the job.

    The Jupyter server's own variables and everything named like a secret stay behind, and so do the variables
    of a job that the server itself runs in, which would act as options; ``SLURM_CONF`` says where the
    controller is.
    """
    return {
        name: value
        for name, value in environ.items()
        if name == "SLURM_CONF" or not (name.upper().startswith(_SCHEDULER_OWN) or _SECRET.search(name))
    }


def query_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` for a command that asks: no ``SLURM_``/``SQUEUE_``/… variable may change what is
    printed."""
    ours = ("SLURM_", "SQUEUE_", "SACCT_", "SINFO_", "SCANCEL_", "SCONTROL_", "LC_", "LANG")
    kept = {
        name: value for name, value in environ.items() if name == "SLURM_CONF" or not name.startswith(ours)
    }
    return {**kept, **QUERY_ENV}


def queue_argv(user: str, marks: Marks) -> list[str]:
    """``squeue``: this user's jobs in every state that the controller still holds, one row per pending
    array."""
    fields = list(QUEUE_COLUMNS.values())
    # No width: with one, values are cut (20 characters by default).
    format_ = ",".join(f"{name}:{marks.field}" for name in fields[:-1]) + f",{fields[-1]}:{marks.end}"
    return ["squeue", "--noheader", "--states=all", f"--user={user}", f"--Format={format_}"]


def _history_argv(since: float, marks: Marks) -> list[str]:
    """``sacct``, allocations only, never without a start: it would search all that was ever run."""
    start = datetime.fromtimestamp(max(0, int(since)), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return [
        "sacct",
        "--allocations",
        "--noheader",
        "--parsable",
        f"--delimiter={marks.field}",
        f"--starttime={start}",
        f"--format={','.join(HISTORY_COLUMNS.values())}",
    ]


def history_argv(job_ids: Sequence[str], since: float, marks: Marks) -> list[str]:
    """``sacct`` for these jobs. ``since``: seconds since the epoch (UTC). Raises InvalidInput for a wrong
    id."""
    wanted = dict.fromkeys(job_base(job_id) for job_id in job_ids)
    return [*_history_argv(since, marks), f"--jobs={','.join(wanted)}"]


def history_of_user_argv(user: str, since: float, marks: Marks) -> list[str]:
    """``sacct`` for all jobs of the user since then."""
    return [*_history_argv(since, marks), f"--user={user}"]


def nodes_argv(marks: Marks) -> list[str]:
    """``sinfo``: one row per node and partition, from which both lists are made."""
    fields = list(SINFO_COLUMNS.values())
    format_ = ",".join(f"{name}:{marks.field}" for name in fields[:-1]) + f",{fields[-1]}:{marks.end}"
    return ["sinfo", "--noheader", "--Node", f"--Format={format_}"]


def cancel_argv(job_id: str) -> list[str]:
    """``scancel``. The ``%`` limit that squeue shows in ``123_[5-9%2]`` is no part of an id. Raises
    InvalidInput."""
    job_base(job_id)
    return ["scancel", re.sub(r"%[0-9]+(?=\])", "", job_id)]


def held_script_argv(job_id: str) -> list[str]:
    """``scontrol``: a job's script, as long as the controller holds the job. Raises InvalidInput."""
    return ["scontrol", "write", "batch_script", job_base(job_id), "-"]


def stored_script_argv(job_id: str) -> list[str]:
    """``sacct``: a job's script, where the site keeps them (``AccountingStoreFlags=job_script``). Raises InvalidInput.

    Without a format it prints a title before the script, and a line of an array's for each of its tasks.
    """
    return ["sacct", "--batch-script", "--allocations", f"--jobs={job_base(job_id)}"]


def partition_rules_argv() -> list[str]:
    """``scontrol show partition``: who may use each, and how much."""
    return ["scontrol", "show", "partition", "--oneliner"]


def associations_argv(user: str, cluster: str) -> list[str]:
    """``sacctmgr``: the user's accounts on this cluster with their limits, the inherited ones too."""
    return [
        *_SACCTMGR,
        "associations",
        "where",
        f"user={user}",
        f"cluster={cluster}",
        f"format={','.join(ASSOCIATION_COLUMNS)}",
    ]


def qos_argv() -> list[str]:
    """``sacctmgr``: every QOS with its limits."""
    return [*_SACCTMGR, "qos", f"format={','.join(QOS_COLUMNS)}"]


def default_account_argv(user: str) -> list[str]:
    """``sacctmgr``: the account of jobs that name none."""
    return [*_SACCTMGR, "user", "where", f"name={user}", "format=DefaultAccount"]


def architectures_argv() -> list[str]:
    """``scontrol show node``: the one command that tells a node's architecture; ``sinfo`` has no word for it."""
    return ["scontrol", "show", "node", "--oneliner"]


def config_argv() -> list[str]:
    """``scontrol show config``: the cluster's name, the controller's version and that it answers."""
    return ["scontrol", "show", "config"]
