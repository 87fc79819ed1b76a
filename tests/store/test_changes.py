"""Two processes of one user on one database hear of each other; other users' events stay theirs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from jupyter_slurmdash.errors import DatabaseUnavailable
from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.store import changes as module
from jupyter_slurmdash.store.changes import Changes
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.tables import events


class Side:
    """One process: its own connection, bus and reader."""

    def __init__(self, url: str, user: str = "me", clock: Callable[[], float] | None = None) -> None:
        self.database = Database(url)
        self.bus = EventBus()
        self.heard: queue.Queue[Event] = queue.Queue()
        options = {"clock": clock} if clock else {}
        self.changes = Changes(self.database, self.bus, user, interval=0.02, **options)
        self.bus.subscribe(self.heard.put)

    def tell(self, number: int, *, durable: bool = True) -> None:
        self.bus.publish("jobs", "job_update", {"number": number}, durable=durable)

    def numbers(self) -> list[int]:
        return [self.heard.get_nowait().data["number"] for _ in range(self.heard.qsize())]

    def next(self) -> int:
        return int(self.heard.get(timeout=10).data["number"])

    def close(self) -> None:
        self.changes.stop()
        self.database.close()


@pytest.fixture
def side(database: Database) -> Iterator[Callable[..., Side]]:
    made: list[Side] = []

    def make(user: str = "me", **options: Callable[[], float]) -> Side:
        made.append(Side(database.url.render_as_string(), user, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_others_events_are_told_once(side: Callable[..., Side]) -> None:
    one, two = side(), side()
    one.tell(1)
    one.tell(2)
    assert two.changes.read() == 2
    assert two.numbers() == [1, 2]
    assert two.changes.read() == 0
    one.changes.read()
    assert one.numbers() == [1, 2], "its own events come once, directly"
    two.tell(3)
    one.changes.read()
    assert one.numbers() == [3]
    two.changes.read()
    assert two.numbers() == [3], "what was heard is not told on"


def test_what_is_not_durable_stays_here(side: Callable[..., Side]) -> None:
    one, two = side(), side()
    one.tell(1, durable=False)
    assert two.changes.read() == 0


def test_users_do_not_see_each_others(side: Callable[..., Side]) -> None:
    mine, theirs = side("me"), side("them")
    theirs.tell(1)
    assert mine.changes.read() == 0
    assert mine.numbers() == []
    mine.tell(2)
    theirs.changes.read()
    assert theirs.numbers() == [1]


def test_what_was_before_the_start_is_not_told(side: Callable[..., Side]) -> None:
    side().tell(1)
    late = side()
    assert late.changes.read() == 0


def test_after_stop_nothing_is_written(side: Callable[..., Side]) -> None:
    one, two = side(), side()
    one.changes.stop()
    one.tell(1)
    assert two.changes.read() == 0


def test_old_events_are_thrown_away(side: Callable[..., Side], database: Database) -> None:
    one = side(clock=lambda: 9e9)
    one.tell(1)
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 0


def test_the_background_reader_is_quick(side: Callable[..., Side]) -> None:
    one, two = side(), side()
    two.changes.start()
    for number in range(5):
        one.tell(number)
        assert two.next() == number


def test_an_idle_reader_reads_nothing(side: Callable[..., Side], monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = side(), side()
    reads = []
    original = two.changes.read
    monkeypatch.setattr(two.changes, "read", lambda: reads.append(original()))
    looks = threading.Semaphore(0)
    version = two.changes._version
    monkeypatch.setattr(two.changes, "_version", lambda watch: (looks.release(), version(watch))[1])
    two.changes.start()
    for _ in range(5):
        assert looks.acquire(timeout=10)
    assert len(reads) == 1, "the first look only"
    one.tell(1)
    assert two.next() == 1


def test_after_a_failed_look_the_same_rows_are_read(
    side: Callable[..., Side], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = side(), side()
    failed = threading.Event()
    original = two.changes.read

    def read() -> int:
        if not failed.is_set():
            failed.set()
            raise DatabaseUnavailable("It is locked.")
        return original()

    monkeypatch.setattr(two.changes, "read", read)
    one.tell(7)
    two.changes.start()
    assert failed.wait(10)
    assert two.next() == 7
    assert "Could not read changes" in caplog.text


def test_a_database_that_is_away_at_first_is_read_later(
    side: Callable[..., Side], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = side(), side()
    failed = threading.Event()
    connect = two.database.engine.connect

    def away() -> sa.Connection:
        if threading.current_thread().name == "slurmdash-changes" and not failed.is_set():
            failed.set()
            raise sa.exc.OperationalError("connect", {}, OSError("no route to host"))
        return connect()

    monkeypatch.setattr(two.database.engine, "connect", away)
    two.changes.start()
    assert failed.wait(10)
    one.tell(7)
    assert two.next() == 7
    assert "Could not read changes" in caplog.text


def test_a_fault_of_ours_does_not_end_the_reader(
    side: Callable[..., Side], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = side(), side()
    heard: list[int] = []

    def stumble(event: Event) -> None:
        heard.append(event.data["number"])
        if len(heard) == 1:
            raise ZeroDivisionError

    two.bus.subscribe(stumble)
    two.changes.start()
    one.tell(1)
    assert two.next() == 1
    one.tell(2)
    assert two.next() == 2


def test_a_database_without_a_version_is_read_each_time(
    side: Callable[..., Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = side(), side()
    monkeypatch.setattr(two.database, "is_sqlite", False)
    two.changes.start()
    one.tell(1)
    assert two.next() == 1


def test_the_times_to_keep_are_hours() -> None:
    assert module._KEEP_SECONDS >= 3600
