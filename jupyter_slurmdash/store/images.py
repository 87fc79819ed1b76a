"""Images and scans in the database. Rows in and out are plain dicts with the tables' columns."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson
import sqlalchemy as sa

from .database import Database
from .engines import JsonText, insert_into
from .leases import take_lease
from .tables import image_facts, images, leases, scans

Row = dict[str, Any]
T = TypeVar("T")

_KEPT_SCANS = 50

# So many facts are kept as JSON, some KiB each.
_WRITTEN = 1024

# Values that a statement may have; older SQLite takes no more.
_VALUES = 999

# JSON as its text, whatever the driver would make of it.
_ALL = sa.select(
    *(sa.cast(each, sa.Text).label(each.name) if each is images.c.partitions else each for each in images.c)
)
_ALL_FACTS = sa.select(image_facts.c.id, sa.cast(image_facts.c.facts, sa.Text))
_WITH_FACTS = sa.select(
    *(each for each in images.c if each is not images.c.facts_id), image_facts.c.facts
).outerjoin_from(images, image_facts, image_facts.c.id == images.c.facts_id)

# Of an image whose facts somebody else has thrown away meanwhile: it is read again by the next scan.
_LOST = {"complete": False}

# Held by the scan that is under way; its owner is the scan's id.
SCAN_LEASE = "image-scan"


class _Written(NamedTuple):
    """``value`` as JSON. Kept with the value itself, or another could come to have its id()."""

    value: object
    text: JsonText
    key: str


class ImageTable:
    """The three tables of the catalogue. A row of an image has its ``facts``, which are kept apart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: dict[int, _Written] = {}

    # -- images ---------------------------------------------------------------------------------------------

    def stamp(self) -> tuple[Any, ...]:
        """Changes whenever an image's row changes, whoever wrote it."""
        query = sa.select(
            sa.func.count(),
            # The sums too: where clocks of several machines differ, the newest change need not be the maximum.
            sa.func.max(images.c.updated_at),
            sa.func.sum(images.c.updated_at),
            sa.func.sum(images.c.last_scanned),
            sa.func.sum(sa.cast(images.c.is_active, sa.Integer)),
        )
        with self._database.read() as connection:
            return tuple(connection.execute(query).one())

    def all(self) -> list[Row]:
        """Every image, the vanished ones too. Equal facts are one object, to be read only: the same images lie on many
        nodes, and most of the time would go into parsing them."""
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(_ALL).mappings()]
            said = {key: orjson.loads(text) for key, text in connection.execute(_ALL_FACTS)}
        parsed: dict[str, Any] = {}
        for row in rows:
            text = row["partitions"]
            if text not in parsed:
                parsed[text] = orjson.loads(text)
            row["partitions"] = parsed[text]
            row["facts"] = said.get(row.pop("facts_id"), _LOST)
        return rows

    def nodes(self) -> set[str]:
        """The nodes of which there are images, vanished ones too."""
        with self._database.read() as connection:
            return set(connection.execute(sa.select(images.c.node).distinct()).scalars())

    def of_node(self, node: str) -> list[Row]:
        """The node's images, the vanished ones too."""
        with self._database.read() as connection:
            found = connection.execute(_WITH_FACTS.where(images.c.node == node)).mappings()
            return [_whole(row) for row in found]

    def save_nodes(
        self,
        nodes: Collection[str],
        changed: Iterable[Mapping[str, Any]],
        unchanged: Collection[str],
        now: float,
    ) -> None:
        """What these nodes have now: ``changed`` rows and ids of ``unchanged`` ones. Their others have vanished."""
        facts: dict[str, JsonText] = {}
        rows = [self._as_written(row, facts) for row in changed]
        # Asked for the active ones alone, SQLite reads all active rows of all nodes.
        known = sa.select(images.c.id, images.c.is_active).where(images.c.node.in_(nodes))
        with self._database.write() as connection:
            self._keep_facts(connection, facts)
            old = {row.id: row.is_active for row in connection.execute(known)}
            alive = {id for id, is_active in old.items() if is_active}
            for alike in _by_columns([{**row, "which": row["id"]} for row in rows if row["id"] in old]):
                connection.execute(sa.update(images).where(images.c.id == sa.bindparam("which")), alike)
            if fresh := [row for row in rows if row["id"] not in old]:
                self._insert(connection, fresh)
            if gone := alive - {row["id"] for row in rows} - set(unchanged):
                self._set(connection, gone, {"is_active": False, "updated_at": now})
            if unchanged:
                self._set(connection, unchanged, {"last_scanned": now})

    @staticmethod
    def _insert(connection: sa.Connection, rows: Sequence[Row]) -> None:
        insert = sa.insert(images).compile(dialect=connection.dialect)
        names = insert.positiontup
        if not names:
            connection.execute(sa.insert(images), rows)
            return
        # SQLite's driver gives the interpreter away for each row that it is handed, and among a scan's threads it takes
        # long to come back: a statement has many rows.
        head, values = str(insert).split(" VALUES ")
        for some in _some_at_a_time(rows, _VALUES // len(names)):
            statement = f"{head} VALUES {', '.join([values] * len(some))}"
            connection.exec_driver_sql(statement, tuple(row[name] for row in some for name in names))

    @staticmethod
    def _keep_facts(connection: sa.Connection, facts: Mapping[str, JsonText]) -> None:
        for some in _some_at_a_time(list(facts), _VALUES):
            kept = set(connection.scalars(sa.select(image_facts.c.id).where(image_facts.c.id.in_(some))))
            if fresh := [{"id": key, "facts": facts[key]} for key in sorted(some) if key not in kept]:
                # Another server may have come first, where two believe that they scan.
                connection.execute(insert_into(connection, image_facts).on_conflict_do_nothing(), fresh)

    def _as_written(self, row: Mapping[str, Any], facts: dict[str, JsonText]) -> Row:
        """The row with its JSON as text, and its facts among ``facts``."""
        made = dict(row)
        if "partitions" in made:
            made["partitions"] = self._write(made["partitions"]).text
        if "facts" in made:
            said = self._write(made.pop("facts"))
            made["facts_id"] = said.key
            facts[said.key] = said.text
        return made

    def _write(self, value: object) -> _Written:
        """As text, which is made once for all rows that have the same object."""
        written = self._written.get(id(value))
        if written is None:
            if len(self._written) >= _WRITTEN:
                self._written.clear()
            data = orjson.dumps(value)
            key = hashlib.sha256(data).hexdigest()[:32]
            written = self._written[id(value)] = _Written(value, JsonText(data.decode()), key)
        return written

    def forget_other_nodes(self, nodes: Collection[str], now: float) -> None:
        """Nodes that are not in ``nodes`` have left the cluster, and their images with them. What no image says any
        more goes too."""
        gone = sa.and_(images.c.is_active, images.c.node.not_in(list(nodes)))
        with self._database.write() as connection:
            connection.execute(sa.update(images).where(gone).values(is_active=False, updated_at=now))
            meant = sa.select(images.c.facts_id)
            connection.execute(sa.delete(image_facts).where(image_facts.c.id.not_in(meant)))

    @staticmethod
    def _set(connection: sa.Connection, ids: Collection[str], values: Mapping[str, Any]) -> None:
        for some in _some_at_a_time(list(ids), _VALUES - len(values)):
            connection.execute(sa.update(images).where(images.c.id.in_(some)).values(**values))

    # -- scans ----------------------------------------------------------------------------------------------

    def begin_scan(
        self,
        row: Mapping[str, Any],
        now: float,
        seconds: float,
        *,
        seen: Collection[str] | None = None,
        former: str | None = None,
    ) -> Row | None:
        """Begin the scan ``row`` unless one is under way; gives the row of the one that is under way now.

        Who scans holds a lease of ``seconds`` in the scan's name, so that one that died is told from one that is slow.
        With ``seen`` (ids of the ended scans that the caller knows) None when another has ended since: then nothing is
        to be done. ``former`` is the caller's own scan before, which is over even when its end could not be written.
        One transaction: of many that begin at once, one scans.
        """
        with self._database.write() as connection:
            if former is not None:
                self._give_back(connection, former)
            if not take_lease(connection, SCAN_LEASE, row["id"], now, seconds):
                return self._under_way(connection, now)
            if seen is not None and self._newest(connection) not in (None, *seen):
                self._give_back(connection, row["id"])
                return None
            died = sa.update(scans).where(scans.c.status == "running")
            connection.execute(died.values(status="failed"))
            self._save(connection, row)
        return dict(row)

    def keep_scan(self, row: Mapping[str, Any], now: float, seconds: float) -> bool:
        """Write the progress of the scan and renew its lease; False when another took that meanwhile."""
        with self._database.write() as connection:
            if not take_lease(connection, SCAN_LEASE, row["id"], now, seconds):
                return False
            progress = sa.update(scans).where(scans.c.id == row["id"], scans.c.status == "running")
            connection.execute(progress.values(nodes=row["nodes"]))
        return True

    def end_scan(self, row: Mapping[str, Any]) -> None:
        """Write the scan's end and give its lease back."""
        with self._database.write() as connection:
            self._save(connection, row)
            self._give_back(connection, row["id"])

    def running_scan(self, now: float) -> Row | None:
        """The scan that is under way, whoever makes it; None when there is none."""
        with self._database.read() as connection:
            return self._under_way(connection, now)

    @staticmethod
    def _newest(connection: sa.Connection) -> str | None:
        ended = sa.select(scans.c.id).where(scans.c.finished_at.is_not(None))
        return connection.execute(ended.order_by(scans.c.finished_at.desc()).limit(1)).scalar()

    @staticmethod
    def _under_way(connection: sa.Connection, now: float) -> Row | None:
        alive = sa.and_(leases.c.name == SCAN_LEASE, leases.c.owner == scans.c.id, leases.c.expires_at > now)
        query = sa.select(scans).join(leases, alive).where(scans.c.status == "running")
        row = connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    @staticmethod
    def _give_back(connection: sa.Connection, owner: str) -> None:
        connection.execute(sa.delete(leases).where(leases.c.name == SCAN_LEASE, leases.c.owner == owner))

    def save_scan(self, row: Mapping[str, Any]) -> None:
        """Insert or replace the scan; the oldest beyond fifty are forgotten."""
        with self._database.write() as connection:
            self._save(connection, row)

    @staticmethod
    def _save(connection: sa.Connection, row: Mapping[str, Any]) -> None:
        kept = sa.select(scans.c.id).order_by(scans.c.started_at.desc()).limit(_KEPT_SCANS)
        connection.execute(sa.delete(scans).where(scans.c.id == row["id"]))
        connection.execute(sa.insert(scans).values(**row))
        # Itself stays, also when the clock was put back.
        connection.execute(sa.delete(scans).where(scans.c.id.not_in(kept), scans.c.id != row["id"]))

    def scan(self, scan_id: str) -> Row | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(scans).where(scans.c.id == scan_id)).mappings().first()
            return dict(row) if row is not None else None

    def ended_scans(self) -> list[Row]:
        """The scans that ended, the newest first, back to the last one of all nodes."""
        query = sa.select(scans).where(scans.c.finished_at.is_not(None)).order_by(scans.c.finished_at.desc())
        found: list[Row] = []
        with self._database.read() as connection:
            for row in connection.execute(query).mappings():
                found.append(dict(row))
                if row["nodes"]["full"]:
                    break
        return found


def find_image(connection: sa.Connection, id: str) -> Row | None:
    """The row of one image, also of a vanished one."""
    row = connection.execute(_WITH_FACTS.where(images.c.id == id)).mappings().first()
    return _whole(row) if row is not None else None


def _whole(row: sa.RowMapping) -> Row:
    return {**row, "facts": row["facts"] or _LOST}


def _by_columns(rows: Iterable[Row]) -> Iterable[list[Row]]:
    """The rows in groups of the same columns: for many rows a statement writes the columns of the first."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups.values()


def _some_at_a_time(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
