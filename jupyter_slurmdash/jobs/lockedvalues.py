"""Parameters in a script that was written or edited by hand: those that are decided stay as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..templates.locks import Lock
from .model import Check, Plan
from .script import Line, script_lines


def check_variables(plan: Plan, script: str) -> Iterator[Check]:
    """A locked parameter's variable is set by the line that was generated, before any command of a person's, and named
    by no other but to read it.

    What a shell may do to a variable cannot be told from its text, so this is what a careful reader would find.
    """
    lines = script.split("\n")
    pieces = script_lines(plan)
    ours = [part.text for piece in pieces if not _is_typed(piece) for part in piece.parts()]
    whole = True
    for name, locks in plan.locks.parameters.items():
        setting = [piece for piece in pieces if piece.pointer == f"/parameters/{name}"]
        missing = [piece.text for piece in setting if not _stands_in(script, piece)]
        known = Counter([*ours, *(part.text for piece in setting for part in piece.parts())])
        number = _named_at(lines, known, name.upper())
        if number is not None:
            words = f"{name.upper()} is decided here; a script may only read it, as ${name.upper()}"
            yield _finding(plan, f"Line {number} of the script: ", locks[-1], words)
        elif missing:
            words = f"the line {missing[0]!r} is missing, which sets what is decided here"
            yield _finding(plan, "The script: ", locks[-1], words)
        whole = whole and number is None and not missing
    if whole:
        yield from _check_order(plan, script, pieces)


def _is_typed(piece: Line) -> bool:
    """Whether its text is a person's own."""
    return piece.pointer == "/script" or piece.pointer.startswith("/parameters/")


def _stands_in(script: str, piece: Line) -> bool:
    """As a whole: a text of several lines that is torn apart is another."""
    return f"\n{piece.text}\n" in script


def _check_order(plan: Plan, script: str, pieces: list[Line]) -> Iterator[Check]:
    """What stands before a decided variable is set runs without it, or decides whether it is set at all."""
    decided = {f"/parameters/{name}": locks[-1] for name, locks in plan.locks.parameters.items()}
    places = [at for at, piece in enumerate(pieces) if piece.pointer in decided]
    if not places:
        return
    last = pieces[places[-1]]
    before = [piece for piece in pieces[: places[-1]] if _stands_in(f"\n{script}", piece)]
    ours = Counter(part.text for piece in before for part in piece.parts())
    end = max(script.index(f"\n{pieces[at].text}\n") for at in places)
    for number, line in enumerate(script[:end].split("\n"), start=1):
        if ours[line] > 0:
            ours[line] -= 1
        elif line.strip() and not line.lstrip().startswith("#"):
            words = (
                f"this comes before {last.text!r}, which sets what is decided here; move it below that line"
            )
            yield _finding(plan, f"Line {number} of the script: ", decided[last.pointer], words)
            return


def _named_at(lines: list[str], known: Counter[str], variable: str) -> int | None:
    """The first line, beside the known ones, that names a variable otherwise than to read it."""
    name = re.escape(variable)
    # ``${NAME:=x}`` sets it where it is empty, and ``{NAME}>file`` to a number.
    names = re.compile(rf"(?<![$\w])(?<!\$\{{){name}(?!\w)|\$\{{{name}(?:\[[^\]]*\])?:?=")
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
