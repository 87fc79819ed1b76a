"""One load for many who ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.slurm.shared import Shared


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_kept_until_it_is_old() -> None:
    clock, loads = Clock(), iter(range(10))
    shared = Shared(lambda: next(loads), 5, clock)
    assert [shared.get(), shared.get()] == [0, 0]
    clock.now += 4.9
    assert shared.get() == 0
    clock.now += 0.2
    assert shared.get() == 1
    shared.forget()
    assert shared.get() == 2
    clock.now -= 3600  # the clock was set back
    assert shared.get() == 3


def test_threads_share_one_load() -> None:
    go = threading.Event()
    loads: list[int] = []

    def load() -> str:
        loads.append(1)
        assert go.wait(10)
        return "value"

    shared = Shared(load, 5, Clock())
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(shared.get) for _ in range(8)]
        go.set()
        assert [answer.result(10) for answer in answers] == ["value"] * 8
    assert loads == [1]


def test_an_error_is_raised_and_not_kept() -> None:
    answers = iter([OSError("no answer"), "value"])

    def load() -> object:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    shared = Shared(load, 5, Clock())
    with pytest.raises(OSError, match="no answer"):
        shared.get()
    assert shared.get() == "value"


def test_what_was_loaded_before_forget_is_not_kept() -> None:
    shared: Shared[int]
    values = iter([1, 2])

    def load() -> int:
        value = next(values)
        if value == 1:
            shared.forget()  # a job is submitted while squeue runs
        return value

    shared = Shared(load, 5, Clock())
    assert shared.get() == 1
    assert shared.get() == 2
    assert shared.get() == 2


def test_a_controller_that_is_down_is_asked_once_in_a_while() -> None:
    now, asked = [100.0], []

    def load() -> int:
        asked.append(now[0])
        raise SchedulerUnavailable("down")

    shared = Shared(load, 5.0, lambda: now[0])
    for _ in range(3):
        with pytest.raises(SchedulerUnavailable):
            shared.get()
    assert asked == [100.0]
    now[0] += 4
    with pytest.raises(SchedulerUnavailable):
        shared.get()
    shared.forget()
    with pytest.raises(SchedulerUnavailable):
        shared.get()
    assert len(asked) == 3
