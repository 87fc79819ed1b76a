"""Several uploads become one (tus: concatenation), without holding their bytes twice.

The first part becomes the file as it is; each further one is appended inside the kernel, and gone before the next
is begun. ``<file id>.join`` tells what belongs together: a server that is killed in the middle goes on from the
size that the file has by then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path

from ..errors import Conflict, InvalidInput
from .files import Part, Place, full_disk
from .flush import Synced
from .model import SessionFile
from .private import write_private
from .records import NewFile, Records
from .space import Space


@dataclass(frozen=True)
class Recipe:
    """``parts`` are the ids and sizes (bytes) of the parts in order, ``header`` is what the client said."""

    header: str
    parts: Sequence[tuple[str, int]]

    @classmethod
    def read(cls, path: Path) -> Recipe | None:
        """The recipe at ``path``; None when there is none."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(value["header"], [(part[0], part[1]) for part in value["parts"]])

    def write(self, path: Path) -> None:
        temporary = path.with_suffix(".join~")
        write_private(temporary, json.dumps(asdict(self)).encode())
        os.rename(temporary, path)


class Joins:
    """``look`` finishes an upload whose recipe is there, ``forget`` drops what is known of a part."""

    def __init__(self, records: Records, space: Space, look: Callable[[str, str, str], SessionFile]) -> None:
        self._records = records
        self._space = space
        self._look = look

    @full_disk()
    def create(
        self,
        session_id: str,
        user: str,
        new: NewFile,
        part_ids: Sequence[str],
        header: str = "",
        metadata: str = "",
    ) -> SessionFile:
        """The file made of the complete parts ``part_ids``, which are no more after it.

        Raises InvalidInput, UploadNotFound, Conflict (a part is not complete, the name is taken), TooLarge, NoSpace.
        """
        session = self._records.active(session_id, user)
        if len(set(part_ids)) != len(part_ids):
            raise InvalidInput("A part can be used once. Send its bytes again for a second place.")
        with ExitStack() as held:
            for part_id in sorted(part_ids):
                self._records.file(session_id, part_id)
                held.enter_context(self._records.locks.held(part_id))
            parts = [self._part(session_id, part_id) for part_id in part_ids]
            size = sum(part.size or 0 for part in parts)
            self._space.check_size(size)

            def before(file: SessionFile) -> None:
                self._space.check_slot(file)
                # The first part is taken as it is, and of the others never more than one is there twice.
                self._space.check(user, max((part.size or 0 for part in parts[1:]), default=0), file.id)
                place = self._records.place(file)
                if metadata:
                    write_private(place.metadata, metadata.encode("latin-1"))
                Recipe(header, [(part.id, part.size or 0) for part in parts]).write(place.recipe)

            file = self._records.add(session, replace(new, size=size), before)
            return self._look(session_id, user, file.id)

    def _part(self, session_id: str, part_id: str) -> SessionFile:
        part = self._records.file(session_id, part_id)
        if part.origin != "partial":
            raise InvalidInput(
                f"{part.name} is a file of its own. Join uploads created with Upload-Concat: partial."
            )
        if part.state != "complete":
            raise Conflict("A part of this upload is not complete yet. Send the rest of it first.")
        return part


def gather(place: Place, recipe: Recipe, used: Callable[[str], None], synced: Synced) -> None:
    """Make ``place.part`` the whole; each part that it holds is removed and told to ``used``. Goes on where an
    earlier call was ended. Raises OSError, Conflict when a part has gone.
    """
    siblings = [(Place(place.directory, part_id, part_id), length) for part_id, length in recipe.parts]
    first, _ = siblings[0]
    if not place.part.exists():
        _require(first)
        os.rename(first.part, place.part)
    # No part goes before its bytes are on the disk, whichever process did it.
    gone = takewhile(lambda one: not one[0].part.exists(), siblings)
    synced.size = sum(length for _, length in gone)
    part = Part(place, synced)
    try:
        end = 0
        for (source, length), (part_id, _) in zip(siblings, recipe.parts, strict=True):
            start, end = end, end + length
            if part.size < end:
                _append(part, source, part.size - start, end - part.size)
            if synced.size < end:
                part.sync()
            source.remove()
            used(part_id)
    finally:
        part.close()


def _append(part: Part, source: Place, start: int, length: int) -> None:
    _require(source)
    descriptor = os.open(source.part, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        part.append_from(descriptor, start, length)
    finally:
        os.close(descriptor)


def _require(place: Place) -> None:
    if not place.part.exists():
        raise Conflict("A part of this upload has gone. Delete the upload and send its parts again.")
