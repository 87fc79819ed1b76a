"""Many small files at once: written together, synced together, recorded in one transaction."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Conflict, InvalidInput
from ..events import EventBus
from .files import Place, full_disk
from .magic import HEAD
from .model import Session, SessionFile
from .names import clean_path
from .private import write_private
from .records import MAX_FILES, NewFile, Records, free_name
from .space import Space
from .standing import Stand, stand_of
from .validate import validate_first_bytes

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class SmallFile:
    """A whole file in memory; the rest as in ``NewFile``."""

    name: str
    data: bytes
    type: str = ""
    slot: str = ""
    clash: str = ""


class SmallFiles:
    """Adds whole files to a session."""

    def __init__(self, records: Records, space: Space, events: EventBus) -> None:
        self._records = records
        self._space = space
        self._events = events

    @full_disk()
    def add(self, session_id: str, user: str, files: Sequence[SmallFile]) -> list[SessionFile]:
        """All of ``files``, or none when one of them cannot be taken. One that is there already with the same bytes is
        answered as it is.

        Raises InvalidInput (a name, the first bytes), TooLarge, NoSpace, Conflict (a name that is there), Session*.
        """
        self._records.active(session_id, user)
        self._space.check(user, sum(len(file.data) for file in files), files=len(files))
        with ExitStack() as held:
            held.enter_context(self._records.locks.held(f"{session_id}/"))
            # Once more: it may have gone while others had their turn.
            session = self._records.active(session_id, user)
            added, result, replaced = self._plan(session, files)
            for old in replaced:
                # Who would go on with it waits, and hears then that it is gone.
                held.enter_context(self._records.locks.held(old.id))
            try:
                self._write(session_id, added)
                if added:
                    rows = [row for row, _ in added]
                    self._records.table.insert_files(rows, [old.id for old in replaced])
            except BaseException:
                for row, _ in added:
                    self._place(row).remove()
                raise
            for old in replaced:
                self._records.discard(old)
            self._records.table.update_session(session_id, {"expires_at": self._records.expiry()})
        if added:
            told = [SessionFile(**row).to_json() for row, _ in added]
            data = {"session_id": session_id, "files": told}
            self._events.publish("uploads", "upload_complete", data, durable=True)
        return result

    def _plan(
        self, session: Session, files: Sequence[SmallFile]
    ) -> tuple[list[tuple[dict[str, Any], bytes]], list[SessionFile], list[SessionFile]]:
        slots, there = self._records.slots(session), self._records.table.names(session.id)
        taken, before = set(there.values()), set(there)
        folders = {folder for name in there for folder in _folders(name)}
        added: list[tuple[dict[str, Any], bytes]] = []
        result: list[SessionFile] = []
        replaced: list[SessionFile] = []
        if len(there) + len(files) > MAX_FILES:
            raise Conflict(f"A session holds up to {MAX_FILES} files. Pack some of them into an archive.")
        for file in files:
            name = clean_path(file.name)
            old = None
            if name in there:
                # Of two with this name in ``files``, the first may take the old one's place.
                old = self._records.named(session, name) if name in before else None
                if old is not None and old.sha256 == hashlib.sha256(file.data).hexdigest():
                    result.append(old)
                    continue
                if old is not None and (old.state == "failed" or file.clash == "replace"):
                    self._records.require_replaceable(old)
                    replaced.append(old)
                    before.remove(name)
                elif file.clash == "keep":
                    name, old = free_name(name, there), None
                else:
                    raise Conflict(
                        f"The session has a file named “{name}” already. Choose to keep both, to replace it or to"
                        " skip it.",
                        file_id=old.id if old is not None else "",
                    )
            if name in folders or any(folder in there for folder in _folders(name)):
                raise Conflict(f"“{name}” would be a file and a folder at the same time. Rename one of them.")
            new = NewFile(name, len(file.data), file.slot, file.type)
            stand = stand_of(name, file.slot, old, slots, taken)
            row = self._row(session.id, new, stand, file.data)
            there[name] = row["slot"]
            taken.add(row["slot"])
            folders.update(_folders(name))
            added.append((row, file.data))
            result.append(SessionFile(**row))
        return added, result, replaced

    def _row(self, session_id: str, new: NewFile, stand: Stand, data: bytes) -> dict[str, Any]:
        self._space.check_size(len(data))
        row = self._records.row(session_id, str(self._records.new_id()), new, stand)
        file = SessionFile(**row)
        self._space.check_slot(file)
        found = validate_first_bytes(new.name, data[:HEAD], stand.slot)
        if found is not None:
            raise InvalidInput(found.message, [found])
        done = {"state": "complete", "offset": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return {**row, **done, "path": str(self._place(row).final)}

    def _place(self, row: dict[str, Any]) -> Place:
        return self._records.place(SessionFile(**row))

    def _write(self, session_id: str, added: Sequence[tuple[dict[str, Any], bytes]]) -> None:
        if not added:
            return
        self._records.make_directory(session_id)
        for row, data in added:
            place = self._place(row)
            place.final.parent.mkdir(mode=0o700)
            write_private(place.part, data)
            os.rename(place.part, place.final)
            place.seal()
        _sync_all(self._records.directory(session_id))


def _folders(name: str) -> list[str]:
    steps = name.split("/")[:-1]
    return ["/".join(steps[: index + 1]) for index in range(len(steps))]


def _sync_all(directory: Path) -> None:
    """Return when all of the file system is on the disk: for many files a hundred times as quick as one by one."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(directory))
    finally:
        os.close(descriptor)
