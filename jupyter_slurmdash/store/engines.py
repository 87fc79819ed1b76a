"""Engines for the URLs of the settings: SQLite files, also those that may only be read, and PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import InvalidInput

# Seconds: another's short transaction is waited for, and a server that is gone is not.
_BUSY = 10.0
_CONNECT = 5


class JsonText(str):
    """JSON that is written already: a column of JSON takes it as it is."""

    __slots__ = ()


def to_json(value: object) -> str:
    """The text of a column of JSON."""
    return value if isinstance(value, JsonText) else json.dumps(value)


def insert_into(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what is to happen ``on_conflict``, which is a matter of the dialect."""
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


def read_url(url: str, setting: str) -> sa.URL:
    """The URL of a setting. Raises InvalidInput, without the URL: it may hold a password."""
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InvalidInput(
            f"SlurmDash.{setting} is no SQLAlchemy URL, such as sqlite:////home/me/slurmdash.sqlite or"
            " postgresql://user@host/name."
        ) from error
    # The driver that the extra `postgres` brings; SQLAlchemy's own choice would be its predecessor.
    return found.set(drivername="postgresql+psycopg") if found.drivername == "postgresql" else found


def make_engine(url: sa.URL, setting: str, *, read_only: bool = False) -> sa.Engine:
    """An engine, not yet connected. Raises InvalidInput when SQLAlchemy does not know the database or its driver."""
    kind = url.get_backend_name()
    options: dict[str, Any] = {"json_serializer": to_json}
    if kind == "sqlite" and read_only and url.database:
        place = f"file:{quote(url.database)}?mode=ro"
        options["creator"] = lambda: sqlite3.connect(place, uri=True, timeout=_BUSY, check_same_thread=False)
    elif kind == "sqlite":
        options["connect_args"] = {"timeout": _BUSY, "check_same_thread": False}
    elif kind == "postgresql":
        # A connection that the server has closed since it was last used is made anew.
        options["pool_pre_ping"] = True
        if "connect_timeout" not in url.query:
            options["connect_args"] = {"connect_timeout": _CONNECT}
    try:
        return sa.create_engine(url, **options)
    except sa.exc.NoSuchModuleError as error:
        raise InvalidInput(
            f"SlurmDash.{setting}: {url.drivername} is no database that SQLAlchemy knows here."
            " Correct the setting, or install the package that knows it."
        ) from error
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"SlurmDash.{setting}: the driver {error.name} is not installed. Install it (for PostgreSQL:"
            " jupyter-slurmdash[postgres]), or leave the setting out."
        ) from error
