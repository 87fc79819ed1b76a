"""A template that runs what it is given, and places with files, for tests of the whole product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from jupyter_slurmdash.notebook.api import NotebookDash


def add_template(place: Path, id: str = "test-v1", **sections: Any) -> str:
    """Write a community template below ``place`` (a ``private_settings`` place); its id."""
    document = {
        "template": {"id": id, "name": id, "display_name": id, "category": "custom"},
        "script": {"main_exec": "true"},
        **sections,
    }
    path = place / "templates" / "community" / f"{id}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return id


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def run(dash: NotebookDash, script: str, **values: Any) -> Any:
    """Submit a plain script and wait for its end."""
    return dash.submit(script=script, **values).wait(timeout=30)
