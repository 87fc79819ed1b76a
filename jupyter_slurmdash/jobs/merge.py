"""Three-way merge of texts by lines: what a person changed and what the form changed, from the same base.

Lines that one side only put beside others stand in nobody's way. Where both changed the same lines in different ways
the person's lines stay, and what the form would write there is told as a conflict: nothing typed is ever lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Conflict:
    """At ``line`` (from 1) of the merged text stands ``kept``; the form would write ``other`` there."""

    line: int
    kept: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """``lines`` of the result; ``sources`` says of each the index of the line of ``other`` that it is, None for a
    person's own."""

    lines: tuple[str, ...]
    sources: tuple[int | None, ...]
    conflicts: tuple[Conflict, ...]


def merge(base: Sequence[str], own: Sequence[str], other: Sequence[str]) -> Merged:
    """``own`` and ``other`` both come from ``base``; where only one changed it, its lines are taken."""
    lines: list[str] = []
    sources: list[int | None] = []
    conflicts: list[Conflict] = []

    def take(texts: Sequence[str], where: Sequence[int | None]) -> None:
        lines.extend(texts)
        sources.extend(where)

    for stable, (b0, b1), (o0, o1), (x0, x1) in _pieces(base, own, other):
        mine, theirs, before = own[o0:o1], other[x0:x1], base[b0:b1]
        if stable or mine in (before, theirs):
            take(theirs, range(x0, x1))
            continue
        if theirs == before:
            take(mine, [None] * len(mine))
        elif (at := _place(before, mine)) is not None:
            end = at + len(before)
            take(mine[:at], [None] * at)
            take(theirs, range(x0, x1))
            take(mine[end:], [None] * (len(mine) - end))
        elif (at := _place(before, theirs)) is not None:
            take(theirs[:at], range(x0, x0 + at))
            take(mine, [None] * len(mine))
            take(theirs[at + len(before) :], range(x0 + at + len(before), x1))
        else:
            conflicts.append(Conflict(len(lines) + 1, tuple(mine), tuple(theirs)))
            take(mine, [None] * len(mine))
    return Merged(tuple(lines), tuple(sources), tuple(conflicts))


def _place(before: Sequence[str], changed: Sequence[str]) -> int | None:
    """Where all of ``before`` stands in ``changed``, which then only has lines more; None when it does not."""
    size = len(before)
    starts = range(len(changed) - size + 1)
    return next((at for at in starts if changed[at : at + size] == before), None)


Span = tuple[int, int]


def _pieces(
    base: Sequence[str], own: Sequence[str], other: Sequence[str]
) -> Iterator[tuple[bool, Span, Span, Span]]:
    """The three texts cut at the lines that all of them have: in turn what differs and what does not."""
    at_own, at_other = _partners(base, own), _partners(base, other)
    b = o = x = 0
    for line in range(len(base)):
        if line in at_own and line in at_other:
            to_own, to_other = at_own[line], at_other[line]
            if (line, to_own, to_other) != (b, o, x):
                yield False, (b, line), (o, to_own), (x, to_other)
            yield True, (line, line + 1), (to_own, to_own + 1), (to_other, to_other + 1)
            b, o, x = line + 1, to_own + 1, to_other + 1
    if (b, o, x) != (len(base), len(own), len(other)):
        yield False, (b, len(base)), (o, len(own)), (x, len(other))


def _partners(base: Sequence[str], changed: Sequence[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, base, changed, autojunk=False).get_matching_blocks()
    return {block.a + step: block.b + step for block in blocks for step in range(block.size)}
