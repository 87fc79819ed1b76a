"""Images and scans in the database. Rows in and out are plain dicts with the tables' columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from .database import Database
from .tables import images, scans

Row = dict[str, Any]

_KEPT_SCANS = 50


class ImageTable:
    """The two tables of the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- images ---------------------------------------------------------------------------------------------

    def stamp(self) -> tuple[Any, ...]:
        """Changes whenever an image's row changes, whoever wrote it."""
        query = sa.select(
            sa.func.count(),
            sa.func.max(images.c.updated_at),
            sa.func.max(images.c.last_scanned),
            sa.func.sum(sa.cast(images.c.is_active, sa.Integer)),
        )
        with self._database.read() as connection:
            return tuple(connection.execute(query).one())

    def all(self) -> list[Row]:
        """Every image, the vanished ones too."""
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(images)).mappings()]

    def of_node(self, node: str) -> list[Row]:
        """The node's images, the vanished ones too."""
        with self._database.read() as connection:
            query = sa.select(images).where(images.c.node == node)
            return [dict(row) for row in connection.execute(query).mappings()]

    def save_node(
        self, node: str, changed: Iterable[Mapping[str, Any]], unchanged: Collection[str], now: float
    ) -> None:
        """What a node has now: ``changed`` rows and ids of ``unchanged`` ones. Its others have vanished."""
        rows = [dict(row) for row in changed]
        here = sa.and_(images.c.node == node, images.c.is_active)
        with self._database.write() as connection:
            old = set(connection.execute(sa.select(images.c.id).where(images.c.node == node)).scalars())
            alive = set(connection.execute(sa.select(images.c.id).where(here)).scalars())
            for row in rows:
                if row["id"] in old:
                    connection.execute(sa.update(images).where(images.c.id == row["id"]).values(**row))
            if fresh := [row for row in rows if row["id"] not in old]:
                connection.execute(sa.insert(images), fresh)
            if gone := alive - {row["id"] for row in rows} - set(unchanged):
                self._set(connection, gone, {"is_active": False, "updated_at": now})
            if unchanged:
                self._set(connection, unchanged, {"last_scanned": now})

    def forget_other_nodes(self, nodes: Collection[str], now: float) -> None:
        """Nodes that are not in ``nodes`` have left the cluster, and their images with them."""
        gone = sa.and_(images.c.is_active, images.c.node.not_in(list(nodes)))
        with self._database.write() as connection:
            connection.execute(sa.update(images).where(gone).values(is_active=False, updated_at=now))

    @staticmethod
    def _set(connection: sa.Connection, ids: Collection[str], values: Mapping[str, Any]) -> None:
        statement = sa.update(images).where(images.c.id == sa.bindparam("which")).values(**values)
        connection.execute(statement, [{"which": id} for id in ids])

    # -- scans ----------------------------------------------------------------------------------------------

    def save_scan(self, row: Mapping[str, Any]) -> None:
        """Insert or replace the scan; the oldest beyond fifty are forgotten."""
        kept = sa.select(scans.c.id).order_by(scans.c.started_at.desc()).limit(_KEPT_SCANS)
        with self._database.write() as connection:
            connection.execute(sa.delete(scans).where(scans.c.id == row["id"]))
            connection.execute(sa.insert(scans).values(**row))
            connection.execute(sa.delete(scans).where(scans.c.id.not_in(kept)))

    def scan(self, scan_id: str) -> Row | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(scans).where(scans.c.id == scan_id)).mappings().first()
            return dict(row) if row is not None else None

    def ended_scans(self) -> list[Row]:
        """The scans that ended, the newest first, back to the last one of all nodes."""
        query = sa.select(scans).where(scans.c.finished_at.is_not(None)).order_by(scans.c.finished_at.desc())
        found: list[Row] = []
        with self._database.read() as connection:
            for row in connection.execute(query).mappings():
                found.append(dict(row))
                if row["nodes"]["full"]:
                    break
        return found
