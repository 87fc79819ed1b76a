"""Upload sessions: a place to gather the files of one job, until the job takes them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import Conflict, InvalidInput
from ..events import EventBus
from .classify import type_of
from .model import FILE_TYPES, Session, SessionFile
from .paths import look_at_path
from .records import NewFile, Records, is_id
from .slots import require_slot
from .transfers import Transfers

_SLOW = 60.0  # seconds that a batch of files may take on a slow disk


class Sessions:
    """Every method takes the user: another user's session is not there (SessionNotFound), one that is over
    raises SessionExpired. Thread safe.
    """

    def __init__(self, records: Records, transfers: Transfers, events: EventBus) -> None:
        self._records = records
        self._table = records.table
        self._transfers = transfers
        self._events = events

    # -- sessions -------------------------------------------------------------------------------------------

    def create(self, user: str, template_id: str | None = None) -> Session:
        """A new session. Raises TemplateNotFound for a template that does not exist."""
        if template_id is not None:
            self._records.template_slots(user, template_id)
        now = self._records.clock()
        session = Session(
            str(self._records.new_id()), user, template_id, "active", now, self._records.expiry()
        )
        row = {name: getattr(session, name) for name in ("id", "user", "template_id", "state")}
        self._table.insert_session({**row, "created_at": now, "expires_at": session.expires_at})
        return session

    def find(self, session_id: str, user: str) -> Session:
        """The session without its files."""
        return self._records.session(session_id, user)

    def get(self, session_id: str, user: str) -> Session:
        """The session with its files as they stand now."""
        return self._full(self._records.session(session_id, user))

    def delete(self, session_id: str, user: str) -> None:
        """Remove the session with all that was uploaded to it; files named by path stay where they are."""
        self._records.session(session_id, user)
        self._remove(session_id)

    def finalize(self, session_id: str, user: str) -> Session:
        """All files are there. Raises Conflict with the names of those that are not."""
        session = self._full(self._records.session(session_id, user))
        require_complete(session.files)
        if any(row["origin"] == "partial" and self._busy(row) for row in self._table.files(session_id)):
            raise Conflict("Parts of a file are still being uploaded. Wait until they are there.")
        if session.state == "finalized":
            return session
        self._table.update_session(session_id, {"state": "finalized", "expires_at": self._records.expiry()})
        told = {"session_id": session_id, "files": [file.to_json() for file in session.files]}
        self._events.publish("uploads", "upload_complete", told, durable=True)
        return self.get(session_id, user)

    def expire(self, user: str) -> int:
        """Remove this user's sessions whose time is over, and directories that no record knows; answers with
        how many. Others' files may lie elsewhere, or be closed to us: their own servers remove them.
        """
        now = self._records.clock()
        removed = 0
        for session_id in self._table.expired(user, now):
            # A file that is being written keeps its session; each request that ends prolongs it.
            if not self._is_written_to(session_id):
                removed += self._remove(session_id, lambda: self._table.expired(user, now))
        return removed + self._sweep()

    def _is_written_to(self, session_id: str) -> bool:
        adding = self._records.locks.busy(f"{session_id}/")
        return adding or any(map(self._busy, self._table.files(session_id)))

    def _busy(self, row: Mapping[str, object]) -> bool:
        return self._records.locks.busy(str(row["id"]))

    def _full(self, session: Session) -> Session:
        files = [self._transfers.settle(file) for file in self._records.files(session.id)]
        return replace(session, files=tuple(files))

    def _remove(self, session_id: str, over: Callable[[], Collection[str]] | None = None) -> bool:
        """Whether it was removed; with ``over`` only when it is one of these still."""
        # Not in the middle of a batch of files that is added.
        with self._records.locks.held(f"{session_id}/", patience=_SLOW):
            if over is not None and session_id not in over():
                return False
            for row in self._table.files(session_id):
                file = SessionFile(**row)
                with self._records.locks.held(file.id):
                    # The bytes of all of them go with the directory.
                    self._table.delete_file(file.id)
            self._table.delete_session(session_id)
            shutil.rmtree(self._records.directory(session_id), ignore_errors=True)
        return True

    def _sweep(self) -> int:
        """Directories that a crash left behind. Another server may share the root, so only old ones of this
        user.
        """
        root, known = self._records.settings.root, self._table.session_ids()
        if not root.is_dir():
            return 0
        before = self._records.clock() - self._records.settings.ttl
        found = [
            directory
            for directory in root.iterdir()
            if directory.name not in known and is_id(directory.name) and _is_left(directory, before)
        ]
        for directory in found:
            shutil.rmtree(directory, ignore_errors=True)
        return len(found)

    # -- files ----------------------------------------------------------------------------------------------

    def add_path(self, session_id: str, user: str, path: str, slot: str = "") -> SessionFile:
        """Add a file of the cluster by its path. Raises InvalidInput when it cannot be read."""
        session = self._records.active(session_id, user)
        file = look_at_path(path, rules=self._records.settings.type_rules)
        new = NewFile(file.name, file.size, slot=slot, origin="path", path=file.path)
        return self._tell(self._records.add(session, new))

    def update_file(
        self, session_id: str, user: str, file_id: str, changes: Mapping[str, str | None]
    ) -> SessionFile:
        """Set ``slot`` (None: no slot) or ``type``; what is not in ``changes`` stays. What the user sets
        wins: a file that stands in the slot already makes room.
        """
        session = self._records.session(session_id, user)
        file = self._records.file(session_id, file_id)
        values: dict[str, object] = {"updated_at": self._records.clock()}
        moved: list[SessionFile] = []
        if "slot" in changes:
            name = changes["slot"] or ""
            slot = require_slot(name, self._records.slots(session)) if name else None
            values |= {"slot": name, "pinned": True}
            values["type"] = type_of(file.name, slot, self._records.settings.type_rules)
            moved = self._make_room(session_id, file_id, name)
        if "type" in changes:
            if changes["type"] not in FILE_TYPES:
                raise InvalidInput(f"A file's type is one of {', '.join(FILE_TYPES)}.")
            values["type"] = changes["type"]
        self._table.update_file(file_id, values)
        return self._tell(self._records.file(session_id, file_id), *moved)

    def _make_room(self, session_id: str, file_id: str, slot: str) -> list[SessionFile]:
        moved = []
        for other in self._records.files(session_id):
            if slot and other.slot == slot and other.id != file_id:
                self._table.update_file(other.id, {"slot": "", "pinned": False})
                moved.append(replace(other, slot="", pinned=False))
        return moved

    def _tell(self, file: SessionFile, *others: SessionFile) -> SessionFile:
        """Tell the session's other viewers how these files stand now."""
        files = [one.to_json() for one in (file, *others)]
        told = {"session_id": file.session_id, "files": files}
        self._events.publish("uploads", "upload_changed", told, durable=True)
        return file

    def delete_file(self, session_id: str, user: str, file_id: str) -> None:
        """Take a file out of the session; one named by path stays where it is."""
        self._transfers.remove(session_id, user, file_id)
        told = {"session_id": session_id, "removed": [file_id]}
        self._events.publish("uploads", "upload_changed", told, durable=True)


def require_complete(files: Sequence[SessionFile]) -> None:
    """Raises Conflict with the names of the files that are not there yet, or have failed."""
    waiting = [file.name for file in files if file.state == "uploading"]
    if waiting:
        raise Conflict(
            f"Still being uploaded: {', '.join(waiting[:10])}. Wait, or take them out of the session."
        )
    failed = [file.name for file in files if file.state == "failed"]
    if failed:
        raise Conflict(f"Failed: {', '.join(failed[:10])}. Send them again, or take them out of the session.")


def _is_left(directory: Path, before: float) -> bool:
    """Whether the directory is this user's and nothing in it changed since ``before``."""
    try:
        status = directory.lstat()
        newest = max([status.st_mtime, *(entry.stat().st_mtime for entry in os.scandir(directory))])
    except OSError:
        return False
    return status.st_uid == os.geteuid() and newest < before
