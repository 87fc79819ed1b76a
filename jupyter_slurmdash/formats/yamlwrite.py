"""Plain data as YAML that people like to read, and that our reader reads as the same data.

Block style, scripts as literal blocks, short lists on one line, text of any language as it is; no aliases, no tags.
A scalar stands without quotes only where every YAML reader takes it for text: what YAML 1.1 or 1.2 could read as a
number, a time or a truth value is quoted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .yamlsafe import MAX_DEPTH, YamlProblem, load
from .yamlscalars import plain

STEP: Final = 2
_FLOW_WIDTH: Final = 80
# Wide enough for options, paths and sentences, and free of all that means something in YAML, also in [ ] and { }.
_PLAIN: Final = re.compile(r"[^\W\d][\w ./+()@-]*|[/.][\w./+@-]*|\d+[A-Za-z]\w*", re.UNICODE)
# Others than we read these as numbers, times or truth values.
_OTHERS: Final = re.compile(r"[yYnN]|[-+.\d][\d_.:eExXoOa-fA-F+-]*|\.(inf|nan)", re.IGNORECASE)
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

Comments = Mapping[str, str]


@dataclass(frozen=True)
class Piece:
    """A value on paper: ``head`` follows its key or dash on the same line, ``lines`` (indented) come below."""

    head: str
    lines: Sequence[str] = ()


def write(document: Mapping[str, Any], comments: Comments | None = None) -> bytes:
    """A new file. ``comments`` stand above the keys that their JSON Pointers name.

    Raises YamlProblem when the document holds what cannot be read back: infinite numbers, keys that are no text, too
    many levels, half of a surrogate pair.
    """
    lines = _entries(document, 0, 1, "", comments or {}) if document else ["{}"]
    text = "\n".join(lines) + "\n"
    return verified(text, document)


def verified(text: str, document: Any) -> bytes:
    """The text as bytes, once our own reader has read ``document`` from it. Raises YamlProblem."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise YamlProblem("The text holds half of a surrogate pair, which is no character.") from error
    if not same(load(data), document):
        raise YamlProblem("What was written would not be read as it is. Change the file as text.")
    return data


def same(one: Any, other: Any) -> bool:
    """Equal as JSON has it: ``1`` is ``1.0`` (a browser knows no difference) but never ``true``."""
    if isinstance(one, dict) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def piece(
    value: Any, indent: int, depth: int = 1, pointer: str = "", comments: Comments | None = None
) -> Piece:
    """``value`` below a parent whose children stand at column ``indent``."""
    if depth > MAX_DEPTH:
        raise YamlProblem(f"Nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, Mapping) and value:
        return Piece("", _entries(value, indent, depth + 1, pointer, comments or {}))
    if isinstance(value, list | tuple) and value and not _fits_one_line(value):
        return Piece("", _items(value, indent, depth + 1, pointer, comments or {}))
    if isinstance(value, str) and _is_literal(value):
        return Piece("|" if value.endswith("\n") else "|-", _literal(value, indent))
    return Piece(flow(value, depth))


def entry(key: str, value: Any, column: int, depth: int = 1) -> list[str]:
    """One entry of a mapping at ``column``; its first line is not indented."""
    written = piece(value, column + STEP, depth)
    return [f"{scalar(key)}:{' ' + written.head if written.head else ''}", *written.lines]


def item(value: Any, column: int, depth: int = 1) -> list[str]:
    """One item of a list whose dashes stand at ``column``; its first line is not indented."""
    written = piece(value, column + STEP, depth)
    if written.head:
        return [f"- {written.head}", *written.lines]
    first, *others = written.lines
    return [f"- {first[column + STEP :]}", *others]


def _entries(
    value: Mapping[str, Any], indent: int, depth: int, pointer: str, comments: Comments
) -> list[str]:
    lines: list[str] = []
    for key, each in value.items():
        if not isinstance(key, str):
            raise YamlProblem("A key must be text.")
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        written = piece(each, indent + STEP, depth, place, comments)
        if indent == 0 and lines:
            lines.append("")
        lines += [f"{' ' * indent}# {line}".rstrip() for line in comments.get(place, "").splitlines()]
        lines.append(f"{' ' * indent}{scalar(key)}:{' ' + written.head if written.head else ''}")
        lines += written.lines
    return lines


def _items(value: Sequence[Any], indent: int, depth: int, pointer: str, comments: Comments) -> list[str]:
    lines: list[str] = []
    for index, each in enumerate(value):
        place = f"{pointer}/{index}"
        lines += [f"{' ' * indent}# {line}".rstrip() for line in comments.get(place, "").splitlines()]
        first, *others = item(each, indent, depth)
        lines += [" " * indent + first, *others]
    return lines


def _fits_one_line(value: Sequence[Any]) -> bool:
    if any(isinstance(each, Mapping | list | tuple) and each for each in value):
        return False
    # Binds and patterns read better below each other.
    if any(isinstance(each, str) and ("\n" in each or "/" in each) for each in value):
        return False
    return len(flow(value)) <= _FLOW_WIDTH


def _is_literal(text: str) -> bool:
    """Only what a literal block gives back letter by letter, without signs for indentation or blank lines."""
    return (
        "\n" in text
        and text[0] not in " \t\n"
        and not text.endswith(("\n\n", " \n", "\t\n", " ", "\t"))
        and not _UNFIT.search(text)
        and not text.splitlines()[-1].isspace()
    )


def _literal(text: str, indent: int) -> list[str]:
    return [" " * indent + line if line else "" for line in text.removesuffix("\n").split("\n")]


def flow(value: Any, depth: int = 1) -> str:
    """Any value on one line."""
    if depth > MAX_DEPTH:
        raise YamlProblem(f"Nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v, depth + 1)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(each, depth + 1) for each in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """One value on one line, plain where that is safe, else in double quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if not isinstance(value, str):
        raise YamlProblem(f"{type(value).__name__} is no value of YAML.")
    return value if _is_plain(value) else quoted(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise YamlProblem(f"{value} is no finite number.")
    text = repr(value)
    # 1e-05 has no dot, and to other readers of YAML 1.1 it is text.
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}.0e{power}" if exponent and "." not in mantissa else text


def _is_plain(text: str) -> bool:
    return bool(
        _PLAIN.fullmatch(text)
        and not text.endswith((" ", "-"))
        and not _OTHERS.fullmatch(text)
        and text.isprintable()
        and isinstance(plain(text), str)
    )


def quoted(text: str) -> str:
    """In double quotes: JSON's, with YAML's own line breaks escaped as well."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
