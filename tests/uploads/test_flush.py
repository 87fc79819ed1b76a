"""What the disk did not take after all, though it was written without an error, does not count."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from upload_place import Place

from jupyter_slurmdash.errors import NoSpace
from jupyter_slurmdash.uploads import flush

DATA = os.urandom(1000)


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_disk_that_is_full_only_when_it_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    """As with delayed allocation, or on a network: the ``fails``-th sync, of two early ones and the last."""
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0, body=1000)
    real, calls = os.fdatasync, 0

    def fdatasync(fd: int) -> None:
        nonlocal calls
        calls += 1
        if calls == fails:
            raise OSError(errno.ENOSPC, "full")
        real(fd)

    monkeypatch.setattr(flush, "STEP", 400)
    monkeypatch.setattr(flush.os, "fdatasync", fdatasync)
    for start in range(0, 1000, 200):
        writer.write(DATA[start : start + 200])
        under_way = writer.part._flusher._under_way
        if under_way is not None:
            under_way.exception()  # wait for it
    with pytest.raises(NoSpace):
        writer.finish()
    kept = place.look(file).offset
    assert kept == {1: 0, 2: 400, 3: 800}[fails]
    again = place.restarted()
    done = again.send(file, kept, DATA[kept:])
    again.close()
    assert (done.state, done.sha256) == ("complete", hashlib.sha256(DATA).hexdigest())
    assert Path(done.path).read_bytes() == DATA


def test_the_file_may_be_closed_before_the_disk_is_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flush, "STEP", 100)
    file = place.begin(place.session(), "a.dat", 1000)
    writer = place.writer(file, 0, body=1000)
    writer.write(DATA[:300])
    writer.close()
    assert place.look(file).offset == 300
    assert place.send(file, 300, DATA[300:]).sha256 == hashlib.sha256(DATA).hexdigest()
