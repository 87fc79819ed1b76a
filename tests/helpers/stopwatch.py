"""Processor time of a piece of code, as the machine of reference takes it.

A bar of 100 ms says what the code may cost. What a measurement also holds has nothing to do with it: coverage's work on
every line, a collection of the garbage that a thousand other tests have left, a machine that another one slows down.
The first two are switched off, the third is measured: a fixed piece of work is timed before and after, and what took
twice its usual time halves what was measured between. A faster machine is not counted against the code.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# What `_yardstick` takes on the machine on which the bars were set.
_USUAL = 0.0075


@dataclass
class Watch:
    """``seconds`` of this thread's processor time, once the block has ended."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Watch]:
    """Measure the block."""
    tracer = sys.gettrace()
    collects = gc.isenabled()
    watch = Watch()
    sys.settrace(None)
    gc.disable()
    before = _yardstick()
    start = time.thread_time()
    try:
        yield watch
    finally:
        took = time.thread_time() - start
        watch.seconds = took / max(1.0, (before + _yardstick()) / 2 / _USUAL)
        if collects:
            gc.enable()
        sys.settrace(tracer)


def fastest(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    seconds = []
    for _ in range(runs):
        with stopwatch() as watch:
            work()
        seconds.append(watch.seconds)
    return min(seconds)


def _yardstick() -> float:
    """Seconds of processor time for the kinds of work that readers do: numbers, text, tables, bytes."""
    start = time.thread_time()
    table: dict[str, int] = {}
    for number in range(4000):
        word = f"word {number % 97}: {number}"
        table[word.partition(":")[0]] = len(word.encode()) + int.from_bytes(word[:4].encode(), "big") % 7
    "".join(sorted(table))
    return time.thread_time() - start
