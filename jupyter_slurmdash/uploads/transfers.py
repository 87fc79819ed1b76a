"""Uploads under way: begin, go on, look, finish, give up. What tus does, without HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NoSpace,
    OffsetMismatch,
    SlurmDashError,
    StorageFailed,
    TooLarge,
    UploadNotFound,
)
from ..events import EventBus
from .digest import Digest
from .files import Part, Place, full_disk
from .flush import Synced
from .joins import Joins, Recipe, gather
from .locks import LetGo
from .model import SessionFile
from .names import clean_path
from .private import write_private
from .progress import Progress
from .protocol import Checksum
from .records import NewFile, Records
from .space import Space
from .writer import Writer


@dataclass(frozen=True)
class Append:
    """One request to append. ``body`` is the announced size of its body in bytes, None when it is not known;
    ``total`` the size of the whole file, when it was left open before; ``let_go`` see ``Locks.acquire``.
    ``all_or_none``: what breaks off before its end, or is killed, does not count."""

    offset: int
    body: int | None = None
    total: int | None = None
    checksum: Checksum | None = None
    let_go: LetGo | None = None
    all_or_none: bool = False


@dataclass
class _Known:
    """What this process keeps of an upload from one request to the next."""

    digest: Digest = field(default_factory=Digest)
    synced: Synced = field(default_factory=Synced)


class Transfers:
    """Uploads of this process. Another process of the user that writes the same file is noticed by a file
    lock.
    """

    def __init__(
        self, records: Records, events: EventBus, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self.space = Space(records)
        self._records = records
        self._events = events
        self.ticks = ticks
        self._known: dict[str, _Known] = {}
        self.joins = Joins(records, self.space, self.look)

    @property
    def max_size(self) -> int:
        """Bytes of the largest file that is taken; 0: no limit."""
        return self._records.settings.max_size

    # -- the verbs ------------------------------------------------------------------------------------------

    @full_disk()
    def create(self, session_id: str, user: str, new: NewFile, metadata: str = "") -> SessionFile:
        """Begin an upload; an empty one is complete at once. ``metadata`` is kept for ``metadata()``.

        Raises InvalidInput, TooLarge, NoSpace, Conflict (a name that is there already), Session*.
        """
        session = self._records.active(session_id, user)
        self.space.check_size(new.size or 0)

        def allowed(file: SessionFile) -> None:
            self.space.check_slot(file)
            self.space.check(user, file.size or 0, file.id, files=1)

        def before(file: SessionFile) -> None:
            allowed(file)
            if metadata:
                write_private(self._records.place(file).metadata, metadata.encode("latin-1"))

        file = self._records.add(session, new, before)
        try:
            allowed(file)  # once more: others may have begun at the same moment
        except SlurmDashError:
            self._records.forget(file)
            raise
        if file.size == 0:
            return self.look(session_id, user, file.id)
        if file.origin != "partial":
            told = {"session_id": session_id, "files": [file.to_json()]}
            self._events.publish("uploads", "upload_changed", told)
        return file

    @full_disk()
    def open(self, session_id: str, user: str, file_id: str, append: Append) -> Writer | SessionFile:
        """A writer at ``append.offset``, or the file when it is complete and nothing is left to write.

        Raises OffsetMismatch (nothing is written), TooLarge, NoSpace, Conflict, InvalidInput,
        UploadNotFound, Session*.
        """
        self._records.active(session_id, user)
        self._records.file(session_id, file_id)
        self._records.locks.acquire(file_id, append.let_go)
        part: Part | None = None
        try:
            file, part = self._enter(session_id, file_id)
            self._require_appendable(file)
            _check_offset(file.offset, append.offset)
            file = self._with_total(user, file, append.total)
            room = self.space.room(file)
            if append.body is not None and append.body > room:
                raise TooLarge(
                    f"The body has {append.body} bytes, but {room} are left. Send exactly the rest."
                )
            if part is not None:
                if append.body:
                    self.space.check(user, append.body, file.id)
                digest = self.digest(file_id, part.size)
                slot = self.space.slot_of(file) if file.offset == 0 else None
                return Writer(
                    self,
                    file,
                    part,
                    digest,
                    room=room,
                    slot=slot,
                    checksum=append.checksum,
                    all_or_none=append.all_or_none,
                )
        except BaseException:
            if part is not None:
                part.close()
            self._records.locks.release(file_id)
            raise
        self._records.locks.release(file_id)
        return file

    @full_disk()
    def look(self, session_id: str, user: str, file_id: str) -> SessionFile:
        """The upload as it stands, after any older connection has let go of it."""
        self._records.session(session_id, user)
        self._records.file(session_id, file_id)
        with self._records.locks.held(file_id):
            file, part = self._enter(session_id, file_id)
            if part is not None:
                part.close()
        return file

    def _require_appendable(self, file: SessionFile) -> None:
        place = self._records.place(file)
        if place.recipe.exists():
            raise Forbidden("This file was joined from parts and takes no more bytes. Create a new upload.")
        if file.state != "complete" and place.journal.exists():
            raise Conflict("This file comes in chunks of any order. Send its other chunks, or delete it.")

    def concat(self, file: SessionFile) -> str:
        """The value of tus' ``Upload-Concat`` for the upload, "" when it has to do with no other."""
        if file.origin == "partial":
            return "partial"
        recipe = Recipe.read(self._records.place(file).recipe)
        return recipe.header if recipe is not None else ""

    def metadata(self, file: SessionFile) -> str:
        """What the client said of the file when it created it, word for word."""
        try:
            return self._records.place(file).metadata.read_text(encoding="latin-1")
        except FileNotFoundError:
            return ""

    def complete_one(self, session_id: str, name: str) -> SessionFile | None:
        """The complete file of that name (and its bytes at ``path``), if the session has it."""
        row = self._records.table.file_named(session_id, clean_path(name))
        return SessionFile(**row) if row is not None and row["state"] == "complete" else None

    def remove(self, session_id: str, user: str, file_id: str) -> None:
        """Give the file up and free its space. A file named by path stays where it is. Raises UploadNotFound; what a
        server left that was killed after it removed the record is gone then too.
        """
        self._records.active(session_id, user)
        try:
            self._records.file(session_id, file_id)
        except UploadNotFound:
            self._records.discard_stray(session_id, file_id)
            raise
        with self._records.locks.held(file_id):
            self._records.forget(self._records.file(session_id, file_id))
            self._known.pop(file_id, None)

    def set_type(self, file_id: str, kind: str) -> None:
        """data, config, code or model, as the user says."""
        self._records.table.update_file(file_id, {"type": kind})

    def settle(self, file: SessionFile) -> SessionFile:
        """Complete ``file`` if all its bytes are there and only the server's end kept it from being
        complete. On a disk that is full or fails, or while another program has it, it stays incomplete: whoever looks
        must see it.
        """
        all_there = file.state == "uploading" and file.size is not None and file.offset >= file.size
        joining = file.state == "uploading" and self._records.place(file).recipe.exists()
        if not (all_there or joining) or self._records.locks.busy(file.id):
            return file
        try:
            with self._records.locks.held(file.id):
                return self.finish_held(file)
        except (NoSpace, StorageFailed, Conflict):
            return self._records.file(file.session_id, file.id)  # what the disk did not take counts no more

    @full_disk()
    def finish_held(self, file: SessionFile) -> SessionFile:
        """As ``settle``, for who holds the upload's lock."""
        settled, part = self._enter(file.session_id, file.id)
        if part is not None:
            part.close()
        return settled

    def digest(self, file_id: str, size: int) -> Digest:
        """What is known of the digest of the upload, which has ``size`` bytes. One that has seen more is of bytes that
        were taken back: others may come in their place.
        """
        known = self._known.setdefault(file_id, _Known())
        if known.digest.seen > size:
            known.digest = Digest()
        return known.digest

    # -- for the writer -------------------------------------------------------------------------------------

    @full_disk()
    def commit(self, file: SessionFile, part: Part, digest: Digest) -> SessionFile:
        """Record how far the upload has come; complete it when that is all of it. Raises NoSpace or StorageFailed when
        the disk is known not to have taken what came.
        """
        if file.size is not None and part.size == file.size:
            return self._complete(file, part, digest)
        if not part.chunked:
            part.settle()
        now = self._records.clock()
        self._record(file, {"offset": part.size, "updated_at": now})
        return replace(file, offset=part.size, updated_at=now)

    @full_disk()
    def fix_size(self, file: SessionFile, size: int) -> SessionFile:
        """The file's size is known now. Raises TooLarge."""
        self.space.check_size(size)
        file = replace(file, size=size)
        self.space.check_slot(file)
        self._records.table.update_file(file.id, {"size": size})
        return file

    def leave(
        self, file: SessionFile, digest: Digest, failure: SlurmDashError | None, wrong: str | None
    ) -> None:
        """A writer goes: keep its digest for the next, and tell what went wrong."""
        if file.state == "complete" and file.origin != "partial":
            self._known.pop(file.id, None)
            return
        self._known.setdefault(file.id, _Known()).digest = digest
        if wrong is not None:
            self._known.pop(file.id, None)
            self._records.place(file).part.unlink(missing_ok=True)
            self._record(file, {"state": "failed", "problem": wrong, "offset": 0})
        if failure is not None:
            data = {"session_id": file.session_id, "file_id": file.id, "error": failure.detail}
            self._events.publish("uploads", "upload_error", data)

    def release(self, file: SessionFile) -> None:
        self._records.locks.release(file.id)

    def tell_progress(self, file: SessionFile, progress: Progress, offset: int, now: float) -> None:
        if file.origin == "partial":
            return  # nobody knows of it but the client that sends it
        data = {"session_id": file.session_id, "file_id": file.id, "file_name": file.name}
        self._events.publish("uploads", "upload_progress", data | progress.report(offset, file.size, now))

    # -- inside ---------------------------------------------------------------------------------------------

    def _enter(self, session_id: str, file_id: str) -> tuple[SessionFile, Part | None]:
        """With the lock held: the file and its open part, or None for the part when it is complete."""
        file = self._records.file(session_id, file_id)
        if file.state == "failed":
            raise InvalidInput(file.problem or "This upload has failed. Send the file again.")
        if file.state == "complete":
            return file, None
        place = self._records.place(file)
        if place.final.exists():
            # Killed between giving the file its name and recording it.
            place.seal()
            with place.final.open("rb") as stream:
                return self._record_complete(file, Digest().hexdigest(stream.fileno(), file.offset)), None
        if place.journal.exists() and file.offset != file.size:
            return file, None  # only chunks are written to it
        self._gather(file, place)
        known = self._known.setdefault(file.id, _Known())
        part = Part(place, known.synced)
        digest = self.digest(file.id, part.size)
        try:
            if file.size is not None and part.size >= file.size:
                if part.size > file.size:
                    part.rewind(file.size)
                file = self._complete(file, part, digest)
                part.close()
                return file, None
        except BaseException:
            part.close()
            raise
        return replace(file, offset=part.size), part

    def _gather(self, file: SessionFile, place: Place) -> None:
        recipe = Recipe.read(place.recipe)
        if recipe is None:
            return
        first = self._known.pop(recipe.parts[0][0], None)
        if first is not None:
            self._known[file.id] = first

        def used(part_id: str) -> None:
            self._records.table.delete_file(part_id)
            self._known.pop(part_id, None)

        gather(place, recipe, used, self._known.setdefault(file.id, _Known()).synced)

    def _complete(self, file: SessionFile, part: Part, digest: Digest) -> SessionFile:
        changes: dict[str, Any] = {"state": "complete", "size": part.size, "offset": part.size}
        part.cut()
        if file.origin == "partial":
            part.sync()
            self._known.setdefault(file.id, _Known()).digest = digest
            self._record(file, changes)
            return replace(file, **changes)
        sha256 = digest.hexdigest(part.fd, part.size)
        part.sync()
        self._records.place(file).publish()
        self._known.pop(file.id, None)
        return self._record_complete(replace(file, offset=part.size), sha256)

    def _record_complete(self, file: SessionFile, sha256: str) -> SessionFile:
        changes: dict[str, Any] = {
            "state": "complete",
            "size": file.offset,
            "offset": file.offset,
            "sha256": sha256,
            "path": str(self._records.place(file).final),
            "updated_at": self._records.clock(),
        }
        self._record(file, changes)
        file = replace(file, **changes)
        now = self.ticks()
        self.tell_progress(file, Progress(file.offset, now), file.offset, now)
        told = {"session_id": file.session_id, "files": [file.to_json()]}
        self._events.publish("uploads", "upload_complete", told, durable=True)
        return file

    def _record(self, file: SessionFile, changes: dict[str, Any]) -> None:
        self._records.table.progress(file.session_id, file.id, changes, self._records.expiry())

    def _with_total(self, user: str, file: SessionFile, total: int | None) -> SessionFile:
        if total is None or total == file.size:
            return file
        if file.size is not None:
            raise InvalidInput(f"The upload's length is {file.size} bytes and cannot change to {total}.")
        if total < file.offset:
            raise InvalidInput(f"The upload has {file.offset} bytes already; its length cannot be {total}.")
        self.space.check(user, total - file.offset, file.id)
        return self.fix_size(file, total)


def _check_offset(there: int, wanted: int) -> None:
    if there != wanted:
        raise OffsetMismatch(
            f"The upload stands at {there} bytes, not {wanted}. Ask for its offset and go on from there.",
            offset=there,
        )
