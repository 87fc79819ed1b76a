"""Upload sessions and their files as data. Sizes and offsets are bytes, times seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

FileState = Literal["uploading", "complete", "failed"]
SessionState = Literal["active", "finalized"]
Origin = Literal["upload", "path"]


@dataclass(frozen=True)
class SessionFile:
    """One file of a session: uploaded (its bytes are below the session's directory) or named by path
    (``origin == "path"``: it lies where the user has it and is never copied).

    ``offset`` is what has been acknowledged; ``size`` is None while the length is deferred.
    ``slot`` is the template's slot it fills, "" for none; ``type`` is data, config, code or model.
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
