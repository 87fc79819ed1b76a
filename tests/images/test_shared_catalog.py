"""One catalogue for many users: one scan for all of them, followed by the others; and readers that may only read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgres
import pytest
import shared_scan
import sif_writer as writer
from folder_cluster import Cluster
from settings import private_values

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.dash import Dash
from jupyter_slurmdash.errors import CatalogReadOnly, DatabaseUnavailable, InvalidInput
from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.store.database import Database

NOBODY = 65534
needs_postgres = pytest.mark.skipif(
    postgres.programs() is None and os.environ.get("CI") != "true", reason="PostgreSQL is not installed"
)


class Server(subprocess.Popen[str]):
    """A process of ``shared_scan``; as another account when ``user`` is given."""

    def __init__(self, url: str, place: Path, how: str, **options: Any) -> None:
        # Its text and not its file: another account need not be able to read the tests.
        program = Path(shared_scan.__file__).read_text()
        super().__init__(
            [sys.executable, "-c", program, url, str(place), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            **options,
        )
        assert self.stdout is not None
        line = self.stdout.readline()
        assert line == "ready\n", self.communicate(timeout=30)

    def begin(self) -> None:
        assert self.stdin is not None
        self.stdin.write("\n")
        self.stdin.flush()

    def answer(self) -> Any:
        out, err = self.communicate(timeout=90)
        assert self.returncode == 0, err
        return json.loads(out)


@pytest.fixture
def site() -> Iterator[Path]:
    """A place that every account may read, with three images."""
    place = Path(tempfile.mkdtemp(prefix="slurmdash-site-"))
    place.chmod(0o755)
    (place / "images").mkdir(mode=0o755)
    for number in range(3):
        (place / "images" / f"tools-{number}.sif").write_bytes(writer.image())
    yield place
    shutil.rmtree(place)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def url(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{site / 'catalog' / 'catalog.sqlite'}"
        return
    found = postgres.programs()
    assert found is not None, "PostgreSQL is not installed"
    with postgres.running(found) as server:
        yield server.url


def test_many_servers_at_the_same_instant_make_one_scan(site: Path, url: str) -> None:
    servers = [Server(url, site, "refresh") for _ in range(10)]
    for server in servers:
        server.begin()
    answers = [server.answer() for server in servers]
    assert [answer for answer in answers if "error" in answer] == []
    assert len((site / "made").read_text().splitlines()) == 1
    for answer in answers:
        assert answer["images"] == ["tools-0.sif", "tools-1.sif", "tools-2.sif"]
    assert len({answer["id"] for answer in answers} - {None}) == 1
    followed = [answer["told"] for answer in answers if answer["id"]]
    assert len(followed) > 1, "the others came while it ran"
    for told in followed:
        assert told == ["scan_started", "scan_progress", "scan_finished"]
    late = Server(url, site, "refresh")
    late.begin()
    assert late.answer()["id"] is None, "it is not too old yet"


def test_a_scan_whose_process_is_killed_is_made_by_another(site: Path, url: str) -> None:
    environment = {**os.environ, "LEASE": "1.5"}
    hung = Server(url, site, "hang", env=environment)
    hung.begin()
    assert hung.stderr is not None
    assert hung.stderr.readline() == "scanning\n"
    other = Server(url, site, "scan", env=environment)
    other.begin()
    hung.kill()
    hung.communicate(timeout=30)
    answer = other.answer()
    assert len(answer["images"]) == 3
    assert answer["told"].count("scan_finished") == 2, "the dead one's end, and its own"
    assert len((site / "made").read_text().splitlines()) == 2


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, Database(f"sqlite:///{tmp_path / 'data' / 'db.sqlite'}", shared=True))
    yield made
    made.catalog.close()
    made.database.close()


def other_process(cluster: Cluster) -> tuple[Catalog, list[Event]]:
    """A catalogue on the same store, and what it tells."""
    events: list[Event] = []
    bus = EventBus()
    bus.subscribe(events.append)
    return cluster.make(bus), events


def test_another_servers_scan_is_followed(cluster: Cluster) -> None:
    for node in cluster.partitions:
        cluster.put(node, "a.sif")
    release = threading.Event()
    hanging = cluster.connect("node001")
    listing = hanging.list_files
    hanging.list_files = lambda *args, **options: (release.wait(20), listing(*args, **options))[1]  # type: ignore[method-assign]
    other, events = other_process(cluster)
    seen = threading.Event()
    cluster.bus.subscribe(lambda event: seen.set() if event.data.get("node") == "viz001" else None)
    first = cluster.catalog.start_scan()
    assert seen.wait(20)
    assert other.start_scan(["node002"]).id == first.id
    assert (other.scanning, other.get_scan(first.id).status) == (True, "running")
    assert other.refresh_if_stale() is not None
    waiting = threading.Thread(target=other.scan)
    waiting.start()
    release.set()
    waiting.join(20)
    assert not waiting.is_alive()
    assert other.get_scan(first.id) == cluster.catalog.get_scan(first.id)
    assert other.get_scan(first.id).by.count("@") == 1
    assert [event.type for event in events][0::4] == ["scan_started", "scan_finished"]
    assert [event.type for event in events][1:4] == ["scan_progress"] * 3
    assert {event.data["scan_id"] for event in events} == {first.id}
    assert not any(event.durable for event in events), "who made it told the others already"
    assert not other.scanning


def test_a_scan_that_a_server_breaks_off_as_it_ends_was_none(cluster: Cluster) -> None:
    release = threading.Event()
    hanging = cluster.connect("node001")
    hanging.list_files = lambda *args, **options: release.wait(20) and []  # type: ignore[method-assign]
    started = cluster.catalog.start_scan()
    closing = threading.Thread(target=cluster.catalog.close)
    closing.start()
    release.set()
    closing.join(20)
    other, _ = other_process(cluster)
    broken_off = other.get_scan(started.id)
    assert (broken_off.status, broken_off.finished_at) == ("failed", None)
    assert other.scanned_at() is None
    assert other.refresh_if_stale() is not None, "at once, not after a time"
    assert other.scan().status == "finished"
    other.close()


def test_a_scan_that_ended_since_is_not_made_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    other, _ = other_process(cluster)
    store = other._store
    looked, ended = threading.Event(), threading.Event()
    rows = store.ended_scans

    def slowly() -> list[dict[str, Any]]:
        found = rows()
        looked.set()
        assert ended.wait(20)
        return found

    monkeypatch.setattr(store, "ended_scans", slowly)
    answers: list[object] = []
    late = threading.Thread(target=lambda: answers.append(other.refresh_if_stale()))
    late.start()
    assert looked.wait(20)
    cluster.catalog.scan()
    ended.set()
    late.join(20)
    assert answers == [None]


# -- readers ---------------------------------------------------------------------------------------------------


def scanned(site: Path) -> str:
    """The URL of an SQLite catalogue that someone has scanned."""
    url = f"sqlite:///{site / 'catalog' / 'catalog.sqlite'}"
    server = Server(url, site, "scan", umask=0o077)
    server.begin()
    assert len(server.answer()["images"]) == 3
    return url


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two accounts")
def test_a_reader_of_another_account(site: Path) -> None:
    url = scanned(site)
    file = site / "catalog" / "catalog.sqlite"
    assert (site / "catalog").stat().st_mode & 0o777 == 0o755
    assert file.stat().st_mode & 0o777 == 0o644, "whatever the umask of who scans"
    before = {path.name: path.stat().st_mtime_ns for path in (site / "catalog").iterdir()}
    reader = Server(url, site, "read", user=NOBODY, group=NOBODY, extra_groups=[])
    reader.begin()
    answer = reader.answer()
    assert answer["images"] == ["tools-0.sif", "tools-1.sif", "tools-2.sif"]
    assert (answer["id"], answer["scanning"], answer["told"]) == (None, False, [])
    assert answer["error"]["code"] == "catalog-read-only"
    assert "Scans are made by your site" in answer["error"]["detail"]
    assert {path.name: path.stat().st_mtime_ns for path in (site / "catalog").iterdir()} == before
    writer_ = Server(url, site, "scan", user=NOBODY, group=NOBODY, extra_groups=[])
    writer_.begin()
    error = writer_.answer()["error"]
    assert (error["code"], "catalog_mode = 'read'" in error["detail"]) == ("database-unavailable", True)


def test_a_group_that_may_write_the_directory_may_write_the_file(site: Path) -> None:
    (site / "catalog").mkdir()
    (site / "catalog").chmod(0o2775)
    scanned(site)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (site / "catalog").iterdir()}
    assert modes == {"catalog.sqlite": 0o664, "catalog.sqlite.lock": 0o664}


def a_dash(place: Path, **settings: Any) -> Dash:
    return Dash(SlurmDash(**{**private_values(place), **settings}))


def test_a_dash_that_reads(site: Path, tmp_path: Path) -> None:
    dash = a_dash(tmp_path, catalog_url=scanned(site), catalog_mode="read")
    dash.start()
    try:
        assert (dash.catalog.read_only, len(dash.catalog.images())) == (True, 3)
        with pytest.raises(CatalogReadOnly):
            dash.catalog.scan()
        with pytest.raises(CatalogReadOnly), dash.image_database.write():
            pass
        [images] = [part for part in dash.health().components if part.name == "images"]
        assert " by " in images.detail
    finally:
        dash.close()


def test_a_dash_with_a_catalogue_of_all(site: Path, tmp_path: Path, url: str) -> None:
    images = str(site / "images")
    dash = a_dash(tmp_path, catalog_url=url, image_dirs=[], shared_image_dirs=[images])
    try:
        assert dash.catalog.scan().status == "finished"
        assert dash.database.url != dash.image_database.url
        assert len(dash.catalog.images()) == 3
    finally:
        dash.close()


@pytest.mark.parametrize(
    ("revision", "reason"), [("0001", "older than this version"), ("9999", "newer than this version")]
)
def test_a_schema_that_cannot_be_read(site: Path, tmp_path: Path, revision: str, reason: str) -> None:
    url = scanned(site)
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    database.close()
    dash = a_dash(tmp_path, catalog_url=url, catalog_mode="read")
    try:
        assert dash.catalog.refresh_if_stale() is None
        with pytest.raises(DatabaseUnavailable, match=reason):
            dash.catalog.images()
    finally:
        dash.close()


def test_a_catalogue_that_is_not_there_yet(site: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{site / 'catalog' / 'catalog.sqlite'}"
    dash = a_dash(tmp_path, catalog_url=url, catalog_mode="read")
    try:
        with pytest.raises(DatabaseUnavailable, match="catalog_url"):
            dash.catalog.images()
        scanned(site)
        assert len(dash.catalog.images()) == 3, "without starting anew"
    finally:
        dash.close()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"catalog_mode": "read"}, "needs catalog_url"),
        ({"catalog_url": "nonsense"}, r"SlurmDash\.catalog_url"),
        ({"image_type_rules": [{"name": "x"}]}, "rule 1"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        a_dash(tmp_path, **settings)
