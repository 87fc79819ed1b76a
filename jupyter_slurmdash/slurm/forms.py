"""The form that each option's value must have, checked before Slurm sees it. Source: sbatch(1).

Each check takes the value as it came (JSON or YAML) and returns the text for sbatch, or raises ValueError
with a sentence for the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Form = Callable[[object], str]

_TIME_FORMS = (
    (re.compile(r"(\d+)"), (60,)),
    (re.compile(r"(\d+):(\d+)"), (60, 1)),
    (re.compile(r"(\d+):(\d+):(\d+)"), (3600, 60, 1)),
    (re.compile(r"(\d+)-(\d+)"), (86400, 3600)),
    (re.compile(r"(\d+)-(\d+):(\d+)"), (86400, 3600, 60)),
    (re.compile(r"(\d+)-(\d+):(\d+):(\d+)"), (86400, 3600, 60, 1)),
)
_NO_LIMIT = frozenset(("-1", "unlimited", "infinite"))
_MEMORY = re.compile(r"(\d+)([kmgt]?)b?", re.IGNORECASE)
_MEMORY_UNITS = {"": 2**20, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_MAIL_TYPES = frozenset(
    (
        *("NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT", "ARRAY_TASKS"),
        *("TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50"),
    )
)
_JOB = r"\d+(?:_(?:\d+|\*))?(?:\+\d+)?"
_DEPENDENCY = re.compile(
    rf"singleton|(?:after|afterany|afterburstbuffer|aftercorr|afterok|afternotok):{_JOB}(?::{_JOB})*"
)
_BEGIN = re.compile(
    r"(?:now|today|tomorrow|midnight|noon|elevenses|fika|teatime)"
    r"(?:\s*\+\s*\d+\s*(?:seconds?|minutes?|hours?|days?|weeks?)?)?"
    r"|\d{1,2}:\d{2}(?::\d{2})?"
    r"|\d{4}-\d{2}-\d{2}(?:T\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|(?:\d{6}|\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{1,2}\.\d{1,2}\.\d{2,4})(?:-\d{1,2}:\d{2}(?::\d{2})?)?",
    re.IGNORECASE,
)


def one_line(value: str) -> str:
    """The value when it is one line of plain text. ValueError for control characters and line separators."""
    for character in value:
        # Cc controls, Zl and Zp line and paragraph separators, Cs halves of characters that no file can hold.
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
            raise ValueError(f"It must be one line of text, without the character {character!a}.")
    return value


def seconds(value: str) -> int | None:
    """Seconds of a time limit as sbatch reads it (a number alone is minutes); None for no limit.

    Raises ValueError for anything else. Zero asks for no limit too, as in Slurm.
    """
    word = value.strip().lower()
    if word in _NO_LIMIT:
        return None
    for form, units in _TIME_FORMS:
        match = form.fullmatch(word)
        if match and word.isascii():
            return sum(int(part) * unit for part, unit in zip(match.groups(), units, strict=True)) or None
    raise ValueError(
        "A time is minutes, hours:minutes:seconds or days-hours:minutes:seconds, such as 02:00:00."
    )


def memory_bytes(value: str) -> int:
    """Bytes of a memory size as sbatch reads it (a number alone is MB). Raises ValueError."""
    match = _MEMORY.fullmatch(value.strip())
    if match is None or not value.isascii():
        raise ValueError(
            "Memory is a whole number with K, M, G or T after it, such as 16G; without a unit it is MB."
        )
    return int(match[1]) * _MEMORY_UNITS[match[2].upper()]


def array_indices(value: str, limit: int = 100_000) -> tuple[list[int], int | None]:
    """``([1, 2, 3], 2)`` from ``1-3%2``: the tasks in order, and how many may run at once. Raises
    ValueError."""
    body, _, together = value.partition("%")
    tasks: set[int] = set()
    for item in body.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", item.strip(), re.ASCII)
        if match is None:
            raise ValueError("An array is task numbers such as 1-10, 0-20:5, 1,3,7 or 1-100%4.")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or step < 1:
            raise ValueError(
                "The first task of an array must not be above the last, and the step is at least 1."
            )
        if (last - first) // step + len(tasks) >= limit:
            raise ValueError(f"An array has fewer than {limit} tasks.")
        tasks.update(range(first, last + 1, step))
    if "%" in value and not re.fullmatch(r"[1-9]\d{0,8}", together, re.ASCII):
        raise ValueError("After % stands how many tasks may run at once, such as 1-100%4.")
    return sorted(tasks), int(together) if together else None


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("It must be text or a whole number.")
    return one_line(str(value)).strip()


def plain(longest: int) -> Form:
    """Any one line of at most ``longest`` characters."""

    def check(value: object) -> str:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ValueError("It must be text.")
        kept = one_line(str(value))
        if len(kept) > longest:
            raise ValueError(f"It must have at most {longest} characters.")
        return kept

    return check


def matching(pattern: str, hint: str) -> Form:
    """Text of which all fits the pattern."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        kept = _text(value)
        if compiled.fullmatch(kept) is None:
            raise ValueError(hint)
        return kept

    return check


