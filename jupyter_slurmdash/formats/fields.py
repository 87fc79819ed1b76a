"""The form that a JSON Schema makes: which fields are there for the values so far, with which bounds.

What a schema says with ``if``/``then``/``else``, ``allOf``, ``dependentSchemas`` and ``dependentRequired`` is followed:
a field is there when a schema that applies declares it and none that applies says ``false`` to it. ``x-maximum`` and
``x-minimum`` name another field whose value is the bound. ``schemafields.ts`` of the panel does the same in the
browser; ``tests/formats/data/fields.json`` holds both to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..errors import FieldError
from .findings import clean, shown
from .jsonschema import Schema
from .schemasize import SchemaProblem, pointer_of

# Of two bounds the narrower one counts.
_LARGER: Final = ("minimum", "exclusiveMinimum", "minLength")
_SMALLER: Final = ("maximum", "exclusiveMaximum", "maxLength")
# Ours: the name of the field that bounds this one.
FROM: Final = {"x-minimum": "minimum", "x-maximum": "maximum"}
LISTS: Final = ("allOf", "anyOf", "oneOf")
BRANCHES: Final = frozenset(("$ref", "allOf", "if", "dependentSchemas"))
_DEEPEST: Final = 40

Property = Mapping[str, Any]
Path = tuple[str | int, ...]


class Declared(NamedTuple):
    """Where a schema declares a field, and the names of those that decide whether this counts."""

    name: str
    schema: Any
    place: Path
    depends: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Form:
    """``fields`` that are there, each with all that applies to it; ``values`` that count, given or by default."""

    fields: Mapping[str, Property]
    required: frozenset[str]
    values: Mapping[str, Any]

    def errors(self) -> Iterator[FieldError]:
        """Values beyond a bound that another field's value is."""
        for name, field in self.fields.items():
            value = self.values.get(name)
            for word, bound in FROM.items():
                other = field.get(word)
                limit = self.values.get(other) if isinstance(other, str) else None
                if _is_number(value) and _is_number(limit) and _beyond(bound, value, limit):
                    words = "at most" if bound == "maximum" else "at least"
                    message = f"{clean(name)} is {shown(value)}, {words} {shown(limit)} ({clean(str(other))})"
                    yield FieldError(pointer_of((name,)), message)


