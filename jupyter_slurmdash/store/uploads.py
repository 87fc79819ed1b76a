"""Upload sessions and their files in the database. Rows in and out are plain dicts with the tables'
columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import Conflict, SessionNotFound
from .database import Database
from .tables import upload_files as files
from .tables import upload_sessions as sessions

Row = dict[str, Any]


class UploadTable:
    """The two tables of uploads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- sessions -------------------------------------------------------------------------------------------

    def insert_session(self, row: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.insert(sessions).values(**row))

    def session(self, session_id: str) -> Row | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(sessions).where(sessions.c.id == session_id)).mappings()
            return _one(row)

    def session_ids(self) -> set[str]:
        with self._database.read() as connection:
            return set(connection.execute(sa.select(sessions.c.id)).scalars())

    def expired(self, user: str, now: float) -> list[str]:
        """Ids of the user's sessions whose time was over at ``now``."""
        query = sa.select(sessions.c.id).where(sessions.c.user == user, sessions.c.expires_at <= now)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def update_session(self, session_id: str, values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(sessions).where(sessions.c.id == session_id).values(**values))

    def delete_session(self, session_id: str) -> None:
        """Remove the session and, with it, the rows of its files."""
        with self._database.write() as connection:
            _take_turns(connection, session_id)
            connection.execute(sa.delete(files).where(files.c.session_id == session_id))
            connection.execute(sa.delete(sessions).where(sessions.c.id == session_id))

    # -- files ----------------------------------------------------------------------------------------------

    def files(self, session_id: str) -> list[Row]:
        """The session's files, in the order in which they came."""
        query = sa.select(files).where(files.c.session_id == session_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(files.c.created_at, files.c.id)).mappings()
            return [dict(row) for row in rows]

    def names(self, session_id: str) -> dict[str, str]:
        """Name → slot of the session's files."""
        query = sa.select(files.c.name, files.c.slot).where(files.c.session_id == session_id)
        with self._database.read() as connection:
            return {row.name: row.slot for row in connection.execute(query)}

    def file_named(self, session_id: str, name: str) -> Row | None:
        query = sa.select(files).where(files.c.session_id == session_id, files.c.name == name)
        with self._database.read() as connection:
            return _one(connection.execute(query.limit(1)).mappings())

    def file(self, session_id: str, file_id: str) -> Row | None:
        query = sa.select(files).where(files.c.session_id == session_id, files.c.id == file_id)
        with self._database.read() as connection:
            return _one(connection.execute(query).mappings())

    def insert_file(self, row: Mapping[str, Any], replaced: str = "") -> Row | None:
        """Add a file, in the place of the one with the id ``replaced``; when the session has another one of that name
        already, change nothing and answer with that one. Raises SessionNotFound.
        """
        same_name = sa.select(files).where(
            files.c.session_id == row["session_id"], files.c.name == row["name"], files.c.id != replaced
        )
        with self._database.write() as connection:
            _require_session(connection, row["session_id"])
            existing = _one(connection.execute(same_name.limit(1)).mappings())
            if existing is None:
                connection.execute(sa.delete(files).where(files.c.id == replaced))
                connection.execute(sa.insert(files).values(**row))
            return existing

    def insert_files(self, rows: Sequence[Mapping[str, Any]], replaced: Iterable[str] = ()) -> None:
        """Add files, at least one, of one session, in the place of those with the ids ``replaced``: all, or nothing.

        Raises Conflict for a name that the session has otherwise: another process, or another request, was quicker;
        SessionNotFound when the session has gone meanwhile.
        """
        session_id = rows[0]["session_id"]
        with self._database.write() as connection:
            _require_session(connection, session_id)
            gone = [{"gone": file_id} for file_id in replaced]
            if gone:
                connection.execute(sa.delete(files).where(files.c.id == sa.bindparam("gone")), gone)
            names = connection.execute(sa.select(files.c.name).where(files.c.session_id == session_id))
            there = set(names.scalars())
            for row in rows:
                if row["name"] in there:
                    raise Conflict(
                        f"“{row['name']}” was added twice at the same time. Look at the session, then try again."
                    )
                there.add(row["name"])
            connection.execute(sa.insert(files), [dict(row) for row in rows])

    def update_file(self, file_id: str, values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(files).where(files.c.id == file_id).values(**values))

    def progress(self, session_id: str, file_id: str, values: Mapping[str, Any], expires_at: float) -> None:
        """What an upload has come to, and the session's longer life, in one transaction."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(sessions).where(sessions.c.id == session_id).values(expires_at=expires_at)
            )
            connection.execute(sa.update(files).where(files.c.id == file_id).values(**values))

    def delete_file(self, file_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(files).where(files.c.id == file_id))

    def under_way(self, user: str) -> list[Row]:
        """All files, of whatever session of the user, that are still being uploaded and whose size is known."""
        query = (
            sa.select(files)
            .join(sessions, sessions.c.id == files.c.session_id)
            .where(sessions.c.user == user, files.c.state == "uploading", files.c.size.is_not(None))
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _require_session(connection: sa.Connection, session_id: str) -> None:
    """Take turns in a session that is there still. Raises SessionNotFound."""
    if not _take_turns(connection, session_id):
        raise SessionNotFound("The session has been removed meanwhile. Begin another one.")


def _take_turns(connection: sa.Connection, session_id: str) -> bool:
    """Whether there is the session. Until the end of the transaction nobody else adds files to it, so that a name which
    is not there now will not be. (SQLite's writers take turns anyway, and have no FOR UPDATE.) Comes before any lock on
    a file's row, as everywhere here, or two transactions would wait for each other.
    """
    turn = sa.select(sessions.c.id).where(sessions.c.id == session_id).with_for_update(key_share=True)
    return connection.execute(turn).first() is not None


def _one(rows: sa.MappingResult) -> Row | None:
    row = rows.one_or_none()
    return dict(row) if row is not None else None
