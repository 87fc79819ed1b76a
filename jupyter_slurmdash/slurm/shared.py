"""One answer for all who ask within a few seconds: a value that is loaded once and grows old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from ..errors import SchedulerUnavailable

T = TypeVar("T")

_TROUBLE_TTL = 3.0


class Shared(Generic[T]):
    """A value of age at most ``ttl`` seconds. Threads that ask while it is loaded wait for that one load.

    An error is raised in everyone who waited for it. A SchedulerUnavailable is kept for ``_TROUBLE_TTL`` seconds: a
    controller that is down costs each command many seconds, which one look at it should pay for all.
    """

    def __init__(self, load: Callable[[], T], ttl: float, clock: Callable[[], float]) -> None:
        self._load = load
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[float, T] | None = None
        self._trouble: tuple[float, SchedulerUnavailable] | None = None
        self._flight: Future[T] | None = None

    def get(self) -> T:
        """The value, loaded when there is none that is young enough."""
        with self._lock:
            if self._value is not None and 0 <= self._clock() - self._value[0] < self._ttl:
                return self._value[1]
            if self._trouble is not None and 0 <= self._clock() - self._trouble[0] < _TROUBLE_TTL:
                raise self._trouble[1]
            flight = self._flight
            mine = flight is None
            if flight is None:
                flight = self._flight = Future()
        if mine:
            self._fly(flight)
        return flight.result()

    def forget(self) -> None:
        """What is known, and what is being loaded now, may be out of date: the next one who asks loads
        anew."""
        with self._lock:
            self._value = None
            self._trouble = None
            self._flight = None

    def _fly(self, flight: Future[T]) -> None:
        started = self._clock()
        try:
            value = self._load()
        except BaseException as error:  # noqa: BLE001 - handed to those who wait, and raised again in get()
            self._land(flight, None)
            if isinstance(error, SchedulerUnavailable):
                self._trouble = (self._clock(), error)
            flight.set_exception(error)
        else:
            self._land(flight, (started, value))
            flight.set_result(value)

    def _land(self, flight: Future[T], value: tuple[float, T] | None) -> None:
        with self._lock:
            if self._flight is flight:
                self._flight = None
                self._value = value
                self._trouble = None
