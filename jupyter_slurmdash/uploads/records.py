"""What the database and the disk together know of sessions and files, as the models of this column."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import (
    Conflict,
    SessionExpired,
    SessionNotFound,
    SlurmDashError,
    TemplateBroken,
    TemplateNotFound,
    UploadNotFound,
)
from ..store.uploads import UploadTable
from .classify import TYPE_RULES, type_of
from .files import Place
from .journal import Journal
from .locks import Locks
from .model import FILE_TYPES, Origin, Session, SessionFile, Slot
from .names import clean_path, other_name
from .quota import Quota
from .standing import NOWHERE, Stand, stand_of

MAX_FILES = 20_000  # in one session
DAY = 86400.0

SlotSource = Callable[[str, str], Sequence[Slot]]
QuotaSource = Callable[[Path], Quota | None]


def no_slots(_user: str, _template_id: str) -> Sequence[Slot]:
    """The slots of no template at all."""
    return ()


def no_quota(_path: Path) -> Quota | None:
    """The quota of a user who has none."""
    return None


@dataclass(frozen=True)
class Settings:
    """Where uploads go and how much of them. Sizes in bytes (``max_size`` 0: no limit), ``ttl`` in
    seconds. ``quota`` tells the user's quota on the file system of a path.
    """

    root: Path
    max_size: int = 0
    ttl: float = 7 * DAY
    type_rules: Mapping[str, str] = field(default_factory=lambda: TYPE_RULES)
    quota: QuotaSource = no_quota


@dataclass(frozen=True)
class NewFile:
    """A file that is to be added. ``slot`` and ``type`` are what the user wants, "" to let the rules find
    it. ``clash`` is what to do when the name is there: ``keep`` both, ``replace`` the old file, or refuse ("").
    """

    name: str
    size: int | None
    slot: str = ""
    type: str = ""
    origin: Origin = "upload"
    path: str = ""
    clash: str = ""


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
        """The session's files; parts that will be joined to one are none yet."""
        rows = self.table.files(session_id)
        return [self._file(row) for row in rows if row["origin"] != "partial"]

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

    def make_directory(self, session_id: str) -> None:
        """Make the session's directory, and the root above it, closed to others. (``parents`` of ``mkdir`` gives its
        mode to the last one only.)
        """
        for directory in (self.settings.root, self.directory(session_id)):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

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
        journal = Journal.read(place.journal)
        if journal is not None:
            # Until the last chunk is there, the size is what the file may have at most.
            file = replace(file, size=journal.size or file.size)
        offset = file.size or 0 if place.final.exists() else place.acknowledged()
        return replace(file, offset=offset)

    def add(
        self, session: Session, new: NewFile, before: Callable[[SessionFile], None] | None = None
    ) -> SessionFile:
        """Record a file in the session, in the slot it fits. ``before`` may refuse it while a file that it replaces is
        still there, and writes what must lie beside its bytes from the first moment: a server that is killed in between
        leaves a stray file then, not a record without it.

        Raises InvalidInput, or Conflict for a name there twice.
        """
        there = self.table.names(session.id)
        if len(there) >= MAX_FILES:
            raise Conflict(f"The session has {MAX_FILES} files already. Pack some of them into an archive.")
        file_id = str(self.new_id())
        if new.origin == "partial":
            new = replace(new, name=f"{file_id}.partial", type="data")
            row = self.row(session.id, file_id, new, NOWHERE)
            self.table.insert_file(row)
            return SessionFile(**row)
        new = replace(new, name=clean_path(new.name))
        require_no_folder(new.name, there)
        old = self.named(session, new.name) if new.name in there and new.clash != "keep" else None
        stand = stand_of(new.name, new.slot, old, self.slots(session), there.values())
        row = self.row(session.id, file_id, new, stand)
        place = Place(self.directory(session.id), file_id, new.name)
        try:
            if before is not None:
                self.make_directory(session.id)
                before(SessionFile(**row))
            row = self._insert(row, new.clash, there)
        except (SlurmDashError, OSError):
            place.remove()
            raise
        self.table.update_session(session.id, {"expires_at": self.expiry()})
        return SessionFile(**row)

    def named(self, session: Session, name: str) -> SessionFile | None:
        """The session's file of that name."""
        row = self.table.file_named(session.id, name)
        return self._file(row) if row is not None else None

    def row(self, session_id: str, file_id: str, new: NewFile, stand: Stand) -> dict[str, Any]:
        """The row of a file that begins."""
        wanted = new.type if new.type in FILE_TYPES else ""
        now = self.clock()
        return {
            "id": file_id,
            "session_id": session_id,
            "name": new.name,
            "type": wanted or type_of(new.name, stand.slot, self.settings.type_rules),
            "slot": stand.name,
            "size": new.size,
            "offset": new.size if new.origin == "path" else 0,
            "state": "complete" if new.origin == "path" else "uploading",
            "origin": new.origin,
            "path": new.path,
            "sha256": None,
            "problem": None,
            "pinned": stand.pinned,
            "created_at": now,
            "updated_at": now,
        }

    def _insert(self, row: dict[str, Any], clash: str, there: Container[str]) -> dict[str, Any]:
        name = row["name"]
        existing = self.table.insert_file(row)
        if existing is None:
            return row
        old = self._file(existing)
        if _is_broken_form(old) and row["size"] is None:
            # The same form once more: its first connection, should it only seem to be alive, lets go.
            with self.locks.held(old.id):
                now = self.table.file(old.session_id, old.id)
                if now is not None and _is_broken_form(self._file(now)):
                    self.forget(old)
            existing = self.table.insert_file(row)
            if existing is None:
                return row
            old = self._file(existing)
        if self._replaceable(old, row) or (clash == "replace" and not self.being_written(old)):
            existing = self._replace(old, row)
        elif clash == "keep":
            row = {**row, "name": free_name(name, there)}
            existing = self.table.insert_file(row)
        else:
            raise Conflict(
                f"The session has a file named “{old.name}” already. Go on with it, or delete it.",
                file_id=old.id,
            )
        if existing is not None:
            raise Conflict(f"“{name}” was added twice at the same time. Look at the session, then try again.")
        return row

    def _replace(self, old: SessionFile, row: dict[str, Any]) -> dict[str, Any] | None:
        """As ``insert_file``, in the place of ``old``, which is there until the new row is."""
        with self.locks.held(old.id):
            existing = self.table.insert_file(row, old.id)
            if existing is None:
                self.discard(old)
        return existing

    def being_written(self, file: SessionFile) -> bool:
        """Whether a connection of this process brings its bytes just now."""
        return file.state == "uploading" and self.locks.busy(file.id)

    def require_replaceable(self, old: SessionFile) -> None:
        """Raises Conflict when ``old`` is being written: whoever sends it would find it gone at its end."""
        if self.being_written(old):
            raise Conflict(
                f"“{old.name}” is being uploaded just now. Wait until it is there, or take it out of the session.",
                file_id=old.id,
            )

    def _replaceable(self, old: SessionFile, row: dict[str, Any]) -> bool:
        # A client whose answer to its first try got lost asks once more; and a failed file makes room for a
        # better.
        # A form says no size; what a killed server has of one does not count either.
        unused = old.state == "uploading" and old.offset == 0 and not self.locks.busy(old.id)
        alike = row["origin"] == "upload" and row["size"] in (old.size, None)
        return old.state == "failed" or (unused and alike)

    def forget(self, file: SessionFile) -> None:
        """Remove the record, then the bytes; a file named by path stays where it is."""
        self.table.delete_file(file.id)
        self.discard(file)

    def discard(self, file: SessionFile) -> None:
        """Remove the bytes of a file that has no record any more."""
        if file.origin != "path":
            self.place(file).remove()

    def discard_stray(self, session_id: str, file_id: str) -> None:
        """As ``discard``, for a file of which nothing but its id is known any more."""
        if is_id(file_id):
            Place(self.directory(session_id), file_id, "stray").remove()


def is_id(text: str) -> bool:
    """Whether ``text`` is an id as sessions and files have them, and so no path."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _is_broken_form(file: SessionFile) -> bool:
    """Nothing of a form counts before its end, and its size is not known before."""
    return file.state == "uploading" and file.size is None and not file.offset


def require_no_folder(name: str, there: Iterable[str]) -> None:
    """Raises Conflict when ``name`` is a folder of one of the names that are ``there``, or the other way round."""
    for other in there:
        short, long = sorted((name, other), key=len)
        if long.startswith(short + "/"):
            raise Conflict(f"“{short}” cannot be a file and a folder. Rename one of them.")


def free_name(name: str, there: Container[str]) -> str:
    """The first name like ``name`` that is not ``there``."""
    return next(other for number in count(2) if (other := other_name(name, number)) not in there)
