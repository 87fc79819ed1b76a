"""The uploads column alone, in a private place: for tests that need no scheduler, images or templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.uploads import UploadTable
from jupyter_slurmdash.uploads.model import JobFile, SessionFile, Slot
from jupyter_slurmdash.uploads.quota import Quota
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.service import Uploads
from jupyter_slurmdash.uploads.transfers import Append
from jupyter_slurmdash.uploads.writer import Writer

ME = "ada"


@dataclass(frozen=True)
class PlainSlot:
    name: str
    pattern: str = "*"
    kind: Literal["input", "config"] = "input"
    required: bool = True
    description: str = ""
    type: str = ""
    max_size: int | None = None
    format: str = ""
    schema: Mapping[str, Any] | None = None


# The plan's own training template.
SLOTS = (
    PlainSlot("training_script", "*.py", type="code", max_size=10_000),
    PlainSlot("dataset", "*.tar.gz", type="data"),
    PlainSlot("pretrained_model", "*.pth", type="model", required=False),
    PlainSlot(
        "config",
        "config.yaml",
        kind="config",
        format="yaml",
        schema={
            "type": "object",
            "properties": {"batch_size": {"type": "integer", "minimum": 1, "maximum": 1024}},
            "required": ["batch_size"],
        },
    ),
)


@dataclass
class Place:
    """Uploads below ``root``, their events, and a clock that stands still until it is moved."""

    root: Path
    slots: Sequence[Slot] = SLOTS
    max_size: int = 0
    now: float = 1_700_000_000.0
    chunk_size: int = 1000
    events: list[Event] = field(default_factory=list)
    quota: Quota | None = None

    def __post_init__(self) -> None:
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.database = Database(f"sqlite:///{self.root / 'test.sqlite'}")
        self.database.upgrade()
        self.uploads = Uploads(
            UploadTable(self.database),
            bus,
            self.root / "uploads",
            max_size=self.max_size,
            ttl=1000.0,
            chunk_size=self.chunk_size,
            slots=lambda user, template_id: self.slots,
            quota=lambda path: self.quota,
            clock=lambda: self.now,
        )
        self.sessions, self.transfers = self.uploads.sessions, self.uploads.transfers

    def restarted(self) -> Place:
        """What a new process finds on the same disk; nothing of this one's memory."""
        return Place(self.root, self.slots, self.max_size, self.now, self.chunk_size)

    def session(self, template_id: str | None = None) -> str:
        return self.sessions.create(ME, template_id).id

    def begin(self, session_id: str, name: str, size: int | None, **options: Any) -> SessionFile:
        return self.transfers.create(session_id, ME, NewFile(name, size, **options))

    def writer(self, file: SessionFile, offset: int, **options: Any) -> Writer:
        opened = self.transfers.open(file.session_id, ME, file.id, Append(offset, **options))
        assert isinstance(opened, Writer)
        return opened

    def send(self, file: SessionFile, offset: int, data: bytes, **options: Any) -> SessionFile:
        writer = self.writer(file, offset, body=len(data), **options)
        try:
            if data:
                writer.write(data)
            return writer.finish()
        finally:
            writer.close()

    def upload(self, session_id: str, name: str, data: bytes, **options: Any) -> SessionFile:
        file = self.begin(session_id, name, len(data), **options)
        return self.send(file, 0, data) if data else file

    def look(self, file: SessionFile) -> SessionFile:
        return self.transfers.look(file.session_id, ME, file.id)

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.events if event.type == kind]

    def close(self) -> None:
        self.database.close()


def job_file(path: Path, slot: str = "", type: str = "") -> JobFile:
    return JobFile(path.name, str(path), path.stat().st_size, type, slot)
