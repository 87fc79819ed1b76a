"""What became of the jobs of each template: one statement for all of them, answered from one index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database
from .tables import jobs

Row = dict[str, Any]


def template_runs(
    database: Database, user: str, cluster: str, *, good: str, bad: Sequence[str], stopped: str, newest: int
) -> dict[str, Row]:
    """By template: how many of the user's ``newest`` jobs of templates ended in the states ``good``, ``bad`` and
    ``stopped``, and medians in seconds: ``wait`` of all that started, ``run`` of those that ended well (None: none).
    """
    recent = (
        sa.select(
            jobs.c.template_id,
            jobs.c.state,
            (jobs.c.started_at - jobs.c.submitted_at).label("wait"),
            sa.case((jobs.c.state == good, jobs.c.elapsed)).label("run"),
        )
        .where(jobs.c.user == user, jobs.c.cluster == cluster, jobs.c.template_id.is_not(None))
        .order_by(jobs.c.created_at.desc())
        .limit(newest)
        .cte("recent")
    )
    ranked = sa.select(recent, *_ranks(recent.c.wait, recent), *_ranks(recent.c.run, recent)).cte("ranked")
    query = sa.select(
        ranked.c.template_id,
        sa.func.sum(sa.case((ranked.c.state == good, 1), else_=0)).label("good"),
        sa.func.sum(sa.case((ranked.c.state.in_(bad), 1), else_=0)).label("bad"),
        sa.func.sum(sa.case((ranked.c.state == stopped, 1), else_=0)).label("stopped"),
        _median(ranked, "wait"),
        _median(ranked, "run"),
    ).group_by(ranked.c.template_id)
    with database.read() as connection:
        return {row["template_id"]: dict(row) for row in connection.execute(query).mappings()}


def _ranks(column: sa.ColumnElement[Any], table: sa.CTE) -> list[sa.ColumnElement[Any]]:
    """Where a value stands among those of its template, and how many there are; NULL stands behind them all."""
    rank = sa.func.row_number().over(partition_by=table.c.template_id, order_by=(column.is_(None), column))
    count = sa.func.count(column).over(partition_by=table.c.template_id)
    return [rank.label(f"{column.name}_rank"), count.label(f"{column.name}_count")]


def _median(table: sa.CTE, name: str) -> sa.ColumnElement[Any]:
    """The middle value, or the mean of the two in the middle. (SQLite knows no ``percentile_cont``.)"""
    rank, count = table.c[f"{name}_rank"], table.c[f"{name}_count"]
    middle = sa.or_(rank == (count + 1) // 2, rank == (count + 2) // 2)
    return sa.func.avg(sa.case((middle, table.c[name]))).label(name)
