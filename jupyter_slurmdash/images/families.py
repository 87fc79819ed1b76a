"""Images seen from further away: the versions of one thing, and the nodes that have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..times import moment
from .model import SHARED, Image


@dataclass(frozen=True)
class Family:
    """Images that are versions of each other, the newest first."""

    name: str
    versions: tuple[Image, ...]

    def to_json(self) -> dict[str, Any]:
        """The contract's ``ImageFamily``."""
        return {"family": self.name, "versions": [_version_json(image) for image in self.versions]}


@dataclass(frozen=True)
class PartitionNodes:
    """A partition's nodes with an image and those without."""

    partition: str
    nodes_with: tuple[str, ...]
    nodes_without: tuple[str, ...]


@dataclass(frozen=True)
class Whereabouts:
    """Where an image lies; ``shared`` when every node sees it."""

    id: str
    shared: bool
    partitions: tuple[PartitionNodes, ...]

    def to_json(self) -> dict[str, Any]:
        """The contract's ``ImageWhere``."""
        return {
            "id": self.id,
            "shared": self.shared,
            "partitions": [
                {
                    "partition": own.partition,
                    "nodes_with": list(own.nodes_with),
                    "nodes_without": list(own.nodes_without),
                }
                for own in self.partitions
            ],
        }


def families_of(images: Iterable[Image]) -> list[Family]:
    """The images by family; both orders are those of ``images``, which has the newest version first."""
    found: dict[str, list[Image]] = {}
    for image in images:
        found.setdefault(image.family, []).append(image)
    return [Family(name, tuple(versions)) for name, versions in found.items()]


def whereabouts(
    image: Image, nodes: Mapping[str, Sequence[str]], seen: Mapping[str, Sequence[str]]
) -> Whereabouts:
    """The image in each partition. ``nodes`` are all nodes with their partitions; where the scheduler does not say
    (empty), ``seen`` stands in: the nodes that had images when they were scanned, and only those with this one count.
    """
    shared = SHARED in image.nodes
    having = frozenset(image.nodes if image.is_active else ())
    everywhere = shared and image.is_active
    partitions: dict[str, tuple[list[str], list[str]]] = {}
    for node, names in sorted((nodes or seen).items()):
        has = everywhere or node in having
        if node == SHARED or (not nodes and not has):
            continue
        for name in names:
            partitions.setdefault(name, ([], []))[0 if has else 1].append(node)
    if not nodes and everywhere:
        for name in image.partitions:
            partitions.setdefault(name, ([], []))
    found = (PartitionNodes(name, tuple(a), tuple(b)) for name, (a, b) in sorted(partitions.items()))
    return Whereabouts(image.id, shared, tuple(found))


def _version_json(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "version": image.version,
        "build_date": moment(image.facts.build_time),
        "nodes": list(image.nodes),
        "partitions": list(image.partitions),
        "problem": image.facts.problem,
    }
