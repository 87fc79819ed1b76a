"""Events inside one process: who publishes does not know who listens.

Other processes of the same user (a kernel, the terminal, a second server) are reached through the
database; see ``store/changes.py``, which re-publishes here what they wrote there.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Channel = Literal["uploads", "jobs", "templates", "images"]
CHANNELS: tuple[Channel, ...] = ("uploads", "jobs", "templates", "images")
Listener = Callable[["Event"], None]


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``id`` rises within a process; ``time`` is seconds since the epoch, UTC.

    ``durable`` events are also told to the user's other processes through the database.
    """

    id: int
    channel: Channel
    type: str
    data: Mapping[str, Any]
    time: float
    durable: bool = field(default=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The WebSocket message: the plan's flat shape, with ``type`` beside the data's own keys."""
        return {
            **self.data,
            "type": self.type,
            "channel": self.channel,
            "event_id": self.id,
            "time": self.time,
        }


class EventBus:
    """Publishes to listeners and keeps the last ``history`` events, so that a reconnect misses none.

    Listeners are called in the publisher's thread and must return at once (put into a queue, wake a loop).
    """

    def __init__(self, history: int = 1000, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        # Ids start at the clock's milliseconds, so that they rise over a restart too and a browser that comes back
        # with an id of the process before is told to reload. (Exact in JavaScript's numbers until the year 287396.)
        self._first = int(clock() * 1000)
        self._ids = itertools.count(self._first)
        self._recent: deque[Event] = deque(maxlen=history)
        self._listeners: list[Listener] = []
        self._clock = clock

    def publish(
        self, channel: Channel, type: str, data: Mapping[str, Any], *, durable: bool = False
    ) -> Event:
        """Tell everyone. ``durable=True`` for what other processes must see too (not for progress ticks)."""
        with self._lock:
            event = Event(next(self._ids), channel, type, data, self._clock(), durable)
            self._recent.append(event)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)
        return event

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the answer removes it again."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def since(self, last_id: int, channels: Iterable[str] = CHANNELS) -> list[Event] | None:
        """Events after ``last_id``, oldest first; None when some of them are no longer kept (reload all)."""
        wanted = set(channels)
        with self._lock:
            oldest = self._recent[0].id if self._recent else self._first
            if last_id < oldest - 1:
                return None
            return [event for event in self._recent if event.id > last_id and event.channel in wanted]
