"""Job records to read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_slurmdash.jobs.model import JobRecord


def a_record(workdir: Path, **changes: Any) -> JobRecord:
    values: dict[str, Any] = dict.fromkeys(JobRecord.__dataclass_fields__)
    values |= {
        "run_id": "00000000-0000-4000-8000-000000000000",
        "cluster": "local",
        "job_id": "7",
        "user": "user",
        "name": "job",
        "state": "RUNNING",
        "raw_state": "RUNNING",
        "reason": "",
        "partition": "local",
        "nodes": "",
        "workdir": str(workdir),
        "ours": True,
        "request": {},
        "script": "#!/bin/bash\n#SBATCH --output=slurm-%j.out\n#SBATCH --error=slurm-%j.err\n",
        "created_at": 0.0,
        **changes,
    }
    return JobRecord(**values)
