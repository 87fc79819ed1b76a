"""What the catalogue knows of an Apptainer image. Data only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

ImageType = Literal["viz", "compute", "custom"]

# Our own name space for stable ids: the same node and path give the same id on every server.
_NAMESPACE = uuid.UUID("6f0c2f5e-5a0e-5c3b-9a55-51f1e0d4c1aa")


def image_id(node: str, path: str) -> str:
    """The stable UUID of the image at ``path`` on ``node``."""
    return str(uuid.uuid5(_NAMESPACE, f"{node}\n{path}"))


@dataclass(frozen=True)
class ImageApp:
    """A SCIF app of an image."""

    name: str
    help: str = ""
    runscript: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SifFacts:
    """What one .sif file says of itself. Times are seconds since the epoch (UTC), 0 when not given.

    ``problem`` is the reason why the file cannot be used, in words for a user, or None.
    ``complete`` is False when the file has no readable metadata (old or foreign builders).
    """

    arch: str = ""
    sif_id: str = ""
    build_time: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    apps: tuple[ImageApp, ...] = ()
    runscript: str = ""
    startscript: str = ""
    test: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    help: str = ""
    deffile: str = ""
    signed: bool = False
    encrypted: bool = False
    complete: bool = True
    problem: str | None = None


@dataclass(frozen=True)
class Image:
    """One image file on one node, or (``nodes`` longer than one) the same file on several.

    ``size`` is bytes; ``mtime_ns`` nanoseconds; ``*_at`` and ``last_scanned`` seconds since the epoch, UTC.
    """

    id: str
    name: str
    path: str
    node: str
    nodes: tuple[str, ...]
    partitions: tuple[str, ...]
    type: ImageType
    size: int
    mtime_ns: int
    inode: int
    version: str
    description: str
    facts: SifFacts
    created_at: float
    updated_at: float
    last_scanned: float
    digest: str | None = None
    is_active: bool = True

    def to_json(self) -> dict[str, Any]:
        """The image as the contract's ``Image``."""
        from datetime import UTC, datetime

        def moment(seconds: float) -> str | None:
            return (
                datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z") if seconds else None
            )

        facts = self.facts
        return {
            "id": self.id,
            "name": self.name,
            "path": self.path,
            "node": self.node,
            "nodes": list(self.nodes),
            "partition": self.partitions[0] if self.partitions else None,
            "partitions": list(self.partitions),
            "type": self.type,
            "size": self.size,
            "version": self.version,
            "description": self.description,
            "labels": facts.labels,
            "apps": [app.name for app in facts.apps],
            "runscript": facts.runscript,
            "env_vars": facts.environment,
            "help": facts.help,
            "arch": facts.arch,
            "sif_id": facts.sif_id,
            "build_date": moment(facts.build_time),
            "signature": "signed, not verified" if facts.signed else "unsigned",
            "digest": self.digest,
            "problem": facts.problem,
            "created_at": moment(self.created_at),
            "updated_at": moment(self.updated_at),
            "last_scanned": moment(self.last_scanned),
            "is_active": self.is_active,
        }
