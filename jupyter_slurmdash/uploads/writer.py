"""The bytes of one request on their way to the disk.

``write`` is meant to be called from the event loop, piece by piece: handing 64 KiB to a thread costs more
than writing them. ``finish`` and ``close`` wait for the disk and belong beside the loop.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from ..errors import ChecksumMismatch, Conflict, InvalidInput, NoSpace, SlurmDashError, TooLarge
from .digest import Digest
from .files import Part
from .magic import HEAD
from .model import SessionFile, Slot
from .progress import Progress
from .protocol import Checksum
from .validate import validate_first_bytes

if TYPE_CHECKING:
    from .transfers import Transfers


class Writer:
    """Appends to one upload, whose lock it holds until ``finish`` or ``close``. Thread safe.

    ``room`` is how many bytes the upload may still take.
    """

    def __init__(
        self,
        transfers: Transfers,
        file: SessionFile,
        part: Part,
        digest: Digest,
        *,
        room: int,
        slot: Slot | None = None,
        checksum: Checksum | None = None,
        all_or_none: bool = False,
    ) -> None:
        self.file = file
        self.part = part
        self.digest = digest
        self.has_time = False  # see handlers/sinks.py
        self._transfers = transfers
        self._room = room
        self._slot = slot
        self._start = part.size
        self._checksum = checksum
        self._pending = checksum is not None or all_or_none  # what was written may yet be taken back
        self._before = digest.copy() if self._pending else digest
        self._body = hashlib.new(checksum.algorithm) if checksum is not None else None
        self._head: bytearray | None = bytearray() if part.size == 0 else None
        self._progress = Progress(part.size, transfers.ticks())
        self._failure: SlurmDashError | None = None
        self._wrong: str | None = None
        self._lock = threading.Lock()
        self._closed = False
        if self._pending:
            part.mark()

    @property
    def offset(self) -> int:
        """Bytes of the file that are on the disk now."""
        return self.part.size

    @property
    def is_behind(self) -> bool:
        """Whether the last pieces, at most ``AHEAD``, are still being digested: their memory must not change."""
        return self.digest.is_behind

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``. Raises NoSpace (what fits is kept), TooLarge, InvalidInput for a wrong kind of
        file.
        """
        with self._lock:
            if self._closed:
                raise Conflict("A newer connection has taken over this upload.")
            try:
                self._append(data)
            except SlurmDashError as error:
                self._failure = error
                raise
            now = self._transfers.ticks()
            if self._progress.due(now):
                self._transfers.tell_progress(self.file, self._progress, self.part.size, now)

    def keep_up(self) -> None:
        """Wait while the disk is far behind what was written: beside the loop, and for others to close meanwhile."""
        self.part.keep_up()

    def _append(self, data: bytes | memoryview) -> None:
        start = self.part.size
        if start + len(data) > self._start + self._room:
            raise TooLarge("The body has more bytes than the upload has left. Send exactly the rest.")
        try:
            self.part.append(data)
        except NoSpace:
            self._hash(data[: self.part.size - start], start)
            raise
        self._hash(data, start)
        if self._head is not None:
            self._look_at(data)

    def _hash(self, data: bytes | memoryview, offset: int) -> None:
        self.digest.update(data, offset, here=self.has_time)
        if self._body is not None:
            self._body.update(data)

    def _look_at(self, data: bytes | memoryview) -> None:
        assert self._head is not None
        self._head += data[: HEAD - len(self._head)]
        if len(self._head) < HEAD and self.part.size != self.file.size:
            return
        head, self._head = bytes(self._head), None
        found = validate_first_bytes(self.file.name, head, self._slot)
        if found is not None:
            self._wrong = found.message
            raise InvalidInput(found.message, [found])

    def finish(self) -> SessionFile:
        """The body is complete: verify it, and answer with the file as it stands now.

        When these were its last bytes, they are on the disk and the file has its name before this returns.
        Raises ChecksumMismatch (the body is forgotten).
        """
        try:
            with self._lock:
                if self._closed:
                    raise Conflict("A newer connection has taken over this upload.")
                self._verify()
                self.file = self._transfers.commit(self.file, self.part, self.digest)
                return self.file
        finally:
            self.close()

    def finish_here(self) -> SessionFile:
        """As ``finish``, for a file whose size was not known: it ends here, and is complete. Raises TooLarge."""
        with self._lock:
            if not self._closed:
                self.file = self._transfers.fix_size(self.file, self.part.size)
        return self.finish()

    def _verify(self) -> None:
        if not self._pending:
            return
        if self._checksum and self._body and self._body.digest() != self._checksum.digest:
            raise ChecksumMismatch(
                f"The {self._checksum.algorithm} of the body is another. Send these bytes once more,"
                f" from offset {self._start}."
            )
        self.part.unmark()
        self._pending = False

    def close(self) -> None:
        """Let go of the upload; all that was written stays, unless its checksum was never verified or its end
        never came.
        Idempotent.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._pending:
                    self.part.rewind(self._start)
                    self.digest = self._before
                self._transfers.leave(self.file, self.digest, self._failure, self._wrong)
            finally:
                self.part.close()
                self._transfers.release(self.file)
