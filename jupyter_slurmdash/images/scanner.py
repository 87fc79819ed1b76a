"""Scans: which nodes to look at, all of them side by side, and what of it goes into the database."""

from __future__ import annotations

import getpass
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from ..errors import ScanNotFound
from ..events import EventBus
from ..transport.base import Transport
from .breaker import Breaker
from .fanout import fan_out
from .model import SHARED as SHARED
from .model import NodeScan, Scan
from .places import SCHEDULER as SCHEDULER
from .places import Places, Plan
from .records import Rows, scan_of, scan_row
from .rules import TypeRule
from .sharing import LEASE, Heartbeat, ScanRows, follow, state_of
from .telling import Telling
from .visit import Outcome, Visit


class ScanStore(ScanRows, Protocol):
    """Where images and scans are kept; see ``store/images.py``."""

    def nodes(self) -> set[str]: ...
    def of_node(self, node: str) -> list[dict[str, Any]]: ...
    def save_nodes(
        self,
        nodes: Sequence[str],
        changed: Sequence[Mapping[str, Any]],
        unchanged: Sequence[str],
        now: float,
    ) -> None: ...
    def forget_other_nodes(self, nodes: Sequence[str], now: float) -> None: ...
    def begin_scan(
        self,
        row: Mapping[str, Any],
        now: float,
        seconds: float,
        *,
        seen: Collection[str] | None = None,
        former: str | None = None,
    ) -> dict[str, Any] | None: ...
    def end_scan(self, row: Mapping[str, Any]) -> None: ...


