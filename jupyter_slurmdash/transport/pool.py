"""Connections that wait for their next use, and are closed when none comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Pooled(Protocol):
    """What can be kept: a connection to the machine ``name``."""

    name: str

    @property
    def usable(self) -> bool: ...
    def abort(self) -> None: ...


C = TypeVar("C", bound=Pooled)


class IdlePool(Generic[C]):
    """Idle connections by machine; closed when unused for ``idle_timeout`` seconds. Thread safe."""

    def __init__(self, idle_timeout: float, clock: Callable[[], float]) -> None:
        self._idle_timeout = idle_timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[tuple[float, C]] = []
        self._timer: threading.Timer | None = None

    def take(self, name: str) -> C | None:
        """A usable connection to ``name``, the one used last; None when there is none."""
        with self._lock:
            for index in reversed(range(len(self._idle))):
                connection = self._idle[index][1]
                if connection.name == name:
                    del self._idle[index]
                    if connection.usable:
                        return connection
        return None

    def put(self, connection: C) -> None:
        """Keep a connection that is not used any more."""
        with self._lock:
            self._idle.append((self._clock(), connection))
            if self._timer is None:
                self._start_timer()

    def close(self) -> None:
        """Close all that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for _, connection in idle:
            connection.abort()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._idle_timeout, self._close_old)
        self._timer.daemon = True
        self._timer.start()

    def _close_old(self) -> None:
        bound = self._clock() - self._idle_timeout
        with self._lock:
            old = [pair for pair in self._idle if pair[0] <= bound or not pair[1].usable]
            self._idle = [pair for pair in self._idle if pair not in old]
            self._timer = None
            if self._idle:
                self._start_timer()
        for _, connection in old:
            connection.abort()
