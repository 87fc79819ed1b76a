"""Time that this thread spent, without what coverage adds to every line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Watch:
    """``seconds`` of processor time, once the block has ended."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Watch]:
    """Measure the block."""
    tracer = sys.gettrace()
    watch = Watch()
    sys.settrace(None)
    start = time.thread_time()
    try:
        yield watch
    finally:
        watch.seconds = time.thread_time() - start
        sys.settrace(tracer)
