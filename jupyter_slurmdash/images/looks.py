"""What the latest scans say: when all nodes were last looked at, and which could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .model import NodeError, NodeScan, Scan


@dataclass(frozen=True)
class Looks:
    """``ended``: the scans that ended, the newest first, back to the last one of all nodes; ``current``: the one under
    way."""

    ended: Sequence[Scan]
    current: Scan | None = None

    @property
    def last(self) -> Scan | None:
        """The last scan of all nodes that ended."""
        return next((scan for scan in self.ended if scan.full), None)

    @property
    def at(self) -> float | None:
        """When that was (seconds since the epoch, UTC); None before the first."""
        return self.last.finished_at if self.last else None

    def node_errors(self) -> list[NodeError]:
        """The nodes that could not be looked at when they were last tried, and why."""
        latest: dict[str, NodeScan] = {}
        for scan in [self.current, *self.ended] if self.current else self.ended:
            for node in scan.nodes:
                if node.status != "waiting":
                    latest.setdefault(node.node, node)
        return [
            NodeError(node.node, node.reason or "failed", node.message or "")
            for _, node in sorted(latest.items())
            if node.status == "failed"
        ]