class FormSchema:
    """The form of one JSON Schema of type object. Raises SchemaProblem for a condition that is no schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._conditions: dict[int, Schema] = {}
        self.declared = tuple(_declared(schema, schema, (), frozenset()))

    @property
    def is_plain(self) -> bool:
        """Whether every field is always there, as it stands."""
        return not BRANCHES & self._schema.keys()

    @property
    def names(self) -> dict[str, Property]:
        """Every field that may be there, with its first schema, in the order of the form."""
        found: dict[str, Property] = {}
        for each in self.declared:
            if isinstance(each.schema, Mapping):
                found.setdefault(each.name, self._followed(each.schema))
        return found

    def resolve(
        self,
        given: Mapping[str, Any],
        fixed: Mapping[str, Any] | None = None,
        narrowed: Mapping[str, Property] | None = None,
    ) -> Form:
        """The form for the values given so far; of ``given`` only what stands in a field that is there counts.

        ``fixed`` values win over given ones, ``narrowed`` holds more bounds by field. Raises SchemaProblem for fields
        that depend on each other in a circle.
        """
        values: dict[str, Any] = {}
        order = list(self.names)
        # Each round settles at least the fields that depend only on settled ones.
        for _ in range(len(order) + 2):
            fields, required = self._applying(values)
            for name, more in (narrowed or {}).items():
                if name in fields:
                    fields[name] = merged(fields[name], more)
            there = {name: fields[name] for name in order if name in fields}
            found = {
                **{n: f["default"] for n, f in there.items() if "default" in f},
                **given,
                **(fixed or {}),
            }
            counted = {name: found[name] for name in there if found.get(name) is not None}
            if counted == values:
                return Form(there, frozenset(required & there.keys()), values)
            values = counted
        raise SchemaProblem("The parameters depend on each other in a circle.")

    def _applying(self, values: Mapping[str, Any]) -> tuple[dict[str, Property], set[str]]:
        fields: dict[str, Property] = {}
        hidden: set[str] = set()
        required: set[str] = set()
        for schema in self._branches(self._schema, values):
            required.update(_names(schema.get("required")))
            for name, needs in _mapping(schema.get("dependentRequired")).items():
                required.update(_names(needs) if name in values else ())
            for name, field in _mapping(schema.get("properties")).items():
                if field is False:
                    hidden.add(name)
                elif isinstance(field, Mapping):
                    fields[name] = merged(fields.get(name, {}), self._followed(field))
        return {name: field for name, field in fields.items() if name not in hidden}, required

    def _branches(self, schema: Any, values: Mapping[str, Any]) -> Iterator[Property]:
        """The schemas that apply to ``values`` as a whole."""
        if not isinstance(schema, Mapping):
            return
        schema = self._followed(schema)
        yield schema
        for each in _list(schema.get("allOf")):
            yield from self._branches(each, values)
        if "if" in schema:
            yield from self._branches(
                schema.get("then" if self._holds(schema["if"], values) else "else"), values
            )
        for name, each in _mapping(schema.get("dependentSchemas")).items():
            if name in values:
                yield from self._branches(each, values)

    def _holds(self, condition: Any, values: Mapping[str, Any]) -> bool:
        known = self._conditions.get(id(condition))
        if known is None:
            whole = condition
            if isinstance(condition, Mapping) and "$defs" in self._schema:
                whole = {**condition, "$defs": self._schema["$defs"]}
            known = self._conditions[id(condition)] = Schema(whole)
        return not known.errors(dict(values), 1)

    def _followed(self, schema: Property) -> Property:
        return followed(self._schema, schema)


def followed(root: Mapping[str, Any], schema: Property) -> Property:
    """``schema`` with what its ``$ref`` (``#/$defs/name``) says; its own words go before."""
    for _ in range(8):
        target = schema.get("$ref")
        if not isinstance(target, str) or not target.startswith("#/$defs/"):
            break
        found = _mapping(root.get("$defs")).get(target.removeprefix("#/$defs/"))
        schema = {**_mapping(found), **{word: value for word, value in schema.items() if word != "$ref"}}
    return schema


def merged(field: Property, more: Property) -> dict[str, Any]:
    """Both schemas of one field as one: the narrower bounds, the later words and default."""
    found = dict(field)
    for word, value in more.items():
        former = field.get(word)
        if word in _LARGER and _is_number(former) and _is_number(value):
            found[word] = max(former, value)
        elif word in _SMALLER and _is_number(former) and _is_number(value):
            found[word] = min(former, value)
        elif word == "enum" and isinstance(former, list) and isinstance(value, list):
            found[word] = [each for each in former if each in value]
        elif word not in ("type", "pattern", "multipleOf") or word not in field:
            found[word] = value
    return found


def _declared(root: Property, schema: Any, place: Path, depends: frozenset[str]) -> Iterator[Declared]:
    """Every field of every branch, in the order of the form."""
    if not isinstance(schema, Mapping) or len(place) > _DEEPEST:
        return
    schema = followed(root, schema)
    for name, field in _mapping(schema.get("properties")).items():
        yield Declared(name, field, (*place, "properties", name), depends)
    for at, each in enumerate(_list(schema.get("allOf"))):
        yield from _declared(root, each, (*place, "allOf", at), depends)
    asked = frozenset(asks_of(root, schema.get("if")))
    for word in ("then", "else"):
        if "if" in schema:
            yield from _declared(root, schema.get(word), (*place, word), depends | asked)
    for name, each in _mapping(schema.get("dependentSchemas")).items():
        yield from _declared(root, each, (*place, "dependentSchemas", name), depends | {name})


def asks_of(root: Property, condition: Any, depth: int = 0) -> Iterator[str]:
    """The fields that a condition looks at."""
    if not isinstance(condition, Mapping) or depth > _DEEPEST:
        return
    condition = followed(root, condition)
    yield from _mapping(condition.get("properties"))
    yield from _names(condition.get("required"))
    for each in (condition.get("not"), *(part for word in LISTS for part in _list(condition.get(word)))):
        yield from asks_of(root, each, depth + 1)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _beyond(bound: str, value: Any, limit: Any) -> bool:
    return bool(value > limit if bound == "maximum" else value < limit)
