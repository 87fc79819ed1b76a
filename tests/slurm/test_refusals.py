"""Slurm's words become errors that say what to do. The texts are those of 22.05."""

from __future__ import annotations

import pytest

from jupyter_slurmdash.errors import Forbidden, SchedulerRefused, SchedulerUnavailable
from jupyter_slurmdash.slurm import refusals

REFUSED = [
    (
        "sbatch: error: invalid partition specified: nope\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
        "invalid partition specified: nope Invalid partition name specified.",
        "Choose a partition",
    ),
    (
        "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
        "Requested time limit is invalid (missing or exceeds some limit).",
        "less time",
    ),
    (
        "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
        "Invalid account or account/partition combination specified.",
        "account",
    ),
    ("sbatch: error: Batch job submission failed: Invalid qos specification", "Invalid qos", "QOS"),
    (
        "sbatch: error: Batch job submission failed: Requested node configuration is not available",
        "Requested node configuration is not available.",
        "fewer nodes",
    ),
    ("allocation failure: More processors requested than permitted", "More processors", "fewer nodes"),
    ("sbatch: error: Memory specification can not be satisfied\n", "Memory specification", "less memory"),
    ("sbatch: error: Invalid generic resource (gres) specification", "Invalid generic", "GPUs"),
    ("sbatch: error: lua: No jobs on Sundays!\n", "No jobs on Sundays!", ""),
    (
        "sbatch: unrecognized option '--foo'\nTry \"sbatch --help\" for more information\n",
        "unrecognized option '--foo'.",
        "",
    ),
    ("", "sbatch ended with exit code 1 and said nothing.", ""),
]


@pytest.mark.parametrize(("stderr", "words", "advice"), REFUSED)
def test_a_refusal(stderr: str, words: str, advice: str) -> None:
    error = refusals.submit_error(stderr, 1)
    assert isinstance(error, SchedulerRefused)
    assert error.detail.startswith(words)
    assert advice in error.detail
    assert "sbatch: " not in error.detail


@pytest.mark.parametrize(
    "stderr",
    [
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "sbatch: error: slurm_receive_msg: Zero Bytes were transmitted or received",
        "sbatch: error: If munged is up, restart with --num-threads=10\n"
        "sbatch: error: Munge encode failed: Failed to access socket\n"
        "slurm_load_partitions: Protocol authentication error",
        "sbatch: error: Batch job submission failed: Connection refused",
    ],
)
def test_silence_is_no_refusal(stderr: str) -> None:
    error = refusals.submit_error(stderr, 1)
    assert isinstance(error, SchedulerUnavailable)
    assert "Try again" in error.detail


@pytest.mark.parametrize(("code", "number"), [(-9, 9), (-15, 15), (137, 9), (143, 15), (129, 1), (192, 64)])
@pytest.mark.parametrize("stderr", ["", "sbatch: error: invalid partition specified: x"])
def test_a_killed_sbatch_has_refused_nothing(code: int, number: int, stderr: str) -> None:
    error = refusals.submit_error(stderr, code)
    assert isinstance(error, SchedulerUnavailable)
    assert f"signal {number} " in error.detail


@pytest.mark.parametrize("code", [1, 2, 127, 128, 193, 210, 255])
def test_other_codes_are_refusals(code: int) -> None:
    assert isinstance(refusals.submit_error("", code), SchedulerRefused)


def test_other_commands() -> None:
    denied = refusals.query_error(
        "scancel", "scancel: error: Kill job error on job id 65: Access/permission denied", 210
    )
    assert isinstance(denied, Forbidden)
    away = refusals.query_error(
        "squeue", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1
    )
    assert isinstance(away, SchedulerUnavailable)
    assert "squeue" in away.detail
    assert "exit code 3" in refusals.query_error("sinfo", "", 3).detail
