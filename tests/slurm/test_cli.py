"""SlurmCli over a transport that plays a recorded Slurm and refuses what it does not know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from jupyter_slurmdash.errors import (
    Forbidden,
    InvalidInput,
    JobNotFound,
    SchedulerRefused,
    SchedulerUnavailable,
    TransportError,
)
from jupyter_slurmdash.slurm.base import Submission
from jupyter_slurmdash.slurm.cli import SlurmCli
from jupyter_slurmdash.slurm.commands import HISTORY_COLUMNS, QUEUE_COLUMNS, SINFO_COLUMNS
from jupyter_slurmdash.transport.base import Completed, FileStat, ReadSteps

SCRIPT = "#!/bin/bash\ntrue\n"
Answer = Callable[[Sequence[str]], Completed]


class Played:
    """A machine on which each program has one answer, set by the test."""

    name = "login.example.org"

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[Sequence[str], Mapping[str, str], str | None, bytes | None]] = []

    def says(self, program: str, stdout: str = "", stderr: str = "", code: int = 0) -> None:
        self.answers[program] = lambda argv: Completed(stdout.encode(), stderr.encode(), code)

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        assert env is not None
        self.calls.append((argv, env, cwd, input))
        return self.answers[argv[0]](argv)

    def count(self, program: str) -> int:
        return sum(argv[0] == program for argv, *_ in self.calls)

    def list_files(
        self, directory: str, suffix: str, *, depth: int = 3, limit: int = 10_000
    ) -> list[FileStat]:
        raise AssertionError("not asked for")

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        raise AssertionError("not asked for")

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[Any]]]) -> list[Any]:
        raise AssertionError("not asked for")

    def close(self) -> None:
        raise AssertionError("not asked for")


class Clock:
    now = 1.7e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def machine() -> Played:
    return Played()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slurm(machine: Played, clock: Clock) -> SlurmCli:
    return SlurmCli(machine, "alice", clock, lambda: "n0nce", {"HOME": "/home/alice", "X_TOKEN": "1"})


def queue_answer(*jobs: Mapping[str, str]) -> str:
    rows = ["<n0nce>".join(job.get(name, "") for name in QUEUE_COLUMNS) for job in jobs]
    return "".join(f"{row}</n0nce>\n" for row in rows)


def history_answer(*jobs: Mapping[str, str]) -> str:
    return "".join("".join(job.get(name, "") + "<n0nce>" for name in HISTORY_COLUMNS) + "\n" for job in jobs)


def sinfo_answer(*nodes: str) -> str:
    row = {**dict.fromkeys(SINFO_COLUMNS, ""), "partition": "c", "cpus": "0/1/0/1", "memory": "1"}
    return "".join("<n0nce>".join((row | {"node": node}).values()) + "</n0nce>\n" for node in nodes)


JOB = {"job_id": "12", "state": "RUNNING", "user": "alice", "name": "x", "comment": "key:1"}


def test_the_script_goes_in_by_standard_input(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sbatch", "12;hpc\n")
    assert slurm.submit(Submission(SCRIPT, "/w", {"comment": "key:1"})) == "12"
    argv, env, cwd, given = machine.calls[0]
    assert argv == ["sbatch", "--parsable", "--ignore-pbs", "--chdir=/w", "--comment=key:1"]
    assert (env, cwd, given) == ({"HOME": "/home/alice"}, "/w", SCRIPT.encode())


def test_a_refusal_and_a_silence_are_told_apart(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sbatch", stderr="sbatch: error: invalid partition specified: x\n", code=1)
    with pytest.raises(SchedulerRefused, match="invalid partition"):
        slurm.submit(Submission(SCRIPT, "/w"))
    machine.says("sbatch", stderr="sbatch: error: Unable to contact slurm controller", code=1)
    with pytest.raises(SchedulerUnavailable):
        slurm.submit(Submission(SCRIPT, "/w"))
    machine.says("sbatch", "Have a nice day\n")
    with pytest.raises(SchedulerUnavailable, match="Look at the queue"):
        slurm.submit(Submission(SCRIPT, "/w"))


def test_a_machine_that_does_not_answer_is_a_silence(slurm: SlurmCli, machine: Played) -> None:
    def fail(argv: Sequence[str]) -> Completed:
        raise TransportError("sbatch did not end within 60 seconds.", "timeout")

    machine.answers["sbatch"] = machine.answers["squeue"] = machine.answers["scontrol"] = fail
    for ask in (lambda: slurm.submit(Submission(SCRIPT, "/w")), slurm.queue, slurm.ping):
        with pytest.raises(SchedulerUnavailable):
            ask()
    assert slurm.cluster == "slurm"


def test_test_only_needs_no_directory(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sbatch", stderr="sbatch: Job 83 to start at 2026-11-23T07:17:14 using 1 processors\n")
    assert slurm.test(Submission(SCRIPT, "/w")).startswith("Job 83 to start")
    argv, _, cwd, _ = machine.calls[0]
    assert "--test-only" in argv
    assert cwd is None


def test_answers_are_shared_for_their_time(slurm: SlurmCli, machine: Played, clock: Clock) -> None:
    machine.says("squeue", queue_answer(JOB))
    machine.says("sinfo", "")
    for _ in range(3):
        slurm.queue()
        slurm.nodes()
        slurm.partitions()
    assert (machine.count("squeue"), machine.count("sinfo")) == (1, 1)
    clock.now += 6
    slurm.queue()
    slurm.nodes()
    assert (machine.count("squeue"), machine.count("sinfo")) == (2, 1)
    clock.now += 5
    slurm.nodes()
    assert machine.count("sinfo") == 2
    machine.says("sbatch", "13\n")
    slurm.submit(Submission(SCRIPT, "/w"))
    slurm.queue()
    assert machine.count("squeue") == 3


def test_a_row_that_cannot_be_read_is_told(
    slurm: SlurmCli, machine: Played, caplog: pytest.LogCaptureFixture
) -> None:
    machine.says("squeue", "rubbish</n0nce>\n" + queue_answer(JOB))
    with caplog.at_level(logging.WARNING):
        assert [job.job_id for job in slurm.queue()] == ["12"]
    assert "squeue printed 1 rows" in caplog.text


def test_without_accounting_there_is_no_history(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sacct", stderr="Slurm accounting storage is disabled\n", code=1)
    assert slurm.history(["12"], 0) == []
    machine.says("sacct", stderr="sacct: error: Problem talking to the database: Connection refused", code=1)
    with pytest.raises(SchedulerUnavailable):
        slurm.history(["12"], 0)
    assert slurm.history([], 0) == []


def test_many_jobs_are_asked_for_in_few_calls(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sacct", history_answer(JOB))
    slurm.history([str(number) for number in range(1, 5002)], 0)
    assert machine.count("sacct") == 2


def test_a_comment_is_found_exactly_in_queue_or_history(slurm: SlurmCli, machine: Played) -> None:
    machine.says(
        "squeue", queue_answer({**JOB, "job_id": "9", "comment": "key:11"}, {**JOB, "job_id": "12_[1-3]"})
    )
    found = slurm.find("key:1", 0)
    assert found is not None
    assert found.job_id == "12"
    machine.says("squeue", queue_answer())
    machine.says(
        "sacct", history_answer({**JOB, "job_id": "10", "comment": "key:10"}, {**JOB, "state": "COMPLETED"})
    )
    found = slurm.find("key:1", 0)
    assert found is not None
    assert (found.job_id, found.state) == ("12", "COMPLETED")
    assert slurm.find("key:", 0) is None


def test_cancel(slurm: SlurmCli, machine: Played) -> None:
    machine.says("squeue", queue_answer(JOB))
    machine.says("scancel")
    slurm.cancel("12_[1-3%1]")
    assert machine.calls[-1][0] == ["scancel", "12_[1-3]"]
    machine.says("sacct", history_answer())
    with pytest.raises(JobNotFound):
        slurm.cancel("13")
    machine.says("sacct", history_answer({**JOB, "job_id": "13", "user": "bob"}))
    with pytest.raises(JobNotFound):
        slurm.cancel("13")
    machine.says("sacct", history_answer({**JOB, "job_id": "13", "state": "COMPLETED"}))
    machine.says(
        "scancel", stderr="scancel: error: Kill job error on job id 13: Invalid job id specified", code=1
    )
    slurm.cancel("13")
    machine.says(
        "scancel", stderr="scancel: error: Kill job error on job id 12: Access/permission denied", code=210
    )
    with pytest.raises(Forbidden):
        slurm.cancel("12")
    before = len(machine.calls)
    with pytest.raises(InvalidInput):
        slurm.cancel("--user=bob")
    assert len(machine.calls) == before


def test_the_processors_of_nodes(slurm: SlurmCli, machine: Played, clock: Clock) -> None:
    machine.says("sinfo", sinfo_answer("node001", "node002"))
    machine.says(
        "scontrol", "NodeName=node001 Arch=aarch64 CoresPerSocket=1 \nNodeName=node002 CoresPerSocket=1\n"
    )
    assert {node.name: node.arch for node in slurm.nodes()} == {"node001": "aarch64", "node002": ""}
    clock.now += 60
    slurm.nodes()
    assert machine.count("scontrol") == 1, "processors do not change from minute to minute"


def test_nodes_are_listed_where_nothing_tells_their_processors(slurm: SlurmCli, machine: Played) -> None:
    machine.says("sinfo", sinfo_answer("node001", "node002"))
    machine.says("scontrol", stderr="scontrol: error: you may not", code=1)
    assert [node.arch for node in slurm.nodes()] == ["", ""]


def test_limits_while_the_accounting_database_is_away(slurm: SlurmCli, machine: Played) -> None:
    config = "ClusterName = hpc\nAccountingStorageEnforce = associations,limits,qos\n"
    partitions = "PartitionName=gpu MaxTime=01:00:00\n"
    machine.answers["scontrol"] = lambda argv: Completed(
        (config if "config" in argv else partitions).encode(), b"", 0
    )

    def silent(argv: Sequence[str]) -> Completed:
        raise TransportError("It did not end in time.", "timeout")

    machine.answers["sacctmgr"] = silent
    limits = slurm.limits()
    assert limits.rules["gpu"].max_time == 3600
    assert not limits.accounts_matter, "nobody knows now which accounts the user has"


def test_a_user_without_an_account_is_told(slurm: SlurmCli, machine: Played) -> None:
    machine.says("scontrol", "ClusterName = hpc\nAccountingStorageEnforce = associations\n")
    machine.says("sacctmgr", "")
    assert slurm.limits().accounts_matter


def test_the_version_and_the_clusters_name(slurm: SlurmCli, machine: Played, clock: Clock) -> None:
    machine.says("scontrol", "ClusterName = hpc\nSLURM_VERSION           = 22.05.8\n")
    assert slurm.ping() == "slurm 22.05.8"
    assert slurm.cluster == "hpc"
    assert machine.count("scontrol") == 1
    machine.says("scontrol", stderr="slurm_load_ctl_conf error: Unable to contact slurm controller", code=1)
    assert slurm.ping() == "slurm 22.05.8", "young enough"
    clock.now += 10
    for _ in range(3):
        with pytest.raises(SchedulerUnavailable):
            slurm.ping()
    assert slurm.cluster == "hpc"
    assert machine.count("scontrol") == 2, "one look at a silent controller pays for all"


def test_a_silent_controller_is_asked_once_for_its_name(slurm: SlurmCli, machine: Played) -> None:
    machine.says("scontrol", stderr="slurm_load_ctl_conf error: Unable to contact slurm controller", code=1)
    assert [slurm.cluster for _ in range(5)] == ["slurm"] * 5
    assert machine.count("scontrol") == 1


def test_a_login_node_gets_nothing_of_this_machines_environment(
    machine: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING", "local")
    machine.says("squeue", "")
    SlurmCli(machine, "alice").queue()
    assert "SOMETHING" not in machine.calls[0][1]


def test_a_script_that_is_gone_and_a_controller_that_is(machine: Played, slurm: SlurmCli) -> None:
    machine.says("scontrol", stderr="job script retrieval failed: Invalid job id specified\n")
    machine.says("sacct", f"Batch Script for 7\n{'-' * 80}\nNONE\n\n")
    with pytest.raises(JobNotFound, match="AccountingStoreFlags=job_script"):
        slurm.script("7")
    title = f"Batch Script for 7_%d\n{'-' * 80}\n"
    machine.says("sacct", f"{title % 1}#!/bin/bash\n\ntrue\n{title % 2}NONE\n")
    assert slurm.script("7_2") == "#!/bin/bash\n\ntrue\n"
    away = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
    machine.says("sacct", stderr=away, code=1)
    with pytest.raises(SchedulerUnavailable):
        slurm.script("7")
    machine.says("scontrol", stderr=away, code=1)
    with pytest.raises(SchedulerUnavailable):
        slurm.script("7")
