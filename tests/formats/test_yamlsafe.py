"""YAML from strangers: what is read, what is refused, and how long either takes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from stopwatch import fastest

from jupyter_slurmdash.formats.yamlsafe import MAX_BYTES, MAX_DEPTH, YamlProblem, load, load_with_marks

PLAIN = {
    "04:00:00": "04:00:00",
    "4:00:00": "4:00:00",
    "1:30": "1:30",
    "1:30.5": "1:30.5",
    "2030-01-01": "2030-01-01",
    "2030-01-01T08:00:00Z": "2030-01-01T08:00:00Z",
    "1e-3": 0.001,
    "1.5e3": 1500.0,
    "6.02E+23": 6.02e23,
    "-.5": -0.5,
    "1.": 1.0,
    ".": ".",
    "-": "-",
    "1_000": 1000,
    "010": 8,
    "08": "08",
    "0x1F": 31,
    "-0x1f": -31,
    "0b101": 5,
    "0b_": "0b_",
    "0x": "0x",
    "0_": 0,
    "+7": 7,
    "yes": True,
    "On": True,
    "off": False,
    "NO": False,
    "y": "y",
    "~": None,
    "Null": None,
    "1.0.0": "1.0.0",
    "12e4567": "12e4567",
    "gpu:1": "gpu:1",
    "<<": "<<",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_plain_scalars(text: str, value: Any) -> None:
    found = load("a: " + text) if text != "-" else load('a: "-"')
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_special_floats() -> None:
    found = load("[.inf, -.Inf, +.INF, .nan]")
    assert found[:3] == [float("inf"), float("-inf"), float("inf")]
    assert found[3] != found[3]


def test_quotes_and_core_tags() -> None:
    assert load("['1', \"on\", !!str 1, ! 2, !!int 3, !!float 4, !!null '', !!bool yes]") == [
        "1",
        "on",
        "1",
        "2",
        3,
        4.0,
        None,
        True,
    ]
    assert load("!!map {a: !!seq [1]}") == {"a": [1]}


def test_empty_and_marks() -> None:
    assert load("") is None
    assert load(b"\xef\xbb\xbfa: 1") == {"a": 1}
    data, locate = load_with_marks("# note\na:\n  - b: 1\n  - x/y~z: [1, 2]\n")
    assert data == {"a": [{"b": 1}, {"x/y~z": [1, 2]}]}
    assert locate("") == (2, 1)
    assert locate("/a") == (2, 1)
    assert locate("/a/0/b") == (3, 5)
    assert locate("/a/1/x~1y~0z/1") == (4, 16)
    assert locate("/a/1/missing/deeper") == (4, 5)
    assert load_with_marks("")[1]("/x") == (1, 1)


REFUSED = [
    ("a: &x 1\nb: *x", "Anchors", 1, 4),
    ("a: *x", "Aliases", 1, 4),
    ("a: !!python/object/apply:os.system [id]", "tag", 1, 4),
    ("a: !!timestamp 2030-01-01", "tag", 1, 4),
    ("a: !!set {b}", "tag", 1, 4),
    ("a: !mine x", "tag", 1, 4),
    ("a: !!int x", "tag", 1, 4),
    ("--- a\n--- b", "second document", 2, 1),
    ("a: 1\nb: 2\na: 3", "twice", 3, 1),
    ("on: 1", "read as true or false", 1, 1),
    ("a: 1\n2: b", "read as a number", 2, 1),
    ("?\n: x", "read as nothing", 1, 2),
    ("? [a]\n: b", "must be text", 1, 3),
    ("a:\n\tb: 1", "tab", 2, 1),
    ("a: b: c", "quotes", 1, 5),
    ("a: 'x", "not closed", 1, 6),
    ("a:\n  - b\n c: d", "indentation", 3, 2),
    ("a: `x`", "begins with this character", 1, 4),
    ("ok: 1\na: \x00", "control character", 2, 4),
    ("가: \x07", "control character", 1, 4),
    (b"a: 1\nb: \xff", "UTF-8", 2, 4),
    ("a: " + "9" * 5000, "at most 100 digits", 1, 4),
    ("\ud800", "surrogate", 0, 0),
    ("%TAG !a! b\n" * 9999, "'%'", 0, 0),
    ("a" * (MAX_BYTES + 1), "bytes", 0, 0),
    ("가" * (MAX_BYTES // 2), "bytes", 0, 0),
]


@pytest.mark.parametrize(("text", "words", "line", "column"), REFUSED)
def test_refused_with_a_place(text: str | bytes, words: str, line: int, column: int) -> None:
    with pytest.raises(YamlProblem) as caught:
        load(text)
    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_depth() -> None:
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(YamlProblem, match="32 levels"):
        load("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


BOMBS = {
    "brackets": "[" * MAX_BYTES,
    "braces": "{a: " * (MAX_BYTES // 4),
    "bracket lines": "[\n" * (MAX_BYTES // 2),
    "dashes": "- " * (MAX_BYTES // 2),
    "questions": "? " * (MAX_BYTES // 2),
    "entries": "- a\n" * (MAX_BYTES // 4),
    "empty lists": "[" * 31 + "[]," * (MAX_BYTES // 3 - 31),
    "directives": "%TAG !a! b\n" * (MAX_BYTES // 11),
    "late directives": "a\n...\n" + "%TAG !a! b\n" * (MAX_BYTES // 12),
    "billion laughs": "a: &a [x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{f'*{chr(97 + i)},' * 9}]\n" for i in range(9)),
    "one line": "a" * MAX_BYTES,
    "escapes": '"' + "\\x41" * (MAX_BYTES // 4 - 1) + '"',
    "newlines in quotes": "'" + "\n" * (MAX_BYTES - 2) + "'",
    "long keys": "\n".join(f"{'k' * 500}{i}: {{a: 1}}" for i in range(500)),
    "open maps": "\n".join(f"k{i}: {{" for i in range(20000)),
    "comments": "#\n" * (MAX_BYTES // 2),
    "folded": "a: >\n" + " x\n\n" * (MAX_BYTES // 4 - 2),
    "many keys": "".join(f"k{i}: {i}\n" for i in range(9_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_or_refused_in_time(name: str) -> None:
    assert fastest(lambda: _try(BOMBS[name])) < 0.2


def _try(text: str) -> None:
    with suppress(YamlProblem):
        load_with_marks(text)


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="[]{}:,-?&*!|>'\"%@`#\n\t ab01.~<=_")))
@settings(max_examples=500, deadline=None)
def test_any_text_is_data_or_a_problem(text: str | bytes) -> None:
    try:
        line, words = load_with_marks(text)[1]("/a/0/b")[0], "sound"
    except YamlProblem as problem:
        line, words = problem.line, problem.message.strip()
    assert line >= 0
    assert words


# Without digits: PyYAML writes the text 1e3 without quotes, which is a number here.
TEXT = st.text(alphabet="abyn가🙂 \n\t:#-'\"[]{},&*!|>%@`~?\\")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON_VALUES)
@settings(max_examples=200, deadline=None)
def test_what_pyyaml_writes_is_read_back(value: Any) -> None:
    written = yaml.dump(value, Dumper=_NoAliases, allow_unicode=True)
    assert load(written) == value


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
