"""The database: one engine, short transactions, schema brought up to date at start.

SQLite by default, PostgreSQL by its URL. SQLite's writers take the write lock when their transaction begins
(``BEGIN IMMEDIATE``), so two processes of one user wait for each other instead of failing in the middle.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import tempfile
import threading
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

from ..errors import CatalogReadOnly, DatabaseUnavailable, NoSpace
from .engines import make_engine, read_url
from .filesystems import file_system_type, is_network

# Errors by which the database does answer: the row or the statement is what does not fit.
_ANSWERS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)

# PostgreSQL's word for "permission denied" (appendix A of its manual).
_DENIED = "42501"

# SQLite has a word for a full disk only. A full quota is an I/O error, or a file that cannot be opened, like many other
# faults (os_unix.c: unixWrite, unixShmMap, unixOpen).
_MAYBE_FULL = frozenset((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN))
_PROBE = 64 * 1024  # bytes: more than SQLite writes at once

# Where Alembic keeps it.
_REVISION = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table("alembic_version"))

# The number by which PostgreSQL knows our lock while the schema is changed; any that nobody else uses.
_MIGRATION = 0x51A5_DA50


class Database:
    """An engine and the two kinds of transaction. Safe to share between threads.

    Raises InvalidInput for a URL that cannot be used; ``setting`` is the one it comes from. A database that several
    users share (``shared``) may be out of order when a server starts, so its schema is looked at when it is first
    used, and again until that succeeds. ``read_only``: nothing is ever written, and no schema brought up to date.
    """

    def __init__(
        self, url: str, *, shared: bool = False, read_only: bool = False, setting: str = "database_url"
    ) -> None:
        self.url = read_url(url, setting)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database) if self.is_sqlite and self.url.database else None
        self.shared = shared
        self.read_only = read_only
        self._setting = setting
        self._unprepared = threading.Lock() if shared else None
        if self.path is not None and not shared:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = make_engine(self.url, setting, read_only=read_only)
        if self.is_sqlite:
            self._prepare_sqlite()

    def _prepare_sqlite(self) -> None:
        # WAL needs shared memory between the processes, which network file systems do not give; and whoever reads
        # has to write that memory's file, which readers of a shared catalogue may not.
        network = self.path is not None and is_network(file_system_type(self.path.parent))
        rollback = network or self.shared or self.path is None

        @sa.event.listens_for(self.engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves
            cursor = connection.cursor()
            if not self.read_only:
                cursor.execute(f"PRAGMA journal_mode={'DELETE' if rollback else 'WAL'}")
            cursor.execute(
                "PRAGMA synchronous=FULL" if network or self.shared else "PRAGMA synchronous=NORMAL"
            )
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

        @sa.event.listens_for(self.engine, "begin")
        def on_begin(connection: sa.Connection) -> None:
            mode = connection.get_execution_options().get("slurmdash_begin", "DEFERRED")
            connection.exec_driver_sql(f"BEGIN {mode}")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads: one consistent view."""
        self._make_ready()
        with self._answering(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes: committed at the end, rolled back on an error. Raises CatalogReadOnly where
        nothing is written."""
        if self.read_only:
            raise CatalogReadOnly(
                "The catalogue of images is kept by your site and only read here: scans, digests and verdicts are made"
                " there. Ask your site's administrator."
            )
        self._make_ready()
        with self._answering(), self.engine.connect() as connection:
            connection = connection.execution_options(slurmdash_begin="IMMEDIATE")
            with connection.begin():
                yield connection

    def _make_ready(self) -> None:
        """Look at a shared database's schema when it is first used. Raises DatabaseUnavailable."""
        lock = self._unprepared
        if lock is None:
            return
        with lock:
            if self._unprepared is not None:
                if self.read_only:
                    self._check_schema()
                else:
                    self.upgrade()
                self._unprepared = None

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raises DatabaseUnavailable where the database itself fails: locked, no disk, no server, not a database; and
        NoSpace where its own disk is full.
        """
        try:
            yield
        except sa.exc.DatabaseError as error:
            if self.shared and getattr(error.orig, "sqlstate", None) == _DENIED:
                raise self._not_ours(error.orig) from error
            if isinstance(error, _ANSWERS):
                raise
            if self.path is not None and _is_full(error.orig, self.path.parent):
                raise NoSpace(
                    f"The disk or your quota is full, and the database in {self.path.parent} cannot be written. Free"
                    " some space and try again; nothing was lost."
                ) from error
            where = self.url.render_as_string(hide_password=True)
            what = "site's catalogue of images" if self.shared else "database"
            raise DatabaseUnavailable(
                f"The {what} does not answer: {error.orig}. Try again; if it stays so, look at {where}."
            ) from error

    @staticmethod
    def _not_ours(error: object) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"You may not use the site's catalogue of images as set: {error}. Where the site scans for you, set"
            " SlurmDash.catalog_mode = 'read'."
        )

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

    def answer(self) -> str:
        """The schema's revision, by one statement: for those who ask whether the database is there, again and again."""
        with self.read() as connection:
            return str(connection.scalar(_REVISION))

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

    def _check_schema(self) -> None:
        """Raises DatabaseUnavailable where the schema is not this version's, and cannot be made it."""
        if self.path is not None and not self.path.exists():
            raise DatabaseUnavailable(
                f"The site's catalogue of images is not at {self.path}, or you may not look there. Ask your site's"
                f" administrator, or correct SlurmDash.{self._setting}."
            )
        scripts = ScriptDirectory.from_config(self._alembic())
        current = self.revision()
        if current == scripts.get_current_head():
            return
        known = current is None or current in {script.revision for script in scripts.walk_revisions()}
        raise DatabaseUnavailable(
            "The site's catalogue of images is older than this version of jupyter-slurmdash and is only read here. It"
            " is brought up to date where the site scans: ask your site's administrator to update that."
            if known
            else "The site's catalogue of images is newer than this version of jupyter-slurmdash. Install the version"
            " that your site scans with."
        )

    def _back_up(self, target: Path) -> None:
        # Not a copy of the file: what was committed last may still be in the write-ahead log beside it.
        os.close(self._open(target))
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
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION)))
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
        try:
            if self.shared:
                if not self.path.parent.exists():
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self.path.parent.chmod(0o755)
                os.close(self._open(self.path))
            descriptor = self._open(lock)
        except OSError as error:
            if not self.shared:
                raise
            raise self._not_ours(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # threads of one process too, unlike lockf
            yield
        finally:
            os.close(descriptor)

    def _open(self, path: Path) -> int:
        """A descriptor of a file that is made when it is not there, with ``_mode`` whatever the umask is."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            return os.open(path, flags, 0o600)
        os.fchmod(descriptor, self._mode(path))
        return descriptor

    def _mode(self, path: Path) -> int:
        """What is shared is read by all, and written by the group where that may write the directory."""
        return 0o644 | (path.parent.stat().st_mode & 0o020) if self.shared else 0o600

    def close(self) -> None:
        self.engine.dispose()


def _is_full(error: object, directory: Path) -> bool:
    """Whether an error of SQLite comes of a full disk or quota. Where it does not say, the disk is asked."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _MAYBE_FULL:
        return code == sqlite3.SQLITE_FULL
    try:
        with tempfile.TemporaryFile(dir=directory, buffering=0) as probe:
            probe.write(bytes(_PROBE))
            os.fsync(probe.fileno())  # a network file system tells it only now
    except OSError as refusal:
        return refusal.errno in (errno.ENOSPC, errno.EDQUOT)
    return False
