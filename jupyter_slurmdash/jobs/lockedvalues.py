"""Parameters in a script that was written or edited by hand: those that are decided stay as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..templates.locks import Lock
from .model import Check, Plan
from .script import script_lines


def check_variables(plan: Plan, script: str) -> Iterator[Check]:
    """A locked parameter's variable is set by the line that was generated, and named by no other but to read it.

    What a shell may do to a variable cannot be told from its text, so this is what a careful reader would find.
    """
    generated: dict[str, list[str]] = {}
    others: list[str] = []
    for line in (part for piece in script_lines(plan) for part in piece.parts()):
        if line.pointer.startswith("/parameters/"):
            generated.setdefault(line.pointer.removeprefix("/parameters/"), []).append(line.text)
        elif line.pointer != "/script":
            others.append(line.text)
    lines = script.split("\n")
    for name, locks in plan.locks.parameters.items():
        own = generated.get(name, [])
        missing = [text for text in own if text not in lines]
        number = _named_at(lines, Counter([*own, *others]), name.upper())
        if number is not None:
            words = f"{name.upper()} is decided here; a script may only read it, as ${name.upper()}"
            yield _finding(plan, f"Line {number} of the script: ", locks[-1], words)
        elif missing:
            words = f"the line {missing[0]!r} is missing, which sets what is decided here"
            yield _finding(plan, "The script: ", locks[-1], words)


def _named_at(lines: list[str], known: Counter[str], variable: str) -> int | None:
    """The first line, beside the known ones, that names a variable otherwise than to read it."""
    names = re.compile(rf"(?<![$\w{{]){re.escape(variable)}(?!\w)")
    for number, line in enumerate(lines, start=1):
        if known[line] > 0:
            known[line] -= 1
        elif names.search(line) and not line.lstrip().startswith("#"):
            return number
    return None


def _finding(plan: Plan, where: str, lock: Lock, words: str) -> Check:
    return Check(
        "locked", "error", where + lock.because(words), "/edit/text" if plan.spec.edit else "/script"
    )


def check_left_out(plan: Plan) -> Iterator[Check]:
    """Parameters that were given though they have no meaning with the others."""
    for name in plan.left_out:
        yield Check(
            "left-out",
            "warning",
            f"{name} does not apply with these values, and is left out.",
            f"/parameters/{name}",
        )
