"""What was found out about an image on demand, in the rows of the catalogue: its digest, the verdict on its signatures.

A row is written only while it still describes the file that was looked at (``size`` and ``mtime_ns``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from .database import Database
from .images import find_image
from .tables import images

Row = dict[str, Any]


class ImageChecks:
    """The columns ``digest`` and ``verdict`` of the catalogue's images."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, id: str) -> Row | None:
        """The image with this id, also a vanished one."""
        with self._database.read() as connection:
            return find_image(connection, id)

    def save_digest(self, seen: Mapping[str, Any], digest: str, now: float) -> bool:
        """Whether the row of ``seen`` was still that of the same file, and now has the digest ("sha256:…")."""
        return self._save(seen, now, digest=digest)

    def save_verdict(self, seen: Mapping[str, Any], verdict: Mapping[str, Any], now: float) -> bool:
        """As ``save_digest``, for a ``Verdict``'s ``to_dict()``."""
        return self._save(seen, now, verdict=dict(verdict))

    def _save(self, seen: Mapping[str, Any], now: float, **values: Any) -> bool:
        same = sa.and_(
            images.c.id == seen["id"], images.c.size == seen["size"], images.c.mtime_ns == seen["mtime_ns"]
        )
        with self._database.write() as connection:
            latest = connection.execute(sa.select(sa.func.max(images.c.updated_at))).scalar() or 0.0
            # Who reads the catalogue knows by the latest time that something has changed, so it has to rise.
            rising = max(now, latest + 1e-6)
            done = connection.execute(sa.update(images).where(same).values(**values, updated_at=rising))
            return done.rowcount == 1
