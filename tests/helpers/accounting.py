"""What Slurm's accounting has of a job, once it has all of it."""

from __future__ import annotations

import subprocess
import time


def recorded(job_id: str, columns: str) -> str:
    """The job's row of ``sacct``, fields apart by ``|``.

    slurmctld tells the database of a job's end at once, but of its start (with partition and time limit) in batches
    every few seconds: of a job that ran for less than that there is for a moment a record that lacks them.
    """
    asked = ["sacct", "-nPX", "-j", job_id, "-o", f"partition,{columns}"]
    deadline = time.monotonic() + 30
    while True:
        row = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        partition, _, rest = row.partition("|")
        if partition:
            return rest
        assert time.monotonic() < deadline, row
        time.sleep(0.2)
