"""Databases in a private place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_slurmdash.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An SQLite file with the newest schema."""
    made = Database(url_of(tmp_path))
    made.upgrade()
    yield made
    made.close()


def url_of(place: Path) -> str:
    return f"sqlite:///{place / 'data' / 'test.sqlite'}"
