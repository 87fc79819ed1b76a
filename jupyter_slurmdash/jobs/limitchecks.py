"""Checks against what the partition, the account, the QOS and the nodes allow: a job beyond them never starts."""

from __future__ import annotations

from collections.abc import Iterator

from ..slurm import values
from ..slurm.directives import seconds_of
from ..slurm.limits import Choice, Field
from .checkcontext import CheckContext
from .model import Check, Plan

_MEBI = 2**20


def check_limits(context: CheckContext) -> Iterator[Check]:
    """Every value beyond its bound, and an account or QOS that is not the user's."""
    partition, options = context.partition, context.plan.options
    if partition is None:
        return
    account, qos = str(options.get("account") or ""), str(options.get("qos") or "")
    choice = context.limits.choice(partition, account, qos)
    if context.limits.accounts_matter:
        yield from _known("account", account, choice.accounts, partition.name)
        yield from _known("qos", qos, choice.qos, partition.name)
    for field, (option, amount) in asked(context.plan).items():
        bound = choice.bounds.get(field)
        if bound is not None and amount > bound.maximum:
            yield Check(option, "error", beyond(choice, field), f"/options/{option}")


def asked(plan: Plan) -> dict[Field, tuple[str, int]]:
    """What the plan asks for: by field the option that says it, and how much (seconds, bytes, counts)."""
    options = plan.options
    found: dict[Field, tuple[str, int | None]] = {
        "time": ("time", seconds_of(str(options["time"])) if options.get("time") else None),
        "nodes": ("nodes", _least_nodes(options.get("nodes"))),
        "cpus_per_task": ("cpus_per_task", _count(options.get("cpus_per_task"))),
        "mem": ("mem", memory_of(str(options["mem"])) if options.get("mem") else None),
        "gpus": ("gres", values.gpus(str(options.get("gres") or ""))),
    }
    return {field: (option, amount) for field, (option, amount) in found.items() if amount}


def _known(option: str, name: str, known: tuple[str, ...], partition: str) -> Iterator[Check]:
    if name and name not in known:
        offered = ", ".join(known) or "none"
        word = "QOS" if option == "qos" else option
        yield Check(
            option,
            "error",
            f"You cannot use the {word} {name} on partition {partition}. Yours there: {offered}.",
            f"/options/{option}",
        )


def beyond(choice: Choice, field: Field) -> str:
    """What is allowed, and who allows no more."""
    bound = choice.bounds[field]
    most = amount_text(field, bound.maximum)
    if bound.source == "nodes":
        return f"Partition {choice.partition} has at most {most}."
    return f"{bound.source[0].upper()}{bound.source[1:]} allows at most {most}."


def amount_text(field: Field, amount: int) -> str:
    """So much of a field, with its unit."""
    words: dict[Field, str] = {
        "time": f"{amount // 60} min",
        "nodes": f"{amount} nodes",
        "cpus_per_task": f"{amount} CPUs",
        "mem": f"{amount // _MEBI} MiB of memory",
        "gpus": f"{amount} GPUs on a node",
    }
    return words[field]


def memory_of(text: str) -> int | None:
    """Bytes of ``--mem``, where a number alone is MiB and 0 means all of the node; None for what is no size."""
    amount = values.number(text.strip().upper().removesuffix("B"))
    return amount * _MEBI if text.strip().isdecimal() else amount or None


def _least_nodes(value: object) -> int | None:
    return _count(str(value).partition("-")[0]) if value else None


def _count(value: object) -> int | None:
    text = str(value or "")
    return int(text) if text.isdecimal() else None
