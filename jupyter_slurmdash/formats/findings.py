"""What the schema engine found, in words for a person: the field, its value (shortened), and what would fit.

A schema may say what its ``pattern`` means with the keyword ``x-hint`` beside it; the message then says that
instead of a regular expression.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..errors import FieldError
from .schemasize import pointer_of

_LONGEST: Final = 80
_OPTIONS: Final = 30
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def explain(error: Any, schema: Any) -> list[FieldError]:
    """The findings behind one error of the engine; several when it names several properties."""
    words = _WORDS.get(type(error.kind).__name__)
    if words is not None:
        return words(error, schema)
    simple = _SIMPLE.get(error.kind.name)
    message = simple(error) if simple else f"{_name(error)} does not fit the schema"
    return [FieldError(pointer_of(error.instance_path), message)]


def shown(value: Any) -> str:
    """A value in a message.

    Text in quotes, a list or mapping only by its kind, nothing longer than 80 characters.
    """
    if isinstance(value, str):
        return f"'{clean(value)}'"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return clean(f"{value}"[: _LONGEST + 1])


def clean(text: str) -> str:
    """Text without control characters, cut after 80 characters."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(char if char.isprintable() else "\ufffd" for char in cut)


def listed(names: Sequence[Any]) -> str:
    """``a, b, c``, cut after thirty."""
    some = [clean(name) if isinstance(name, str) else shown(name) for name in names[:_OPTIONS]]
    return ", ".join(some + (["…"] if len(names) > _OPTIONS else []))


def _name(error: Any) -> str:
    path = error.instance_path
    if not path:
        return "The value"
    if isinstance(path[-1], str):
        return clean(path[-1])
    parent = next((clean(step) for step in reversed(path) if isinstance(step, str)), "the list")
    return f"Entry {path[-1] + 1} of {parent}"


def _count(error: Any, unit: str, bound: str) -> str:
    one, many = unit.split("|")
    number = len(error.instance)
    return f"{_name(error)} has {number} {one if number == 1 else many}, {bound} {error.kind.value}"


def _must(error: Any, words: str) -> str:
    return f"{_name(error)} is {shown(error.instance)}, {words}"


def _type(error: Any) -> str:
    types = error.kind.types
    message = _must(error, "must be " + " or ".join(_TYPES.get(one, one) for one in types))
    quotable = "string" in types and isinstance(error.instance, bool | int | float)
    return message + " (write it in quotes)" if quotable else message


def _min_length(error: Any) -> str:
    return (
        f"{_name(error)} is empty"
        if not error.instance
        else _count(error, "character|characters", "at least")
    )


def _few(error: Any) -> str:
    return f"{_name(error)} is empty" if not error.instance else _count(error, "entry|entries", "at least")


_SIMPLE: Final[dict[str, Callable[[Any], str]]] = {
    "type": _type,
    "enum": lambda e: f"{_name(e)} is {shown(e.instance)}; one of {listed(e.kind.options)}",
    "const": lambda e: _must(e, f"must be {shown(e.kind.expected_value)}"),
    "maximum": lambda e: _must(e, f"at most {e.kind.limit}"),
    "minimum": lambda e: _must(e, f"at least {e.kind.limit}"),
    "exclusiveMaximum": lambda e: _must(e, f"must be less than {e.kind.limit}"),
    "exclusiveMinimum": lambda e: _must(e, f"must be more than {e.kind.limit}"),
    "multipleOf": lambda e: _must(e, f"must be a multiple of {e.kind.multiple_of}"),
    "maxLength": lambda e: _count(e, "character|characters", "at most"),
    "minLength": _min_length,
    "maxItems": lambda e: _count(e, "entry|entries", "at most"),
    "minItems": _few,
    "maxProperties": lambda e: _count(e, "entry|entries", "at most"),
    "minProperties": _few,
    "uniqueItems": lambda e: f"{_name(e)} holds the same entry twice",
    "contains": lambda e: f"{_name(e)} lacks an entry of the kind it needs",
    "format": lambda e: _must(e, f"which is not a valid {e.kind.format}"),
    "not": lambda e: _must(e, "which is not allowed"),
    "falseSchema": lambda e: f"{_name(e)} is not allowed here",
}


# -- the ones that look into the schema ---------------------------------------------------------------------


def _around(error: Any, schema: Any) -> dict[str, Any]:
    """The schema object that holds the failing keyword, {} when it is one of the engine's own."""
    node = schema
    for step in error.schema_path[:-1]:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return node if isinstance(node, dict) else {}


def _pattern(error: Any, schema: Any) -> list[FieldError]:
    hint = _around(error, schema).get("x-hint") or f"it must match {clean(error.kind.pattern)}"
    message = f"{_name(error)} is {shown(error.instance)}; {hint}"
    return [FieldError(pointer_of(error.instance_path), message)]


def _required(error: Any, schema: Any) -> list[FieldError]:
    name = error.kind.property
    return [FieldError(pointer_of([*error.instance_path, name]), f"{clean(name)} is required")]


def _unexpected(error: Any, schema: Any) -> list[FieldError]:
    known = list(_around(error, schema).get("properties", ()))
    hint = f"; known: {listed(known)}" if known else ""
    return [
        FieldError(pointer_of([*error.instance_path, name]), f"'{clean(name)}' is not known here{hint}")
        for name in error.kind.unexpected
    ]


def _property_names(error: Any, schema: Any) -> list[FieldError]:
    inner = error.kind.error
    hint = _around(inner, schema).get("x-hint")
    message = f"The name {shown(inner.instance)} is not allowed" + (f"; {hint}" if hint else "")
    step = [inner.instance] if isinstance(inner.instance, str) else []
    return [FieldError(pointer_of([*error.instance_path, *step]), message)]


def _alternatives(error: Any, schema: Any) -> list[FieldError]:
    """Of several forms, the one that was most likely meant: the first that fits at least by its type."""
    branches = [branch for branch in error.kind.context if branch]
    here = error.instance_path
    meant = [b for b in branches if not any(e.kind.name == "type" and e.instance_path == here for e in b)]
    if meant:
        return [finding for inner in meant[0] for finding in explain(inner, schema)]
    types = list(dict.fromkeys(t for b in branches for e in b if e.kind.name == "type" for t in e.kind.types))
    words = " or ".join(_TYPES.get(one, one) for one in types) or "of another form"
    return [FieldError(pointer_of(here), _must(error, f"must be {words}"))]


def _too_many(error: Any, schema: Any) -> list[FieldError]:
    return [
        FieldError(
            pointer_of(error.instance_path), f"{_name(error)} fits several forms; it must fit only one"
        )
    ]


_WORDS: Final[dict[str, Callable[[Any, Any], list[FieldError]]]] = {
    "Pattern": _pattern,
    "Required": _required,
    "AdditionalProperties": _unexpected,
    "UnevaluatedProperties": _unexpected,
    "PropertyNames": _property_names,
    "AnyOf": _alternatives,
    "OneOfNotValid": _alternatives,
    "OneOfMultipleValid": _too_many,
}
