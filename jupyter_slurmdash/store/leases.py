"""Leases: at most one of the user's processes does a thing at a time, and a dead one gives it back by itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from .database import Database
from .tables import leases


class Leases:
    """Takes and gives back named leases for one process (``owner``)."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self.owner = str(uuid.uuid4())

    def take(self, name: str, seconds: float, owner: str | None = None) -> bool:
        """Take or renew ``name`` for ``seconds``; False while another owner holds it."""
        owner = owner or self.owner
        now = self._clock()
        with self._database.write() as connection:
            row = connection.execute(sa.select(leases).where(leases.c.name == name)).one_or_none()
            if row is not None and row.owner != owner and row.expires_at > now:
                return False
            connection.execute(sa.delete(leases).where(leases.c.name == name))
            connection.execute(sa.insert(leases).values(name=name, owner=owner, expires_at=now + seconds))
        return True

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
