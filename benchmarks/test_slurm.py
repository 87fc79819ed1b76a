"""The queue: our ``squeue`` with a format against ``squeue --json``, on a real controller."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_slurmdash.slurm.cli import SlurmCli
from jupyter_slurmdash.transport.local import LocalTransport

JOBS = 300


def as_user(user: str, script: str) -> str:
    account = pwd.getpwnam(user)
    environment = {"PATH": os.environ["PATH"], "HOME": account.pw_dir, "USER": user}
    return subprocess.run(
        ["/usr/sbin/runuser", "-u", user, "--", "sh", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        env=environment,
    ).stdout


@pytest.fixture
def held_jobs(cluster: dict[str, Any]) -> Iterator[list[str]]:
    """Jobs of the first user that will never start; exactly these are cancelled at the end."""
    user = cluster["users"][0]
    submit = "sbatch --parsable -H -J slurmdash-bench -t 1 -o /dev/null --wrap true || exit 1"
    ids = as_user(user, f"for i in $(seq {JOBS}); do {submit}; done").split()
    yield ids
    as_user(user, f"scancel {' '.join(ids)}")


def best(work: Callable[[], Any], times: int = 5) -> float:
    """The shortest of some runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def test_the_queue(cluster: dict[str, Any], held_jobs: list[str]) -> None:
    user = cluster["users"][0]
    # A clock that jumps, so that each look is a fresh one.
    slurm = SlurmCli(LocalTransport(), user, itertools.count(0.0, 1000.0).__next__)

    def plain() -> Any:
        done = subprocess.run(["squeue", "--json", "--user", user], capture_output=True, check=True)
        return json.loads(done.stdout)["jobs"]

    assert set(held_jobs) <= {job.job_id for job in slurm.queue()}
    assert {int(job_id) for job_id in held_jobs} <= {job["job_id"] for job in plain()}
    theirs, ours = best(plain), best(slurm.queue)
    print(
        f"\nqueue of {JOBS} jobs: squeue --json with json.loads {theirs * 1000:.0f} ms,"
        f" ours {ours * 1000:.0f} ms: {theirs / ours:.1f} times as fast"
    )
    assert theirs / ours >= 1.5
