"""What a long-lived process does now and then: throw away what is over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_PATIENCE = 2.0  # seconds

log = logging.getLogger(__name__)


class Upkeep:
    """Runs ``work`` at the start and then every ``seconds``, in a thread, until ``stop``."""

    def __init__(self, work: Callable[[], object], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="slurmdash-upkeep", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Exception:
                # The top of a thread: whatever it was, the next round must come.
                log.exception("Upkeep failed; the next one tries again")
            if self._stop.wait(self._seconds):
                return

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            # The work may wait for a silent controller; the thread is a daemon.
            self._thread.join(_PATIENCE)