class Scanner:
    """Runs one scan at a time, or follows the one that another process runs. Safe to use from many threads; see
    ``Catalog`` for the arguments. ``begins`` is called before the first node is looked at, ``written`` when all images
    are, before the scan counts as ended."""

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
        inspect: bool,
        rules: Sequence[TypeRule],
        begins: Callable[[], None],
        written: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._begins = begins
        self._written = written
        self._telling = Telling(events)
        self._connect = connect
        self.places = Places(nodes, on_nodes=bool(image_dirs), shared=bool(shared_image_dirs))
        self._image_dirs = tuple(image_dirs)
        self._shared_image_dirs = tuple(shared_image_dirs)
        self._workers = workers
        self._node_timeout = node_timeout
        self._is_local = is_local or is_this_machine
        self._inspect = inspect
        self._rules = tuple(rules)
        self._clock = clock
        self._breaker = Breaker(clock)
        self._lock = threading.Lock()
        self._current: Scan | None = None
        self._made: str | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def current(self) -> Scan | None:
        """The scan under way, as far as this process makes or follows it."""
        return self._current

    def start(
        self, nodes: Sequence[str] | None = None, seen: Collection[str] | None = None
    ) -> tuple[Scan, threading.Thread | None] | None:
        """Scan in the background; gives the scan under way when there is one, whoever makes it. Raises InvalidInput.

        None when a scan has ended that is not among ``seen`` (ids). A scan of all nodes (``nodes`` None) returns at
        once, without its nodes: the scheduler may be slow to list them.
        """
        if self._current is not None:
            return self._current, self._thread
        plan = None if nodes is None else self.places.some(nodes)
        with self._lock:
            if self._current is not None:
                return self._current, self._thread
            waiting = tuple(NodeScan(name) for name in plan or ())
            mine = Scan(str(uuid.uuid4()), "running", self._clock(), None, waiting, nodes is None, whoami())
            row = self._store.begin_scan(scan_row(mine), self._clock(), LEASE, seen=seen, former=self._made)
            if row is None:
                return None
            if row["id"] == mine.id:
                self._made = mine.id
                scan, work = mine, partial(self._run, mine, plan)
            else:
                scan = scan_of(row)
                work = partial(self._follow, scan)
            self._current = scan
            thread = self._thread = threading.Thread(target=work, name="slurmdash-scan", daemon=True)
            thread.start()
            return scan, thread

    def get(self, scan_id: str) -> Scan:
        """A scan of the last fifty, also while it runs. Raises ScanNotFound."""
        current = self._current
        if current is not None and current.id == scan_id:
            return current
        scan = state_of(self._store, scan_id, self._clock())
        if scan is None:
            raise ScanNotFound(f"There is no scan {scan_id}. Only the last ones are kept.")
        return scan

    def must_be_made_again(self, scan: Scan) -> bool:
        """Whether the process that made this scan died of it or broke it off, and it was not this one."""
        broken_off = scan.status == "failed" and scan.finished_at is None
        return broken_off and scan.id != self._made and not self._closing.is_set()

    def close(self) -> None:
        """End the scan under way."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join(2.0)

    # -- another's scan -------------------------------------------------------------------------------------

    def _follow(self, scan: Scan) -> None:
        """Tell of a scan that another process makes as if it were our own."""
        try:
            self._telling.started(scan)
            for seen in follow(self._store, scan, self._clock, self._closing):
                known = set(scan.nodes)
                for node in seen.nodes:
                    if node not in known and node.status != "waiting" and node.node != SCHEDULER:
                        self._telling.progress(seen, node)
                scan = seen
                if scan.status == "running":
                    self._current = scan
            self._written()
        finally:
            self._current = None
        if scan.status != "running":
            self._telling.finished(scan, durable=False)

    # -- one scan -------------------------------------------------------------------------------------------

    def _run(self, scan: Scan, plan: Plan | None) -> None:
        complete = False
        failure: NodeScan | None = None
        try:
            with Heartbeat(self._store, lambda: self._current, self._clock):
                self._begins()
                if plan is None:
                    plan, failure = self.places.all()
                    scan = self._current = replace(scan, nodes=tuple(NodeScan(name) for name in plan))
                self._telling.started(scan)
                rows = Rows(self._rules)
                for outcomes in self._look_at(plan, scan.full):
                    if self._closing.is_set():
                        return
                    for outcome in outcomes.values():
                        self._breaker.record(outcome.result)
                    self._save(rows, plan, outcomes)
                    for outcome in outcomes.values():
                        scan = self._current = scan.with_node(outcome.result)
                        self._telling.progress(scan, outcome.result)
                complete = failure is None
                if complete and scan.full:
                    self._store.forget_other_nodes(list(plan), self._clock())
                self._written()
        finally:
            self._end(scan, complete, failure)

    def _end(self, scan: Scan, complete: bool, failure: NodeScan | None) -> None:
        # What is broken off because this process ends counts as never made: the next one to look scans.
        broken_off = self._closing.is_set() and not complete
        ended = replace(
            scan,
            status="finished" if complete else "failed",
            finished_at=None if broken_off else self._clock(),
            nodes=(failure, *scan.nodes) if failure else scan.nodes,
        )
        try:
            self._store.end_scan(scan_row(ended))
        finally:
            # Else no scan could begin until the server starts anew.
            self._current = None
        self._telling.finished(ended, durable=True)

    def _look_at(self, plan: Plan, full: bool) -> Iterator[dict[str, Outcome]]:
        """What came of the nodes, as it comes; a scan of all passes over those that have not answered for a while."""
        results = {name: self._breaker.pass_over(name) if full else None for name in plan}
        if passed := {name: Outcome(result) for name, result in results.items() if result is not None}:
            yield passed
        yield from self._visit_all([name for name in plan if name not in passed])

    def _visit_all(self, names: Sequence[str]) -> Iterator[dict[str, Outcome]]:
        """Look at every node, with the bound of workers and each one's time-out."""
        known = self._store.nodes()
        visits = {name: self._visit(name, known) for name in names}
        batches = fan_out(
            names, lambda name: visits[name].run(), workers=self._workers, timeout=self._node_timeout
        )
        for results in batches:
            outcomes: dict[str, Outcome] = {}
            failures: list[BaseException] = []
            for name, outcome in results:
                if isinstance(outcome, BaseException):
                    failures.append(outcome)
                else:
                    outcomes[name] = outcome or visits[name].abandon(self._node_timeout)
            yield outcomes
            if failures:
                raise failures[0]

    def _visit(self, node: str, known: Collection[str]) -> Visit:
        rows = self._store.of_node if node in known else _no_rows
        if node == SHARED:
            return Visit(node, self._shared_image_dirs, rows, None, self._inspect)
        connect = None if self._is_local(node) else self._connect
        return Visit(node, self._image_dirs, rows, connect, self._inspect)

    def _save(self, rows: Rows, plan: Plan, outcomes: Mapping[str, Outcome]) -> None:
        """Write what was seen, of all these nodes in one transaction."""
        now = self._clock()
        seen = {node: outcome.probe for node, outcome in outcomes.items() if outcome.probe is not None}
        changed: list[Mapping[str, Any]] = []
        unchanged: list[str] = []
        for node, probe in seen.items():
            for found in probe.found:
                old = outcomes[node].known.get(found.file.path)
                row = rows.of(node, plan[node], found, old, now)
                if row is old:
                    unchanged.append(row["id"])
                else:
                    changed.append(row)
        if seen:
            self._store.save_nodes(list(seen), changed, unchanged, now)


def _no_rows(node: str) -> list[dict[str, Any]]:
    """Of a node that was never seen; a first scan of many need not ask for each."""
    return []


def whoami() -> str:
    """Who makes a scan: the user and the machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def is_this_machine(node: str) -> bool:
    """Whether ``node`` is the machine that this process runs on."""
    own = socket.gethostname()
    return node in ("localhost", own, own.partition(".")[0])
