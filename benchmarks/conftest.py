"""The cluster for `make bench`; where there can be none the benchmark is skipped, in CI it fails."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLUSTER_STATE = Path("/opt/slurmdash-dev/cluster")


@pytest.fixture(scope="session")
def cluster() -> dict[str, Any]:
    """The facts of the real cluster (``dev/cluster env --json``)."""
    if os.geteuid() == 0 and CLUSTER_STATE.is_dir():
        done = subprocess.run([ROOT / "dev/cluster", "env", "--json"], capture_output=True, check=True)
        return dict(json.loads(done.stdout))
    reason = "the real cluster needs root on Debian: dev/cluster up"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
