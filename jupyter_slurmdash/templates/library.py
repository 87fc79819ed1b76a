"""The library: every template that this user sees, each under one id, kept in step with the files on disk."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..errors import FieldError, TemplateBroken, TemplateNotFound
from .ids import Claim, by_id, file_name
from .model import CATEGORIES, Template, TemplateSummary
from .packaged import PACKAGED, packaged, packaged_text
from .policy import Policy
from .shelfindex import ShelfIndex
from .shelfmemory import ShelfMemory
from .shelves import read_file, stamp_of
from .snapshot import Snapshot, folded

# So many templates are kept with all that is in them; the lists need only the summaries.
_KEPT_WHOLE: Final = 256


class Library:
    """The shelves below ``root`` as ``user`` sees them, and the official set of the package.

    Only files that changed are read again; with ``index`` (a file of the user's own) also after a restart. A look at
    the disk happens at most every ``max_age`` seconds when someone asks, and always on ``refresh()`` and ``scan()``.
    Thread safe.
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
        index: Path | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.root = Path(root)
        self.user = user
        self.policy = policy or Policy()
        self._official = official_templates
        self._checks = frozenset(known_checks)
        self.is_admin = user in admins or os.geteuid() == 0
        self._clock = clock
        self._max_age = max_age
        self._lock = threading.Lock()
        remembered = ShelfIndex(index, self.root, self._checks) if index is not None else None
        self._memory = ShelfMemory(self.root, user, self.is_admin, self._checks, remembered)
        self._packaged: dict[str, Template] | None = None
        self._whole: dict[str, tuple[TemplateSummary, Template]] = {}
        self._snapshot: Snapshot | None = None
        self._looked_at = 0.0
        # Set while somebody (``ShelfWatch``) looks by himself: lists do not wait for the disk then.
        self.watched = False

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
    ) -> list[TemplateSummary]:
        """The templates that fit all that is given, by id; broken ones too. Archived ones only by ``source``.

        ``q`` holds words that must all occur in id, name, display name, description or tags, whatever their
        case.
        """
        snapshot, is_archive = self._current(), source == "archived"
        words = folded(q or "").split()
        if words:
            found = (snapshot.archived_haystack if is_archive else snapshot.haystack).find(words)
        else:
            found = list((snapshot.archived if is_archive else snapshot.by_id).values())
        if source and not is_archive:
            found = [template for template in found if template.source == source]
        if category:
            found = [template for template in found if template.category == category]
        if tag:
            found = [template for template in found if tag in template.tags]
        return found

    def find(self, template_id: str) -> Template | None:
        """The template with this id, broken or archived as it may be, as its file is now; with the site's locks."""
        found = self._found(template_id)
        return self.policy.applied(found, self._found) if found is not None else None

    def _found(self, template_id: str) -> Template | None:
        snapshot = self._current()
        found = snapshot.by_id.get(template_id) or snapshot.archived.get(template_id)
        whole = self._as_it_is(found) if found is not None else None
        if whole is not None or (found is None and self._is_fresh()):
            return whole
        # Its file is another by now, or one that came since the last look.
        self.refresh()
        snapshot = self._current()
        found = snapshot.by_id.get(template_id) or snapshot.archived.get(template_id)
        return self.whole(found) if found is not None else None

    def whole(self, summary: TemplateSummary) -> Template:
        """A listed template with all that is in it."""
        if summary.path.startswith(PACKAGED):
            template = self._packaged_set()[summary.path]
        else:
            known = self._whole.get(summary.path)
            if known is None or known[0] is not summary:
                known = summary, self._memory.whole(summary)
                self._keep(*known)
            template = known[1]
        if (template.id, template.problem) == (summary.id, summary.problem):
            return template
        # Another file has the id.
        return replace(template, id=summary.id, problem=template.problem or summary.problem)

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
                return packaged_text(template.path)
            return read_file(template.path, os.path.realpath(self.root))
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
            self._memory.forget()
            self._whole, self._snapshot = {}, None
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

    def snapshot(self) -> Snapshot:
        """What was there at the last look; the same object as long as nothing changed."""
        return self._snapshot or self._current()

    def _is_fresh(self) -> bool:
        # A clock that was set back must not keep us from looking.
        return 0 <= self._clock() - self._looked_at < self._max_age

    def _current(self) -> Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and (self.watched or self._is_fresh()):
            return snapshot
        with self._lock:
            if self._snapshot is None or not self._is_fresh():
                self._refresh()
            assert self._snapshot is not None  # _refresh sets it
            return self._snapshot

    def _refresh(self) -> bool:
        changed = self._memory.look(self._clock()) or self._snapshot is None
        # A look may take its time; the next one comes that long after its end.
        self._looked_at = self._clock()
        if changed:
            self._snapshot = self._arrange(self._memory.claims())
        return changed

    def _as_it_is(self, summary: TemplateSummary) -> Template | None:
        """The whole template; None when its file is another than at the last look."""
        if summary.path.startswith(PACKAGED):
            return self.whole(summary)
        if stamp_of(summary.path) != self._memory.stamp(summary.path):
            return None
        template = self.whole(summary)
        if template.hash == summary.hash:
            return template
        with self._lock:
            self._memory.forget(summary.path)
        return None

    def _keep(self, summary: TemplateSummary, template: Template) -> None:
        with self._lock:
            while len(self._whole) >= _KEPT_WHOLE:
                del self._whole[next(iter(self._whole))]
            self._whole[summary.path] = summary, template

    def _packaged_set(self) -> dict[str, Template]:
        if self._packaged is None:
            found = packaged(self._checks) if self._official else ()
            self._packaged = {reading.template.path: reading.template for reading in found}
        return self._packaged

    def _arrange(self, claims: list[Claim]) -> Snapshot:
        """One template for each id."""
        shelved = [claim for claim in claims if claim.template.source != "archived"]
        archived = [claim for claim in claims if claim.template.source == "archived"]
        on_disk = {
            claim.template.id for claim in shelved if claim.template.source == "official" and claim.id_in_file
        }
        official = [
            Claim(template.summary(), id_in_file=True)
            for template in self._packaged_set().values()
            if template.id not in on_disk
        ]
        return Snapshot(by_id([*official, *shelved]), by_id(archived))
