"""The shelves alone, in a private place: for tests that need no scheduler, images or server."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.templates.editor import Editor
from jupyter_slurmdash.templates.library import Library

CHECKS = (
    "check_gpu_availability",
    "validate_dataset_size",
    "validate_dat_format",
    "notify_user",
    "log_submission",
)

ME = getpass.getuser()

TEXT = """\
# Kept by the group
template:
  id: mine
  name: mine   # short
  author: ada

slurm:
  account: hers
  qos: high
  nodes: 1

script:
  main_exec: |
    echo one
"""


class Shelves:
    def __init__(self, root: Path, user: str = ME, **options: Any) -> None:
        self.root = root
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.library = Library(root, user, True, CHECKS, max_age=0, **options)
        self.editor = Editor(self.library, bus)

    def told(self) -> list[list[str]]:
        return [list(event.data["ids"]) for event in self.events if event.type == "templates_changed"]

    def file(self, place: str) -> str:
        return (self.root / place).read_text(encoding="utf-8")

    def names(self, place: str) -> list[str]:
        folder = self.root / place
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
