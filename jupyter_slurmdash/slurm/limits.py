"""What a job may ask for: the limits of partition, QOS and account, and of the nodes themselves. Pure functions.

Slurm takes the first limit that is set of: the partition's QOS, the job's QOS, the user's association (which carries
what it inherits from its accounts). A partition's own limits hold beside that one, unless a flag of the QOS lifts
them. Source: resource_limits.html, sacctmgr(1), slurm.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .base import Partition

Field = Literal["time", "nodes", "cpus_per_task", "mem", "gpus"]
# The trackable resource (TRES) that bounds a field.
_TRES: Mapping[Field, str] = {"nodes": "node", "cpus_per_task": "cpu", "mem": "mem", "gpus": "gres/gpu"}
_LIFTS_TIME, _LIFTS_NODES = "partitiontimelimit", "partitionmaxnodes"


@dataclass(frozen=True)
class PartitionRules:
    """Who may use a partition and how much. None and empty lists: no rule. ``max_mem_per_node`` in bytes, times in
    seconds."""

    name: str
    allow_accounts: tuple[str, ...] = ()
    deny_accounts: tuple[str, ...] = ()
    allow_qos: tuple[str, ...] = ()
    deny_qos: tuple[str, ...] = ()
    qos: str = ""
    default_time: int | None = None
    max_time: int | None = None
    min_nodes: int = 0
    max_nodes: int | None = None
    max_cpus_per_node: int | None = None
    max_mem_per_node: int | None = None


@dataclass(frozen=True)
class Allowance:
    """The limits of one QOS, or of the user's association with one account. ``tres`` is what one job may have in all,
    ``tres_per_node`` on a node (``mem`` in bytes). ``partition`` is "" for all of them."""

    name: str
    partition: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""
    max_wall: int | None = None
    tres: Mapping[str, int] = field(default_factory=dict)
    tres_per_node: Mapping[str, int] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Bound:
    """The most of one field, and whose limit that is: ``partition gpu``, ``QOS short``, ``account x``, ``nodes``."""

    maximum: int
    source: str

    def to_json(self) -> dict[str, Any]:
        return {"maximum": self.maximum, "source": self.source}


@dataclass(frozen=True)
class Choice:
    """What a user may choose for one partition, and the bounds that come with one choice of account and QOS."""

    partition: str
    accounts: tuple[str, ...]
    default_account: str
    qos: tuple[str, ...]
    default_qos: str
    default_time: int | None
    bounds: Mapping[Field, Bound]

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Limits``."""
        return {
            "partition": self.partition,
            "accounts": list(self.accounts),
            "default_account": self.default_account,
            "qos": list(self.qos),
            "default_qos": self.default_qos,
            "default_time": self.default_time,
            "bounds": {name: bound.to_json() for name, bound in self.bounds.items()},
        }


@dataclass(frozen=True)
class SiteLimits:
    """All that the scheduler says of limits. ``enforced`` are the words of AccountingStorageEnforce."""

    rules: Mapping[str, PartitionRules] = field(default_factory=dict)
    associations: tuple[Allowance, ...] = ()
    qos: Mapping[str, Allowance] = field(default_factory=dict)
    default_account: str = ""
    enforced: frozenset[str] = frozenset()

    @property
    def accounts_matter(self) -> bool:
        """Whether a job of an account or QOS that the user does not have is refused."""
        return "associations" in self.enforced

    def choice(self, partition: Partition, account: str = "", qos: str = "") -> Choice:
        """What may be chosen for ``partition``, with the bounds of ``account`` and ``qos`` ("": the defaults)."""
        rules = self.rules.get(partition.name, PartitionRules(partition.name))
        accounts = [
            name
            for name in self._accounts(partition.name)
            if _allowed(name, rules.allow_accounts, rules.deny_accounts)
        ]
        default_account = (
            self.default_account if self.default_account in accounts else next(iter(accounts), "")
        )
        association = self._association(partition.name, account or default_account)
        offered = association.qos if association else ()
        names = [name for name in offered if _allowed(name, rules.allow_qos, rules.deny_qos)]
        default_qos = association.default_qos if association else ""
        chosen = qos or default_qos or (names[0] if len(names) == 1 else "")
        return Choice(
            partition.name,
            tuple(accounts),
            default_account,
            tuple(names),
            default_qos,
            rules.default_time,
            _bounds(partition, rules, self._levels(rules, chosen, association)),
        )

    def _accounts(self, partition: str) -> list[str]:
        names = (each.name for each in self.associations if each.partition in ("", partition))
        return sorted(set(names))

    def _association(self, partition: str, account: str) -> Allowance | None:
        """The one for just this partition wins over the one for all."""
        mine = [
            each for each in self.associations if each.name == account and each.partition in ("", partition)
        ]
        return max(mine, key=lambda each: each.partition, default=None)

    def _levels(
        self, rules: PartitionRules, qos: str, association: Allowance | None
    ) -> list[tuple[str, Allowance]]:
        """From the strongest downwards; none where the site enforces no limits."""
        if "limits" not in self.enforced:
            return []
        levels: list[tuple[str, Allowance | None]] = [
            (f"QOS {rules.qos}", self.qos.get(rules.qos)),
            (f"QOS {qos}", self.qos.get(qos)),
        ]
        if qos in self.qos and "overpartqos" in self.qos[qos].flags:
            levels.reverse()
        levels.append((f"account {association.name}" if association else "", association))
        return [(source, level) for source, level in levels if level is not None]


def _allowed(name: str, allow: Sequence[str], deny: Sequence[str]) -> bool:
    return (not allow or name in allow) and name not in deny


def _bounds(
    partition: Partition, rules: PartitionRules, levels: Sequence[tuple[str, Allowance]]
) -> dict[Field, Bound]:
    flags = frozenset(flag for _, level in levels for flag in level.flags)
    own = f"partition {partition.name}"
    max_time = rules.max_time if rules.max_time is not None else partition.max_time
    each: dict[Field, list[Bound | None]] = {
        "time": [
            None if _LIFTS_TIME in flags else _bound(max_time, own),
            _first((level.max_wall, source) for source, level in levels),
        ],
        "nodes": [
            _bound(len(partition.nodes) or None, "nodes"),
            None if _LIFTS_NODES in flags else _bound(rules.max_nodes, own),
        ],
        "cpus_per_task": [
            _bound(partition.cpus_per_node or None, "nodes"),
            _bound(rules.max_cpus_per_node, own),
        ],
        "mem": [_bound(partition.memory_per_node or None, "nodes"), _bound(rules.max_mem_per_node, own)],
        "gpus": [_bound(partition.gpus_per_node, "nodes")],
    }
    for name, tres in _TRES.items():
        each[name].append(_first((level.tres.get(tres), source) for source, level in levels))
        each[name].append(_first((level.tres_per_node.get(tres), source) for source, level in levels))
    least = {name: _least(bounds) for name, bounds in each.items()}
    return {name: bound for name, bound in least.items() if bound is not None}


def _bound(maximum: int | None, source: str) -> Bound | None:
    return None if maximum is None else Bound(maximum, source)


def _first(limits: Iterable[tuple[int | None, str]]) -> Bound | None:
    return next((Bound(limit, source) for limit, source in limits if limit is not None), None)


def _least(bounds: Iterable[Bound | None]) -> Bound | None:
    return min(
        (bound for bound in bounds if bound is not None), key=lambda bound: bound.maximum, default=None
    )
