"""Files that this process sees, into a session: named where they lie, or copied by the engine of every upload.

Naming copies nothing, and the job reads what is there when it runs. A copy is what the file is now; it resumes where an
interrupted one stood.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Conflict, InvalidInput, NoSpace
from ..events import EventBus
from .model import Session, SessionFile
from .records import MAX_FILES, NewFile, Records, free_name, require_no_folder
from .small import SmallFile, SmallFiles
from .standing import stand_of
from .transfers import Append, Transfers
from .walk import Found, walk
from .writer import Writer

PIECE = 1024 * 1024
SMALL = 256 * 1024  # bytes of a file that is written together with others
BATCH = 500

# Told how far it is: bytes done, bytes of all, and the file that is on its way.
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Taken:
    """``files`` of the session that came of the paths; ``passed_over`` with the reason; ``copied`` bytes that were
    written now.
    """

    files: list[SessionFile]
    passed_over: list[str] = field(default_factory=list)
    copied: int = 0


class LocalFiles:
    """Adds them. ``clash``: what to do when the session has a file of that name: ``keep`` both, ``replace`` it, or
    refuse ("").
    """

    def __init__(self, records: Records, transfers: Transfers, small: SmallFiles, events: EventBus) -> None:
        self._records, self._transfers, self._small, self._events = records, transfers, small, events

    def add(
        self,
        session_id: str,
        user: str,
        paths: Sequence[str | Path],
        *,
        copy: bool = False,
        slots: Mapping[str, str | Path] | None = None,
        clash: str = "",
        tell: Tell | None = None,
    ) -> Taken:
        """The files at ``paths`` and those of ``slots`` (slot → path of one file). A file that is there already, as it
        is now, is answered as it is.

        Raises InvalidInput, Conflict (a name that is there), TooLarge, NoSpace, Session*. What was copied before stays,
        and the same call goes on from there.
        """
        session = self._records.active(session_id, user)
        found, passed = walk(paths)
        wanted = self._with_slots(found, slots or {})
        if not copy:
            return Taken(self._name(session, wanted, clash), passed)
        room = self._transfers.space.look(user, sum(file.size for file, _ in wanted), len(wanted))
        if room.problem is not None and not self._records.table.names(session_id):
            raise NoSpace(f"{room.problem} Free some space, or name the files where they lie.")
        copier = _Copier(self._records, self._transfers, self._small, session, user, clash, tell)
        return Taken(copier.copy(wanted), passed, copier.written)

    def _with_slots(self, found: Sequence[Found], slots: Mapping[str, str | Path]) -> list[tuple[Found, str]]:
        """Each file and its slot ("" for none), every name once."""
        wanted = {file.name: (file, "") for file in found}
        for slot, path in slots.items():
            one = self._one(path)
            other, its = wanted.get(one.name, (one, ""))
            if other.path != one.path:
                raise InvalidInput(
                    f"{other.path} and {one.path} would have the same name in the job. Rename one of them."
                )
            if its:
                raise InvalidInput(
                    f"{path} cannot fill both the slots {its} and {slot}. Give one of them a copy under another name."
                )
            wanted[one.name] = (one, slot)
        return list(wanted.values())

    def _one(self, path: str | Path) -> Found:
        found, _ = walk([path])
        if len(found) != 1 or os.path.isdir(os.path.expanduser(path)):
            raise InvalidInput(f"{path} is a folder; a slot takes one file. Choose a file.")
        return found[0]

    def _name(self, session: Session, wanted: Sequence[tuple[Found, str]], clash: str) -> list[SessionFile]:
        """All of them in one transaction, or none."""
        with self._records.locks.held(f"{session.id}/"):
            slots, there = self._records.slots(session), self._records.table.names(session.id)
            rows = {row["name"]: row for row in self._records.table.files(session.id)}
            taken, added, result, replaced = set(there.values()), [], [], []
            for found, slot in wanted:
                name, old = found.name, rows.get(found.name)
                former = None
                if old is not None and old["path"] == found.path and old["size"] == found.size and not slot:
                    result.append(SessionFile(**old))
                    continue
                if old is not None and (clash == "replace" or old["path"] == found.path):
                    former = SessionFile(**old)
                    self._records.require_replaceable(former)
                    replaced.append(former)
                    there.pop(name)
                elif name in there and clash == "keep":
                    name = free_name(name, there)
                elif name in there:
                    raise _taken(name, old)
                stand = stand_of(name, slot, former, slots, taken)
                new = NewFile(name, found.size, slot, origin="path", path=found.path)
                row = self._records.row(session.id, str(self._records.new_id()), new, stand)
                self._transfers.space.check_slot(SessionFile(**row))
                there[name] = row["slot"]
                taken.add(row["slot"])
                added.append(row)
                result.append(SessionFile(**row))
            if len(there) > MAX_FILES:
                raise Conflict(f"A session holds up to {MAX_FILES} files. Pack some of them into an archive.")
            _require_folders(there)
            with ExitStack() as held:
                for file in replaced:
                    held.enter_context(self._records.locks.held(file.id))
                if added:
                    self._records.table.insert_files(added, [file.id for file in replaced])
                for file in replaced:
                    self._records.discard(file)
            self._records.table.update_session(session.id, {"expires_at": self._records.expiry()})
        self._tell_of(session.id, added)
        return result

    def _tell_of(self, session_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            files = [SessionFile(**row).to_json() for row in rows]
            self._events.publish(
                "uploads", "upload_complete", {"session_id": session_id, "files": files}, durable=True
            )


class _Copier:
    """Copies into one session. ``written`` counts the bytes that were not there before."""

    def __init__(
        self,
        records: Records,
        transfers: Transfers,
        small: SmallFiles,
        session: Session,
        user: str,
        clash: str,
        tell: Tell | None,
    ) -> None:
        self._records, self._transfers, self._small = records, transfers, small
        self._session, self._user, self._clash = session, user, clash
        self._tell = tell or (lambda done, total, name: None)
        self._done = self._total = self.written = 0

    def copy(self, wanted: Sequence[tuple[Found, str]]) -> list[SessionFile]:
        self._total = sum(found.size for found, _ in wanted)
        small = [item for item in wanted if item[0].size <= SMALL]
        files: dict[str, SessionFile] = {}
        for start in range(0, len(small), BATCH):
            batch = small[start : start + BATCH]
            files |= dict(zip((found.name for found, _ in batch), self._write(batch), strict=True))
        for found, slot in wanted:
            if found.name not in files:
                files[found.name] = self._stream(found, slot)
        return [files[found.name] for found, _ in wanted]

    def _write(self, batch: Sequence[tuple[Found, str]]) -> list[SessionFile]:
        sources = [SmallFile(found.name, _bytes_of(found), "", slot, self._clash) for found, slot in batch]
        before = self._records.table.names(self._session.id)
        files = self._small.add(self._session.id, self._user, sources)
        for source in sources:
            self.written += 0 if source.name in before else len(source.data)
            self._advance(len(source.data), source.name)
        return files

    def _stream(self, found: Found, slot: str) -> SessionFile:
        with open(found.path, "rb", buffering=0) as source:
            size = os.fstat(source.fileno()).st_size
            file = self._begun(found, source.fileno(), size) or self._begin(found, size, slot)
            self._advance(file.offset, found.name)
            if file.state == "complete":
                return file
            opened = self._transfers.open(
                self._session.id, self._user, file.id, Append(file.offset, size - file.offset)
            )
            if not isinstance(opened, Writer):
                return opened
            try:
                while opened.offset < size:
                    piece = os.pread(source.fileno(), min(PIECE, size - opened.offset), opened.offset)
                    if not piece:
                        raise Conflict(f"{found.path} has become shorter while it was copied. Try again.")
                    opened.write(piece)
                    self.written += len(piece)
                    self._advance(len(piece), found.name)
                return opened.finish()
            finally:
                opened.close()

    def _begin(self, found: Found, size: int, slot: str) -> SessionFile:
        new = NewFile(found.name, size, slot, clash=self._clash)
        return self._transfers.create(self._session.id, self._user, new)

    def _begun(self, found: Found, source: int, size: int) -> SessionFile | None:
        """The copy that is there, whole or begun, when it is the beginning of this very file; one that was begun of
        another is removed.
        """
        row = self._records.table.file_named(self._session.id, found.name)
        if row is None or row["origin"] != "upload" or row["state"] == "failed" or row["size"] != size:
            return None
        file = self._transfers.look(self._session.id, self._user, row["id"])
        place = self._records.place(file)
        there = place.final if file.state == "complete" else place.part
        if file.offset == 0 or _same(there, source, file.offset):
            return file
        if file.state != "complete":
            self._transfers.remove(self._session.id, self._user, file.id)
        return None

    def _advance(self, size: int, name: str) -> None:
        self._done += size
        self._tell(self._done, self._total, name)


def _bytes_of(found: Found) -> bytes:
    try:
        with open(found.path, "rb") as source:
            data = source.read(SMALL + 1)
    except OSError as error:
        raise InvalidInput(f"{found.path} cannot be read: {error.strerror}. Try again.") from error
    if len(data) > SMALL:
        raise Conflict(f"{found.path} has become larger while it was copied. Try again.")
    return data


def _same(there: Path, source: int, length: int) -> bool:
    """Whether both begin with the same ``length`` bytes."""
    left, right = hashlib.sha256(), hashlib.sha256()
    with there.open("rb", buffering=0) as stream:
        for at in range(0, length, PIECE):
            size = min(PIECE, length - at)
            left.update(os.pread(stream.fileno(), size, at))
            right.update(os.pread(source, size, at))
    return left.digest() == right.digest()


def _taken(name: str, old: Mapping[str, Any] | None) -> Conflict:
    return Conflict(
        f"The session has a file named “{name}” already. Choose to keep both or to replace it.",
        file_id=old["id"] if old is not None else "",
    )


def _require_folders(names: Mapping[str, str]) -> None:
    """Raises Conflict when a name is a file and a folder at the same time."""
    for name in names:
        folder = name
        while folder := folder.rpartition("/")[0]:
            if folder in names:
                require_no_folder(name, [folder])
