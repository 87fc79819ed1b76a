"""The job's directory: made whole beside its place, then renamed into it; nothing is copied within a file system."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import Conflict, NoSpace, SlurmDashError
from ..uploads.model import JobFile
from .model import Plan
from .script import BINDS_FILE, bindable, slot_alias

RECORD_DIR = ".slurmdash"
_MAX_SLUG = 60
_MAX_BINDS = 100_000  # bytes; the kernel takes no variable of more than 128 KiB


def directory_name(job_name: str, run_id: str, now: float) -> str:
    """``<date>-<name>-<short id>``, with a name that is harmless in any shell and any file system."""
    slug = re.sub(r"[^\w.-]+", "-", job_name).strip("-.")[:_MAX_SLUG] or "job"
    while len(slug.encode()) > 3 * _MAX_SLUG:
        slug = slug[:-1]
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d}-{slug}-{run_id[:8]}"


def stage(plan: Plan, script: str, record: Mapping[str, Any], target: Path) -> None:
    """Make ``target`` with the files, their slot names, and ``.slurmdash/`` with the run's record.

    Raises NoSpace, Conflict (two files of one name), SlurmDashError when the directory cannot be made.
    """
    building = target.with_name(f".{target.name}.staging")
    try:
        building.mkdir(parents=True)
        for file in plan.files:
            _place(file, building / file.name)
        for file in plan.files:
            _alias(plan, file, building)
        _make_log_folders(plan, building)
        kept = building / RECORD_DIR
        kept.mkdir()
        (building / BINDS_FILE).write_text(",".join(_binds(plan)), encoding="utf-8")
        (kept / "script.sh").write_text(script, encoding="utf-8")
        (kept / "run.json").write_text(
            json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        os.rename(building, target)
    except FileExistsError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise Conflict(
            f"Two files would have the same name in the job: {Path(error.filename2 or error.filename).name}."
            " Rename one of them."
        ) from error
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                f"No space for the job's directory in {target.parent}. Free some and submit again."
            ) from error
        raise SlurmDashError(f"The job's directory {target} could not be made: {error.strerror}.") from error


def _binds(plan: Plan) -> list[str]:
    """The user's own files, for the container to see at their own place, read only."""
    paths = {file.path for file in plan.files if file.origin == "path" and bindable(file.path)}
    while sum(map(_bind_length, paths)) > _MAX_BINDS:
        # Too many for one variable: bind the folders that hold them, and theirs in turn.
        deepest = max(path.count("/") for path in paths)
        above = {os.path.dirname(path) if path.count("/") == deepest else path for path in paths}
        if "/" in above or above == paths:
            break  # a root is not bound; the job says which file it misses
        paths = {path for path in above if not any(str(folder) in above for folder in Path(path).parents)}
    return [f"{path}:{path}:ro" for path in sorted(paths)]


def _bind_length(path: str) -> int:
    return 2 * len(path.encode()) + len(":ro,:")


def _place(file: JobFile, place: Path) -> None:
    """An upload is hard-linked (it may be submitted again); a file of the user's own is pointed to."""
    place.parent.mkdir(parents=True, exist_ok=True)  # a file of a folder keeps its path
    if file.origin == "path":
        place.symlink_to(file.path)
        return
    try:
        os.link(file.path, place)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        # Another file system, or one without hard links: the only case in which bytes are copied.
        shutil.copyfile(file.path, place)


def _make_log_folders(plan: Plan, directory: Path) -> None:
    """Slurm makes none: a job whose ``--output=logs/%j.out`` has no ``logs`` fails before its first command."""
    for stream in ("output", "error"):
        folder = PurePosixPath(str(plan.options.get(stream) or "")).parent
        if not (folder.is_absolute() or ".." in folder.parts or "%" in str(folder)):
            (directory / folder).mkdir(parents=True, exist_ok=True)


def _alias(plan: Plan, file: JobFile, directory: Path) -> None:
    slot = plan.template.slot(file.slot) if plan.template and file.slot else None
    if slot is None:
        return
    alias = directory / slot_alias(slot, file.name)
    # A file that really has this name wins over the second name of another.
    if not alias.exists() and not alias.is_symlink():
        alias.symlink_to(file.name)


def unstage(target: Path) -> None:
    """Remove a directory that no job will use. It holds links only, so nothing of the user's is lost."""
    shutil.rmtree(target, ignore_errors=True)
