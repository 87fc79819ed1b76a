"""What the doors are told of a scan: events on the channel ``images``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..events import EventBus
from .model import NodeScan, Scan


class Telling:
    """Publishes the events of scans."""

    def __init__(self, events: EventBus) -> None:
        self._events = events

    def started(self, scan: Scan) -> None:
        self._tell("scan_started", scan, {"nodes": len(scan.nodes)})

    def progress(self, scan: Scan, result: NodeScan) -> None:
        data = {
            "node": result.node,
            "status": result.status,
            "images": result.images,
            "reason": result.reason,
            "message": result.message,
        }
        self._tell("scan_progress", scan, data)

    def finished(self, scan: Scan, *, durable: bool) -> None:
        """``durable`` for a scan of our own: the user's other processes hear of it through the database."""
        data = {
            "status": scan.status,
            "images": sum(node.images for node in scan.nodes),
            "failed": sum(node.status == "failed" for node in scan.nodes),
        }
        self._tell("scan_finished", scan, data, durable)

    def _tell(self, kind: str, scan: Scan, data: Mapping[str, Any], durable: bool = False) -> None:
        self._events.publish("images", kind, {"scan_id": scan.id, **data}, durable=durable)
