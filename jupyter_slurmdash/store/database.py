"""The database: one engine, short transactions, schema brought up to date at start.

SQLite by default. Writers take the write lock when their transaction begins (``BEGIN IMMEDIATE``), so two
processes of one user wait for each other instead of failing in the middle.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ..errors import DatabaseUnavailable, InvalidInput

# Errors by which the database does answer: the row or the statement is what does not fit.
_ANSWERS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)

_NETWORK_FILE_SYSTEMS = frozenset(("nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "beegfs", "ceph", "afs"))


def file_system_type(path: Path) -> str:
    """The type of the file system that holds ``path``, from the kernel's table of mounts; "" when unknown."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    for line in lines:
        fields = line.split()
        point = fields[1].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def _is_network(kind: str) -> bool:
    # Behind FUSE may be another machine (sshfs, GlusterFS); the rollback journal is right there and here.
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith("fuse")


def _read_url(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        # The URL itself is not shown: it may hold a password.
        raise InvalidInput(
            "SlurmDash.database_url is no SQLAlchemy URL, such as sqlite:////home/me/slurmdash.sqlite or"
            " postgresql://user@host/name."
        ) from error


class Database:
    """An engine and the two kinds of transaction. Safe to share between threads.

    Raises InvalidInput for a URL that cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = _read_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database) if self.is_sqlite and self.url.database else None
        options: dict[str, Any] = {}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": 10.0, "check_same_thread": False}
        if self.path is not None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self.engine = sa.create_engine(self.url, **options)
        except sa.exc.NoSuchModuleError as error:
            raise InvalidInput(
                f"SlurmDash.database_url: {self.url.drivername} is no database that SQLAlchemy knows here."
                " Correct the setting, or install the package that knows it."
            ) from error
        except ModuleNotFoundError as error:
            raise InvalidInput(
                f"SlurmDash.database_url: the driver {error.name} is not installed. Install it, or leave the setting"
                " out for an SQLite file."
            ) from error
        if self.is_sqlite:
            self._prepare_sqlite()

    def _prepare_sqlite(self) -> None:
        # WAL needs shared memory between the processes, which network file systems do not give.
        network = self.path is not None and _is_network(file_system_type(self.path.parent))
        journal = "DELETE" if network or self.path is None else "WAL"

        @sa.event.listens_for(self.engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA journal_mode={journal}")
            cursor.execute("PRAGMA synchronous=FULL" if network else "PRAGMA synchronous=NORMAL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

        @sa.event.listens_for(self.engine, "begin")
        def on_begin(connection: sa.Connection) -> None:
            mode = connection.get_execution_options().get("slurmdash_begin", "DEFERRED")
            connection.exec_driver_sql(f"BEGIN {mode}")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads: one consistent view."""
        with self._answering(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes: committed at the end, rolled back on an error."""
        with self._answering(), self.engine.connect() as connection:
            connection = connection.execution_options(slurmdash_begin="IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raises DatabaseUnavailable where the database itself fails: locked, no disk, no server, not a database."""
        try:
            yield
        except _ANSWERS:
            raise
        except sa.exc.DatabaseError as error:
            where = self.url.render_as_string(hide_password=True)
            raise DatabaseUnavailable(
                f"The database does not answer: {error.orig}. Try again; if it stays so, look at {where}."
            ) from error

    # -- schema ---------------------------------------------------------------------------------------------

    def _alembic(self) -> Config:
        config = Config()
        place = str(Path(__file__).parent / "migrations")
        config.set_main_option("script_location", place.replace("%", "%%"))  # a % would be interpolated
        return config

    def revision(self) -> str | None:
        """The schema's revision in the database; None for an empty one."""
        with self._answering(), self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def upgrade(self, target: str = "head") -> None:
        """Bring the schema to ``target``; one process at a time, with a copy of an SQLite file beside it first."""
        head = ScriptDirectory.from_config(self._alembic()).get_current_head()
        wanted = head if target == "head" else target
        with self._migration_lock():
            current = self.revision()
            if current == wanted:
                return
            if current is not None and self.path is not None:
                self._back_up(self.path.with_name(f"{self.path.name}.{current}.backup"))
            self._run(command.upgrade, target)

    def _back_up(self, target: Path) -> None:
        # Not a copy of the file: what was committed last may still be in the write-ahead log beside it.
        target.touch(mode=0o600)
        with self.engine.connect() as connection, closing(sqlite3.connect(target)) as copy:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)

    def downgrade(self, target: str) -> None:
        """Take the schema back to ``target`` (``base`` removes all)."""
        with self._migration_lock():
            self._run(command.downgrade, target)

    def _run(self, action: Any, target: str) -> None:
        config = self._alembic()
        with self._answering(), self.engine.connect() as connection:
            connection = connection.execution_options(slurmdash_begin="IMMEDIATE")
            with connection.begin():
                config.attributes["connection"] = connection
                try:
                    action(config, target)
                except CommandError as error:
                    raise DatabaseUnavailable(
                        f"The database's schema is not one that this version knows: {error}. It may be of a newer "
                        "version: install that one, or take the backup beside the database."
                    ) from error

    @contextmanager
    def _migration_lock(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        lock = self.path.with_name(self.path.name + ".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # threads of one process too, unlike lockf
            yield
        finally:
            os.close(descriptor)

    def close(self) -> None:
        self.engine.dispose()
