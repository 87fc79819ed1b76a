"""How several processes of one user hear of each other: durable events go through the database.

Each process writes its durable events to the ``events`` table and re-publishes those of the others. SQLite tells
cheaply whether anything changed at all (``PRAGMA data_version``, sqlite.org/pragma.html), so an idle look costs
microseconds.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable

import sqlalchemy as sa

from ..events import Event, EventBus
from .database import Database
from .tables import events

_KEEP_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Changes:
    """Carries durable events between the bus of this process and the database."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        user: str,
        *,
        interval: float = 0.25,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._bus = bus
        self._user = user
        self._interval = interval
        self._clock = clock
        self._origin = str(uuid.uuid4())
        self._own = threading.local()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._unsubscribe = bus.subscribe(self._write)
        with database.read() as connection:
            self._last_id = connection.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0

    def _write(self, event: Event) -> None:
        if not event.durable or getattr(self._own, "reading", False):
            return
        with self._database.write() as connection:
            connection.execute(
                sa.insert(events).values(
                    origin=self._origin,
                    time=event.time,
                    user=self._user,
                    channel=event.channel,
                    type=event.type,
                    data=dict(event.data),
                )
            )
            connection.execute(sa.delete(events).where(events.c.time < self._clock() - _KEEP_SECONDS))

    def read(self) -> int:
        """Re-publish what other processes of this user wrote since the last look; how many that was."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(events)
                .where(events.c.id > self._last_id, events.c.user == self._user)
                .order_by(events.c.id)
            ).all()
        self._own.reading = True
        try:
            for row in rows:
                self._last_id = row.id
                if row.origin != self._origin:
                    self._bus.publish(row.channel, row.type, row.data, durable=True)
        finally:
            self._own.reading = False
        return len(rows)

    def start(self) -> None:
        """Look for others' events in a background thread until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="slurmdash-changes", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                with self._database.engine.connect() as watch:
                    self._follow(watch)
            except Exception:
                # The top of a thread: whatever it was, a new connection reads the same rows.
                log.warning("Could not read changes from the database", exc_info=True)

    def _follow(self, watch: sa.Connection) -> None:
        """Read whenever something has changed, until ``stop``. The version is this connection's own."""
        seen: object = None
        while not self._stop.is_set():
            version = self._version(watch)
            if version is None or version != seen:
                self.read()
                seen = version
            self._stop.wait(self._interval)

    def _version(self, watch: sa.Connection) -> object:
        """A number that another process's commit changes; None where the database has none."""
        if not self._database.is_sqlite:
            return None
        try:
            return watch.exec_driver_sql("PRAGMA data_version").scalar()
        finally:
            watch.rollback()

    def stop(self) -> None:
        self._unsubscribe()
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
