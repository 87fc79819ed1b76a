"""Which machines a scan looks at: the nodes with their partitions, and the shared directories as one more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import InvalidInput, SlurmDashError
from .model import SHARED, NodeScan

# Stands in a scan for the list of nodes itself, when that could not be had.
SCHEDULER = "scheduler"

# Nodes with their partitions.
Plan = dict[str, tuple[str, ...]]


class Places:
    """The machines of a cluster; ``nodes`` asks the scheduler for them. ``on_nodes`` and ``shared``: whether there is
    anything to look at on each of them, and here."""

    def __init__(
        self, nodes: Callable[[], Mapping[str, Sequence[str]]], *, on_nodes: bool, shared: bool
    ) -> None:
        self._nodes = nodes
        self._on_nodes = on_nodes
        self._shared = shared

    def known(self) -> Mapping[str, Sequence[str]]:
        """Nodes with their partitions; empty when the scheduler does not answer."""
        try:
            return self._nodes()
        except SlurmDashError:
            return {}

    def some(self, wanted: Sequence[str]) -> Plan:
        """These nodes with their partitions. Raises InvalidInput, and what asking the scheduler raises."""
        known = self._with_shared(self._nodes())
        unknown = sorted(set(wanted) - known.keys())
        if unknown:
            raise InvalidInput(f"There is no node {', '.join(unknown)} here. See the list of nodes.")
        return {name: known[name] for name in wanted}

    def all(self) -> tuple[Plan, NodeScan | None]:
        """All nodes with their partitions; and the scheduler's failure to list them."""
        try:
            return self._with_shared(self._nodes()), None
        except SlurmDashError as error:
            return self._with_shared({}), NodeScan(SCHEDULER, "failed", 0, error.code, error.detail)

    def _with_shared(self, nodes: Mapping[str, Sequence[str]]) -> Plan:
        partitions = tuple(sorted({name for own in nodes.values() for name in own}))
        plan = {name: tuple(own) for name, own in nodes.items()} if self._on_nodes else {}
        return {**plan, SHARED: partitions} if self._shared else plan
