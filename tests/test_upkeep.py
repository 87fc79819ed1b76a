"""Work that is done again and again until it is told to stop."""

from __future__ import annotations

import threading

import pytest

from jupyter_slurmdash.errors import DatabaseUnavailable
from jupyter_slurmdash.upkeep import Upkeep


def test_it_works_at_once_and_again_and_stops() -> None:
    done = threading.Semaphore(0)
    upkeep = Upkeep(done.release, 0.01)
    upkeep.start()
    for _ in range(3):
        assert done.acquire(timeout=10)
    upkeep.stop()
    while done.acquire(blocking=False):
        pass
    assert not done.acquire(timeout=0.05)


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("locked"), OSError("no space"), ValueError("a fault of ours")]
)
def test_a_failure_is_logged_and_tried_again(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def work() -> None:
        tried.release()
        raise error

    upkeep = Upkeep(work, 0.01)
    upkeep.start()
    for _ in range(2):
        assert tried.acquire(timeout=10)
    upkeep.stop()
    assert "Upkeep failed" in caplog.text


def test_stopping_does_not_wait_for_the_next_time() -> None:
    upkeep = Upkeep(lambda: None, 3600)
    upkeep.start()
    upkeep.stop()
    Upkeep(lambda: None, 3600).stop()