def count(most: int, least: int = 1) -> Form:
    """A whole number within bounds."""

    def check(value: object) -> str:
        kept = _text(value)
        if not re.fullmatch(r"-?[0-9]{1,10}", kept) or not least <= int(kept) <= most:
            raise ValueError(f"It must be a whole number from {least} to {most}.")
        return str(int(kept))

    return check


def flag(name: str, otherwise: str | None = None) -> Callable[[object], tuple[str, str] | None]:
    """A switch: ``name`` when true, ``otherwise`` (or nothing) when false."""

    def check(value: object) -> tuple[str, str] | None:
        if not isinstance(value, bool):
            raise ValueError("It must be true or false.")
        if value:
            return name, ""
        return (otherwise, "") if otherwise else None

    return check


def nodes(value: object) -> str:
    kept = _text(value)
    match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", kept)
    if match is None or int(match[1]) < 1 or int(match[2] or match[1]) < int(match[1]):
        raise ValueError("It must be a number of nodes such as 2, or a range such as 2-4.")
    return kept


def memory(value: object) -> str:
    kept = _text(value)
    memory_bytes(kept)
    return kept


def time(value: object) -> str:
    kept = _text(value)
    seconds(kept)
    return kept


def array(value: object) -> str:
    kept = _text(value)
    array_indices(kept)
    return kept


def gres(value: object) -> str:
    kept = _text(value)
    for item in kept.split(","):
        if not re.fullmatch(r"[\w.+/-]+(?::[\w.+-]+)?(?::[0-9]+[KkMmGg]?)?", item, re.ASCII):
            raise ValueError("GRES are names with a count, such as gpu:2 or gpu:a100:1,shard:4.")
    return kept


def dependency(value: object) -> str:
    kept = _text(value)
    parts = re.split(r"[,?]", kept)
    if ("," in kept and "?" in kept) or not all(_DEPENDENCY.fullmatch(part) for part in parts):
        raise ValueError(
            "A dependency is a condition with job ids, such as afterok:123:124 or afterany:130_4."
        )
    return kept


def mail_type(value: object) -> str:
    kinds = [kind.strip().upper() for kind in _text(value).split(",")]
    unknown = [kind for kind in kinds if kind not in _MAIL_TYPES]
    if unknown:
        raise ValueError(
            f"{unknown[0] or 'An empty word'} is no mail type; use BEGIN, END, FAIL, ALL or NONE."
        )
    return ",".join(kinds)


def host_list(value: object) -> str:
    kept = _text(value)
    # With a slash sbatch would read a file of that name.
    if not re.fullmatch(r"(?:[\w.-]|\[[0-9,-]+\]|,)+", kept, re.ASCII):
        raise ValueError("It must be names of nodes, such as node001,node[003-006].")
    return kept


def begin(value: object) -> str:
    kept = _text(value)
    if _BEGIN.fullmatch(kept) is None:
        raise ValueError("It must be a time such as 18:00, now+2hours or 2030-01-31T18:00.")
    return kept


def constraint(value: object) -> str:
    kept = _text(value)
    if not re.fullmatch(r"[\w.:=+*&|,()\[\]-]+", kept, re.ASCII) or not _balanced(kept):
        raise ValueError("It must be features joined by & or |, such as v100&ib or [rack1|rack2].")
    return kept


def _balanced(value: str) -> bool:
    waiting: list[str] = []
    closing = {")": "(", "]": "["}
    for character in value:
        if character in "([":
            waiting.append(character)
        elif character in closing and (not waiting or waiting.pop() != closing[character]):
            return False
    return not waiting


def directory(value: object) -> str:
    kept = plain(4096)(value)
    if not kept.startswith("/"):
        raise ValueError("It must be an absolute path.")
    return kept
