"""The cluster's name, which is known also while the controller does not answer."""

from __future__ import annotations

import threading
from pathlib import Path

from .slurm.base import Scheduler


class ClusterName:
    """Learnt from the scheduler and remembered in the file ``memory``. Thread safe.

    The scheduler says its own name for the cluster's while it does not know it.
    """

    def __init__(self, scheduler: Scheduler, memory: Path) -> None:
        self._scheduler = scheduler
        self._memory = memory
        self._lock = threading.Lock()
        self._learnt = ""

    def known(self) -> str:
        """What is known without asking anyone; the scheduler's name when that is nothing."""
        if not self._scheduler.is_cluster:
            return self._scheduler.cluster
        return self._learnt or self._remembered() or self._scheduler.name

    def get(self) -> str:
        """As ``known``, but asks when nothing is known: a job must not be recorded under a wrong name."""
        name = self.known()
        return name if name != self._scheduler.name else self.learn()

    def learn(self) -> str:
        """Ask the scheduler, unless it has answered before; as slow as the scheduler is."""
        if not self._learnt and self._scheduler.is_cluster:
            name = self._scheduler.cluster
            if name != self._scheduler.name:
                self._remember(name)
        return self.known()

    def _remembered(self) -> str:
        try:
            return self._memory.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _remember(self, name: str) -> None:
        with self._lock:
            if name != self._remembered():
                self._memory.write_text(name, encoding="utf-8")
            self._learnt = name
