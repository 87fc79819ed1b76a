"""A small cluster whose nodes are folders of this machine, and the catalogue of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sif_writer as writer

from jupyter_slurmdash.errors import SchedulerUnavailable, TransportError
from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.transport.base import FileStat, ReadSteps
from jupyter_slurmdash.transport.local import LocalTransport


class Folder(LocalTransport):
    """A node whose files lie below ``root``; counts what is read."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name)
        self.root = root
        self.heads = 0
        self.closed = 0

    def list_files(
        self, directory: str, suffix: str, *, depth: int = 3, limit: int = 10_000
    ) -> list[FileStat]:
        found = super().list_files(f"{self.root}{directory}", suffix, depth=depth, limit=limit)
        return [
            FileStat(file.path.removeprefix(str(self.root)), file.size, file.mtime_ns, file.inode)
            for file in found
        ]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        return super().read_ranges(f"{self.root}{path}", ranges)

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[Any]]]) -> list[Any]:
        inside = [(f"{self.root}{path}", steps) for path, steps in files]
        self.heads += len(inside)
        return super().read_steps(inside)

    def close(self) -> None:
        self.closed += 1


class Cluster:
    """Three nodes, a clock, and the catalogue of it, in an SQLite file unless another ``database`` is given."""

    def __init__(self, place: Path, database: Database | None = None) -> None:
        self.place = place
        self.partitions: dict[str, list[str]] = {
            "node001": ["compute"],
            "node002": ["compute"],
            "viz001": ["viz"],
        }
        self.transports: dict[str, Folder] = {}
        self.trouble: dict[str, TransportError] = {}
        self.scheduler_down = False
        self.now = 1_000_000.0
        self.events: list[Event] = []
        self.bus = EventBus()
        self.bus.subscribe(self.events.append)
        self.database = database or Database(f"sqlite:///{place / 'data' / 'db.sqlite'}")
        self.database.upgrade()
        self.catalog = self.make()
        for node in self.partitions:
            (place / node / "images").mkdir(parents=True, exist_ok=True)

    def make(self, bus: EventBus | None = None, **options: Any) -> Catalog:
        """A catalogue as another process of this or another user would have it."""
        settings: dict[str, Any] = {
            "image_dirs": ["/images"],
            "clock": lambda: self.now,
            "is_local": lambda node: False,
            **options,
        }
        store = ImageTable(self.database)
        return Catalog(store, bus or self.bus, self.connect, lambda: self.nodes(), **settings)

    def nodes(self) -> Mapping[str, Sequence[str]]:
        if self.scheduler_down:
            raise SchedulerUnavailable("The controller does not answer. Try again later.")
        return self.partitions

    def connect(self, node: str) -> Folder:
        if node in self.trouble:
            raise self.trouble[node]
        return self.transports.setdefault(node, Folder(node, self.place / node))

    def put(self, node: str, name: str, data: bytes | None = None, **attributes: object) -> Path:
        file = self.place / node / "images" / name
        file.write_bytes(writer.image(**attributes) if data is None else data)
        return file

    @property
    def heads(self) -> int:
        return sum(transport.heads for transport in self.transports.values())
