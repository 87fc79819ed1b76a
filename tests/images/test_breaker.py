"""The circuit breaker: pure, with a clock of its own; and in a catalogue's scans."""

from __future__ import annotations

from jupyter_slurmdash.images.breaker import OPEN, Breaker
from jupyter_slurmdash.images.model import NodeScan


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker, times: int = 1, reason: str = "refused") -> None:
    for _ in range(times):
        breaker.record(NodeScan("n", "failed", 0, reason, "n refused the connection."))


def rest(breaker: Breaker, clock: Clock) -> float:
    """Seconds from now until the node is tried again."""
    start, clock.now = clock.now, clock.now
    while breaker.pass_over("n") is not None:
        clock.now += 1
    seconds, clock.now = clock.now - start, start
    return seconds


def test_the_third_failure_in_a_row_opens_it() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, 2)
    assert breaker.pass_over("n") is None
    fail(breaker)
    passed = breaker.pass_over("n")
    assert passed is not None
    assert (passed.node, passed.status, passed.reason) == ("n", "failed", OPEN)
    assert "1970-01-01T00:17:40" in str(passed.message), "when it is tried again"
    assert "n refused the connection" in str(passed.message)
    assert breaker.pass_over("other") is None


def test_a_success_between_begins_anew() -> None:
    breaker = Breaker(Clock())
    fail(breaker, 2)
    breaker.record(NodeScan("n", "ok", 3))
    fail(breaker, 2)
    assert breaker.pass_over("n") is None


def test_the_rest_doubles_up_to_an_hour() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, 3)
    rests = []
    for _ in range(8):
        rests.append(rest(breaker, clock))
        clock.now += rests[-1]
        fail(breaker)
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    breaker.record(NodeScan("n", "ok"))
    fail(breaker, 3)
    assert rest(breaker, clock) == 60, "a success forgets how long it was"


def test_tries_by_name_do_not_lengthen_the_rest() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, 3)
    clock.now += 30
    fail(breaker, 5, "timeout")
    assert rest(breaker, clock) == 30


def test_what_was_passed_over_was_no_try() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    fail(breaker, 3)
    passed = breaker.pass_over("n")
    assert passed is not None
    clock.now += 60
    breaker.record(passed)
    assert breaker.pass_over("n") is None


def test_a_node_that_answers_stays_in() -> None:
    breaker = Breaker(Clock())
    for reason in ("io", "no-directory", "permission"):
        fail(breaker, 4, reason)
        assert breaker.pass_over("n") is None
    fail(breaker, 2)
    fail(breaker, 1, "permission")
    fail(breaker, 2)
    assert breaker.pass_over("n") is None, "an answer between begins anew"
