"""How much work a JSON Schema asks for, found out before anything is compiled.

A schema of a few hundred bytes can ask for 2**30 steps (``allOf`` with the same ``$ref`` twice, thirty
levels deep), and the engine cannot be interrupted. So references are followed here first: only inside the
schema, never in a circle, and the number of subschemas that one value may meet is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

MAX_WEIGHT: Final = 50_000
MAX_PATTERNS: Final = 50
MAX_PATTERN_LENGTH: Final = 500
MAX_SCHEMA_DEPTH: Final = 100

# Where JSON Schema (drafts 4 to 2020-12) holds subschemas: by name, in a list, alone.
_BY_NAME: Final = frozenset(("properties", "patternProperties", "dependentSchemas", "dependencies"))
_SHELVES: Final = frozenset(("$defs", "definitions"))
_IN_LIST: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))
_ALONE: Final = frozenset(
    (
        *("not", "if", "then", "else", "items", "additionalItems", "unevaluatedItems", "contains"),
        *("additionalProperties", "unevaluatedProperties", "propertyNames", "contentSchema"),
    )
)
# All other words cost nothing of their own.
_WEIGHED: Final = (
    _BY_NAME
    | _SHELVES
    | _IN_LIST
    | _ALONE
    | {"$ref", "$dynamicRef", "$recursiveRef", "$id", "pattern", "patternProperties"}
)
# The drafts' own schemas come with the engine; nothing is fetched for them.
_BUILT_IN: Final = ("https://json-schema.org/draft/", "http://json-schema.org/draft-")
_BUILT_IN_WEIGHT: Final = 500


class SchemaProblem(ValueError):
    """The schema itself is not valid; ``pointer`` (RFC 6901) leads to the fault inside it."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message, self.pointer = message, pointer


@dataclass(frozen=True)
class Size:
    """``weight``: subschemas that one value may meet, references followed.

    ``patterns``: regular expressions.
    """

    weight: int
    patterns: int


def pointer_of(path: tuple[str | int, ...] | list[str | int]) -> str:
    """A path of keys and indexes as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def measure(schema: Any) -> Size:
    """The size of ``schema``.

    Raises SchemaProblem when it refers outside or to itself, or is out of bounds.
    """
    walk = _Walk(schema)
    weight = walk.visit(schema, ())
    if weight > MAX_WEIGHT:
        raise SchemaProblem(f"The schema asks for more than {MAX_WEIGHT} steps per value; make it simpler.")
    if walk.patterns > MAX_PATTERNS:
        raise SchemaProblem(f"The schema has more than {MAX_PATTERNS} patterns.")
    return Size(weight, walk.patterns)


Path = tuple[str | int, ...]


@dataclass
class _Walk:
    root: Any
    patterns: int = 0
    _weights: dict[int, int] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)
    _anchors: dict[str, Any] | None = None

    def visit(self, node: Any, path: Path, depth: int = 0) -> int:
        """The weight of the schema ``node``; a schema that was met before is not walked again."""
        if not isinstance(node, Mapping):
            return 1
        known = self._weights.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise SchemaProblem("A schema that refers to itself is not supported.", pointer_of(path))
        if depth > MAX_SCHEMA_DEPTH:
            raise SchemaProblem("The schema is nested too deeply.", pointer_of(path))
        self._open.add(id(node))
        weight = 1
        for word, value in node.items():
            if word in _WEIGHED:
                weight += self._keyword(word, value, path, depth)
        self._open.discard(id(node))
        self._weights[id(node)] = weight
        return weight

    def _keyword(self, word: str, value: Any, path: Path, depth: int) -> int:
        here = (*path, word)
        if word == "$ref":
            return self._reference(value, here, depth)
        if word in ("$dynamicRef", "$recursiveRef") or (word == "$id" and path):
            raise SchemaProblem(
                f"{word} is not supported here; use $ref with #/$defs/name.", pointer_of(here)
            )
        if word == "pattern":
            self._pattern(value, here)
        if word == "patternProperties" and isinstance(value, Mapping):
            for pattern in value:
                self._pattern(pattern, here)
        if word in _BY_NAME and isinstance(value, Mapping):
            return sum(self.visit(sub, (*here, name), depth + 1) for name, sub in value.items())
        if word in _SHELVES and isinstance(value, Mapping):
            for name, sub in value.items():
                self.visit(sub, (*here, name), depth + 1)
            return 0
        if word in _IN_LIST and isinstance(value, list):
            return sum(self.visit(sub, (*here, index), depth + 1) for index, sub in enumerate(value))
        return self.visit(value, here, depth + 1) if word in _ALONE else 0

    def _pattern(self, pattern: Any, path: Path) -> None:
        self.patterns += 1
        if isinstance(pattern, str) and len(pattern) > MAX_PATTERN_LENGTH:
            raise SchemaProblem(
                f"A pattern may have at most {MAX_PATTERN_LENGTH} characters.", pointer_of(path)
            )

    def _reference(self, target: Any, path: Path, depth: int) -> int:
        if not isinstance(target, str):
            return 1  # the engine says what is wrong with it
        if target.startswith(_BUILT_IN):
            return _BUILT_IN_WEIGHT
        if not target.startswith("#"):
            raise SchemaProblem(
                f"The reference {target[:80]!r} leads outside; only ones like #/$defs/name are followed.",
                pointer_of(path),
            )
        found = self._find(unquote(target[1:]))
        if found is None:
            raise SchemaProblem(f"The reference {target[:80]!r} leads nowhere.", pointer_of(path))
        return self.visit(found, path, depth + 1)

    def _find(self, fragment: str) -> Any:
        if fragment and not fragment.startswith("/"):
            return self._anchor(fragment)
        node = self.root
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping):
                node = node.get(name)
            elif isinstance(node, list) and name.isdecimal() and len(name) < 7 and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node

    def _anchor(self, name: str) -> Any:
        if self._anchors is None:
            self._anchors = {}
            heap = [self.root]
            while heap:
                node = heap.pop()
                if isinstance(node, Mapping):
                    if isinstance(node.get("$anchor"), str):
                        self._anchors.setdefault(node["$anchor"], node)
                    heap.extend(node.values())
                elif isinstance(node, list):
                    heap.extend(node)
        return self._anchors.get(name)
