"""The panel in Chromium on a JupyterLab with the embedded scheduler: ui-tests/ but what needs a cluster or a hub."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from playwright_run import ROOT, playwright

# They have tests of their own in tests/cluster.
ELSEWHERE = {"cluster.spec.ts", "hub.spec.ts"}
SPECS = sorted({path.name for path in (ROOT / "ui-tests" / "tests").glob("*.spec.ts")} - ELSEWHERE)


@pytest.mark.parametrize("spec", SPECS)
def test_the_panel(spec: str) -> None:
    bin = Path(sys.executable).parent
    report = playwright(
        f"tests/{spec}", SLURMDASH_JUPYTER=str(bin / "jupyter"), PATH=f"{bin}{os.pathsep}{os.environ['PATH']}"
    )
    assert " passed" in report
    print(report)
