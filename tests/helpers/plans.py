"""Plans to generate scripts from."""

from __future__ import annotations

from typing import Any

from jupyter_slurmdash.images.model import Image, ImageApp, SifFacts
from jupyter_slurmdash.jobs.model import JobSpec, Plan
from jupyter_slurmdash.templates.model import Bind, FileSlot, Template
from jupyter_slurmdash.uploads.model import JobFile


def a_template(**changes: Any) -> Template:
    values: dict[str, Any] = {
        "id": "t-v1",
        "name": "t",
        "display_name": "T",
        "main_exec": 'cat "$DATASET"',
        "slots": (FileSlot("dataset", "*.tar.gz", "input", True),),
        "hash": "0" * 64,
        **changes,
    }
    return Template(**values)


def an_image(path: str = "/opt/apptainers/tools.sif", *apps: str, **changes: Any) -> Image:
    values: dict[str, Any] = {
        "id": "0b5e7c1e-0000-5000-8000-000000000000",
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "node": "node001",
        "nodes": ("node001",),
        "partitions": ("compute",),
        "type": "compute",
        "size": 1,
        "mtime_ns": 1,
        "inode": 1,
        "version": "1",
        "description": "",
        "facts": SifFacts(sif_id="5af0", apps=tuple(ImageApp(app) for app in apps)),
        "created_at": 0.0,
        "updated_at": 0.0,
        "last_scanned": 0.0,
        **changes,
    }
    return Image(**values)


def a_plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "spec": JobSpec(),
        "job_name": "job",
        "template": a_template(),
        "image": None,
        "app": "",
        "files": (),
        "options": {},
        "parameters": {},
        **changes,
    }
    return Plan(**values)


def a_file(name: str, slot: str = "", **changes: Any) -> JobFile:
    return JobFile(**{"name": name, "path": f"/data/{name}", "size": 1, "slot": slot, **changes})


__all__ = ["Bind", "FileSlot", "a_file", "a_plan", "a_template", "an_image"]
