"""What a form cannot be made of, though it is good JSON Schema: conditions that a browser cannot decide quickly, fields
that depend on each other in a circle, bounds from a field that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..errors import FieldError
from .fields import FROM, LISTS, Declared, FormSchema, followed
from .findings import clean, listed
from .schemasize import pointer_of

# What a condition may look at: each is decided in the browser at every keystroke, without regular expressions.
_CONDITION: Final = frozenset(
    (
        *("type", "const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minLength", "maxLength", "required", "properties", "not", "$ref", *LISTS),
        *("title", "description", "$comment"),
    )
)
_WORDS: Final = "It may use properties, required, const, enum, type, limits, not, allOf, anyOf and oneOf"
_DEEPEST: Final = 40
# Each may settle after another one, so that all of them may be looked at as many times as there are.
MAX_CONDITIONS: Final = 100

Path = tuple[str | int, ...]


def form_faults(form: FormSchema, schema: Mapping[str, Any]) -> Iterator[FieldError]:
    """Pointers lead into ``schema``."""
    yield from _bounds(form)
    if form.is_plain:
        return
    count = sum(1 for _ in _rules(schema, 0))
    if count > MAX_CONDITIONS:
        yield FieldError("", f"The form has {count} conditions; at most {MAX_CONDITIONS} are followed")
        return
    yield from _conditions(schema, schema, ())
    yield from _circles(form)


def _rules(schema: Any, depth: int) -> Iterator[None]:
    """One for each condition, wherever it stands."""
    if depth > _DEEPEST:
        return
    if isinstance(schema, list):
        for each in schema:
            yield from _rules(each, depth + 1)
    if isinstance(schema, Mapping):
        yield from (None for word in ("if", "dependentSchemas") if word in schema)
        for each in schema.values():
            yield from _rules(each, depth + 1)


def _conditions(root: Mapping[str, Any], schema: Any, place: Path) -> Iterator[FieldError]:
    if not isinstance(schema, Mapping) or len(place) > _DEEPEST:
        return
    if "if" in schema:
        yield from _condition(root, schema["if"], (*place, "if"))
        for word in ("then", "else"):
            yield from _conditions(root, schema.get(word), (*place, word))
    for at, each in enumerate(schema.get("allOf", ()) if isinstance(schema.get("allOf"), list) else ()):
        yield from _conditions(root, each, (*place, "allOf", at))
    dependent = schema.get("dependentSchemas")
    for name, each in dependent.items() if isinstance(dependent, Mapping) else ():
        yield from _conditions(root, each, (*place, "dependentSchemas", name))


def _condition(root: Mapping[str, Any], condition: Any, place: Path) -> Iterator[FieldError]:
    if not isinstance(condition, Mapping) or len(place) > _DEEPEST:
        return
    for word in condition:
        if word not in _CONDITION:
            yield FieldError(
                pointer_of((*place, word)),
                f"'{clean(str(word))}' cannot stand in the condition of a form. {_WORDS}",
            )
    condition = followed(root, condition)
    properties = condition.get("properties")
    inner = list(properties.items()) if isinstance(properties, Mapping) else []
    yield from (
        found for name, each in inner for found in _condition(root, each, (*place, "properties", name))
    )
    yield from _condition(root, condition.get("not"), (*place, "not"))
    for word in LISTS:
        parts = condition.get(word)
        for at, each in enumerate(parts if isinstance(parts, list) else ()):
            yield from _condition(root, each, (*place, word, at))


def _bounds(form: FormSchema) -> Iterator[FieldError]:
    names = form.names
    numeric = [name for name, field in names.items() if field.get("type") in ("integer", "number")]
    for each in form.declared:
        for word in FROM if isinstance(each.schema, Mapping) else ():
            other = each.schema.get(word)
            if other is not None and other not in numeric:
                message = (
                    f"{word} names another parameter that is a number: {listed(numeric) or 'there is none'}"
                )
                yield FieldError(pointer_of((*each.place, word)), message)


def _circles(form: FormSchema) -> Iterator[FieldError]:
    """Fields whose being there, or whose default, depends on itself."""
    always = {each.name for each in form.declared if not each.depends and isinstance(each.schema, Mapping)}
    needs: dict[str, set[str]] = {}
    for each in form.declared:
        if _decides(each, always):
            needs.setdefault(each.name, set()).update(each.depends)
    for each in form.declared:
        if each.name in needs and _leads_to(each.name, needs):
            yield FieldError(
                pointer_of(each.place), f"Whether {clean(each.name)} is there depends on itself, in a circle"
            )
            return


def _decides(each: Declared, always: set[str]) -> bool:
    """Does this place decide whether the field is there, or what it is by default?"""
    if not each.depends:
        return False
    return not isinstance(each.schema, Mapping) or each.name not in always or "default" in each.schema


def _leads_to(name: str, needs: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(needs[name])
    while waiting:
        other = waiting.pop()
        if other == name:
            return True
        if other not in seen:
            seen.add(other)
            waiting.extend(needs.get(other, ()))
    return False
