"""Where every value of a YAML text stands: the tree that ``yamledit`` cuts along. Offsets count characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

_COMMENT_OR_BLANK = re.compile(r"(?:[ \t\r\n]+|(?:(?<=[ \t\r\n])|\A)#[^\n]*)+")


@dataclass(slots=True)
class Node:
    """One value. ``end`` is behind its last character; of a block that of the last value in it."""

    kind: Literal["scalar", "map", "list"]
    start: int
    end: int
    column: int
    flow: bool = False
    literal: bool = False
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """One entry of a mapping or item of a list; ``start`` is where its key, ``?`` or dash begins."""

    key: str | None
    key_end: int
    value: Node
    start: int = 0


def compose(text: str) -> Node:
    """The tree of a text that the safe reader has read (so: no aliases, one document, text as keys)."""
    events = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            return _node(event, events, text)
    return Node("scalar", 0, 0, 0)


def _node(first: Any, events: Iterator[Any], text: str) -> Node:
    event: Any = first
    start, column = event.start_mark.index, event.start_mark.column
    if isinstance(event, yaml.ScalarEvent):
        literal = event.style in ("|", ">")
        end = _literal_end(text, event) if literal else int(first.end_mark.index)
        return Node("scalar", start, end, column, literal=literal)
    node = Node("list" if isinstance(event, yaml.SequenceStartEvent) else "map", start, start, column)
    node.flow = bool(event.flow_style)
    while not isinstance(event := next(events), yaml.CollectionEndEvent):
        key, key_end = None, 0
        if node.kind == "map":
            key, key_end = event.value, event.end_mark.index
            event = next(events)
        value = _node(event, events, text)
        before = node.entries[-1].value.end if node.entries else start
        found = Entry(key, key_end, value)
        found.start = start if not node.entries and not node.flow else skip(text, before)
        node.entries.append(found)
        node.end = value.end
    if node.flow:
        closing: Any = event
        node.end = int(closing.end_mark.index)
        _begin_flow_entries(node, text)
    return node


def _begin_flow_entries(node: Node, text: str) -> None:
    """In a flow collection an entry begins behind the bracket or comma before it."""
    position = node.start + 1
    for index, found in enumerate(node.entries):
        position = skip(text, position)
        if index and text[position : position + 1] == ",":
            position = skip(text, position + 1)
        found.start = position
        position = found.value.end


def _literal_end(text: str, event: Any) -> int:
    """Without the blank lines below, unless they are part of the value."""
    start, end = event.start_mark.index, event.end_mark.index
    header = re.match(r"[^\n#]*", text[start:end])
    last = event.value.rstrip("\n")[-1:]
    if (header is not None and "+" in header[0]) or last.isspace():
        return int(start + text[start:end].rfind("\n"))
    return int(start + len(text[start:end].rstrip()))


def skip(text: str, position: int) -> int:
    """The first character from ``position`` that is neither blank nor part of a comment."""
    found = _COMMENT_OR_BLANK.match(text, position)
    return found.end() if found is not None else position
