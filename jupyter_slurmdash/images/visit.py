"""One node's part of a scan: connect, look, give the connection back; every failure becomes data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import TransportError
from ..transport.base import Transport
from ..transport.local import LocalTransport
from .model import NodeScan
from .probe import Probe, probe_node
from .records import is_settled


@dataclass(frozen=True)
class Outcome:
    """What came of a visit. ``probe`` is None without an answer; ``known`` are the node's rows by path."""

    result: NodeScan
    probe: Probe | None = None
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Visit:
    """A look at one node; ``connect`` is None for this machine. With ``inspect`` Apptainer there is asked about what
    cannot be read in full, at each visit."""

    def __init__(
        self,
        node: str,
        directories: Sequence[str],
        rows: Callable[[str], list[dict[str, Any]]],
        connect: Callable[[str], Transport] | None,
        inspect: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._directories = directories
        self._rows = rows
        self._connect = connect
        self._inspect = inspect
        self._clock = clock
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._abandoned = False

    def run(self) -> Outcome:
        """Make the visit; takes as long as the node does."""
        start = self._clock()
        known = {row["path"]: row for row in self._rows(self._node)}
        try:
            transport = self._open()
            try:
                stamps = {
                    path: (row["size"], row["mtime_ns"], row["inode"])
                    for path, row in known.items()
                    if is_settled(row) and (row["facts"].get("complete", True) or not self._inspect)
                }
                probe = probe_node(transport, self._directories, stamps, self._inspect)
            finally:
                transport.close()
        except TransportError as error:
            return Outcome(self._failed(error.reason, error.detail, start))
        except OSError as error:
            # A stale or broken file system, here or behind SFTP, is this node's trouble and nobody else's.
            return Outcome(self._failed("io", f"The images could not be listed: {error}.", start))
        seconds = round(self._clock() - start, 3)
        notes = " ".join(probe.notes) or None
        if probe.listed or not self._directories:
            return Outcome(NodeScan(self._node, "ok", len(probe.found), None, notes, seconds), probe, known)
        reason = "permission" if probe.denied else "no-directory"
        result = NodeScan(self._node, "failed", 0, reason, notes, seconds)
        # A directory that is there but closed to us says nothing about the images in it.
        return Outcome(result, None if probe.denied else probe, known)

    def abandon(self, timeout: float) -> Outcome:
        """Give the visit up after ``timeout`` seconds; its thread gets an error as soon as it looks up."""
        with self._lock:
            self._abandoned = True
            transport = self._transport
        abort = getattr(transport, "abort", None)
        if abort is not None:
            abort()
        message = f"{self._node} did not answer completely within {timeout:g} seconds. It may be overloaded."
        return Outcome(NodeScan(self._node, "failed", 0, "timeout", message, timeout))

    def _open(self) -> Transport:
        transport = LocalTransport(self._node) if self._connect is None else self._connect(self._node)
        with self._lock:
            self._transport = transport
            abandoned = self._abandoned
        if abandoned:
            transport.close()
            raise TransportError(f"{self._node} was given up.", "timeout")
        return transport

    def _failed(self, reason: str, message: str, start: float) -> NodeScan:
        return NodeScan(self._node, "failed", 0, reason, message, round(self._clock() - start, 3))
