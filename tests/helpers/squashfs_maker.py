"""Real squashfs file systems by the real mksquashfs, from small trees of files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

MKSQUASHFS = shutil.which("mksquashfs", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/sbin")

# What Singularity leaves in an image, as far as we read it, and some files around it.
TREE = {
    ".singularity.d/labels.json": '{"version": "2.1", "n": 3}',
    ".singularity.d/runscript": '#!/bin/sh\nexec solve "$@"\n\n',
    ".singularity.d/startscript": "start\n",
    ".singularity.d/test": "test\n",
    ".singularity.d/runscript.help": "How to use it\n",
    ".singularity.d/Singularity": "Bootstrap: docker\n",
    ".singularity.d/env/01-base.sh": "export BASE=1\n",
    ".singularity.d/env/10-docker2singularity.sh": "export PATH=/opt/bin\n",
    ".singularity.d/env/90-environment.sh": "export A=1\nexport B='x y'\n",
    ".singularity.d/env/99-runtimevars.sh": "export NOT=1\n",
    "scif/apps/solve/scif/runscript": "exec solve\n",
    "scif/apps/solve/scif/runscript.help": "Solves\n",
    "scif/apps/solve/scif/labels.json": '{"x": "y"}',
    "scif/apps/solve/scif/env/90-environment.sh": "C=2\n",
    "scif/apps/mesh/scif/runscript": "exec mesh\n",
    "scif/apps/no-app/bin/x": "",
    "bin/solve": "#!/bin/sh\n" + "echo solve\n" * 2000,
}


def needs_mksquashfs() -> str:
    """The program's path. Skips the test where it is not installed; in CI that is a failure."""
    if MKSQUASHFS is not None:
        return MKSQUASHFS
    reason = "needs mksquashfs: apt install squashfs-tools"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def pack(root: Path, *options: str) -> bytes:
    """The tree as a squashfs; ``options`` are mksquashfs's own."""
    target = root.with_name(root.name + ".squashfs")
    fixed = ("-noappend", "-all-root", "-quiet", "-no-progress", "-processors", "1")
    subprocess.run(
        [needs_mksquashfs(), root, target, *fixed, *options], check=True, capture_output=True, cwd=root.parent
    )
    data = target.read_bytes()
    target.unlink()
    return data
