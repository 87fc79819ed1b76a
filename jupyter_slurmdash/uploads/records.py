"""What the database and the disk together know of sessions and files, as the models of this column."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import (
    Conflict,
    SessionExpired,
    SessionNotFound,
    TemplateBroken,
    TemplateNotFound,
    UploadNotFound,
)
from ..store.uploads import UploadTable
from .classify import TYPE_RULES, find_slot, type_of
from .files import Place
from .locks import Locks
from .model import FILE_TYPES, Origin, Session, SessionFile, Slot
from .names import clean_name
from .slots import require_slot

MAX_FILES = 1000  # in one session
DAY = 86400.0

SlotSource = Callable[[str, str], Sequence[Slot]]


def no_slots(_user: str, _template_id: str) -> Sequence[Slot]:
    """The slots of no template at all."""
    return ()


@dataclass(frozen=True)
class Settings:
    """Where uploads go and how much of them. Sizes in bytes (``max_size`` 0: no limit), ``ttl`` in
    seconds.
    """

    root: Path
    max_size: int = 0
    ttl: float = 7 * DAY
    type_rules: Mapping[str, str] = field(default_factory=lambda: TYPE_RULES)


@dataclass(frozen=True)
class NewFile:
    """A file that is to be added. ``slot`` and ``type`` are what the user wants, "" to let the rules find
    it.
    """

    name: str
    size: int | None
    slot: str = ""
    type: str = ""
    origin: Origin = "upload"
    path: str = ""


class Records:
    """Reads and writes the records; one user's are not there for another."""

    def __init__(
        self,
        table: UploadTable,
        settings: Settings,
        slots: SlotSource = no_slots,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], object] = uuid.uuid4,
    ) -> None:
        self.table = table
        self.settings = settings
        self.clock = clock
        self.new_id = new_id
        self.locks = Locks()
        self._slots = slots

    # -- sessions -------------------------------------------------------------------------------------------

    def session(self, session_id: str, user: str) -> Session:
        """The session without its files. Raises SessionNotFound or SessionExpired."""
        row = self.table.session(session_id)
        if row is None or row["user"] != user:
            raise SessionNotFound("There is no such upload session. Open a new one and send the files to it.")
        if row["expires_at"] <= self.clock():
            raise SessionExpired("The upload session has expired. Open a new one and send the files to it.")
        return Session(**row)

    def active(self, session_id: str, user: str) -> Session:
        """A session that still takes files. Raises Conflict when it is finalized."""
        session = self.session(session_id, user)
        if session.state == "finalized":
            raise Conflict("The upload session is finalized and takes no more files. Open a new one.")
        return session

    def files(self, session_id: str) -> list[SessionFile]:
        return [self._file(row) for row in self.table.files(session_id)]

    def slots(self, session: Session) -> Sequence[Slot]:
        """The slots of the session's template; none when the template has gone or broken since."""
        try:
            return self._slots(session.user, session.template_id) if session.template_id else ()
        except (TemplateNotFound, TemplateBroken):
            return ()  # a template that someone edits must not stop an upload that is under way

    def template_slots(self, user: str, template_id: str) -> Sequence[Slot]:
        """The slots of a template. Raises what its library raises, TemplateNotFound above all."""
        return self._slots(user, template_id)

    def expiry(self) -> float:
        """When a session that is used now will expire."""
        return self.clock() + self.settings.ttl

    # -- files ----------------------------------------------------------------------------------------------

    def place(self, file: SessionFile) -> Place:
        return Place(self.directory(file.session_id), file.id, file.name)

    def directory(self, session_id: str) -> Path:
        return self.settings.root / session_id

    def file(self, session_id: str, file_id: str) -> SessionFile:
        """Raises UploadNotFound. The caller has asked for the session before."""
        row = self.table.file(session_id, file_id)
        if row is None:
            raise UploadNotFound("There is no such upload in this session. Send the file again.")
        return self._file(row)

    def _file(self, row: dict[str, Any]) -> SessionFile:
        file = SessionFile(**row)
        if file.state != "uploading":
            return file
        # The disk knows better than the last record how much has arrived.
        place = self.place(file)
        offset = file.size or 0 if place.final.exists() else place.acknowledged()
        return replace(file, offset=offset)

    def add(self, session: Session, new: NewFile) -> SessionFile:
        """Record a file in the session, in the slot it fits. Raises InvalidInput, or Conflict for a name
        there twice.
        """
        name = clean_name(new.name)
        files = self.files(session.id)
        if len(files) >= MAX_FILES:
            raise Conflict(f"The session has {MAX_FILES} files already. Pack some of them into an archive.")
        slots = self.slots(session)
        taken = {file.slot for file in files}
        slot = require_slot(new.slot, slots) if new.slot else find_slot(name, slots, taken)
        wanted = new.type if new.type in FILE_TYPES else ""
        now = self.clock()
        row: dict[str, Any] = {
            "id": str(self.new_id()),
            "session_id": session.id,
            "name": name,
            "type": wanted or type_of(name, slot, self.settings.type_rules),
            "slot": new.slot or (slot.name if slot is not None else ""),
            "size": new.size,
            "offset": 0 if new.origin == "upload" else new.size,
            "state": "uploading" if new.origin == "upload" else "complete",
            "origin": new.origin,
            "path": new.path,
            "sha256": None,
            "problem": None,
            "pinned": bool(new.slot),
            "created_at": now,
            "updated_at": now,
        }
        self._insert(row)
        self.table.update_session(session.id, {"expires_at": self.expiry()})
        return SessionFile(**row)

    def _insert(self, row: dict[str, Any]) -> None:
        existing = self.table.insert_file(row)
        if existing is None:
            return
        old = self._file(existing)
        if not self._replaceable(old, row):
            raise Conflict(
                f"The session has a file named “{old.name}” already. Go on with it, or delete it.",
                file_id=old.id,
            )
        self.forget(old)
        if self.table.insert_file(row) is not None:
            raise Conflict(
                f"“{old.name}” was added twice at the same time. Look at the session, then try again."
            )

    def _replaceable(self, old: SessionFile, row: dict[str, Any]) -> bool:
        # A client whose answer to its first try got lost asks once more; and a failed file makes room for a
        # better.
        unused = old.state == "uploading" and old.offset == 0 and not self.locks.busy(old.id)
        return old.state == "failed" or (unused and row["origin"] == "upload" and old.size == row["size"])

    def forget(self, file: SessionFile) -> None:
        """Remove the record, then the bytes; a file named by path stays where it is."""
        self.table.delete_file(file.id)
        if file.origin == "upload":
            self.place(file).remove()
