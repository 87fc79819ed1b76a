"""Where the values of a YAML text stand: asked for only when something is to be said about one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

# From a JSON Pointer (RFC 6901) to (line, column), counted from 1.
Locate = Callable[[str], tuple[int, int]]


@dataclass(slots=True)
class _Mark:
    """A value's place. ``key`` is the key whose value comes next, while its mapping is read."""

    line: int
    column: int
    children: dict[str, _Mark] = field(default_factory=dict)
    is_list: bool = False
    key: _Mark | None = None


def locator(text: str) -> Locate:
    """Answers with the line and column of the key (in a mapping) or the entry (in a list).

    For a pointer that leads nowhere, with those of the nearest parent that exists. ``text`` is one that ``yamlbuild``
    has read; it is looked through again with the first question.
    """
    root: _Mark | None = None

    def locate(pointer: str) -> tuple[int, int]:
        nonlocal root
        here = root = root or _marks(text)
        for step in pointer.split("/")[1:]:
            child = here.children.get(step.replace("~1", "/").replace("~0", "~"))
            if child is None:
                break
            here = child
        return here.line, here.column

    return locate


def _marks(text: str) -> _Mark:
    root, open_ = _Mark(1, 1), list[_Mark]()
    next_event: Callable[[], Any] = yaml.CSafeLoader(text).get_event
    while (event := next_event()) is not None:
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
        elif isinstance(event, yaml.NodeEvent):
            mark = _place(event, open_[-1] if open_ else None)
            root = root if open_ else mark
            # A mapping's key is text, so what begins here is a value: its marks go where the key's is.
            if isinstance(event, yaml.CollectionStartEvent):
                mark.is_list = isinstance(event, yaml.SequenceStartEvent)
                open_.append(mark)
    return root


def _place(event: Any, parent: _Mark | None) -> _Mark:
    if parent is not None and parent.key is not None:
        mark, parent.key = parent.key, None
        return mark
    mark = _Mark(event.start_mark.line + 1, event.start_mark.column + 1)
    if parent is not None:
        parent.children[str(len(parent.children)) if parent.is_list else event.value] = mark
        parent.key = None if parent.is_list else mark
    return mark
