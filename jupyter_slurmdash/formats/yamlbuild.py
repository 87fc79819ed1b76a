"""The events of libyaml as plain data, in one loop without recursion: what is refused is refused while it is read.

Thousands of templates are read in a row, so the loop asks for nothing that it does not need: where the values stand
is found out later, for the few files in which something is wrong (``yamlmarks.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from yaml import (
    AliasEvent,
    CSafeLoader,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from .yamlproblem import YamlProblem
from .yamlscalars import NUMERIC, WORDS, number

MAX_DEPTH: Final = 32
_PREFIX: Final = "tag:yaml.org,2002:"
_COLLECTIONS: Final[dict[type, str]] = {dict: _PREFIX + "map", list: _PREFIX + "seq"}
_KINDS: Final = {bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}
_CORE: Final = {"null": type(None), "bool": bool, "int": int, "float": float}


def build(text: str, max_nodes: int) -> Any:
    """The data of the text; None when it is empty. Raises YamlProblem, and yaml.YAMLError for what is no YAML."""
    next_event: Callable[[], Any] = CSafeLoader(text).get_event
    root: Any = None
    # The mapping or list that is open, the key whose value comes next, and those around them.
    here: Any = None
    in_list = False
    key: str | None = None
    around: list[tuple[Any, bool]] = []
    nodes = documents = 0
    while (event := next_event()) is not None:
        kind = type(event)
        if kind is ScalarEvent:
            value = event.value
            if event.tag is not None:
                value = _tagged(value, event)
            elif event.implicit[0]:
                if value in WORDS:
                    value = WORDS[value]
                elif value[0] in NUMERIC:
                    value = _number(value, event)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            here, in_list = around.pop()
            continue
        elif kind is MappingStartEvent:
            value = {}
        elif kind is SequenceStartEvent:
            value = []
        else:
            documents += kind is DocumentStartEvent
            _refuse_other(event, documents)
            continue
        nodes += 1
        if nodes > max_nodes or event.anchor is not None:
            raise _refused(event, max_nodes)
        if key is not None:
            here[key], key = value, None
        elif in_list:
            here.append(value)
        elif here is None:
            root = value
        else:
            if type(value) is not str or value in here:
                raise _bad_key(value, event)
            key = value
            continue
        if kind is not ScalarEvent:
            if event.tag is not None or len(around) >= MAX_DEPTH:
                _check_collection(value, event, len(around))
            around.append((here, in_list))
            here, in_list = value, kind is SequenceStartEvent
    return root


def problem(message: str, event: Any) -> YamlProblem:
    return YamlProblem(message, event.start_mark.line + 1, event.start_mark.column + 1)


def _refuse_other(event: Any, documents: int) -> None:
    if type(event) is AliasEvent:
        raise problem(f"Aliases (*{event.anchor}) are not supported; write the value again.", event)
    if documents > 1:
        raise problem("A second document begins here; one file holds one document.", event)


def _refused(event: Any, max_nodes: int) -> YamlProblem:
    if event.anchor is not None:
        return problem(f"Anchors (&{event.anchor}) are not supported; remove it.", event)
    return problem(f"The file holds more than {max_nodes} values.", event)


def _bad_key(value: Any, event: Any) -> YamlProblem:
    if type(value) is str:
        return problem(f"The key {value[:80]!r} is here twice.", event)
    if type(value) in _COLLECTIONS:
        _check_tag(value, event)
        return problem("A key must be text, not a list or a mapping.", event)
    return problem(f"The key {event.value!r} is read as {_KINDS[type(value)]}; write it in quotes.", event)


def _check_collection(value: Any, event: Any, depth: int) -> None:
    _check_tag(value, event)
    if depth >= MAX_DEPTH:
        raise problem(f"Nested more than {MAX_DEPTH} levels deep.", event)


def _check_tag(value: Any, event: Any) -> None:
    if event.tag not in (None, "!", _COLLECTIONS[type(value)]):
        raise problem(f"The tag {event.tag[:80]!r} is not supported; remove it.", event)


def _tagged(text: str, event: Any) -> Any:
    tag = event.tag
    if tag in ("!", _PREFIX + "str"):
        return text
    value = _plain(text, event)
    name = tag.removeprefix(_PREFIX)
    if name == "float" and type(value) is int:
        return float(value)
    if _CORE.get(name) is not type(value):
        raise problem(f"The tag {tag[:80]!r} is not supported here; remove it.", event)
    return value


def _plain(text: str, event: Any) -> Any:
    return WORDS[text] if text in WORDS else _number(text, event) if text[0] in NUMERIC else text


def _number(text: str, event: Any) -> Any:
    try:
        return number(text)
    except ValueError as error:
        raise problem(str(error), event) from error
