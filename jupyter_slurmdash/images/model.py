"""What the catalogue knows of an Apptainer image. Data only."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..times import moment, written

ImageType = Literal["viz", "compute", "custom"]

# Our own name space for stable ids: the same node and path give the same id on every server.
_NAMESPACE = uuid.UUID("6f0c2f5e-5a0e-5c3b-9a55-51f1e0d4c1aa")

# Images in shared directories belong to this node: every real one sees them, so all partitions can use them.
SHARED = "shared"

_METADATA = (
    *("labels", "apps", "runscript", "startscript", "test", "environment", "help", "deffile"),
    *("arch", "sif_id", "complete"),
)


def image_id(node: str, path: str) -> str:
    """The stable UUID of the image at ``path`` on ``node``."""
    # As str(uuid.uuid5(…)), at a third of its price: a scan and a list work out one for each image of each node.
    own = f"{node}\n{path}".encode()
    raw = bytearray(hashlib.sha1(_NAMESPACE.bytes + own, usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    return hyphenated(raw)


def hyphenated(raw: bytes | bytearray) -> str:
    """The 16 bytes of a UUID as ``str(uuid.UUID(bytes=…))`` writes them, at a fifth of its price."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True)
class ImageApp:
    """A SCIF app of an image. ``environment`` holds what its scripts assign, unexpanded."""

    name: str
    help: str = ""
    runscript: str = ""
    startscript: str = ""
    test: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SifSignature:
    """A signature that the file's table of contents names. ``fingerprint`` is the key's, upper-case hexadecimal ("" for
    kinds that name none); ``hash`` the digest algorithm ("sha256"…), "" when it is not said."""

    kind: Literal["pgp", "dsse", "unknown"]
    fingerprint: str = ""
    hash: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of verifying an image's signatures. ``keys`` are the user ids of the keys that signed, else their
    fingerprints; ``checked_at`` seconds since the epoch, UTC."""

    state: Literal["verified", "unknown key", "not valid"]
    message: str
    keys: tuple[str, ...] = ()
    checked_at: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the database."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        return cls(data["state"], data["message"], tuple(data["keys"]), data["checked_at"])

    def to_json(self) -> dict[str, Any]:
        """The contract's ``ImageVerification``."""
        return {**asdict(self), "keys": list(self.keys), "checked_at": written(self.checked_at)}


@dataclass(frozen=True)
class SifFacts:
    """What one .sif file says of itself. Times are seconds since the epoch (UTC), 0 when not given.

    ``problem`` is the reason why the file cannot be used, in words for a user, or None.
    ``complete`` is False when neither metadata nor the file system inside could be read in full. ``environment`` is
    what the image's scripts assign, with shell expressions as they are written; ``environment_scripts`` their
    texts by path.
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
    environment_scripts: dict[str, str] = field(default_factory=dict)
    help: str = ""
    deffile: str = ""
    signed: bool = False
    signatures: tuple[SifSignature, ...] = ()
    encrypted: bool = False
    complete: bool = True
    problem: str | None = None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> SifFacts:
        """Facts of all these fields, and these themselves: a dataclass sets one after the other, which costs as much as
        reading them."""
        made = object.__new__(cls)
        object.__setattr__(made, "__dict__", fields)
        return made

    def but(self, **changes: Any) -> SifFacts:
        """A copy with these fields changed."""
        return self.of({**vars(self), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the database; ``from_dict`` reads it back."""
        # Not asdict(), which copies every label: with 50 images on each of 100 nodes it took a tenth of a scan.
        return {
            **vars(self),
            "apps": [vars(app) for app in self.apps],
            "signatures": [vars(each) for each in self.signatures],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SifFacts:
        """What ``to_dict`` gave; keys of other versions are left out."""
        known = {name: value for name, value in data.items() if name in cls.__dataclass_fields__}
        apps = tuple(ImageApp(**app) for app in known.get("apps", ()))
        signatures = tuple(SifSignature(**each) for each in known.get("signatures", ()))
        return cls(**{**known, "apps": apps, "signatures": signatures})


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
    verdict: Verdict | None = None
    family: str = ""
    is_active: bool = True

    @property
    def signature(self) -> str:
        """Whether it is signed, and what came of verifying that."""
        if not self.facts.signed:
            return "unsigned"
        return self.verdict.state if self.verdict else "signed, not verified"

    def to_json(self) -> dict[str, Any]:
        """The image as the contract's ``Image``."""
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
            "family": self.family,
            "modified_at": moment(self.mtime_ns / 1e9),
            "signature": self.signature,
            "signatures": [asdict(each) for each in facts.signatures],
            "verification": self.verdict.to_json() if self.verdict else None,
            "digest": self.digest,
            "problem": facts.problem,
            "created_at": moment(self.created_at),
            "updated_at": moment(self.updated_at),
            "last_scanned": moment(self.last_scanned),
            "is_active": self.is_active,
        }

    def metadata_json(self) -> dict[str, Any]:
        """All that the file says of itself, as the contract's ``ImageMetadata``."""
        data = self.facts.to_dict()
        return {"id": self.id, **{name: data[name] for name in _METADATA}}


@dataclass(frozen=True)
class NodeError:
    """Why a node's images could not be seen: a TransportError's reason, no-directory or permission."""

    node: str
    reason: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class NodeScan:
    """One node's part of a scan. ``seconds`` is what it took; ``message`` may name what is missing."""

    node: str
    status: Literal["waiting", "ok", "failed"] = "waiting"
    images: int = 0
    reason: str | None = None
    message: str | None = None
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Scan:
    """A look at the nodes; ``full`` when it was at all of them, ``by`` who made it (user@machine). Times are seconds
    since the epoch, UTC; one that died or was broken off is ``failed`` without a ``finished_at``."""

    id: str
    status: Literal["running", "finished", "failed"]
    started_at: float
    finished_at: float | None
    nodes: tuple[NodeScan, ...]
    full: bool = True
    by: str = ""

    def with_node(self, result: NodeScan) -> Scan:
        """The scan with this as its node's part."""
        nodes = tuple(result if each.node == result.node else each for each in self.nodes)
        return replace(self, nodes=nodes)

    def to_json(self) -> dict[str, Any]:
        """The scan as the contract's ``Scan``."""
        return {
            "scan_id": self.id,
            "status": self.status,
            "started_at": moment(self.started_at),
            "finished_at": moment(self.finished_at),
            "nodes": [node.to_json() for node in self.nodes],
        }
