"""Scans: which nodes to look at, all of them side by side, and what of it goes into the database."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..errors import InvalidInput, ScanNotFound, SlurmDashError
from ..events import EventBus
from ..transport.base import Transport
from .fanout import fan_out
from .model import SHARED as SHARED
from .model import NodeScan, Scan
from .probe import Probe
from .records import row_of, scan_of, scan_row
from .visit import Outcome, Visit

# Stands in a scan for the list of nodes itself, when that could not be had.
SCHEDULER = "scheduler"

# A scan that is said to run for longer belonged to a process that died.
_LONGEST = 3600.0

Plan = dict[str, tuple[str, ...]]


class ScanStore(Protocol):
    """Where images and scans are kept; see ``store/images.py``."""

    def of_node(self, node: str) -> list[dict[str, Any]]: ...
    def save_node(
        self, node: str, changed: Iterable[Mapping[str, Any]], unchanged: Sequence[str], now: float
    ) -> None: ...
    def forget_other_nodes(self, nodes: Sequence[str], now: float) -> None: ...
    def save_scan(self, row: Mapping[str, Any]) -> None: ...
    def scan(self, scan_id: str) -> dict[str, Any] | None: ...


class Scanner:
    """Runs one scan at a time. Safe to use from many threads; see ``Catalog`` for the arguments."""

    def __init__(
        self,
        store: ScanStore,
        events: EventBus,
        connect: Callable[[str], Transport],
        nodes: Callable[[], Mapping[str, Sequence[str]]],
        *,
        image_dirs: Sequence[str],
        shared_image_dirs: Sequence[str],
        workers: int,
        node_timeout: float,
        is_local: Callable[[str], bool] | None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._events = events
        self._connect = connect
        self._nodes = nodes
        self._image_dirs = tuple(image_dirs)
        self._shared_image_dirs = tuple(shared_image_dirs)
        self._workers = workers
        self._node_timeout = node_timeout
        self._is_local = is_local or is_this_machine
        self._clock = clock
        self._lock = threading.Lock()
        self._current: Scan | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def current(self) -> Scan | None:
        """The scan under way in this process."""
        return self._current

    def known_nodes(self) -> Mapping[str, Sequence[str]]:
        """Nodes with their partitions; empty when the scheduler does not answer."""
        try:
            return self._nodes()
        except SlurmDashError:
            return {}

    def start(self, nodes: Sequence[str] | None = None) -> tuple[Scan, threading.Thread | None]:
        """Scan in the background; gives the scan under way when there is one. Raises InvalidInput.

        A scan of all nodes (None) returns at once, without its nodes: the scheduler may be slow to list them.
        """
        if self._current is not None:
            return self._current, self._thread
        plan = None if nodes is None else self._plan_for(nodes)
        with self._lock:
            if self._current is not None:
                return self._current, self._thread
            waiting = tuple(NodeScan(name) for name in plan or ())
            started = Scan(str(uuid.uuid4()), "running", self._clock(), None, waiting, nodes is None)
            self._store.save_scan(scan_row(started))
            self._current = started
            thread = self._thread = threading.Thread(
                target=self._run, args=(started, plan), name="slurmdash-scan", daemon=True
            )
            thread.start()
            return started, thread

    def get(self, scan_id: str) -> Scan:
        """A scan of the last fifty, also while it runs. Raises ScanNotFound."""
        current = self._current
        if current is not None and current.id == scan_id:
            return current
        row = self._store.scan(scan_id)
        if row is None:
            raise ScanNotFound(f"There is no scan {scan_id}. Only the last ones are kept.")
        scan = scan_of(row)
        dead = scan.status == "running" and self._clock() - scan.started_at > _LONGEST
        return replace(scan, status="failed") if dead else scan

    def close(self) -> None:
        """End the scan under way."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join(2.0)

    # -- one scan -------------------------------------------------------------------------------------------

    def _plan_for(self, wanted: Sequence[str]) -> Plan:
        """These nodes with their partitions. Raises InvalidInput, and what asking the scheduler raises."""
        known = self._with_shared(self._nodes())
        unknown = sorted(set(wanted) - known.keys())
        if unknown:
            raise InvalidInput(f"There is no node {', '.join(unknown)} here. See the list of nodes.")
        return {name: known[name] for name in wanted}

    def _plan_all(self) -> tuple[Plan, NodeScan | None]:
        """All nodes with their partitions; and the scheduler's failure to list them."""
        try:
            return self._with_shared(self._nodes()), None
        except SlurmDashError as error:
            return self._with_shared({}), NodeScan(SCHEDULER, "failed", 0, error.code, error.detail)

    def _with_shared(self, nodes: Mapping[str, Sequence[str]]) -> Plan:
        partitions = tuple(sorted({name for own in nodes.values() for name in own}))
        plan = {name: tuple(own) for name, own in nodes.items()} if self._image_dirs else {}
        return {**plan, SHARED: partitions} if self._shared_image_dirs else plan

    def _run(self, scan: Scan, plan: Plan | None) -> None:
        complete = False
        failure: NodeScan | None = None
        try:
            if plan is None:
                plan, failure = self._plan_all()
                scan = self._current = replace(scan, nodes=tuple(NodeScan(name) for name in plan))
            self._tell("scan_started", scan, {"nodes": len(plan)})
            for node, outcome in self._visit_all(list(plan)):
                if self._closing.is_set():
                    return
                if outcome.probe is not None:
                    self._save(node, plan[node], outcome.probe, outcome.known)
                done = (outcome.result if entry.node == node else entry for entry in scan.nodes)
                scan = replace(scan, nodes=tuple(done))
                self._current = scan
                self._tell("scan_progress", scan, _progress(outcome.result))
            complete = failure is None
            if complete and scan.full:
                self._store.forget_other_nodes(list(plan), self._clock())
        finally:
            self._end(scan, complete, failure)

    def _end(self, scan: Scan, complete: bool, failure: NodeScan | None) -> None:
        ended = replace(
            scan,
            status="finished" if complete else "failed",
            finished_at=self._clock(),
            nodes=(failure, *scan.nodes) if failure else scan.nodes,
        )
        try:
            self._store.save_scan(scan_row(ended))
        finally:
            # Else no scan could begin until the server starts anew.
            self._current = None
        counts = {
            "status": ended.status,
            "images": sum(node.images for node in ended.nodes),
            "failed": sum(node.status == "failed" for node in ended.nodes),
        }
        self._tell("scan_finished", ended, counts, durable=True)

    def _visit_all(self, names: Sequence[str]) -> Iterable[tuple[str, Outcome]]:
        """Look at every node, with the bound of workers and each one's time-out."""
        visits = {name: self._visit(name) for name in names}
        results = fan_out(
            names, lambda name: visits[name].run(), workers=self._workers, timeout=self._node_timeout
        )
        for name, outcome in results:
            if outcome is None:
                yield name, visits[name].abandon(self._node_timeout)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                yield name, outcome

    def _visit(self, node: str) -> Visit:
        if node == SHARED:
            return Visit(node, self._shared_image_dirs, self._store.of_node, None)
        connect = None if self._is_local(node) else self._connect
        return Visit(node, self._image_dirs, self._store.of_node, connect)

    def _save(
        self, node: str, partitions: tuple[str, ...], probe: Probe, known: Mapping[str, Mapping[str, Any]]
    ) -> None:
        now = self._clock()
        changed: list[Mapping[str, Any]] = []
        unchanged: list[str] = []
        for found in probe.found:
            old = known.get(found.file.path)
            row = row_of(node, partitions, found, old, now)
            if row is old:
                unchanged.append(row["id"])
            else:
                changed.append(row)
        self._store.save_node(node, changed, unchanged, now)

    def _tell(self, kind: str, scan: Scan, data: Mapping[str, Any], durable: bool = False) -> None:
        self._events.publish("images", kind, {"scan_id": scan.id, **data}, durable=durable)


def _progress(result: NodeScan) -> dict[str, Any]:
    return {
        "node": result.node,
        "status": result.status,
        "images": result.images,
        "reason": result.reason,
        "message": result.message,
    }


def is_this_machine(node: str) -> bool:
    """Whether ``node`` is the machine that this process runs on."""
    own = socket.gethostname()
    return node in ("localhost", own, own.partition(".")[0])
