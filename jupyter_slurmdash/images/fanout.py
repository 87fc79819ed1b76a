"""Many machines at a time, each with its own time-out: a hanging one costs nobody else's."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def fan_out(
    names: Sequence[str],
    work: Callable[[str], T],
    *,
    workers: int,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[str, T | BaseException | None]]:
    """Run ``work`` for every name in at most ``workers`` threads; yield results as they come.

    None stands for a name whose work took longer than ``timeout`` seconds: its place is given to the next
    one, and what it may still give is thrown away. What ``work`` raises is yielded. The threads are daemons,
    so that one that waits for a dead file system does not keep the process alive.
    """
    results: queue.SimpleQueue[tuple[str, T | BaseException]] = queue.SimpleQueue()
    waiting = deque(names)
    deadlines: dict[str, float] = {}

    def run(name: str) -> None:
        try:
            results.put((name, work(name)))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            results.put((name, error))

    while waiting or deadlines:
        while waiting and len(deadlines) < workers:
            name = waiting.popleft()
            deadlines[name] = clock() + timeout
            threading.Thread(target=run, args=(name,), name=f"slurmdash-scan-{name}", daemon=True).start()
        try:
            name, result = results.get(timeout=max(0.0, min(deadlines.values()) - clock()))
        except queue.Empty:
            for late in [name for name, deadline in deadlines.items() if deadline <= clock()]:
                del deadlines[late]
                yield late, None
            continue
        if deadlines.pop(name, None) is not None:
            yield name, result
