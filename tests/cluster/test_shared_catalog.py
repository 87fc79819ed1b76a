"""A site's catalogue between two real users: hpcuser1 scans the real nodes, hpcuser2 reads and writes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="slurmdash-site-"))
    made.chmod(0o755)
    for name, owner in (("catalog", "hpcuser1"), ("hpcuser1", "hpcuser1"), ("hpcuser2", "hpcuser2")):
        (made / name).mkdir()
        shutil.chown(made / name, owner, owner)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def run(cluster: dict[str, Any], place: Path) -> Run:
    """``run(user, *words, **settings)``: the terminal as a user with the site's catalogue."""
    tool = Path(sys.executable).parent / "jupyter-slurmdash"

    def as_user(user: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        values = {"catalog_url": f"sqlite:///{place}/catalog/catalog.sqlite", **settings}
        options = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        environment = {
            **os.environ,
            "HOME": f"/home/{user}",
            "JUPYTER_CONFIG_DIR": f"{place}/{user}/config",
            "JUPYTER_DATA_DIR": f"{place}/{user}/share",
        }
        argv = ["/usr/sbin/runuser", "-u", user, "--", str(tool), *options, *words]
        return subprocess.run(argv, env=environment, cwd="/", capture_output=True, text=True, timeout=90)

    return as_user


def test_one_scans_and_the_other_reads(cluster: dict[str, Any], place: Path, run: Run) -> None:
    scan = run("hpcuser1", "scan", "--json")
    assert scan.returncode == 0, scan.stderr
    assert {node["node"] for node in json.loads(scan.stdout)["nodes"]} == set(cluster["nodes"])
    own = json.loads(run("hpcuser1", "images", "--json").stdout)
    before = {path.name: path.stat().st_mtime_ns for path in (place / "catalog").iterdir()}
    read = run("hpcuser2", "images", "--json", catalog_mode="read")
    assert (json.loads(read.stdout), read.returncode) == (own, 0)
    where = json.loads(run("hpcuser2", "image", "python-tools", "--json", catalog_mode="read").stdout)[
        "where"
    ]
    compute = next(each for each in where["partitions"] if each["partition"] == "compute")
    assert len(compute["nodes_with"]) + len(compute["nodes_without"]) == 4
    refused = run("hpcuser2", "scan", catalog_mode="read")
    assert (refused.returncode, "Scans are made by your site" in refused.stderr) == (1, True)
    assert "catalog_mode = 'read'" in run("hpcuser2", "scan").stderr
    assert {path.name: path.stat().st_mtime_ns for path in (place / "catalog").iterdir()} == before
