"""YAML from people we do not know, as plain data: bounded, no aliases or tags, a line for every value.

Refused are anchors, aliases, foreign tags, a second document, a key that is there twice or is not text, more than
``MAX_DEPTH`` levels, more than ``MAX_NODES`` values. Plain scalars follow YAML 1.1 as PyYAML reads it (``on``, ``off``,
``yes`` and ``no`` are booleans, ``010`` is eight) with three differences, so that JSON stays JSON and a time stays a
time: ``4:00:00`` is text and not 14400, a date is text, and ``1e-3`` is a number.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from .yamlbuild import MAX_DEPTH, build
from .yamlmarks import Locate, locator
from .yamlproblem import YamlProblem, from_parser, position

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "Locate", "YamlProblem", "load", "load_with_marks"]

MAX_BYTES: Final = 256 * 1024
MAX_NODES: Final = 20_000
_MAX_DIRECTIVES: Final = 16


def load(text: str | bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """The document as dict, list, str, int, float, bool and None.

    None when it is empty. Raises YamlProblem.
    """
    return _build(_decode(text, max_bytes), max_nodes)


def load_with_marks(
    text: str | bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> tuple[Any, Locate]:
    """The document, and where its values stand: ``locate(pointer)`` answers with line and column.

    Raises YamlProblem.
    """
    decoded = _decode(text, max_bytes)
    return _build(decoded, max_nodes), locator(decoded)


def _build(text: str, max_nodes: int) -> Any:
    try:
        return build(text, max_nodes)
    except yaml.YAMLError as error:
        raise from_parser(error, text) from error


def _decode(text: str | bytes, max_bytes: int) -> str:
    if len(text) > max_bytes:
        raise YamlProblem(f"The file has {len(text)} bytes; at most {max_bytes} are read.")
    try:
        data = text.encode() if isinstance(text, str) else text
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = position(error.object[: error.start])
        raise YamlProblem("The file is not UTF-8 text; save it as UTF-8.", line, column) from error
    except UnicodeEncodeError as error:
        raise YamlProblem("The text holds half of a surrogate pair, which is no character.") from error
    if len(data) > max_bytes:
        raise YamlProblem(f"The file has {len(data)} bytes; at most {max_bytes} are read.")
    # libyaml compares each directive with all before it; thousands of them would take seconds.
    if decoded.startswith("%") + decoded.count("\n%") > _MAX_DIRECTIVES:
        raise YamlProblem("Too many lines begin with '%'.")
    return decoded
