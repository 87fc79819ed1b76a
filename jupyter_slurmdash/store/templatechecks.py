"""What came of each template's last check, for one user on one cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from .database import Database
from .tables import template_checks as checks

Row = dict[str, Any]

# More ids than this in one statement cost more than reading the rows that are not wanted.
_MANY = 500


class TemplateCheckTable:
    """Rows are plain dicts with the columns of ``tables.template_checks``. ``cluster`` and ``known`` as for jobs: a
    check says what this cluster would take."""

    def __init__(
        self, database: Database, user: str, cluster: Callable[[], str], known: Callable[[], str]
    ) -> None:
        self._database = database
        self._user = user
        self._cluster = cluster
        self._known = known

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(checks.c.user == self._user, checks.c.cluster == self._known())

    def save(self, row: Mapping[str, Any]) -> None:
        """Keep a result in place of the template's former one; ``user`` and ``cluster`` are ours."""
        values = {**row, "user": self._user, "cluster": self._cluster()}
        same = [checks.c[name] == values[name] for name in ("user", "cluster", "template_id")]
        with self._database.write() as connection:
            connection.execute(sa.delete(checks).where(*same))
            connection.execute(sa.insert(checks).values(**values))

    def briefs(self, ids: Collection[str]) -> dict[str, Row]:
        """Of these templates those that were checked, by id, without the steps."""
        columns = (checks.c.template_id, checks.c.hash, checks.c.level, checks.c.checked_at)
        query = sa.select(*columns).where(self._mine())
        if len(ids) <= _MANY:
            query = query.where(checks.c.template_id.in_(ids))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        wanted = frozenset(ids)
        return {row.template_id: dict(row._mapping) for row in rows if row.template_id in wanted}

    def row(self, template_id: str) -> Row | None:
        """A template's last result in full."""
        query = sa.select(checks).where(self._mine(), checks.c.template_id == template_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def rows(self) -> list[Row]:
        """Every result in full, by template."""
        query = sa.select(checks).where(self._mine()).order_by(checks.c.template_id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
