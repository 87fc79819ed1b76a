"""Documents, and hand-written files of them: Hypothesis strategies."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

AWKWARD = [
    *(
        "yes",
        "1e3",
        "1e-3",
        "a: b",
        "- x",
        "#",
        "a #b",
        "4:00:00",
        "2030-01-01",
        "~",
        "",
        "|",
        "<<",
        "=",
        "0x1",
    ),
    *(
        "a\nb",
        "a\nb\n",
        "a\n\nb\n",
        "a\n\n",
        " a\n",
        "\ta\n",
        "a\n \nb\n",
        "a \nb",
        "a\n  ",
        " a",
        "a\r\nb",
        "\n",
    ),
    *(
        "a\x85b\n",
        "a\u2028b\nc",
        "---",
        "...",
        "--- a\n...\n",
        "!x",
        "&a",
        "*a",
        "%a",
        "@a",
        "`a",
        "?",
        "? a",
        "key:",
    ),
    *(
        "# no comment\nx\n",
        "한글",
        "😀\nb\n",
        "\ufeffa",
        "a\x07b",
        "1_000",
        "010",
        "y",
        "a, b",
        "[a]",
        "{a: b}",
    ),
]
# YAML's other readers, and JSON, agree on these characters.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f\ufffe\uffff"), max_size=20)
strings = texts | st.sampled_from(AWKWARD)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | strings
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(strings, values, max_size=4)

_keys = st.sampled_from(["a", "b", "c", "name", "script", '"quoted key"', "'x'"])
_small = st.sampled_from(["x", "1", "yes", "'it''s'", '"\\n"', "1.0.0", "", "a b", "~", '"# no"'])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A file as a human may write it, and its comments by the JSON Pointer of the key that they belong to."""
    comments: dict[str, str] = {}
    step = draw(st.sampled_from([1, 2, 4]))

    def note(pointer: str) -> str:
        comments[pointer] = f"# note {len(comments)} "
        return comments[pointer]

    def mapping(depth: int, indent: int, pointer: str) -> list[str]:
        lines: list[str] = []
        for key in draw(st.lists(_keys, min_size=1, max_size=4, unique_by=lambda key: key.strip("\"'"))):
            place = f"{pointer}/{key.strip(chr(34) + chr(39))}"
            pad = " " * indent
            if lines and draw(st.booleans()):
                lines.append(draw(st.sampled_from(["", "  "])))
            if lines and draw(st.booleans()):
                lines.append(pad + note(place + "#above"))
            tail = " " + note(place + "#behind") if draw(st.booleans()) else ""
            lines += entry(depth, indent, place, f"{pad}{key}:", tail)
        return lines

    def entry(depth: int, indent: int, place: str, head: str, tail: str) -> list[str]:
        pad = " " * (indent + step)
        kind = draw(st.integers(0, 7 if depth < 3 else 3))
        if kind <= 1:
            return [f"{head} {draw(_small)}{tail}"]
        if kind == 2:
            return [
                f"{head} |{draw(st.sampled_from(['', '-', '+']))}{tail}",
                f"{pad}one",
                "",
                f"{pad}# two",
                "",
            ]
        if kind == 3:
            return [
                f"{head} {draw(st.sampled_from(['[a, {b: c}]', '{a: 1, b: [x]}', '[]', '{}', '[a,]']))}{tail}"
            ]
        if kind == 4:
            dash = draw(st.sampled_from([indent, indent + step]))
            return [head + tail, *items(depth, dash)]
        if kind == 5:
            return [head + tail, f"{pad}folded plain", f"{pad}text"]
        return [head + tail, *mapping(depth + 1, indent + step, place)]

    def items(depth: int, column: int) -> list[str]:
        pad = " " * column
        lines = []
        for number in range(draw(st.integers(1, 3))):
            if draw(st.booleans()):
                lines.append(f"{pad}# about an item")
            choice = draw(st.integers(0, 2))
            lines.append(f"{pad}- {['x', f'name: n{number}', '[y, z]'][choice]}")
            if choice == 1:
                lines.append(f"{pad}  pattern: '*'  # any")
        return lines

    lines = [*draw(st.sampled_from([[], ["# file"], ["---"]])), *mapping(0, 0, "")]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline])), comments


@st.composite
def changes(draw: st.DrawFn, document: Any) -> Any:
    """``document`` after someone has worked on it."""
    if isinstance(document, dict):
        changed = {key: draw(changes(value)) for key, value in document.items() if draw(st.integers(0, 4))}
        if not draw(st.integers(0, 3)):
            changed[draw(strings)] = draw(values)
        return changed
    if isinstance(document, list):
        kept = [draw(changes(value)) for value in document if draw(st.integers(0, 4))]
        if not draw(st.integers(0, 2)):
            kept.insert(draw(st.integers(0, len(kept))), draw(values))
        return draw(st.permutations(kept)) if draw(st.booleans()) else kept
    return document if draw(st.integers(0, 3)) else draw(values)


def has(document: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        if not isinstance(document, dict) or step not in document:
            return False
        document = document[step]
    return True


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
