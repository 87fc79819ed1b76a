"""How much an sbatch option asks for, and whether two of its values mean the same. Source: sbatch(1)."""

from __future__ import annotations

import math
from collections.abc import Callable

from . import forms, values

_EVERYTHING = math.inf


def amounts(option: str, text: str) -> tuple[float, float] | None:
    """The least and the most that ``--option=text`` may mean: seconds, bytes, counts; infinite for no limit and
    for all of a node. None for an option that is no amount. Raises ValueError for what is no value of the option."""
    measure = _AMOUNTS.get(option)
    return measure(str(text)) if measure is not None else None


def items(option: str, text: str) -> list[str]:
    """The names in a value that may be several: partitions and reservations with commas between."""
    return text.split(",") if option in ("partition", "reservation") else [text]


def same(option: str, one: object, other: object) -> bool:
    """Whether two values of an option mean the same: ``60`` and ``01:00:00`` for a time."""
    first, second = str(one).strip(), str(other).strip()
    if first == second:
        return True
    try:
        measured = amounts(option, first)
        return option not in _WITH_KINDS and measured is not None and measured == amounts(option, second)
    except ValueError:
        return False


def _time(text: str) -> tuple[float, float]:
    found = forms.seconds(text)
    return (_EVERYTHING, _EVERYTHING) if found is None else (found, found)


def _memory(text: str) -> tuple[float, float]:
    found = forms.memory_bytes(text) or _EVERYTHING  # --mem=0 is all of the node
    return found, found


def _nodes(text: str) -> tuple[float, float]:
    first, _, last = forms.nodes(text).partition("-")
    return int(first), int(last or first)


def _count(text: str) -> tuple[float, float]:
    return int(text), int(text)


def _gpus(text: str) -> tuple[float, float]:
    """GPUs of a node. What is no GPU has no bound to be held against."""
    kinds = {item.partition(":")[0] for item in text.split(",")}
    count = values.gpus(text) if kinds == {"gpu"} else _EVERYTHING
    return count, count


def _tasks(text: str) -> tuple[float, float]:
    count = len(forms.array_indices(text)[0])
    return count, count


_AMOUNTS: dict[str, Callable[[str], tuple[float, float]]] = {
    "time": _time,
    "mem": _memory,
    "mem_per_cpu": _memory,
    "nodes": _nodes,
    "ntasks": _count,
    "ntasks_per_node": _count,
    "cpus_per_task": _count,
    "nice": _count,
    "gres": _gpus,
    "array": _tasks,
}
# The amount alone does not say what is asked for.
_WITH_KINDS = frozenset(("gres", "array"))
