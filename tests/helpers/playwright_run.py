"""The browser tests from pytest: Playwright with Chromium, its report as text."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def playwright(*arguments: str, **environment: str) -> str:
    """Run browser tests; the report, or an assertion with its end."""
    if shutil.which("chromium") is None or not (ROOT / "node_modules").is_dir():
        reason = "the browser tests need chromium and `jlpm install`: make test does both"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # A server whose lines are counted is slower than what the time limits of the panel are for. Those of its handlers
    # are counted in tests of their own.
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    done = subprocess.run(
        ["jlpm", "playwright", "test", "--config=ui-tests", *arguments],
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def browser(user: Any, test: str, **environment: str) -> str:
    """One test of ``cluster.spec.ts`` on the user's own server."""
    return playwright(
        "cluster.spec",
        "--grep",
        test,
        SLURMDASH_CLUSTER="1",
        SLURMDASH_URL=user.url + "/",
        SLURMDASH_TOKEN=user.token,
        **environment,
    )
