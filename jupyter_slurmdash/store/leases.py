"""Leases: at most one of the user's processes does a thing at a time, and a dead one gives it back by itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from .database import Database
from .engines import insert_into
from .tables import leases


def take_lease(connection: sa.Connection, name: str, owner: str, now: float, seconds: float) -> bool:
    """Take or renew a lease inside a transaction. One statement, so that of two at once only one succeeds."""
    values = {"owner": owner, "expires_at": now + seconds}
    statement = insert_into(connection, leases).values(name=name, **values)
    statement = statement.on_conflict_do_update(
        index_elements=[leases.c.name],
        set_=values,
        where=sa.or_(leases.c.owner == owner, leases.c.expires_at <= now),
    )
    done = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


class Leases:
    """Takes and gives back named leases for one process (``owner``)."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self.owner = str(uuid.uuid4())

    def take(self, name: str, seconds: float, owner: str | None = None) -> bool:
        """Take or renew ``name`` for ``seconds``; False while another owner holds it."""
        with self._database.write() as connection:
            return take_lease(connection, name, owner or self.owner, self._clock(), seconds)

    def give_back(self, name: str, owner: str | None = None) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.delete(leases).where(leases.c.name == name, leases.c.owner == (owner or self.owner))
            )

    @contextmanager
    def held(self, name: str, seconds: float) -> Iterator[bool]:
        """Hold ``name`` inside the block, against other threads too; yields False when it is taken already."""
        owner = str(uuid.uuid4())
        taken = self.take(name, seconds, owner)
        try:
            yield taken
        finally:
            if taken:
                self.give_back(name, owner)
