"""The database: schema up and down, copies before a change of it, several writers, what it says when it fails."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from oldfacts import check_old_facts

from jupyter_slurmdash.errors import DatabaseUnavailable, InvalidInput, NoSpace
from jupyter_slurmdash.store import database as module
from jupyter_slurmdash.store.database import Database, file_system_type
from jupyter_slurmdash.store.tables import leases, metadata

NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{newest}"
def upgrade():
    op.add_column("leases", sa.Column("note", sa.Text()))
def downgrade():
    op.drop_column("leases", "note")
"""

WRITER = """
import sys, uuid
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.leases import Leases
database = Database(sys.argv[1])
database.upgrade()
leases = Leases(database)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    assert leases.take(f"{leases.owner}:{number}", 60)
database.close()
"""


def url_of(place: Path) -> str:
    return f"sqlite:///{place / 'data' / 'test.sqlite'}"


@pytest.fixture
def newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The newest revision there is; and migrations as a later version has them: one more."""
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    database.upgrade()
    revision = database.revision()
    database.close()
    assert revision is not None
    scripts = tmp_path / "50% later"
    shutil.copytree(Path(module.__file__).parent / "migrations", scripts)
    (scripts / "versions" / "later.py").write_text(NEXT.replace("{newest}", revision))

    def alembic(self: Database) -> Config:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        return config

    monkeypatch.setattr(Database, "_alembic", alembic)
    return revision


def add_lease(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(leases).values(name=name, owner="o", expires_at=1.0))


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(leases.c.name).order_by(leases.c.name)).scalars())


def test_the_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_up_down_up(database: Database) -> None:
    head = database.revision()
    add_lease(database, "x")
    database.upgrade()
    assert names(database) == ["x"]
    database.downgrade("base")
    assert database.revision() is None
    assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]
    database.upgrade()
    assert (database.revision(), names(database)) == (head, [])


def test_facts_of_before_they_were_kept_once(database: Database) -> None:
    check_old_facts(database)


def test_a_copy_is_kept_before_an_upgrade(tmp_path: Path, newest: str) -> None:
    database = Database(url_of(tmp_path))
    database.upgrade(newest)
    copy = tmp_path / "data" / f"test.sqlite.{newest}.backup"
    assert not copy.exists()
    add_lease(database, "committed, and still in the write-ahead log")
    database.upgrade()
    assert database.revision() == "next"
    assert names(database) == ["committed, and still in the write-ahead log"]
    database.close()
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]
        assert kept.execute("SELECT count(*) FROM leases").fetchone() == (1,)


def test_a_second_upgrade_replaces_the_copy(tmp_path: Path, newest: str) -> None:
    database = Database(url_of(tmp_path))
    database.upgrade()
    database.downgrade(newest)
    add_lease(database, "x")
    database.upgrade()
    database.downgrade(newest)
    add_lease(database, "y")
    database.upgrade()
    database.close()
    with closing(sqlite3.connect(tmp_path / "data" / f"test.sqlite.{newest}.backup")) as kept:
        assert kept.execute("SELECT count(*) FROM leases").fetchone() == (2,)


def test_a_schema_of_a_newer_version_is_said(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from the future'")
    with pytest.raises(DatabaseUnavailable, match="newer version"):
        database.upgrade()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("x", "no SQLAlchemy URL"),
        ("", "no SQLAlchemy URL"),
        ("postgresql://me:hunter2@host:port/name", "no SQLAlchemy URL"),
        ("nonsense://me:hunter2@host/name", "nonsense is no database"),
        ("mysql+aiomysql://me:hunter2@host/name", "driver aiomysql is not installed"),
    ],
)
def test_a_wrong_url_names_the_setting(url: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as raised:
        Database(url)
    assert "database_url" in raised.value.detail
    assert "hunter2" not in raised.value.detail


def test_many_may_upgrade_at_once(tmp_path: Path) -> None:
    def upgrade(_number: int) -> str | None:
        with closing(Database(url_of(tmp_path))) as database:
            database.upgrade()
            return database.revision()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(upgrade, range(4)))) == 1


def test_two_processes_write_at_once(database: Database) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(database.url), "150"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for number in range(150):
        add_lease(database, f"own:{number}")
    for writer in writers:
        assert writer.communicate(timeout=60)[1] == b""
        assert writer.returncode == 0
    assert len(names(database)) == 450


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def write_two() -> None:
        with database.write() as connection:
            connection.execute(sa.insert(leases).values(name="y", owner="o", expires_at=1.0))
            connection.execute(sa.insert(leases).values(name="x", owner="o", expires_at=1.0))

    add_lease(database, "x")
    with pytest.raises(sa.exc.IntegrityError):
        write_two()
    assert names(database) == ["x"]


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.read() as connection:
        count = sa.select(sa.func.count()).select_from(leases)
        assert connection.execute(count).scalar() == 0
        add_lease(database, "x")
        assert connection.execute(count).scalar() == 0
    assert names(database) == ["x"]


def test_foreign_keys_are_kept(database: Database) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize(("kind", "journal"), [("ext4", "wal"), ("nfs4", "delete"), ("fuse.sshfs", "delete")])
def test_the_journal_suits_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, journal: str
) -> None:
    monkeypatch.setattr(module, "file_system_type", lambda path: kind)
    database = Database(url_of(tmp_path))
    database.upgrade()
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal
    database.close()


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    lines: list[str] = []
    original = Path.read_text

    def read_text(self: Path, *args: object, **kwargs: object) -> str:
        if str(self) != "/proc/self/mounts":
            return original(self, *args, **kwargs)  # type: ignore[arg-type]
        if not lines:
            raise PermissionError
        return "\n".join(lines)

    monkeypatch.setattr(Path, "read_text", read_text)
    return lines


def test_the_file_system_is_the_innermost_mount(mounts: list[str], tmp_path: Path) -> None:
    assert file_system_type(tmp_path) == ""
    real = tmp_path.resolve()
    mounts += [
        "none / ext4 rw 0 0",
        f"server:/home {real}/my\\040home nfs4 rw 0 0",
        f"x {real}/my tmpfs rw 0 0",
    ]
    (tmp_path / "link").symlink_to(tmp_path / "my home" / "a")
    assert file_system_type(tmp_path) == "ext4"
    assert file_system_type(tmp_path / "my home" / "a") == "nfs4"
    assert file_system_type(tmp_path / "link") == "nfs4"
    assert file_system_type(tmp_path / "my") == "tmpfs"
    assert file_system_type(tmp_path / "mystery") == "ext4"


def test_a_database_in_memory(tmp_path: Path) -> None:
    database = Database("sqlite://")
    database.upgrade()
    add_lease(database, "x")
    assert (database.path, names(database)) == (None, ["x"])
    database.close()


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.sqlite").write_text("no database at all\n" * 100)
    database = Database(url_of(tmp_path))
    with pytest.raises(DatabaseUnavailable, match="not a database"):
        database.upgrade()
    with pytest.raises(DatabaseUnavailable), database.write():
        pass
    database.close()


# What SQLite 3.40 says where every write is answered with EDQUOT, seen by a shim around pwrite(2) and open(2).
QUOTA = {
    "a row": sqlite3.SQLITE_IOERR_WRITE,
    "the memory that processes share": sqlite3.SQLITE_IOERR_SHMSIZE,
    "a journal that cannot be made": sqlite3.SQLITE_CANTOPEN,
    "told by the network only in the end": sqlite3.SQLITE_IOERR_FSYNC,
}


def fail(database: Database, code: int) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with database.write():
        raise sa.exc.OperationalError("INSERT", {}, error)


@pytest.mark.parametrize("what", QUOTA)
def test_a_full_quota_is_said(database: Database, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def fsync(_fd: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", fsync)
        with pytest.raises(NoSpace, match="quota is full"):
            fail(database, QUOTA[what])
    # The same words of SQLite, where the disk takes what it is given: no quota's fault.
    with pytest.raises(DatabaseUnavailable, match="disk I/O error"):
        fail(database, QUOTA[what])
    assert database.path is not None
    assert sorted(path.suffix for path in database.path.parent.iterdir()) == [
        ".lock",
        ".sqlite",
        ".sqlite-shm",
        ".sqlite-wal",
    ]


def test_a_disk_that_fails_is_not_said_to_be_full(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module.os, "fsync", fsync)
    with pytest.raises(DatabaseUnavailable):
        fail(database, sqlite3.SQLITE_IOERR_WRITE)


def test_a_full_disk_is_said_without_a_look(database: Database) -> None:
    with pytest.raises(NoSpace):
        fail(database, sqlite3.SQLITE_FULL)
    with pytest.raises(DatabaseUnavailable):
        fail(database, sqlite3.SQLITE_BUSY)
