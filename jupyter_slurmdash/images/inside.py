"""What an image without ``inspect-metadata.json`` says of itself: the files in its own file system.

Which files count, and that line ends at their end do not, is as in ``apptainer inspect`` (apptainer:
cmd/internal/cli/inspect.go), so that the same image gives the same facts with and without the document. Nothing
of the image is run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from .metadata import clean, from_attributes
from .squashfs import File, Folder, SquashFs
from .squashfs_window import ReadRanges, SquashfsProblem

_MAIN = "/.singularity.d"
_APPS = "/scif/apps"

_FILES = {
    "labels": "labels.json",
    "runscript": "runscript",
    "startscript": "startscript",
    "test": "test",
    "helpfile": "runscript.help",
    "deffile": "Singularity",
}
_APP_FILES = ("labels", "runscript", "startscript", "test", "helpfile")
_SCRIPTS = ("10-docker*.sh", "9*-environment.sh")
_APP_SCRIPTS = ("9*-environment.sh",)

_MAX_APPS = 100
_MAX_SCRIPTS = 20


def read_inside(read: ReadRanges, start: int, size: int, deffile: str) -> dict[str, Any]:
    """The fields of ``SifFacts`` that the squashfs in the ``size`` bytes at ``start`` gives; ``deffile`` is what is
    known of the definition already.

    Not ``complete`` when a part of it could not be read. Raises SquashfsProblem when none could.
    """
    look = _Look(SquashFs(read, start, size))
    for attribute in _FILES:
        if attribute != "deffile" or not deffile:
            look.add_file("", attribute, f"{_MAIN}/{_FILES[attribute]}")
    look.add_scripts("", f"{_MAIN}/env", _SCRIPTS)
    for app in look.apps():
        for attribute in _APP_FILES:
            look.add_file(app, attribute, f"{_APPS}/{app}/scif/{_FILES[attribute]}")
        look.add_scripts(app, f"{_APPS}/{app}/scif/env", _APP_SCRIPTS)
    found = from_attributes(look.attributes())
    return {**found, "deffile": found["deffile"] or deffile, "complete": look.is_whole}


class _Look:
    """Gathers the files first and reads them together at the end: many lie in one block."""

    def __init__(self, system: SquashFs) -> None:
        self._system = system
        self._apps: list[str] = []
        # (app or "", attribute, path of a script or ""), and the file.
        self._files: list[tuple[tuple[str, str, str], File]] = []
        self.is_whole = True

    def apps(self) -> list[str]:
        """The names of the SCIF apps."""
        for name in self._names(_APPS, "[!.]*", _MAX_APPS):
            if isinstance(self._find(f"{_APPS}/{name}/scif"), Folder):
                self._apps.append(name)
        return self._apps

    def add_file(self, app: str, attribute: str, path: str) -> None:
        self._add((app, attribute, ""), path)

    def add_scripts(self, app: str, folder: str, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            for name in self._names(folder, pattern, _MAX_SCRIPTS):
                self._add((app, "environment", f"{folder}/{name}"), f"{folder}/{name}")

    def attributes(self) -> dict[str, Any]:
        """All that was found, in the form of the document."""
        found: dict[str, Any] = {"environment": {}}
        found["apps"] = {app: {"environment": {}} for app in self._apps}
        contents = self._system.contents([file for _, file in self._files])
        for ((app, attribute, script), _), data in zip(self._files, contents, strict=True):
            if isinstance(data, SquashfsProblem):
                self.is_whole = False
                continue
            text = clean(data.decode("utf-8", "replace")).rstrip("\n")
            target = found["apps"][app] if app else found
            if script:
                target["environment"][script] = text
            else:
                target[attribute] = _labels(text) if attribute == "labels" else text
        return found

    def _add(self, place: tuple[str, str, str], path: str) -> None:
        node = self._find(path)
        if isinstance(node, File):
            self._files.append((place, node))

    def _names(self, path: str, pattern: str, limit: int) -> list[str]:
        folder = self._find(path)
        try:
            names = self._system.names(folder) if isinstance(folder, Folder) else []
        except SquashfsProblem:
            self.is_whole = False
            return []
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        self.is_whole = self.is_whole and len(fitting) <= limit
        return fitting[:limit]

    def _find(self, path: str) -> File | Folder | None:
        try:
            return self._system.find(path)
        except SquashfsProblem:
            self.is_whole = False
            return None


def _labels(text: str) -> object:
    """A damaged labels.json is as good as none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
