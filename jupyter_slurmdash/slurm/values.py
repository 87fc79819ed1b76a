"""The small languages of Slurm's fields: times, states, GRES, host lists, exit codes. Pure functions.

Sources: squeue(1), sacct(1), sinfo(1), gres.conf(5); what 22.05 prints was read from real output.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import get_args

from .base import JobState

_NOTHING = frozenset(("", "n/a", "none", "unknown", "not_set", "(null)", "null", "none assigned"))
_DURATION = re.compile(r"(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+)(?:\.\d+)?")
_STATES: frozenset[str] = frozenset(get_args(JobState))
_OTHER_STATES: dict[str, JobState] = {
    "LAUNCH_FAILED": "FAILED",
    "RECONFIG_FAIL": "FAILED",
    "POWER_UP_NODE": "CONFIGURING",
    "REQUEUE_FED": "REQUEUED",
    "REQUEUE_HOLD": "PENDING",
    "RESV_DEL_HOLD": "PENDING",
    "EXPEDITING": "PENDING",
    "SPECIAL_EXIT": "PENDING",
    "RESIZING": "RUNNING",
    "SIGNALING": "RUNNING",
    "STAGE_OUT": "COMPLETING",
    "STOPPED": "SUSPENDED",
    "REVOKED": "CANCELLED",
}
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_MAX_HOSTS = 100_000


def text(value: str) -> str:
    """The value, or an empty string where Slurm writes that there is none."""
    return "" if value.strip().lower() in _NOTHING else value


def number(value: str) -> int:
    """A count; 0 where there is none. ``K``, ``M``… after it multiply by 1024."""
    match = re.fullmatch(r"(\d+)([KMGTP]?)", value.strip())
    return int(match[1]) * _UNITS[match[2]] if match else 0


def timestamp(value: str) -> float | None:
    """Seconds since the epoch from an epoch number or an ISO time in UTC; None for "Unknown", "N/A" and the
    like."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value) or None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def duration(value: str) -> int | None:
    """Seconds from what squeue and sacct print: ``1-02:03:04``, ``2:03:04``, ``03:04``, or seconds alone.

    None for ``UNLIMITED``, ``INVALID``, ``Partition_Limit`` and whatever else is no time.
    """
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def state(value: str) -> JobState:
    """Our state for Slurm's word (``CANCELLED by 1000``, ``CANCELLED+`` too); UNKNOWN for a word we do not
    know."""
    word = value.strip().partition(" ")[0].rstrip("+").upper()
    if word in _STATES:
        return word  # type: ignore[return-value]
    return _OTHER_STATES.get(word, "UNKNOWN")


def exit_code(value: str) -> tuple[int | None, int | None]:
    """``(exit code, signal)`` from ``"1:0"``; a signal of 0 is None."""
    match = re.fullmatch(r"(\d+):(\d+)", value.strip())
    return (int(match[1]), int(match[2]) or None) if match else (None, None)


def wait_status(value: str) -> tuple[int | None, int | None]:
    """``(exit code, signal)`` from the raw wait status that ``squeue`` prints as ``exit_code``, e.g. ``768``
    is 3."""
    value = value.strip()
    if not (value.isascii() and value.isdigit()):
        return exit_code(value)
    status = int(value) & 0xFFFF
    if os.WIFSIGNALED(status):
        return 0, os.WTERMSIG(status)
    return status >> 8, None


def gpus(gres: str) -> int:
    """How many GPUs ``gpu:a100:4(S:0-1),shard:8`` names. A GRES without a count means one."""
    count = 0
    # Brackets first: an index list such as (IDX:0,2) has commas of its own.
    for item in re.sub(r"\([^)]*\)", "", gres).split(","):
        name, *rest = item.strip().split(":")
        if name == "gpu":
            last = rest[-1] if rest else "1"
            count += number(last) if re.fullmatch(r"\d+[KMGTP]?", last) else 1
    return count


def hosts(expression: str, limit: int = _MAX_HOSTS) -> list[str]:
    """The names in ``node[001-004,7],gpu1``, in order. At most ``limit`` of them; a broken expression stays
    whole."""
    found: list[str] = []
    for item in _split_outside_brackets(expression):
        found += _expand(item, limit - len(found))
        if len(found) >= limit:
            break
    return found[:limit]


def _split_outside_brackets(expression: str) -> list[str]:
    return [item for item in re.findall(r"(?:[^,\[\]]|\[[^\]]*\])+", text(expression.strip())) if item]


def _expand(item: str, limit: int) -> list[str]:
    match = re.fullmatch(r"([^\[\]]*)\[([0-9,-]+)\](.*)", item)
    if match is None:
        return [item]
    head, ranges, tail = match.groups()
    tails = _expand(tail, limit) if tail else [""]
    names: list[str] = []
    for span in ranges.split(","):
        first, _, last = span.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return [item]
        # The number is cut before it is counted to: [0-99999999999] must not cost memory.
        for value in range(int(first), min(int(last or first), int(first) + limit) + 1):
            names += [f"{head}{value:0{len(first)}d}{rest}" for rest in tails]
            if len(names) >= limit:
                return names[:limit]
    return names
