"""Three-way merge: whatever one side changed is there, and a person's lines are never lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.jobs.merge import Conflict, merge

LINES = st.lists(st.sampled_from("abcdef"), max_size=12)


def test_both_sides() -> None:
    base = ["#!/bin/bash", "#SBATCH --time=1", "set -e", "run", "end"]
    own = ["#!/bin/bash", "#SBATCH --time=1", "set -e", "module load x", "run --fast", "end"]
    other = ["#!/bin/bash", "#SBATCH --time=2", "#SBATCH --mem=1G", "set -e", "run", "end"]
    merged = merge(base, own, other)
    assert merged.lines == (*other[:4], "module load x", "run --fast", "end")
    assert merged.sources == (0, 1, 2, 3, None, None, 5)
    assert merged.conflicts == ()


def test_a_conflict_keeps_what_was_typed_and_tells_the_rest() -> None:
    merged = merge(["a", "run", "z"], ["a", "mine", "z"], ["a", "theirs", "z"])
    assert merged.lines == ("a", "mine", "z")
    assert merged.conflicts == (Conflict(2, ("mine",), ("theirs",)),)


def test_lines_put_beside_others_are_in_nobodys_way() -> None:
    # The line after which something was added by hand is changed by the form, and the other way round.
    merged = merge(["a", "mem 1", "z"], ["a", "mem 1", "mine", "z"], ["a", "mem 2", "z"])
    assert (merged.lines, merged.sources) == (("a", "mem 2", "mine", "z"), (0, 1, None, 2))
    merged = merge(["a", "run", "z"], ["a", "mine", "z"], ["a", "new", "run", "more", "z"])
    assert (merged.lines, merged.sources) == (("a", "new", "mine", "more", "z"), (0, 1, None, 3, 4))
    # Both add at the same place.
    merged = merge(["a", "z"], ["a", "mine", "z"], ["a", "theirs", "z"])
    assert (merged.lines, merged.conflicts) == (("a", "theirs", "mine", "z"), ())
    # A line that the form takes back is no reason to ask about the ones beside it.
    assert merge(["a", "b"], ["a", "b", "mine"], ["a"]).lines == ("a", "mine")


def test_what_both_did_is_done_once() -> None:
    assert merge(["a"], ["a", "b"], ["a", "b"]).lines == ("a", "b")


@given(LINES, LINES)
def test_one_side_alone(base: list[str], changed: list[str]) -> None:
    assert merge(base, base, changed).lines == tuple(changed)
    assert merge(base, changed, base).lines == tuple(changed)
    assert merge(base, changed, changed).lines == tuple(changed)


@given(LINES, LINES, LINES)
def test_nothing_typed_is_lost(base: list[str], own: list[str], other: list[str]) -> None:
    typed = [f"typed {number}" for number in range(len(own))]
    mixed = [line for pair in zip(own, typed, strict=True) for line in pair]
    merged = merge(base, mixed, other)
    assert [line for line in merged.lines if line.startswith("typed")] == typed
    for line, source in zip(merged.lines, merged.sources, strict=True):
        assert source is None or other[source] == line
