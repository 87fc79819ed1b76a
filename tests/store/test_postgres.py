"""The same store on a real PostgreSQL: schema up and down, leases, who may only read, a restart."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import postgres
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from oldfacts import check_old_facts
from runs import check_by_hand

from jupyter_slurmdash.errors import Conflict, DatabaseUnavailable, InvalidInput
from jupyter_slurmdash.store import engines
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.store.leases import Leases
from jupyter_slurmdash.store.tables import metadata, upload_files
from jupyter_slurmdash.store.uploads import UploadTable, _take_turns

pytestmark = pytest.mark.skipif(
    postgres.programs() is None and os.environ.get("CI") != "true", reason="PostgreSQL is not installed"
)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    found = postgres.programs()
    assert found is not None, "PostgreSQL is not installed"
    with postgres.running(found) as running:
        yield running


@pytest.fixture
def database(server: postgres.Postgres) -> Iterator[Database]:
    made = Database(server.url)
    made.upgrade()
    yield made
    made.downgrade("base")
    made.close()


def test_medians_and_counts_as_on_sqlite(database: Database) -> None:
    states = ("COMPLETED", "COMPLETED", "FAILED", "CANCELLED", "COMPLETED")
    runs = [
        {"template_id": "a-v1", "state": state, "started_at": 110.0 + number, "elapsed": 3 * number}
        for number, state in enumerate(states)
    ]
    check_by_hand(database, [*runs, {"template_id": "b-v1", "state": "RUNNING", "started_at": None}])


def test_the_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.downgrade("base")
    assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]
    database.upgrade()


def test_facts_of_before_they_were_kept_once(database: Database) -> None:
    check_old_facts(database)


def test_many_may_upgrade_at_once(server: postgres.Postgres) -> None:
    found = [Database(server.url) for _ in range(6)]
    begin = threading.Barrier(len(found))
    failures: list[Exception] = []

    def upgrade(database: Database) -> None:
        begin.wait()
        try:
            database.upgrade()
        except DatabaseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade, args=(each,)) for each in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (failures, len({each.revision() for each in found})) == ([], 1)
    found[0].downgrade("base")
    for each in found:
        each.close()


def test_one_of_many_takes_a_lease(database: Database) -> None:
    now = [1000.0]
    owners = [Leases(database, lambda: now[0]) for _ in range(8)]
    for _ in range(5):
        begin = threading.Barrier(len(owners))
        taken: list[str] = []

        def take(leases: Leases, begin: threading.Barrier = begin, taken: list[str] = taken) -> None:
            begin.wait()
            if leases.take("scan", 10):
                taken.append(leases.owner)

        threads = [threading.Thread(target=take, args=(each,)) for each in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(taken) == 1
        now[0] += 10  # its time is over, and the row is still there


def test_a_reader_sees_one_moment(database: Database) -> None:
    leases = Leases(database)
    with database.read() as connection:
        count = sa.text("SELECT count(*) FROM leases")
        assert connection.execute(count).scalar() == 0
        assert leases.take("x", 10)
        assert connection.execute(count).scalar() == 0


def test_an_account_that_may_only_read(server: postgres.Postgres, database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = server.url.replace("//postgres@", "//reader@")
    reader = Database(url, shared=True, read_only=True, setting="catalog_url")
    assert ImageTable(reader).all() == []
    reader.close()
    writer = Database(url, shared=True, setting="catalog_url")
    with pytest.raises(DatabaseUnavailable, match="catalog_mode = 'read'"):
        Leases(writer).take("x", 10)
    writer.close()
    with database.write() as connection:
        connection.exec_driver_sql("DROP OWNED BY reader")
        connection.exec_driver_sql("DROP ROLE reader")


def test_a_server_that_restarts(server: postgres.Postgres, database: Database) -> None:
    table = ImageTable(database)
    assert table.all() == []
    server.stop()
    try:
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            table.all()
    finally:
        server.start()
    assert table.all() == []


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **options: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(engines.sa, "create_engine", missing)
    with pytest.raises(InvalidInput, match=r"jupyter-slurmdash\[postgres\]"):
        Database("postgresql://host/name")


def file_row(file_id: str) -> dict[str, Any]:
    texts = dict.fromkeys(("type", "slot", "state", "origin", "path"), "")
    numbers = dict.fromkeys(("offset", "created_at", "updated_at"), 0)
    return {"id": file_id, "session_id": "s", "name": "a.dat", "pinned": False, **texts, **numbers}


@pytest.mark.parametrize("several", [False, True])
def test_two_that_add_a_file_of_one_name_take_turns(database: Database, several: bool) -> None:
    table = UploadTable(database)
    session = {"id": "s", "user": "ada", "state": "active", "created_at": 0.0, "expires_at": 1.0}
    table.insert_session(session)

    def add() -> object:
        if not several:
            return table.insert_file(file_row("late"))
        with pytest.raises(Conflict, match=r"a\.dat"):
            table.insert_files([file_row("late")])
        return True

    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            _take_turns(connection, "s")
            connection.execute(sa.insert(upload_files).values(**file_row("first")))
            second = pool.submit(add)
            with database.engine.connect() as other:
                while not second.done() and not other.execute(waiting).scalar():
                    pass
        assert second.result(30)
    assert [row["id"] for row in table.files("s")] == ["first"]
