"""The library: every template that this user sees, each under one id, kept in step with the files on disk."""

from __future__ import annotations

import os
import pwd
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from ..errors import FieldError, TemplateBroken, TemplateNotFound
from .ids import by_id, file_name
from .model import CATEGORIES, Problem, Template
from .reader import Reading, read
from .shelves import ShelfFile, Stamp, read_file, shelf_files

# ``Template.path`` of a template that comes with the package; it is not on a shelf and cannot be written.
PACKAGED: Final = "package:"

# Seconds: the coarsest time stamps of file systems in use (FAT, old NFS) count by two.
_SETTLED_AFTER: Final = 2.0


@dataclass(frozen=True)
class _Known:
    """What was read of one file, and whether its stamp will show the next change."""

    stamp: Stamp
    reading: Reading
    settled: bool


@dataclass(frozen=True)
class _Snapshot:
    by_id: dict[str, Template]
    archived: dict[str, Template]


class Library:
    """The shelves below ``root`` as ``user`` sees them, and the official set of the package.

    Only files that changed are read again. A look at the disk happens at most every ``max_age`` seconds when
    someone asks, and always on ``refresh()`` and ``scan()``. Thread safe.
    """

    def __init__(
        self,
        root: str | Path,
        user: str,
        official_templates: bool,
        known_checks: Collection[str],
        clock: Callable[[], float] = time.time,
        max_age: float = 1.0,
        admins: Collection[str] = (),
    ) -> None:
        self.root = Path(root)
        self.user = user
        self._official = official_templates
        self._checks = frozenset(known_checks)
        self.is_admin = user in admins or os.geteuid() == 0
        self._clock = clock
        self._max_age = max_age
        self._lock = threading.Lock()
        self._cache: dict[str, _Known] = {}
        self._packaged: list[Reading] | None = None
        self._snapshot: _Snapshot | None = None
        self._looked_at = 0.0

    @property
    def known_checks(self) -> Collection[str]:
        return self._checks

    # -- asking ----------------------------------------------------------------------------------------------

    def templates(
        self,
        category: str | None = None,
        tag: str | None = None,
        source: str | None = None,
        q: str | None = None,
    ) -> list[Template]:
        """The templates that fit all that is given, by id; broken ones too. Archived ones only by ``source``.

        ``q`` holds words that must all occur in id, name, display name, description or tags, whatever their
        case.
        """
        snapshot = self._current()
        shelf = snapshot.archived if source == "archived" else snapshot.by_id
        words = _folded(q or "").split()
        return [
            template
            for template in shelf.values()
            if (not category or template.category == category)
            and (not tag or tag in template.tags)
            and (not source or template.source == source)
            and (not words or _has_words(template, words))
        ]

    def find(self, template_id: str) -> Template | None:
        """The template with this id, broken or archived as it may be."""
        snapshot = self._current()
        return snapshot.by_id.get(template_id) or snapshot.archived.get(template_id)

    def get(self, template_id: str) -> Template:
        """Like ``find``, but raises TemplateNotFound when there is none."""
        template = self.find(template_id)
        if template is None:
            raise TemplateNotFound(
                f"There is no template with the id {template_id[:200]!r}. The list shows those there are."
            )
        return template

    def usable(self, template_id: str) -> Template:
        """The template with this id, fit to make a job of.

        Raises TemplateNotFound, or TemplateBroken with the line.
        """
        template = self.get(template_id)
        if template.source == "archived":
            raise TemplateNotFound(f"The template {template_id!r} is archived. Restore it to use it.")
        if template.problem is not None:
            where = f"line {template.problem.line}: " if template.problem.line else ""
            raise TemplateBroken(
                f"{file_name(template)}, {where}{template.problem.message} Correct the file to use it.",
                [FieldError(template.problem.pointer, template.problem.message)],
                problem=template.problem.to_json(),
            )
        return template

    def text(self, template_id: str) -> bytes:
        """The template's file, byte for byte.

        Raises TemplateNotFound, also when the file vanished meanwhile.
        """
        template = self.get(template_id)
        try:
            if template.path.startswith(PACKAGED):
                return _official_root().joinpath(template.path.removeprefix(PACKAGED)).read_bytes()
            return read_file(template.path, self.root)
        except OSError as error:
            raise TemplateNotFound(
                f"The file of the template {template_id!r} can no longer be read."
            ) from error

    def categories(self) -> list[tuple[str, int]]:
        """Categories with how many templates each holds.

        The usual ones first, then the site's own by name.
        """
        counts = Counter(template.category for template in self._current().by_id.values())
        others = sorted(set(counts) - set(CATEGORIES))
        return [(category, counts[category]) for category in (*CATEGORIES, *others)]

    def tags(self) -> list[tuple[str, int]]:
        """Tags with how many templates carry each, the most frequent first."""
        counts = Counter(tag for template in self._current().by_id.values() for tag in template.tags)
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    # -- looking at the disk ---------------------------------------------------------------------------------

    def scan(self) -> tuple[int, int]:
        """Read all shelves anew, whatever is remembered.

        How many templates there are, how many of them broken.
        """
        with self._lock:
            self._cache, self._snapshot = {}, None
            self._refresh()
        return self.count()

    def count(self) -> tuple[int, int]:
        """How many templates there are and how many of them are broken, without reading what is known."""
        found = self._current().by_id.values()
        return len(found), sum(template.problem is not None for template in found)

    def refresh(self) -> bool:
        """Look at the disk now and read what changed; whether anything did."""
        with self._lock:
            return self._refresh()

    def _current(self) -> _Snapshot:
        with self._lock:
            age = self._clock() - self._looked_at
            # A clock that was set back must not keep us from looking.
            if self._snapshot is None or not 0 <= age < self._max_age:
                self._refresh()
            assert self._snapshot is not None  # _refresh sets it
            return self._snapshot

    def _refresh(self) -> bool:
        now = self._clock()
        cache: dict[str, _Known] = {}
        for file in shelf_files(self.root, self.user):
            known = self._cache.get(file.path)
            if known is None or known.stamp != file.stamp or not known.settled:
                # A file that was written a moment ago may be written again without its time stamp showing it.
                settled = not 0 <= now - file.stamp.mtime_ns / 1e9 < _SETTLED_AFTER
                known = _Known(file.stamp, self._read(file), settled)
            cache[file.path] = known
        former = {path: known.reading for path, known in self._cache.items()}
        readings = {path: known.reading for path, known in cache.items()}
        changed = self._snapshot is None or former != readings
        self._cache, self._looked_at = cache, now
        if changed:
            self._snapshot = self._arrange(list(readings.values()))
        return changed

    def _read(self, file: ShelfFile) -> Reading:
        owned = file.stamp.uid == os.geteuid() or self.is_admin
        rights: dict[str, Any] = {
            "owner": _user_name(file.stamp.uid),
            "can_edit": file.source == "private" or (file.source == "community" and owned),
        }
        try:
            text = read_file(file.path, self.root)
        except OSError as error:
            broken = read(
                b"", source=file.source, path=file.path, modified_at=0, known_checks=self._checks, **rights
            )
            problem = Problem(f"The file cannot be read: {error.strerror or 'it leads elsewhere'}.")
            return Reading(replace(broken.template, problem=problem), id_in_file=False)
        return read(
            text,
            source=file.source,
            path=file.path,
            modified_at=file.stamp.mtime_ns / 1e9,
            known_checks=self._checks,
            **rights,
        )

    def _official_set(self) -> list[Reading]:
        if self._packaged is None:
            self._packaged = [] if not self._official else list(self._read_packaged())
        return self._packaged

    def _read_packaged(self) -> Iterable[Reading]:
        for category in sorted(_official_root().iterdir(), key=lambda entry: entry.name):
            for entry in (
                sorted(category.iterdir(), key=lambda entry: entry.name) if category.is_dir() else ()
            ):
                if entry.name.endswith(".yaml"):
                    yield read(
                        entry.read_bytes(),
                        source="official",
                        path=f"{PACKAGED}{category.name}/{entry.name}",
                        modified_at=entry.stat().st_mtime if isinstance(entry, Path) else 0.0,
                        known_checks=self._checks,
                    )

    # -- one id, one template --------------------------------------------------------------------------------

    def _arrange(self, readings: list[Reading]) -> _Snapshot:
        shelved = [reading for reading in readings if reading.template.source != "archived"]
        archived = [reading for reading in readings if reading.template.source == "archived"]
        on_disk = {r.template.id for r in shelved if r.template.source == "official" and r.id_in_file}
        packaged = [reading for reading in self._official_set() if reading.template.id not in on_disk]
        return _Snapshot(by_id([*packaged, *shelved]), by_id(archived))


def _official_root() -> Traversable:
    return files("jupyter_slurmdash.templates").joinpath("official")


@cache
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _has_words(template: Template, words: list[str]) -> bool:
    text = _folded(
        "\n".join((template.id, template.name, template.display_name, template.description, *template.tags))
    )
    return all(word in text for word in words)
