"""The files of one form on their way to the disk: small ones gathered and written together, large ones as they come."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..errors import Conflict, InvalidInput, SessionExpired, SessionNotFound, UploadNotFound
from .locks import LetGo
from .model import FILE_TYPES, SessionFile
from .multipart import Multipart, PartBegin, PartEnd
from .records import NewFile
from .same import Same
from .small import SmallFile, SmallFiles
from .transfers import Append, Transfers
from .writer import Writer

SMALL = 256 * 1024  # bytes up to which a file waits in memory for others
_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_FILES = 500
_MAX_FIELD = 1024
CLASHES = ("", "keep", "replace")


@dataclass
class _Part:
    begin: PartBegin
    data: bytearray = field(default_factory=bytearray)


class Intake:
    """A sink for the body of one form (see ``handlers/bodies.py``). Fields: ``file`` (any number, under any name),
    ``file_type``, ``slot`` and ``clash``, which hold for the files after them; those that come after the last file
    hold for all files that had none. ``let_go`` see ``Locks.acquire``.
    """

    def __init__(
        self,
        transfers: Transfers,
        small: SmallFiles,
        session_id: str,
        user: str,
        content_type: str,
        let_go: LetGo | None = None,
    ) -> None:
        self._transfers, self._small = transfers, small
        self._session_id, self._user = session_id, user
        self._let_go = let_go
        self._form = Multipart(content_type)
        self._lock = threading.Lock()
        self._closed = False
        self._part: _Part | None = None
        self._writer: Writer | Same | None = None
        self._batch: list[SmallFile] = []
        self._batch_bytes = 0
        self._fields: dict[str, str] = {}
        self._untyped: list[str] = []
        self.files: list[SessionFile] = []

    def write(self, data: bytes) -> None:
        """Raises what ``Transfers`` and ``SmallFiles`` raise, with the files that are there already in ``files``."""
        with self._lock:
            if self._closed:
                raise Conflict("The form was given up.")
            for event in self._form.feed(data):
                if isinstance(event, PartBegin):
                    self._part = _Part(event)
                elif isinstance(event, PartEnd):
                    self._end_part()
                else:
                    self._take(event)

    def _take(self, data: bytes) -> None:
        if self._writer is not None:
            self._writer.write(data)
            return
        part = self._part
        assert part is not None
        part.data += data
        if part.begin.filename is None:
            if len(part.data) > _MAX_FIELD:
                raise InvalidInput(f"The field {part.begin.name[:40]} has more than {_MAX_FIELD} bytes.")
        elif len(part.data) > SMALL:
            self._begin_large(part)

    def _begin_large(self, part: _Part) -> None:
        # So that the files stand in the session in the order of the form, and their names are seen.
        self._flush()
        new = NewFile(
            part.begin.filename or "",
            None,
            self._fields.get("slot", ""),
            self._fields.get("file_type", ""),
            clash=self._fields.get("clash", ""),
        )
        there = None if new.clash else self._transfers.complete_one(self._session_id, new.name)
        if there is not None:
            self._writer = Same(there)
        else:
            self._writer = self._open(self._transfers.create(self._session_id, self._user, new))
        self._writer.write(bytes(part.data))
        part.data.clear()

    def _open(self, file: SessionFile) -> Writer:
        whole = Append(0, let_go=self._let_go, all_or_none=True)
        try:
            writer = self._transfers.open(self._session_id, self._user, file.id, whole)
        except BaseException:
            self._remove(file)  # nobody else knows of it
            raise
        assert isinstance(writer, Writer)
        return writer

    def _end_part(self) -> None:
        part, self._part = self._part, None
        assert part is not None
        if part.begin.filename is None:
            self._set_field(part.begin.name, bytes(part.data))
        elif self._writer is not None:
            writer = self._writer
            self._add([writer.finish_here() if isinstance(writer, Writer) else writer.finish()])
            self._writer = None
        elif part.begin.filename or part.data:
            # A form whose file field was left empty sends one part without a name and without bytes.
            self._gather(part)

    def _gather(self, part: _Part) -> None:
        values = {name: self._fields.get(name, "") for name in ("slot", "clash")}
        kind = self._fields.get("file_type", "")
        self._batch.append(SmallFile(part.begin.filename or "", bytes(part.data), kind, **values))
        self._batch_bytes += len(part.data)
        if len(self._batch) >= _BATCH_FILES or self._batch_bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if batch:
            self._add(self._small.add(self._session_id, self._user, batch))

    def _add(self, files: list[SessionFile]) -> None:
        self.files += files
        if "file_type" not in self._fields:
            self._untyped += [file.id for file in files]

    def _set_field(self, name: str, data: bytes) -> None:
        if name not in ("file_type", "slot", "clash"):
            return
        value = data.decode("utf-8", "replace").strip()
        allowed = FILE_TYPES if name == "file_type" else CLASHES if name == "clash" else (value,)
        if value not in allowed:
            raise InvalidInput(f"The field {name} is one of {', '.join(filter(None, allowed))}.")
        if name == "file_type" and "file_type" not in self._fields:
            # The plan's own form has the type after the file.
            self._batch = [replace(file, type=value) for file in self._batch]
            for file_id in self._untyped:
                self._transfers.set_type(file_id, value)
            self.files = [
                replace(file, type=value) if file.id in self._untyped else file for file in self.files
            ]
        self._fields[name] = value

    def finish(self) -> list[SessionFile]:
        """The form is complete: its files."""
        try:
            with self._lock:
                self._form.finish()
                self._flush()
                if not self.files:
                    raise InvalidInput("The form has no file. Send at least one, in a field named file.")
                return self.files
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is not complete: a form cannot be resumed. Idempotent.

        Raises NoSpace or Conflict when that could not be removed; the same form, sent again, takes its place.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
            if isinstance(writer, Writer):
                self._remove(writer.file)

    def _remove(self, file: SessionFile) -> None:
        # The session may have gone, and the file with it; or the same form, sent again, has replaced it.
        with suppress(SessionNotFound, SessionExpired, UploadNotFound):
            self._transfers.remove(self._session_id, self._user, file.id)


def answer(files: list[SessionFile]) -> Mapping[str, object]:
    """The contract's ``FilesReceipt``: the plan's members are those of the first file."""
    return {**files[0].to_json(), "files": [file.to_json() for file in files]}
