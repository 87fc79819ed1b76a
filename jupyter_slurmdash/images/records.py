"""Between the database's rows and the catalogue's records; grouping of one file on several nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .model import Image, NodeScan, Scan, SifFacts, Verdict, image_id
from .probe import Found, stamp
from .rules import (
    DEFAULT_TYPE_RULES,
    TypeRule,
    family,
    image_description,
    image_type,
    image_version,
    version_key,
)

Row = dict[str, Any]

# Goes up when the reader learns something: all images are read again then. It is kept beside the facts as "reader";
# rows from before it was kept count as 0.
READER_VERSION = 1

_NOTHING_KNOWN = SifFacts(complete=False)
# Some KiB each.
_KNOWN_AT_A_TIME = 4096


class Rows:
    """Makes the rows of one scan. What follows from an image's facts is worked out once: the same images lie on many
    nodes."""

    def __init__(self, rules: Sequence[TypeRule] = DEFAULT_TYPE_RULES) -> None:
        self._rules = rules
        # The facts are kept beside what follows from them, or others could come to have their id().
        self._known: dict[tuple[int, str, tuple[str, ...]], tuple[SifFacts, Row]] = {}

    def of(
        self,
        node: str,
        partitions: tuple[str, ...],
        found: Found,
        old: Mapping[str, Any] | None,
        now: float,
    ) -> Mapping[str, Any]:
        """The row of a file that was found on a node; ``old`` itself when nothing in it has changed."""
        name = found.file.path.rpartition("/")[2]
        if old is not None and _is_unchanged(found, old):
            kind = image_type(old["facts"]["labels"], name, partitions, self._rules)
            if old["is_active"] and old["partitions"] == list(partitions) and old["type"] == kind:
                return old
            # A digest may be written while the node is looked at: what is not named here stays as it is.
            return {
                "id": old["id"],
                "partitions": list(partitions),
                "type": kind,
                "is_active": True,
                "updated_at": now,
                "last_scanned": now,
            }
        # The same file, read by a newer reader: what was worked out from all of its bytes still holds.
        same = old if old is not None and _is_same_file(found, old) else None
        return {
            **self._of_facts(found.facts or _NOTHING_KNOWN, name, partitions),
            "id": image_id(node, found.file.path),
            "path": found.file.path,
            "node": node,
            "size": found.file.size,
            "mtime_ns": found.file.mtime_ns,
            "inode": found.file.inode,
            "digest": same["digest"] if same is not None else None,
            "verdict": same["verdict"] if same is not None else None,
            "created_at": old["created_at"] if old is not None else now,
            "updated_at": now,
            "last_scanned": now,
            "is_active": True,
        }

    def _of_facts(self, facts: SifFacts, name: str, partitions: tuple[str, ...]) -> Row:
        key = (id(facts), name, partitions)
        kept = self._known.get(key)
        if kept is None:
            if len(self._known) >= _KNOWN_AT_A_TIME:
                self._known.clear()
            columns = {
                "name": name,
                "partitions": list(partitions),
                "type": image_type(facts.labels, name, partitions, self._rules),
                "version": image_version(facts.labels, name),
                "description": image_description(facts.labels),
                "facts": {**facts.to_dict(), "reader": READER_VERSION},
            }
            kept = self._known[key] = (facts, columns)
        return kept[1]


def is_settled(row: Mapping[str, Any]) -> bool:
    """Whether the file need not be read again while it has not changed.

    What has a problem is read each time: it may have been put right without a new mtime. Everything is read once more
    by each newer reader, which may know what to make of more of it.
    """
    facts = row["facts"]
    return facts.get("problem") is None and facts.get("reader", 0) >= READER_VERSION


def _is_unchanged(found: Found, old: Mapping[str, Any]) -> bool:
    if found.facts is None:
        return True
    by_this_reader = old["facts"].get("reader", 0) >= READER_VERSION
    return by_this_reader and _is_same_file(found, old) and SifFacts.from_dict(old["facts"]) == found.facts


def _is_same_file(found: Found, old: Mapping[str, Any]) -> bool:
    return stamp(found.file) == (old["size"], old["mtime_ns"], old["inode"])


def image_of(row: Mapping[str, Any], facts: SifFacts) -> Image:
    """One row as an image on its one node, with what its column ``facts`` means."""
    values = {name: row[name] for name in Image.__dataclass_fields__ if name in row}
    values["facts"] = facts
    values["partitions"] = tuple(row["partitions"])
    values["verdict"] = Verdict.from_dict(row["verdict"]) if row["verdict"] else None
    values["family"] = family(row["name"])
    return Image(**values, nodes=(row["node"],))


def images_of(
    rows: Iterable[Mapping[str, Any]], rules: Sequence[TypeRule] = DEFAULT_TYPE_RULES
) -> list[Image]:
    """The rows as images: the same file on several nodes as one, the newest version of a family first."""
    groups: dict[tuple[object, ...], list[Image]] = {}
    # The store gives equal facts as one object; both are kept until the end, so the id stays theirs.
    meant: dict[int, tuple[object, SifFacts]] = {}
    for row in rows:
        stored = row["facts"]
        if id(stored) not in meant:
            meant[id(stored)] = (stored, SifFacts.from_dict(stored))
        image = image_of(row, meant[id(stored)][1])
        key = (image.name, image.path, image.size, image.facts.sif_id, image.is_active)
        groups.setdefault(key, []).append(image)
    images = [_merged(sorted(group, key=lambda image: image.node), rules) for group in groups.values()]
    # Two stable sorts: versions downwards, and then families upwards.
    images.sort(
        key=lambda image: (version_key(image.version), image.facts.build_time, image.id), reverse=True
    )
    images.sort(key=lambda image: image.family)
    return images


def _merged(group: list[Image], rules: Sequence[TypeRule]) -> Image:
    first = group[0]
    if len(group) == 1:
        return first
    partitions = tuple(sorted({name for image in group for name in image.partitions}))
    # Where its nodes agree, what the last scan wrote; else its partitions all together decide.
    agreed = all(image.type == first.type for image in group)
    digest, verdict = _checks(group)
    return replace(
        first,
        nodes=tuple(image.node for image in group),
        partitions=partitions,
        type=first.type if agreed else image_type(first.facts.labels, first.name, partitions, rules),
        created_at=min(image.created_at for image in group),
        updated_at=max(image.updated_at for image in group),
        last_scanned=max(image.last_scanned for image in group),
        digest=digest,
        verdict=verdict,
    )


def _checks(group: Sequence[Image]) -> tuple[str | None, Verdict | None]:
    """The digest of the first node that has one, and its verdict (a bad one before a good one). Copies of another time
    than the first node's are left out: nobody has looked whether they are the same."""
    same = [image for image in group if image.mtime_ns // 10**9 == group[0].mtime_ns // 10**9]
    verdicts = [image.verdict for image in same if image.verdict]
    verdicts.sort(key=lambda verdict: ("not valid", "unknown key", "verified").index(verdict.state))
    return next((image.digest for image in same if image.digest), None), verdicts[0] if verdicts else None


def scan_row(scan: Scan) -> Row:
    """A scan as the columns of its table."""
    return {
        "id": scan.id,
        "status": scan.status,
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
        "nodes": {"full": scan.full, "by": scan.by, "nodes": [node.to_json() for node in scan.nodes]},
    }


def scan_of(row: Mapping[str, Any]) -> Scan:
    """A scan from its row."""
    nodes = tuple(NodeScan(**node) for node in row["nodes"]["nodes"])
    full = bool(row["nodes"]["full"])
    by = row["nodes"].get("by", "")
    return Scan(row["id"], row["status"], row["started_at"], row["finished_at"], nodes, full, by)
