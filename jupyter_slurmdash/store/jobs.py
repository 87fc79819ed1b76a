"""Jobs in the database. Rows in and out are plain dicts with the columns of ``tables.jobs``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database
from .jobhistory import template_runs
from .tables import jobs

Row = dict[str, Any]

# Jobs that the history of templates looks back on: what was longer ago says little, and costs.
NEWEST = 2_000


class JobTable:
    """The table of jobs of one user on one cluster. The cluster's name is asked for each time: a controller that is
    down when the server starts tells it later. ``known`` is the name to read by; it never waits for the controller,
    as ``cluster`` may."""

    def __init__(
        self,
        database: Database,
        user: str,
        cluster: Callable[[], str],
        known: Callable[[], str] | None = None,
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._known = known or cluster
        self.user = user

    @property
    def cluster(self) -> str:
        return self._cluster()

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(jobs.c.user == self.user, jobs.c.cluster == self._known())

    def insert(self, row: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.insert(jobs).values(**row))

    def update(self, run_id: str, values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.run_id == run_id).values(**values))

    def delete(self, run_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(jobs).where(jobs.c.run_id == run_id))

    def by_key(self, key: str) -> Row | None:
        return self._one(jobs.c.user == self.user, jobs.c.idempotency_key == key)

    def by_job_id(self, job_id: str) -> Row | None:
        """The newest job with this id (Slurm may use an id again after its counter wrapped)."""
        return self._one(self._mine(), jobs.c.job_id == job_id)

    def by_run_id(self, run_id: str) -> Row | None:
        return self._one(jobs.c.user == self.user, jobs.c.run_id == run_id)

    def _one(self, *where: sa.ColumnElement[bool]) -> Row | None:
        query = sa.select(jobs).where(*where).order_by(jobs.c.created_at.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return dict(row) if row is not None else None

    def last_good(self, image_path: str) -> Row | None:
        """The user's newest job that ended well with the image at this path."""
        query = (
            sa.select(jobs)
            .where(self._mine(), jobs.c.image_path == image_path, jobs.c.state == "COMPLETED")
            .order_by(jobs.c.ended_at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return dict(row) if row is not None else None

    def template_runs(self, good: str, bad: Sequence[str], stopped: str) -> dict[str, Row]:
        """What became of the user's newest jobs of templates, by template; see ``jobhistory.template_runs``."""
        return template_runs(
            self._database,
            self.user,
            self._known(),
            good=good,
            bad=bad,
            stopped=stopped,
            newest=NEWEST,
        )

    def in_states(self, states: Sequence[str], *, negate: bool = False) -> list[Row]:
        """This user's jobs whose state is (or is not) one of ``states``."""
        condition = jobs.c.state.in_(states)
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(jobs).where(self._mine(), sa.not_(condition) if negate else condition)
            ).mappings()
            return [dict(row) for row in rows]

    def page(
        self,
        *,
        states: Sequence[str] | None = None,
        not_states: Sequence[str] | None = None,
        q: str = "",
        since: float | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> tuple[list[Row], int]:
        """Newest first, after the row ``before`` (its created_at and run_id); and how many there are in all."""
        where = [self._mine(), jobs.c.job_id.is_not(None)]
        if states is not None:
            where.append(jobs.c.state.in_(states))
        if not_states is not None:
            where.append(jobs.c.state.not_in(not_states))
        for word in q.split():
            where.append(jobs.c.name.icontains(word, autoescape=True) | (jobs.c.job_id == word))
        if since is not None:
            where.append(jobs.c.created_at >= since)
        total = sa.select(sa.func.count()).select_from(jobs).where(*where)
        query = sa.select(jobs).where(*where)
        if before is not None:
            query = query.where(sa.tuple_(jobs.c.created_at, jobs.c.run_id) < sa.tuple_(*before))
        query = query.order_by(jobs.c.created_at.desc(), jobs.c.run_id.desc()).limit(limit)
        with self._database.read() as connection:
            count = connection.execute(total).scalar_one()
            return [dict(row) for row in connection.execute(query).mappings()], count
