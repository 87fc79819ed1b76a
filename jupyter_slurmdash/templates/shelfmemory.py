"""What is known of each file on the shelves: only those that changed are read again."""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from .ids import Claim
from .model import Problem, Source, Template, TemplateSummary
from .reader import Reading, read
from .shelfindex import ShelfIndex
from .shelves import ShelfFile, Stamp, read_file, shelf_files

# Seconds: the coarsest time stamps of file systems in use (FAT, old NFS) count by two.
_SETTLED_AFTER: Final = 2.0
# So many files read anew are worth writing the index again.
_WORTH_WRITING: Final = 64


class _Known(NamedTuple):
    """What was read of one file, and whether its stamp will show the next change."""

    stamp: Stamp
    claim: Claim
    settled: bool


class ShelfMemory:
    """The files on the shelves below ``root`` as ``user`` sees them. Not thread safe."""

    def __init__(
        self,
        root: Path,
        user: str,
        is_admin: bool,
        known_checks: Collection[str],
        index: ShelfIndex | None = None,
    ) -> None:
        self._root = root
        self._user = user
        self._is_admin = is_admin
        self._checks = known_checks
        self._index = index
        self._known: dict[str, _Known] | None = None
        self._unwritten = 0

    def claims(self) -> list[Claim]:
        """What each file says of itself, as of the last look."""
        return [known.claim for known in (self._known or {}).values()]

    def forget(self, path: str | None = None) -> None:
        """Read this file, or all of them, with the next look, whatever its stamp says."""
        if path is None:
            self._known = {}
        elif self._known is not None:
            self._known.pop(path, None)

    def look(self, now: float) -> bool:
        """Look at the disk (``now`` in seconds since the epoch) and read what changed; whether anything did."""
        before = self._remembered() if self._known is None else self._known
        changed = self._known is None
        after: dict[str, _Known] = {}
        real_root = os.path.realpath(self._root)
        for file in shelf_files(self._root, self._user):
            known = before.get(file.path)
            if known is None or known.stamp != file.stamp or not known.settled:
                fresh = self._read(file, real_root, now)
                changed = changed or known is None or known.claim != fresh.claim
                self._unwritten += fresh.settled
                known = fresh
            after[file.path] = known
        # All that is there now was known before, so a file is gone when there were more.
        changed = changed or len(after) != len(before)
        self._known = after
        if self._index is not None and self._unwritten >= _WORTH_WRITING:
            self._index.save({path: known[:2] for path, known in after.items() if known.settled})
            self._unwritten = 0
        return changed

    def whole(self, summary: TemplateSummary) -> Template:
        """The template of a file on the shelves with all that is in it, read now."""
        rights = {"owner": summary.owner, "can_edit": summary.can_edit}
        real_root = os.path.realpath(self._root)
        return self._reading(summary.path, real_root, summary.source, summary.modified_at, rights).template

    def stamp(self, path: str) -> Stamp | None:
        """The file's stamp at the last look."""
        known = (self._known or {}).get(path)
        return known.stamp if known is not None else None

    def _remembered(self) -> dict[str, _Known]:
        found = self._index.load(self._rights) if self._index is not None else {}
        return {path: _Known(stamp, claim, True) for path, (stamp, claim) in found.items()}

    def _rights(self, source: Source, stamp: Stamp) -> dict[str, Any]:
        owned = stamp.uid == os.geteuid() or self._is_admin
        return {
            "owner": _user_name(stamp.uid),
            "can_edit": source == "private" or (source == "community" and owned),
        }

    def _read(self, file: ShelfFile, real_root: str, now: float) -> _Known:
        modified_at = file.stamp.mtime_ns / 1e9
        rights = self._rights(file.source, file.stamp)
        reading = self._reading(file.path, real_root, file.source, modified_at, rights)
        # A file that was written a moment ago may be written again without its time stamp showing it.
        settled = not 0 <= now - modified_at < _SETTLED_AFTER
        return _Known(file.stamp, Claim(reading.template.summary(), reading.id_in_file), settled)

    def _reading(
        self, path: str, real_root: str, source: Source, modified_at: float, rights: dict[str, Any]
    ) -> Reading:
        about: dict[str, Any] = {"source": source, "path": path, "known_checks": self._checks, **rights}
        try:
            text = read_file(path, real_root)
        except OSError as error:
            broken = read(b"", modified_at=0, **about)
            problem = Problem(f"The file cannot be read: {error.strerror or 'it leads elsewhere'}.")
            return Reading(replace(broken.template, problem=problem), id_in_file=False)
        return read(text, modified_at=modified_at, **about)


@cache
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
