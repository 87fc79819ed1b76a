"""One scan for all who share a catalogue: who scans keeps it known that the scan lives, the others follow it.

A scan holds a lease in the database, which is renewed while the scan runs and runs out when its process dies. Its
progress goes into its own row. The clocks of machines that share a catalogue have to agree within some seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from ..errors import SlurmDashError
from .model import Scan
from .records import scan_of, scan_row

# Seconds for which a scan is believed to live without a sign of it.
LEASE = 30.0

# Seconds: progress is written no more often than this, for the servers that follow; these look for it sooner at first.
_WRITTEN = 0.5
_TICK = 0.25
_SLOWEST = 1.0

log = logging.getLogger(__name__)


class ScanRows(Protocol):
    """Where scans are kept; see ``store/images.py``."""

    def keep_scan(self, row: Mapping[str, Any], now: float, seconds: float) -> bool: ...
    def running_scan(self, now: float) -> dict[str, Any] | None: ...
    def scan(self, scan_id: str) -> dict[str, Any] | None: ...


class Heartbeat:
    """While its block runs: writes the progress of a scan and renews its lease, in a thread of its own."""

    def __init__(
        self, store: ScanRows, current: Callable[[], Scan | None], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._current = current
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slurmdash-scan-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        written = self._current()
        renewed = time.monotonic()
        while not self._stop.wait(_WRITTEN):
            scan = self._current()
            if scan is None or (scan is written and time.monotonic() - renewed < LEASE / 4):
                continue
            try:
                if not self._store.keep_scan(scan_row(scan), self._clock(), LEASE):
                    # This machine slept for longer than the lease, and another scans now.
                    return
            except SlurmDashError:
                log.warning("The progress of a scan could not be written", exc_info=True)
                continue
            written, renewed = scan, time.monotonic()


def follow(store: ScanRows, scan: Scan, clock: Callable[[], float], stop: threading.Event) -> Iterator[Scan]:
    """A scan that another process makes: each state that it is seen in, the last one ended.

    One whose process died ends as failed, without a ``finished_at``; so does one that cannot be seen any more because
    the database does not answer. ``stop`` ends it earlier.
    """
    pause, heard = _TICK, time.monotonic()
    while not stop.wait(pause):
        pause = min(pause * 1.3, _SLOWEST)
        try:
            seen = state_of(store, scan.id, clock())
        except SlurmDashError:
            if time.monotonic() - heard < LEASE:
                continue
            log.warning("The scan %s cannot be followed any more", scan.id, exc_info=True)
            seen = None
        else:
            heard = time.monotonic()
        if seen is None:
            seen = replace(scan, status="failed")
        if seen != scan:
            yield seen
        if seen.status != "running":
            return
        scan = seen


def state_of(store: ScanRows, scan_id: str, now: float) -> Scan | None:
    """A scan as the database has it; one that is said to run but holds no lease is failed. None when it is gone."""
    running = store.running_scan(now)
    if running is not None and running["id"] == scan_id:
        return scan_of(running)
    row = store.scan(scan_id)
    if row is None:
        return None
    scan = scan_of(row)
    return replace(scan, status="failed") if scan.status == "running" else scan
