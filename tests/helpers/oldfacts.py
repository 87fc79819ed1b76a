"""A catalogue from before facts were kept once (revision 0004), brought up to date and back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable

SAID = {
    "a": {"labels": {"of": "ä"}, "reader": 1},
    "b": {"labels": {"of": "ä"}, "reader": 1},
    "c": {"reader": 0},
}

_TEXTS = ("name", "path", "node", "type", "version", "description")
_NUMBERS = ("size", "mtime_ns", "inode", "created_at", "updated_at", "last_scanned")


def check_old_facts(database: Database) -> None:
    database.downgrade("0004")
    old = sa.table(
        "apptainer_images",
        sa.column("id"),
        *(sa.column(name) for name in _TEXTS + _NUMBERS),
        sa.column("is_active", sa.Boolean),
        sa.column("partitions", sa.JSON),
        sa.column("facts", sa.JSON),
    )
    rows: list[dict[str, Any]] = [
        {
            **dict.fromkeys(_TEXTS, "x"),
            **dict.fromkeys(_NUMBERS, 1),
            "id": key,
            "is_active": True,
            "partitions": [],
            "facts": facts,
        }
        for key, facts in SAID.items()
    ]
    with database.write() as connection:
        connection.execute(sa.insert(old), rows)
    database.upgrade()
    assert {row["id"]: row["facts"] for row in ImageTable(database).all()} == SAID
    assert {row["id"]: row["facts"] for row in ImageTable(database).of_node("x")} == SAID
    with database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM image_facts")) == 2
    with database.write() as connection:
        connection.execute(sa.text("DELETE FROM image_facts WHERE CAST(facts AS TEXT) NOT LIKE '%labels%'"))
    database.downgrade("0004")
    lost = {"c": {"labels": {}, "complete": False}}
    with database.read() as connection:
        assert {row.id: row.facts for row in connection.execute(sa.select(old.c.id, old.c.facts))} == {
            **SAID,
            **lost,
        }
    database.upgrade()
