"""Random schedules of everything that can happen to an upload: the file that comes out is right, whatever
happens.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from upload_place import ME, Place

from jupyter_slurmdash.errors import ChecksumMismatch, OffsetMismatch, TooLarge
from jupyter_slurmdash.uploads.model import SessionFile
from jupyter_slurmdash.uploads.protocol import Checksum
from jupyter_slurmdash.uploads.transfers import Append
from jupyter_slurmdash.uploads.writer import Writer

lengths = st.integers(0, 400)


class Upload(RuleBasedStateMachine):
    """``sent`` is what must be there: each byte that was written and not taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.place = Place(self.root)
        self.dead: list[Place] = []
        self.sent = 0

    @initialize(data=st.binary(min_size=1, max_size=1000), later=st.booleans())
    def create(self, data: bytes, later: bool) -> None:
        self.data = data
        self.known = not later
        self.file: SessionFile = self.place.begin(self.place.session(), "a.bin", None if later else len(data))

    @property
    def complete(self) -> bool:
        return self.known and self.sent == len(self.data)

    def open(self, **options: object) -> Writer:
        return self.place.writer(self.file, self.sent, **options)

    @precondition(lambda self: not self.complete)
    @rule(length=lengths)
    def append(self, length: int) -> None:
        piece = self.data[self.sent : self.sent + length]
        self.place.send(self.file, self.sent, piece)
        self.sent += len(piece)

    @precondition(lambda self: not self.known)
    @rule()
    def say_the_length(self) -> None:
        self.place.send(self.file, self.sent, b"", total=len(self.data))
        self.known = True

    @rule(wrong=st.integers(0, 1200), length=lengths)
    def append_at_a_wrong_offset(self, wrong: int, length: int) -> None:
        if wrong == self.sent:
            return
        with pytest.raises(OffsetMismatch):
            self.place.transfers.open(self.file.session_id, ME, self.file.id, Append(wrong, body=length))

    @precondition(lambda self: self.known)
    @rule(extra=st.integers(1, 100))
    def append_too_much(self, extra: int) -> None:
        body = len(self.data) - self.sent + extra
        with pytest.raises(TooLarge):
            self.place.transfers.open(self.file.session_id, ME, self.file.id, Append(self.sent, body=body))

    @precondition(lambda self: not self.complete)
    @rule(length=lengths, verified=st.booleans())
    def break_off(self, length: int, verified: bool) -> None:
        piece = self.data[self.sent : self.sent + length]
        writer = self.open(checksum=Checksum("sha1", b"never compared") if verified else None)
        writer.write(piece)
        writer.close()
        self.sent += 0 if verified else len(piece)

    @precondition(lambda self: not self.complete)
    @rule(length=lengths, right=st.booleans())
    def append_with_checksum(self, length: int, right: bool) -> None:
        piece = self.data[self.sent : self.sent + length]
        digest = hashlib.sha256(piece if right else piece + b"x").digest()
        if right:
            self.place.send(self.file, self.sent, piece, checksum=Checksum("sha256", digest))
            self.sent += len(piece)
        else:
            with pytest.raises(ChecksumMismatch):
                self.place.send(self.file, self.sent, piece, checksum=Checksum("sha256", digest))

    @precondition(lambda self: not self.complete)
    @rule(length=lengths, verified=st.booleans())
    def kill_and_restart(self, length: int, verified: bool) -> None:
        piece = self.data[self.sent : self.sent + length]
        writer = self.open(checksum=Checksum("sha1", b"never compared") if verified else None)
        writer.write(piece)
        # All that the end of the process does: its descriptors are closed.
        writer.part.close()
        self.dead.append(self.place)
        self.place = self.place.restarted()
        self.sent += 0 if verified else len(piece)

    @rule()
    def restart(self) -> None:
        self.dead.append(self.place)
        self.place = self.place.restarted()

    @invariant()
    def what_is_told_is_true(self) -> None:
        (seen,) = self.place.sessions.get(self.file.session_id, ME).files
        assert seen.offset == self.sent
        assert (seen.state == "complete") == self.complete
        final = list((self.root / "uploads").rglob("a.bin"))
        if self.complete:
            assert seen.sha256 == hashlib.sha256(self.data).hexdigest()
            assert [path.read_bytes() for path in final] == [self.data]
        else:
            assert final == []

    def teardown(self) -> None:
        for place in [*self.dead, self.place]:
            place.close()
        shutil.rmtree(self.root)


TestUpload = Upload.TestCase
TestUpload.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
