"""A file that comes in chunks of any order, several at the same time (the plan's protocol).

Each chunk is written at its place, so nothing is merged in the end. It is acknowledged when its bytes are on the disk
and its line is in the journal. One that comes twice is compared with what is there, never written again. The digest
follows the bytes without a gap, read back from memory beside the event loop.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ChecksumMismatch, Conflict, InvalidInput, SlurmDashError, TooLarge
from .digest import Digest
from .files import Part, full_disk
from .journal import Journal
from .locks import LetGo
from .magic import HEAD
from .model import Session, SessionFile, Slot
from .names import clean_path
from .progress import Progress
from .protocol import Checksum
from .records import NewFile, Records
from .transfers import Transfers
from .validate import validate_first_bytes

MAX_CHUNKS = 1_000_000


@dataclass(frozen=True)
class Chunk:
    """What a client says of one chunk. ``index`` counts from 0; ``body`` is bytes, None when not announced."""

    name: str
    index: int
    total: int
    type: str = ""
    slot: str = ""
    body: int | None = None
    checksum: Checksum | None = None
    let_go: LetGo | None = None


class _Open:
    """A file while at least one of its chunks is on its way. ``lock`` guards the syncs, journal and digest; ``writers``
    are under the lock of all files. ``lost`` is what each failed sync said.
    """

    def __init__(self, file: SessionFile, part: Part, journal: Journal, digest: Digest, now: float) -> None:
        self.file, self.part, self.journal, self.digest = file, part, journal, digest
        self.lock = threading.Lock()
        self.writers: dict[int, ChunkWriter] = {}
        self.progress = Progress(journal.received, now)
        self.lost: list[OSError] = []
        self.problem = ""

    def sync(self, lost: int) -> None:
        """Put on the disk what a chunk has written that began when ``lost`` syncs had failed. Raises OSError.

        The kernel tells a failure to one sync of the file, whosever bytes were lost: none of the chunks counts that
        had been written to by then.
        """
        if lost < len(self.lost):
            raise OSError(*self.lost[lost].args)
        try:
            os.fdatasync(self.part.fd)
        except OSError as error:
            self.lost.append(error)
            raise


class Chunks:
    """``chunk_size`` is bytes of every chunk but the last. Thread safe."""

    def __init__(self, records: Records, transfers: Transfers, chunk_size: int) -> None:
        self._records = records
        self._transfers = transfers
        self._chunk_size = chunk_size
        self._lock = threading.Lock()
        self._files: dict[str, _Open] = {}

    @full_disk()
    def open(self, session_id: str, user: str, chunk: Chunk) -> ChunkWriter:
        """Where the chunk's bytes go. The first chunk that comes begins the file.

        Raises InvalidInput, TooLarge, NoSpace, Conflict (the name is another file's), Session*.
        """
        session = self._records.active(session_id, user)
        chunk = replace(chunk, name=clean_path(chunk.name))
        if not 0 < chunk.total <= MAX_CHUNKS or not 0 <= chunk.index < chunk.total:
            raise InvalidInput(
                f"Of {chunk.total} chunks none has the index {chunk.index}; they count from 0."
            )
        with self._records.locks.held(f"{session_id}/{chunk.name}"):
            file, journal = self._find(session, user, chunk)
        self.check_length(chunk, journal.chunk_size, chunk.body)
        lock = f"{file.id}/{chunk.index}"
        self._records.locks.acquire(lock, chunk.let_go)
        try:
            return self._writer(user, file, chunk)
        except BaseException:
            self._records.locks.release(lock)
            raise

    def _find(self, session: Session, user: str, chunk: Chunk) -> tuple[SessionFile, Journal]:
        row = self._records.table.file_named(session.id, chunk.name)
        if row is not None and row["state"] != "failed":
            file = self._records.file(session.id, row["id"])
            journal = Journal.read(self._records.place(file).journal)
            if journal is None or journal.total != chunk.total:
                raise Conflict(
                    f"The session has a file named “{file.name}” already, and this is no chunk of it."
                    " Go on with it, or delete it.",
                    file_id=file.id,
                )
            return file, journal
        journal = Journal(self._chunk_size, chunk.total)
        return self._begin(session, user, chunk, journal), journal

    def _begin(self, session: Session, user: str, chunk: Chunk, journal: Journal) -> SessionFile:
        least = (chunk.total - 1) * journal.chunk_size
        space = self._transfers.space
        space.check_size(least)
        most = chunk.total * journal.chunk_size
        new = NewFile(chunk.name, most, chunk.slot, chunk.type)

        def allowed(file: SessionFile) -> None:
            space.check_slot(file, least)
            space.check(user, least, file.id, files=1)

        def before(file: SessionFile) -> None:
            allowed(file)
            journal.create(self._records.place(file).journal)

        file = self._records.add(session, new, before)
        try:
            allowed(file)  # once more: others may have begun at the same moment
        except SlurmDashError:
            self._records.forget(file)
            raise
        return file

    def check_length(self, chunk: Chunk, size: int, length: int | None) -> None:
        """Raises TooLarge or InvalidInput when chunk ``chunk`` cannot have ``length`` bytes."""
        if length is None:
            return
        if length > size:
            raise TooLarge(f"The chunk has {length} bytes; one has {size} here (chunk_size of the session).")
        if chunk.index < chunk.total - 1 and length != size:
            raise InvalidInput(
                f"Chunk {chunk.index} has {length} bytes; all but the last have {size} (chunk_size of the session)."
            )
        if not length and chunk.total > 1:
            raise InvalidInput("The last chunk is empty. Send one chunk less.")
        if chunk.index == chunk.total - 1:
            self._transfers.space.check_size(chunk.index * size + length)

    def _writer(self, user: str, file: SessionFile, chunk: Chunk) -> ChunkWriter:
        slot = self._transfers.space.slot_of(file) if chunk.index == 0 else None
        shared, writer = self._join(file, chunk, slot)
        if shared.file.state != "complete" and chunk.index not in shared.journal.lengths:
            try:
                self._transfers.space.check(user, chunk.body or 0, file.id)
            except BaseException:
                self._drop(shared, chunk)
                raise
        return writer

    def _join(self, file: SessionFile, chunk: Chunk, slot: Slot | None) -> tuple[_Open, ChunkWriter]:
        """One more writer of the file. The first one opens it; chunks of other files do not wait for that."""
        with self._records.locks.held(f"{file.id}/open"):
            with self._lock:
                shared = self._files.get(file.id)
                if shared is not None:
                    return shared, self._add(shared, chunk, slot)
            shared = self._enter(file)
            with self._lock:
                self._files[file.id] = shared
                return shared, self._add(shared, chunk, slot)

    def _add(self, shared: _Open, chunk: Chunk, slot: Slot | None) -> ChunkWriter:
        shared.writers[chunk.index] = writer = ChunkWriter(self, shared, chunk, slot)
        return writer

    def _enter(self, file: SessionFile) -> _Open:
        """With the file's own lock, until its last writer has gone."""
        self._records.locks.acquire(file.id, lambda: self._let_go(file.id))
        try:
            file = self._records.file(file.session_id, file.id)
            place = self._records.place(file)
            journal = Journal.read(place.journal)
            if journal is None or file.state == "failed":
                raise Conflict("This file was just deleted. Send its chunks again.")
            if file.state == "uploading" and journal.complete:
                file = self._transfers.finish_held(file)
            part = Part(place, finished=place.final if file.state == "complete" else None)
            digest = self._transfers.digest(file.id, journal.contiguous)
            return _Open(file, part, journal, digest, self._transfers.ticks())
        except BaseException:
            self._records.locks.release(file.id)
            raise

    def _let_go(self, file_id: str) -> None:
        with self._lock:
            shared = self._files.get(file_id)
            writers = list(shared.writers.values()) if shared is not None else []
        for writer in writers:
            if writer.chunk.let_go is not None:
                writer.chunk.let_go()

    def leave(self, shared: _Open, chunk: Chunk, wrong: InvalidInput | None) -> None:
        """A writer goes; ``wrong`` is what it found in the first bytes: the file has failed then."""
        try:
            if wrong is not None:
                self._fail(shared, wrong)
        finally:
            try:
                self._drop(shared, chunk)
            finally:
                self._records.locks.release(f"{shared.file.id}/{chunk.index}")

    def _fail(self, shared: _Open, wrong: InvalidInput) -> None:
        with shared.lock:
            self._transfers.leave(shared.file, shared.digest, wrong, wrong.detail)
            self._records.place(shared.file).journal.unlink(missing_ok=True)

    def _drop(self, shared: _Open, chunk: Chunk) -> None:
        with self._lock:
            shared.writers.pop(chunk.index, None)
            if shared.writers:
                return
            del self._files[shared.file.id]
        try:
            shared.part.close()
        finally:
            self._records.locks.release(shared.file.id)

    @full_disk()
    def acknowledge(self, shared: _Open, chunk: Chunk, length: int, lost: int) -> None:
        """The chunk's bytes are written: put them on the disk and note them; complete the file if it is whole. ``lost``
        see ``_Open.sync``.
        """
        with shared.lock:
            if shared.problem:
                raise InvalidInput(shared.problem)
            shared.sync(lost)
            journal, place = shared.journal, self._records.place(shared.file)
            journal.add(place.journal, chunk.index, length)
            shared.digest.catch_up(shared.part.fd, journal.contiguous)
            shared.part.size = journal.received
            size = journal.size if journal.size is not None else shared.file.size
            if size != shared.file.size:
                shared.file = replace(shared.file, size=size)
                self._records.table.update_file(shared.file.id, {"size": size})
            shared.file = self._transfers.commit(shared.file, shared.part, shared.digest)
            now = self._transfers.ticks()
            if shared.file.state != "complete" and shared.progress.due(now):
                self._transfers.tell_progress(shared.file, shared.progress, journal.received, now)


class ChunkWriter:
    """The bytes of one chunk. Holds the chunk until ``finish`` or ``close``. Thread safe.

    ``write`` is called from the event loop: it waits for nobody, and asks no database.
    """

    def __init__(self, chunks: Chunks, shared: _Open, chunk: Chunk, slot: Slot | None) -> None:
        self.chunk = chunk
        self._chunks = chunks
        self._shared = shared
        self._slot = slot
        self._lost = len(shared.lost)
        self._wrong: InvalidInput | None = None
        self._known = shared.journal.lengths.get(chunk.index)
        self._start = chunk.index * shared.journal.chunk_size
        self._length = 0
        self._head: bytearray | None = bytearray() if chunk.index == 0 and self._known is None else None
        self._body = hashlib.new(chunk.checksum.algorithm) if chunk.checksum is not None else None
        self._lock = threading.Lock()
        self._closed = False

    def write(self, data: bytes) -> None:
        """Raises NoSpace, TooLarge, Conflict (the chunk is there with other bytes), InvalidInput (a wrong file)."""
        with self._lock:
            if self._closed:
                raise Conflict("A newer connection has taken over this chunk.")
            limit = self._shared.journal.chunk_size if self._known is None else self._known
            if self._length + len(data) > limit:
                raise (
                    self._other()
                    if self._known is not None
                    else TooLarge(f"The chunk has more than {limit} bytes (chunk_size of the session).")
                )
            offset = self._start + self._length
            if self._known is not None:
                if os.pread(self._shared.part.fd, len(data), offset) != data:
                    raise self._other()
            else:
                self._look_at(data)
                self._shared.part.write_at(data, offset)
            self._length += len(data)
            if self._body is not None:
                self._body.update(data)

    def _other(self) -> Conflict:
        return Conflict(
            f"Chunk {self.chunk.index} of “{self.chunk.name}” is there with other bytes."
            " Is it another file of that name? Delete the one that is there first."
        )

    def _look_at(self, data: bytes, end: bool = False) -> None:
        if self._head is None:
            return
        self._head += data[: HEAD - len(self._head)]
        if len(self._head) >= HEAD or end:
            head, self._head = bytes(self._head), None
            found = validate_first_bytes(self._shared.file.name, head, self._slot)
            if found is not None:
                self._shared.problem = found.message  # the file is not complete without this chunk
                self._wrong = InvalidInput(found.message, [found])
                raise self._wrong

    def finish(self) -> dict[str, Any]:
        """The contract's ``ChunkReceipt``, when the chunk is on the disk. Raises as ``write``, and ChecksumMismatch."""
        try:
            with self._lock:
                if self._closed:
                    raise Conflict("A newer connection has taken over this chunk.")
                self._finish()
            file = self._shared.file
            chunk_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{file.id}/{self.chunk.index}"))
            received = len(self._shared.journal.lengths)
            return {"chunk_id": chunk_id, "received": True, "chunks": received, "file": file.to_json()}
        finally:
            self.close()

    def _finish(self) -> None:
        checksum = self.chunk.checksum
        if checksum is not None and self._body is not None and self._body.digest() != checksum.digest:
            raise ChecksumMismatch(f"The {checksum.algorithm} of the chunk is another. Send it once more.")
        if self._known is not None:
            if self._length != self._known:
                raise self._other()
            return
        self._chunks.check_length(self.chunk, self._shared.journal.chunk_size, self._length)
        self._look_at(b"", end=True)
        self._chunks.acknowledge(self._shared, self.chunk, self._length, self._lost)

    def close(self) -> None:
        """Let go of the chunk; without ``finish`` it was never there. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._chunks.leave(self._shared, self.chunk, self._wrong)
