"""Hot reload: a file that changes on a shelf is told to every open panel.

The truth is a look at the disk every ``interval`` seconds; where the system tells of changes (``inotify.py``) the look
comes at once.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from ..events import EventBus
from .inotify import Waiter
from .library import Library
from .model import Problem
from .shelves import shelf_folders
from .snapshot import Snapshot

# Seconds in which several changes (a checkout, a save's own steps) become one.
_GATHER = 0.03

log = logging.getLogger(__name__)
_State = dict[tuple[str, str], tuple[str, str, Problem | None]]


@dataclass(frozen=True)
class _Seen:
    snapshot: Snapshot
    state: _State


class ShelfWatch:
    """Publishes ``templates_changed {ids}`` whenever the library is another than before, until ``stop``."""

    def __init__(self, library: Library, events: EventBus, interval: float, hints: bool = True) -> None:
        self._library = library
        self._events = events
        self._interval = interval
        self._hints = hints
        self._waiter: Waiter | None = None  # made by start(): a user may have few of the system's watches
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        self._waiter = Waiter(self._hints)
        self._thread = threading.Thread(
            target=self._run, args=(self._waiter,), name="slurmdash-templates", daemon=True
        )
        self._thread.start()
        self._library.watched = True

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether the first look at the disk is done within that time; changes from then on are told."""
        return self._ready.wait(seconds)

    def stop(self) -> None:
        self._stop.set()
        self._library.watched = False
        self._wake()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.close()

    def _wake(self) -> None:
        # Under the lock: what is closed meanwhile may be another file by now.
        with self._lock:
            if self._waiter is not None:
                self._waiter.wake()

    def _run(self, waiter: Waiter) -> None:
        known: _Seen | None = None
        while not self._stop.is_set():
            try:
                # Watched before it is looked at: what changes in between is told.
                waiter.watch(shelf_folders(self._library.root, self._library.user))
                known = self._look(known)
                self._ready.set()
            except Exception:
                # The top of a thread: the next look may be luckier.
                log.warning("Could not look at the templates", exc_info=True)
            if waiter.wait(self._interval) and not self._stop.wait(_GATHER):
                waiter.wait(0)

    def _look(self, known: _Seen | None) -> _Seen:
        self._library.refresh()
        snapshot = self._library.snapshot()
        if known is not None and snapshot is known.snapshot:
            return known
        found = _Seen(snapshot, _state(snapshot))
        if known is not None and found.state != known.state:
            before, now = known.state, found.state
            ids = {key[0] for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
            self._events.publish("templates", "templates_changed", {"ids": sorted(ids)})
        return found


def _state(snapshot: Snapshot) -> _State:
    every = [*snapshot.by_id.values(), *snapshot.archived.values()]
    return {(t.id, t.source): (t.hash, t.path, t.problem) for t in every}
