"""Upload sessions and their files as data. Sizes and offsets are bytes, times seconds since the epoch,
UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..errors import FieldError
from .archives.listing import is_archive

FileState = Literal["uploading", "complete", "failed"]
SessionState = Literal["active", "finalized"]
Origin = Literal["upload", "path", "partial"]
SlotState = Literal["empty", "uploading", "ok", "error"]
FILE_TYPES = ("data", "config", "code", "model")


class Slot(Protocol):
    """What uploads need to know of a file slot of a template. ``max_size`` is bytes, None for no bound of
    its own.
    """

    @property
    def name(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def kind(self) -> Literal["input", "config"]: ...
    @property
    def required(self) -> bool: ...
    @property
    def description(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def max_size(self) -> int | None: ...
    @property
    def format(self) -> str: ...
    @property
    def schema(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class SessionFile:
    """One file of a session: uploaded (its bytes are below the session's directory) or named by path
    (``origin == "path"``: it lies where the user has it and is never copied). One of ``origin == "partial"`` is a
    part that will be joined with others, and no file of the session yet.

    ``offset`` is what has been acknowledged; ``size`` is None while the length is deferred.
    ``slot`` is the template's slot it fills, "" for none; ``type`` is data, config, code or model;
    ``pinned`` says that the user chose the slot, so no rule changes it.
    """

    id: str
    session_id: str
    name: str
    type: str
    slot: str
    size: int | None
    offset: int
    state: FileState
    origin: Origin
    path: str
    sha256: str | None
    problem: str | None
    created_at: float
    updated_at: float
    pinned: bool = False

    @property
    def progress(self) -> float:
        """Per cent done, 0 to 100."""
        if self.state == "complete":
            return 100.0
        return 100.0 * self.offset / self.size if self.size else 0.0

    def to_json(self) -> dict[str, Any]:
        """The contract's ``UploadedFile``."""
        return {
            "file_id": self.id,
            "name": self.name,
            "type": self.type,
            "slot": self.slot or None,
            "size": self.size,
            "offset": self.offset,
            "progress": round(self.progress, 1),
            "state": self.state,
            "origin": self.origin,
            "path": self.path if self.origin == "path" else None,
            "sha256": self.sha256,
            "problem": self.problem,
            "archive": self.state == "complete" and is_archive(self.name),
        }


@dataclass(frozen=True)
class Session:
    """A place to gather the files of one job."""

    id: str
    user: str
    template_id: str | None
    state: SessionState
    created_at: float
    expires_at: float
    files: tuple[SessionFile, ...] = ()


@dataclass(frozen=True)
class JobFile:
    """A complete file as a job takes it: ``path`` is where its bytes are, ``name`` what the job will see."""

    name: str
    path: str
    size: int
    type: str = ""
    slot: str = ""
    sha256: str | None = None
    origin: Origin = "upload"
    pinned: bool = False


@dataclass(frozen=True)
class SlotResult:
    """How it stands with one slot of a template."""

    name: str
    state: SlotState
    file: str | None = None
    message: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "file": self.file, "message": self.message}


@dataclass(frozen=True)
class FileValidation:
    """What fits and what does not. ``classified_files`` is class → names; ``notes`` are worth reading, not
    wrong.
    """

    classified_files: Mapping[str, list[str]]
    errors: list[FieldError]
    slots: list[SlotResult]
    notes: list[FieldError] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        return not self.errors

    def to_json(self) -> dict[str, Any]:
        """The contract's ``FileValidation``."""
        return {
            "valid": self.valid,
            "classified_files": dict(self.classified_files),
            "errors": [error.to_json() for error in self.errors],
            "slots": [slot.to_json() for slot in self.slots],
            "notes": [note.to_json() for note in self.notes],
        }
