"""What can be said before the first byte: is there space, which names are taken, which slots will still be empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import SlurmDashError
from .classify import assign
from .model import JobFile, SessionFile
from .names import clean_path
from .records import Records
from .space import Space


class Preflight:
    """Looks, and changes nothing."""

    def __init__(self, records: Records, space: Space) -> None:
        self._records = records
        self._space = space

    def look(self, session_id: str, user: str, wanted: Sequence[tuple[str, int]]) -> dict[str, Any]:
        """The contract's ``Preflight`` for files of these names and sizes (bytes). Raises Session*, Conflict."""
        session = self._records.active(session_id, user)
        slots = self._records.slots(session)
        there = {file.name: file for file in self._records.files(session_id)}
        needed = sum(size for _, size in wanted)
        files: list[dict[str, Any]] = []
        clashes, new = [], []
        for name, size in wanted:
            problem = None
            try:
                name = clean_path(name)
                self._space.check_size(size)
            except SlurmDashError as error:
                problem = error.detail
            old = there.get(name)
            if old is not None:
                clashes.append({"name": name, "file": old.to_json()})
            if problem is None:
                new.append(JobFile(name, "", size))
            files.append({"name": name, "size": size, "problem": problem})
        both: list[SessionFile | JobFile] = [*there.values(), *new]
        filled = {file.slot for file in assign(both, slots) if file.slot}
        empty = [slot.name for slot in slots if slot.required and slot.name not in filled]
        room = self._space.look(user, needed, len(wanted))
        good = room.problem is None and not clashes and not any(file["problem"] for file in files)
        return {"ok": good, "space": room.to_json(), "files": files, "clashes": clashes, "empty_slots": empty}
