"""Hot reload: a file that changes on a shelf is told to every open panel.

The truth is a look at the disk every ``interval`` seconds; where the system tells of changes (``inotify.py``) the look
comes at once.
"""

from __future__ import annotations

import logging
import threading

from ..events import EventBus
from .inotify import Waiter
from .library import Library
from .model import Problem
from .shelves import shelf_folders

# Seconds in which several changes (a checkout, a save's own steps) become one.
_GATHER = 0.03

log = logging.getLogger(__name__)
_State = dict[tuple[str, str], tuple[str, str, Problem | None]]


class ShelfWatch:
    """Publishes ``templates_changed {ids}`` whenever the library is another than before, until ``stop``."""

    def __init__(self, library: Library, events: EventBus, interval: float, hints: bool = True) -> None:
        self._library = library
        self._events = events
        self._interval = interval
        self._hints = hints
        self._waiter: Waiter | None = None  # made by start(): a user may have few of the system's watches
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        self._waiter = Waiter(self._hints)
        self._thread = threading.Thread(
            target=self._run, args=(self._waiter,), name="slurmdash-templates", daemon=True
        )
        self._thread.start()

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether the first look at the disk is done within that time; changes from then on are told."""
        return self._ready.wait(seconds)

    def stop(self) -> None:
        self._stop.set()
        if self._waiter is None or self._thread is None:
            return
        self._waiter.wake()
        self._thread.join()
        self._waiter.close()
        self._waiter = None

    def _run(self, waiter: Waiter) -> None:
        known: _State | None = None
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

    def _look(self, known: _State | None) -> _State:
        self._library.refresh()
        found = self._state()
        if known is not None and found != known:
            ids = {key[0] for key in known.keys() | found.keys() if known.get(key) != found.get(key)}
            self._events.publish("templates", "templates_changed", {"ids": sorted(ids)})
        return found

    def _state(self) -> _State:
        every = [*self._library.templates(), *self._library.templates(source="archived")]
        return {(t.id, t.source): (t.hash, t.path, t.problem) for t in every}
