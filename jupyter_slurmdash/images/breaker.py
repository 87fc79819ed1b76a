"""A circuit breaker for each node: one that has not answered for a while is not waited for in every scan.

After three failures in a row to reach it, a node is passed over by scans of all nodes for a minute; each time that it
fails again once that is over, for twice as long, up to an hour. A scan that names the node always tries it, and the
first answer ends the matter. Nothing here knows of threads or of the time of day but by ``clock``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..times import moment
from .model import NodeScan

OPEN = "circuit-open"

# By these the machine did answer: what failed lies in its directories.
_ANSWERED = frozenset(("io", "no-directory", "permission"))


@dataclass
class _Node:
    failures: int = 0
    rest: float = 0.0
    until: float = 0.0
    last: NodeScan | None = None


class Breaker:
    """``failures`` in a row pass a node over for ``first`` seconds, and then twice as long up to ``longest``; ``clock``
    is seconds since the epoch. Belongs to one thread at a time."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures: int = 3,
        first: float = 60.0,
        longest: float = 3600.0,
    ) -> None:
        self._clock = clock
        self._failures = failures
        self._first = first
        self._longest = longest
        self._nodes: dict[str, _Node] = {}

    def record(self, result: NodeScan) -> None:
        """What came of a try. What was passed over was none."""
        if result.reason == OPEN:
            return
        if result.status != "failed" or result.reason in _ANSWERED:
            self._nodes.pop(result.node, None)
            return
        node = self._nodes.setdefault(result.node, _Node())
        now = self._clock()
        node.failures += 1
        node.last = result
        # A try by name within the rest does not make that longer, however often it is asked for.
        if node.failures >= self._failures and now >= node.until:
            node.rest = min(self._longest, node.rest * 2 or self._first)
            node.until = now + node.rest

    def pass_over(self, name: str) -> NodeScan | None:
        """The result that stands for a node which is not tried now; None when it is to be tried."""
        node = self._nodes.get(name)
        if node is None or node.last is None or self._clock() >= node.until:
            return None
        last = (node.last.message or node.last.reason or "").rstrip(".")
        message = (
            f"{name} failed {node.failures} times in a row and is tried again after {moment(node.until)}."
            f" Scan it by its name to try it now. The last time: {last}."
        )
        return NodeScan(name, "failed", 0, OPEN, message)
