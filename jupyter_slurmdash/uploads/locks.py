"""One writer at a time for each file. Who comes later asks the one before to let go.

A connection that died without a word would otherwise hold its file until TCP gives up, minutes later,
while its client is already back (as in tusd, and as the IETF draft of resumable uploads recommends).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import Conflict

PATIENCE = 10.0  # seconds
LetGo = Callable[[], None]


class Locks:
    """Locks by name, inside this process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[str, LetGo | None] = {}

    def acquire(self, name: str, let_go: LetGo | None = None, patience: float = PATIENCE) -> None:
        """Take the lock; its holder's ``let_go`` is called (in this thread) when it is taken already.

        ``let_go`` must return at once and lead to ``release``; None means that the holder will be done
        very soon. Raises Conflict when the lock is not free after ``patience`` seconds.
        """
        asked: LetGo | None = None
        deadline = time.monotonic() + patience
        with self._changed:
            while name in self._holders:
                holder = self._holders[name]
                if holder is not None and holder is not asked:
                    asked = holder
                    self._changed.release()
                    try:
                        holder()
                    finally:
                        self._changed.acquire()
                    continue
                if not self._changed.wait(deadline - time.monotonic()):
                    raise Conflict("Another connection still writes this file. Try again in a few seconds.")
            self._holders[name] = let_go

    def release(self, name: str) -> None:
        with self._changed:
            self._holders.pop(name, None)
            self._changed.notify_all()

    @contextmanager
    def held(self, name: str, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the lock inside the block, for something short."""
        self.acquire(name, None, patience)
        try:
            yield
        finally:
            self.release(name)

    def busy(self, name: str) -> bool:
        with self._changed:
            return name in self._holders
