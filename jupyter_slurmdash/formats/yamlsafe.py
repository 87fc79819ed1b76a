"""YAML from people we do not know, as plain data: bounded, no aliases or tags, a line for every value.

The events of libyaml are assembled here, in a loop without recursion, so that what is refused is refused
while it is read: anchors, aliases, foreign tags, a second document, a key that is there twice or is not
text, more than ``MAX_DEPTH`` levels, more than ``MAX_NODES`` values. Plain scalars follow YAML 1.1 as PyYAML
reads it (``on``, ``off``, ``yes`` and ``no`` are booleans, ``010`` is eight) with three differences, so that
JSON stays JSON and a time stays a time: ``4:00:00`` is text and not 14400, a date is text, and ``1e-3`` is a
number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from .yamlscalars import plain

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000
_MAX_DIRECTIVES: Final = 16

# From a JSON Pointer (RFC 6901) to (line, column), counted from 1.
Locate = Callable[[str], tuple[int, int]]


class YamlProblem(ValueError):
    """What is wrong in the text; ``line`` and ``column`` count from 1, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def load(text: str | bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """The document as dict, list, str, int, float, bool and None.

    None when it is empty. Raises YamlProblem.
    """
    return _build(_decode(text, max_bytes), max_nodes).root


def load_with_marks(
    text: str | bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> tuple[Any, Locate]:
    """The document, and where its values stand.

    ``locate(pointer)`` answers with the line and column of the key (in a mapping) or the entry (in a list);
    for a pointer that leads nowhere, with those of the nearest parent that exists. Raises YamlProblem.
    """
    built = _build(_decode(text, max_bytes), max_nodes)
    mark = built.mark

    def locate(pointer: str) -> tuple[int, int]:
        here = mark
        for step in pointer.split("/")[1:]:
            child = here.children.get(step.replace("~1", "/").replace("~0", "~"))
            if child is None:
                break
            here = child
        return here.line, here.column

    return built.root, locate


def _decode(text: str | bytes, max_bytes: int) -> str:
    if len(text) > max_bytes:
        raise YamlProblem(f"The file has {len(text)} bytes; at most {max_bytes} are read.")
    try:
        data = text.encode() if isinstance(text, str) else text
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(error.object[: error.start])
        raise YamlProblem("The file is not UTF-8 text; save it as UTF-8.", line, column) from error
    except UnicodeEncodeError as error:
        raise YamlProblem("The text holds half of a surrogate pair, which is no character.") from error
    if len(data) > max_bytes:
        raise YamlProblem(f"The file has {len(data)} bytes; at most {max_bytes} are read.")
    # libyaml compares each directive with all before it; thousands of them would take seconds.
    if decoded.startswith("%") + decoded.count("\n%") > _MAX_DIRECTIVES:
        raise YamlProblem("Too many lines begin with '%'.")
    return decoded


def _position(before: bytes) -> tuple[int, int]:
    line = before.count(b"\n") + 1
    return line, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


# -- from events to data ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Mark:
    line: int
    column: int
    children: dict[str, _Mark] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open. ``key`` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    mark: _Mark
    key: str | None = None


class _Builder:
    def __init__(self, max_nodes: int) -> None:
        self.root: Any = None
        self.mark = _Mark(1, 1)
        self._max_nodes = max_nodes
        self._stack: list[_Frame] = []
        self._nodes = 0
        self._documents = 0

    def feed(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._check(event)
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._check(event)
            self._open({}, event, "tag:yaml.org,2002:map")
        elif kind is yaml.SequenceStartEvent:
            self._check(event)
            self._open([], event, "tag:yaml.org,2002:seq")
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._stack.pop()
        elif kind is yaml.AliasEvent:
            raise _problem(f"Aliases (*{event.anchor}) are not supported; write the value again.", event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise _problem("A second document begins here; one file holds one document.", event)

    def _check(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > self._max_nodes:
            raise _problem(f"The file holds more than {self._max_nodes} values.", event)
        if event.anchor is not None:
            raise _problem(f"Anchors (&{event.anchor}) are not supported; remove it.", event)

    def _scalar(self, event: Any) -> None:
        value = _resolve(event)
        frame = self._stack[-1] if self._stack else None
        if frame is None or frame.key is not None or isinstance(frame.value, list):
            self._place(value, event)
            return
        if not isinstance(value, str):
            raise _problem(
                f"The key {event.value!r} is read as {_KINDS[type(value)]}; write it in quotes.", event
            )
        if value in frame.value:
            raise _problem(f"The key {value[:80]!r} is here twice.", event)
        frame.key = value
        frame.mark.children[value] = _mark(event)

    def _open(self, value: dict[str, Any] | list[Any], event: Any, tag: str) -> None:
        if event.tag not in (None, "!", tag):
            raise _problem(f"The tag {event.tag[:80]!r} is not supported; remove it.", event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.value, dict):
            raise _problem("A key must be text, not a list or a mapping.", event)
        if len(self._stack) >= MAX_DEPTH:
            raise _problem(f"Nested more than {MAX_DEPTH} levels deep.", event)
        mark = self._place(value, event)
        self._stack.append(_Frame(value, mark))

    def _place(self, value: Any, event: Any) -> _Mark:
        if not self._stack:
            self.root, self.mark = value, _mark(event)
            return self.mark
        frame = self._stack[-1]
        if isinstance(frame.value, list):
            mark = frame.mark.children[str(len(frame.value))] = _mark(event)
            frame.value.append(value)
            return mark
        key = frame.key
        assert key is not None  # _scalar and _open have seen to it
        frame.value[key], frame.key = value, None
        return frame.mark.children[key]


def _build(text: str, max_nodes: int) -> _Builder:
    builder = _Builder(max_nodes)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.feed(event)
    except yaml.reader.ReaderError as error:
        line, column = _position(text.encode()[: error.position])
        raise YamlProblem("A control character is not allowed here; remove it.", line, column) from error
    except yaml.MarkedYAMLError as error:
        raise _from_parser(error, text) from error
    return builder


def _from_parser(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    words = error.problem or error.context or "this is not YAML"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    lines = text.split("\n")
    here = lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""
    if here == "\t":
        return YamlProblem("A tab cannot indent in YAML; use spaces.", line, column)
    hint = next((hint for part, hint in _HINTS.items() if part in words), "")
    return YamlProblem(f"{words[:1].upper()}{words[1:]}.{hint}", line, column)


_HINTS = {
    "mapping values are not allowed": " A text with ': ' in it needs quotes, and entries must line up.",
    "did not find expected key": " Check the indentation and the quotes just above.",
    "could not find expected ':'": " Check the indentation and the quotes just above.",
    "cannot start any token": " A text that begins with this character needs quotes.",
    "found unexpected end of stream": " A quote or a bracket is not closed.",
}


def _mark(event: Any) -> _Mark:
    return _Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _problem(message: str, event: Any) -> YamlProblem:
    return YamlProblem(message, event.start_mark.line + 1, event.start_mark.column + 1)


_KINDS: Final = {bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}
_PREFIX = "tag:yaml.org,2002:"


def _resolve(event: Any) -> Any:
    """The value of a scalar event: by its tag when it has a core one, else by its look when it is plain."""
    text, tag = event.value, event.tag
    if tag is None:
        return _plain(event) if event.implicit[0] else text
    if tag in ("!", _PREFIX + "str"):
        return text
    value = _plain(event)
    name = tag.removeprefix(_PREFIX)
    if name == "float" and type(value) is int:
        return float(value)
    if {"null": type(None), "bool": bool, "int": int, "float": float}.get(name) is not type(value):
        raise _problem(f"The tag {tag[:80]!r} is not supported here; remove it.", event)
    return value


def _plain(event: Any) -> Any:
    try:
        return plain(event.value)
    except ValueError as error:
        raise _problem(str(error), event) from error
