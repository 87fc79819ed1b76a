"""Digests beside the writing: also where a process may start no more threads, and in a forked child."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from jupyter_slurmdash.uploads import digest
from jupyter_slurmdash.uploads.afterfork import anew_after_fork
from jupyter_slurmdash.uploads.digest import AHEAD, Digest

PIECE = os.urandom(100_000)
PIECES = 2 * AHEAD


def test_a_thread_that_cannot_be_started_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a limit of processes (RLIMIT_NPROC); later there is room again."""
    aside = digest._Aside()
    monkeypatch.setattr(digest, "_aside", lambda: aside)

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = Digest(), Digest()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        feed(first, 0, 3)
    assert aside._thread is None
    feed(first, 3, PIECES)
    feed(second, 0, PIECES)
    assert aside._thread is not None
    whole = hashlib.sha256(PIECE * PIECES).hexdigest()
    assert [one.hexdigest(-1, len(PIECE) * PIECES) for one in (first, second)] == [whole, whole]


def test_what_is_digested_here_waits_for_what_was_handed_over() -> None:
    one = Digest()
    for number in range(PIECES):
        one.update(PIECE, number * len(PIECE), here=number % 3 != 0)
    assert one.hexdigest(-1, PIECES * len(PIECE)) == hashlib.sha256(PIECE * PIECES).hexdigest()


def test_what_is_digested_here_is_done() -> None:
    one = Digest()
    one.update(PIECE, 0, here=True)
    assert not one.is_behind


def feed(one: Digest, start: int, end: int) -> None:
    for number in range(start, end):
        one.update(PIECE, number * len(PIECE))


def test_a_digest_that_failed_has_not_seen_the_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    aside = digest._Aside()
    monkeypatch.setattr(digest, "_aside", lambda: aside)
    one = Digest()
    with monkeypatch.context() as patch:

        def update(*_args: object) -> None:
            raise MemoryError

        patch.setattr(aside, "update", update)
        with pytest.raises(MemoryError):
            one.update(PIECE, 0)
    assert not one.is_behind
    one.update(PIECE, 0)
    assert one.hexdigest(-1, len(PIECE)) == hashlib.sha256(PIECE).hexdigest()


def test_a_forked_child_makes_its_own() -> None:
    own = anew_after_fork(os.getpid)
    assert own() == os.getpid()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if own() == os.getpid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert own() == os.getpid()
