"""The official set that comes with the package: read once, never written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from .reader import Reading, read

# ``Template.path`` of a template that comes with the package; it is not on a shelf and cannot be written.
PACKAGED: Final = "package:"


def packaged(known_checks: Collection[str]) -> Iterator[Reading]:
    """The templates of the package, by category and name."""
    for category in _sorted(_root()):
        for entry in _sorted(category) if category.is_dir() else ():
            if entry.name.endswith(".yaml"):
                yield read(
                    entry.read_bytes(),
                    source="official",
                    path=f"{PACKAGED}{category.name}/{entry.name}",
                    modified_at=entry.stat().st_mtime if isinstance(entry, Path) else 0.0,
                    known_checks=known_checks,
                )


def packaged_text(path: str) -> bytes:
    """The file of a template whose path begins with ``PACKAGED``. Raises OSError."""
    return _root().joinpath(path.removeprefix(PACKAGED)).read_bytes()


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda entry: entry.name)


def _root() -> Traversable:
    return files("jupyter_slurmdash.templates").joinpath("official")
