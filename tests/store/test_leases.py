"""Leases: one at a time, and a dead holder gives it back."""

from __future__ import annotations

import threading

from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.leases import Leases


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_owner_at_a_time(database: Database) -> None:
    clock = Clock()
    mine, theirs = Leases(database, clock), Leases(database, clock)
    assert mine.take("scan", 10)
    assert not theirs.take("scan", 10)
    assert theirs.take("other", 10)
    assert mine.take("scan", 20), "the owner renews"
    clock.now += 15
    assert not theirs.take("scan", 10)
    clock.now += 5
    assert theirs.take("scan", 10), "the time of the first is over"
    assert not mine.take("scan", 10)


def test_only_the_owner_gives_back(database: Database) -> None:
    mine, theirs = Leases(database), Leases(database)
    assert mine.take("scan", 60)
    theirs.give_back("scan")
    assert not theirs.take("scan", 60)
    mine.give_back("scan")
    assert theirs.take("scan", 60)


def test_held_keeps_out_threads_of_the_same_process(database: Database) -> None:
    leases = Leases(database)
    inside, most, taken = 0, 0, []
    lock, begin = threading.Lock(), threading.Barrier(6)

    def work() -> None:
        nonlocal inside, most
        begin.wait()
        with leases.held("submit", 60) as mine:
            taken.append(mine)
            if mine:
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, True in taken, len(taken)) == (1, True, 6)
    with leases.held("submit", 60) as mine:
        assert mine, "all gave it back"
        with leases.held("submit", 60) as again:
            assert not again
        with leases.held("submit", 60) as again:
            assert not again, "who did not get it does not give it back"


def test_an_error_inside_gives_it_back(database: Database) -> None:
    leases = Leases(database)
    try:
        with leases.held("submit", 60):
            raise KeyError
    except KeyError:
        pass
    with leases.held("submit", 60) as mine:
        assert mine
