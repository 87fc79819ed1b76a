"""Many machines at a time, each with its own time-out: a hanging one costs nobody else's."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

# More that work at the same time would only wait for each other's turn at the interpreter, and the server with them.
_AT_ONCE = 12
# Seconds after which one counts as waiting, not as working.
_PATIENCE = 1.0


def fan_out(
    names: Sequence[str],
    work: Callable[[str], T],
    *,
    workers: int,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[tuple[str, T | BaseException | None]]]:
    """Run ``work`` for every name, some at a time; yield results as they come, all that are there.

    Those that have not answered for a second leave room for others, up to ``workers`` in all.
    None stands for a name whose work took longer than ``timeout`` seconds: its place is given to the next
    one, and what it may still give is thrown away. What ``work`` raises is yielded. The threads are daemons,
    so that one that waits for a dead file system does not keep the process alive.
    """
    results: queue.SimpleQueue[tuple[str, T | BaseException]] = queue.SimpleQueue()
    waiting = deque(names)
    began: dict[str, float] = {}

    def run(name: str) -> None:
        try:
            results.put((name, work(name)))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            results.put((name, error))

    def older(seconds: float) -> list[str]:
        now = clock()
        return [name for name, start in began.items() if now - start >= seconds]

    def fill() -> None:
        while waiting and len(began) < min(workers, _AT_ONCE + len(older(_PATIENCE))):
            name = waiting.popleft()
            began[name] = clock()
            threading.Thread(target=run, args=(name,), name=f"slurmdash-scan-{name}", daemon=True).start()

    while waiting or began:
        fill()  # the caller may have taken its time, and some may have become silent meanwhile
        # Until one is too late, or gives way to another.
        ages = (_PATIENCE, timeout) if waiting else (timeout,)
        left = (start + age - clock() for start in began.values() for age in ages)
        came = _all_of(results, min((seconds for seconds in left if seconds > 0), default=0.0))
        found: list[tuple[str, T | BaseException | None]] = []
        found += [(name, result) for name, result in came if began.pop(name, None) is not None]
        for name in older(timeout):
            del began[name]
            found.append((name, None))
        fill()  # nobody waits for what the caller makes of these
        if found:
            yield found


def _all_of(results: queue.SimpleQueue[T], seconds: float) -> list[T]:
    """All that are there, for at least one of which it waits; none after ``seconds``."""
    found: list[T] = []
    try:
        found.append(results.get(timeout=seconds))
        while True:
            found.append(results.get_nowait())
    except queue.Empty:
        return found
