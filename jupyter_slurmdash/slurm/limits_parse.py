"""Reads what ``scontrol show partition`` and ``sacctmgr show`` say of limits. Pure functions; never raises.

What 22.05 prints was read from real output. An association's row carries what it inherits from its accounts.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import values
from .commands import ASSOCIATION_COLUMNS, QOS_COLUMNS
from .limits import Allowance, PartitionRules

_MEBI = 2**20
_OPEN = frozenset(("", "unlimited", "n/a", "none", "(null)"))


def partition_rules(text: str) -> dict[str, PartitionRules]:
    """From ``scontrol show partition --oneliner``."""
    found = (_rules(dict(_pairs(line))) for line in text.splitlines() if line.startswith("PartitionName="))
    return {rules.name: rules for rules in found}


def _pairs(line: str) -> list[tuple[str, str]]:
    return [(name, value) for name, equals, value in (word.partition("=") for word in line.split()) if equals]


def _rules(words: Mapping[str, str]) -> PartitionRules:
    memory = _count(words, "MaxMemPerNode")
    return PartitionRules(
        name=words["PartitionName"],
        allow_accounts=_names(words.get("AllowAccounts", "")),
        deny_accounts=_names(words.get("DenyAccounts", "")),
        allow_qos=_names(words.get("AllowQos", "")),
        deny_qos=_names(words.get("DenyQos", "")),
        qos=values.text(words.get("QoS", "")),
        default_time=values.duration(words.get("DefaultTime", "")),
        max_time=values.duration(words.get("MaxTime", "")),
        min_nodes=_count(words, "MinNodes") or 0,
        max_nodes=_count(words, "MaxNodes"),
        max_cpus_per_node=_count(words, "MaxCPUsPerNode"),
        max_mem_per_node=memory * _MEBI if memory is not None else None,
    )


def _names(value: str) -> tuple[str, ...]:
    return () if value.lower() in _OPEN | {"all"} else tuple(name for name in value.split(",") if name)


def _count(words: Mapping[str, str], name: str) -> int | None:
    value = words.get(name, "")
    return int(value) if value.isdecimal() else None


def associations(text: str) -> tuple[Allowance, ...]:
    """From ``sacctmgr --parsable2 show associations`` with ``ASSOCIATION_COLUMNS``."""
    return tuple(
        Allowance(
            name=row["Account"],
            partition=row["Partition"],
            qos=_names(row["QOS"]),
            default_qos=row["DefaultQOS"],
            max_wall=values.duration(row["MaxWall"]),
            tres=tres(row["MaxTRESPerJob"]),
            tres_per_node=tres(row["MaxTRESPerNode"]),
        )
        for row in _table(text, ASSOCIATION_COLUMNS)
    )


def qos(text: str) -> dict[str, Allowance]:
    """From ``sacctmgr --parsable2 show qos`` with ``QOS_COLUMNS``."""
    return {
        row["Name"]: Allowance(
            name=row["Name"],
            max_wall=values.duration(row["MaxWall"]),
            tres=tres(row["MaxTRESPerJob"]),
            tres_per_node=tres(row["MaxTRESPerNode"]),
            flags=frozenset(_names(row["Flags"].lower())),
        )
        for row in _table(text, QOS_COLUMNS)
    }


def enforced(words: str) -> frozenset[str]:
    """The words of AccountingStorageEnforce, which imply one another (slurm.conf(5)); empty for ``none``."""
    found = {word.strip().lower() for word in words.split(",")} - _OPEN
    if found & {"safe", "all"}:
        found.add("limits")
    if found & {"limits", "qos", "wckeys", "all"}:
        found.add("associations")
    return frozenset(found | ({"qos"} if "all" in words.lower() else set()))


def _table(text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    rows = (line.split("|") for line in text.splitlines())
    return [dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns)]


def tres(text: str) -> dict[str, int]:
    """``cpu=4,mem=10G,gres/gpu=1`` as counts; memory, written in MiB where it has no unit, in bytes.

    A count of one sort (``gres/gpu:a100=2``) bounds only that sort, and is left out.
    """
    found: dict[str, int] = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        if not value or ":" in name or not value[0].isdecimal():
            continue
        amount = values.number(value)
        found[name] = amount * _MEBI if name == "mem" and value.isdecimal() else amount
    return found
