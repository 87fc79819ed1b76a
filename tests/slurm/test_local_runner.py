"""The pure parts of a task's runner; its life is tested through the scheduler."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyter_slurmdash.slurm.local_files import Condition, LocalJob
from jupyter_slurmdash.slurm.local_queue import environment_of
from jupyter_slurmdash.slurm.local_runner import _family, interpreter, letters, open_outputs, outcome

JOB = LocalJob(
    id=7,
    name="my job",
    user="alice",
    comment="",
    workdir="/",
    submitted_at=0.0,
    time_limit=None,
    cpus=2,
    gpus=0,
    ntasks=2,
    cpus_per_task=1,
    output="%j.out",
    error=None,
    append=False,
    tasks=None,
    together=None,
    any_condition=False,
    conditions=[Condition("afterok", 1)],
)
ARRAY = LocalJob(**{**vars(JOB), "tasks": [2, 4, 6], "output": "%A_%a-%j", "error": "%x.err"})


def test_processes_that_may_not_be_looked_at_are_nobodys_children(monkeypatch: pytest.MonkeyPatch) -> None:
    read_text = Path.read_text

    def closed(self: Path, *args: Any, **options: Any) -> str:
        if self == Path("/proc/1/stat"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))  # hidepid=1
        return read_text(self, *args, **options)

    monkeypatch.setattr(Path, "read_text", closed)
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in _family()
        child.kill()


@pytest.mark.parametrize(
    ("first", "argv"),
    [
        ("#!/bin/bash", ["/bin/bash"]),
        ("#! /bin/bash -l -e ", ["/bin/bash", "-l -e"]),  # one argument at most, as the kernel does it
        ("#!/usr/bin/env python3", ["/usr/bin/env", "python3"]),
        ("#!", []),
    ],
)
def test_the_interpreter_is_what_the_kernel_would_run(tmp_path: Path, first: str, argv: list[str]) -> None:
    script = tmp_path / "script"
    script.write_text(f"{first}\ntrue\n")
    assert interpreter(script) == [*argv, str(script)]


@pytest.mark.parametrize(
    ("status", "ended_by", "expected"),
    [
        (0, "", ("COMPLETED", 0, None, "")),
        (3 << 8, "", ("FAILED", 3, None, "NonZeroExitCode")),
        (9, "", ("FAILED", 0, 9, "RaisedSignal")),
        (15, "TIMEOUT", ("TIMEOUT", 0, 15, "TimeLimit")),
        (
            0,
            "TIMEOUT",
            ("TIMEOUT", 0, None, "TimeLimit"),
        ),  # it caught the signal and ended well, but too late
        (15, "CANCELLED", (f"CANCELLED by {os.getuid()}", 0, 15, "")),
    ],
)
def test_how_it_ended(status: int, ended_by: str, expected: tuple[str, int, int | None, str]) -> None:
    end = outcome(status, ended_by, 12.5)
    assert (end.state, end.exit_code, end.signal, end.reason, end.ended_at) == (*expected, 12.5)


def test_each_task_has_a_number_of_its_own(tmp_path: Path) -> None:
    assert [ARRAY.raw_id(key) for key in ARRAY.keys] == [7, 8, 9]
    assert letters(ARRAY, "4", "host.example.org") | {"u": ""} == {
        "A": "7",
        "a": "4",
        "j": "8",
        "J": "8",
        "N": "host",
        "n": "0",
        "s": "batch",
        "t": "0",
        "u": "",
        "x": "my job",
    }
    env = environment_of(ARRAY, "4", "host", {"SLURM_JOB_ID": "old", "PATH": "/bin"})
    assert (env["SLURM_JOB_ID"], env["SLURM_ARRAY_JOB_ID"], env["SLURM_ARRAY_TASK_ID"]) == ("8", "7", "4")
    assert (env["SLURM_ARRAY_TASK_COUNT"], env["SLURM_ARRAY_TASK_MIN"], env["SLURM_ARRAY_TASK_MAX"]) == (
        "3",
        "2",
        "6",
    )
    assert (env["PATH"], env["SLURM_NTASKS"]) == ("/bin", "2")


def test_outputs_are_one_file_or_two(tmp_path: Path) -> None:
    one = LocalJob(**{**vars(JOB), "workdir": str(tmp_path)})
    out, error = open_outputs(one, "_", "host")
    assert out == error
    os.close(out)
    two = LocalJob(**{**vars(ARRAY), "workdir": str(tmp_path)})
    out, error = open_outputs(two, "6", "host")
    assert out != error
    for descriptor in (out, error):
        os.close(descriptor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7.out", "7_6-9", "my job.err"]
