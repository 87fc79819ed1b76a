"""Fixtures for all tests: awkward names, a private product on the embedded scheduler, the real cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from awkward import AWKWARD
from settings import private_values

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.notebook.api import NotebookDash

CLUSTER_STATE = Path("/opt/slurmdash-dev/cluster")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(params=AWKWARD, ids=lambda name: ascii(name)[:40])
def awkward(request: pytest.FixtureRequest) -> str:
    """One awkward text after the other."""
    return str(request.param)


@pytest.fixture
def dash(tmp_path: Path) -> Iterator[NotebookDash]:
    """The whole product in a private place: the embedded scheduler, the packaged templates, no images."""
    made = NotebookDash(private_settings(tmp_path))
    yield made
    made.close()


def private_settings(place: Path, **settings: Any) -> SlurmDash:
    return SlurmDash(**{**private_values(place), **settings})


@pytest.fixture(scope="session")
def cluster() -> dict[str, Any]:
    """The facts of the real cluster (``dev/cluster env --json``). Where there can be none the test is skipped; in CI
    a missing cluster is a failure."""
    if os.geteuid() == 0 and (CLUSTER_STATE).is_dir():
        done = subprocess.run([ROOT / "dev/cluster", "env", "--json"], capture_output=True, check=True)
        return json.loads(done.stdout)
    reason = "the real cluster needs root on Debian: dev/cluster up"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in tests/cluster needs the cluster, said once."""
    for item in items:
        if "cluster" in Path(item.fspath).parts:
            item.add_marker("cluster")
