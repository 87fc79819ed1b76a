"""What can be wrong in a template that its JSON Schema cannot say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..errors import FieldError
from ..formats.jsonschema import Schema
from ..formats.schemasize import MAX_PATTERNS, MAX_WEIGHT, SchemaProblem, measure, pointer_of
from .rules import not_finite, read_bind, reserved
from .slots import Files, Path


def faults(data: Mapping[str, Any], found: Files, known_checks: Collection[str]) -> Iterator[FieldError]:
    """What is wrong in data that fits the template schema: names, binds, patterns, schemas, checks.

    ``found`` are the data's files.
    """
    yield from found.errors
    yield from _names(data, found)
    yield from _schemas(data, found)
    for index, bind in enumerate(data.get("apptainer", {}).get("bind", ())):
        yield from _bind(bind, ("apptainer", "bind", index))
    yield from _checks(data, found, known_checks)


def _bind(text: str, place: Path) -> Iterator[FieldError]:
    try:
        read_bind(text)
    except ValueError as error:
        yield FieldError(pointer_of(place), str(error))


def _names(data: Mapping[str, Any], found: Files) -> Iterator[FieldError]:
    named: list[tuple[str, Path]] = [
        (slot.name, (*place, "name")) for slot, place in zip(found.slots, found.places, strict=True)
    ]
    slots = {name.upper() for name, _ in named}
    parameters: dict[str, str] = {}
    for name in (data.get("parameters") or {}).get("properties", {}):
        place = ("parameters", "properties", name)
        named.append((name, place))
        if name.upper() in slots or name.upper() in parameters:
            other = parameters.get(name.upper(), "a file")
            yield FieldError(pointer_of(place), f"{name!r} would become the same variable as {other}")
        parameters[name.upper()] = repr(name)
    for name, where in named:
        if reserved(name):
            yield FieldError(
                pointer_of(where), f"{name!r} would become {name.upper()}, a variable of the system"
            )


def _schemas(data: Mapping[str, Any], found: Files) -> Iterator[FieldError]:
    schemas: list[tuple[Mapping[str, Any], Path]] = [
        (slot.schema, (*place, "schema"))
        for slot, place in zip(found.slots, found.places, strict=True)
        if slot.schema is not None
    ]
    if "parameters" in data:
        schemas.append((data["parameters"], ("parameters",)))
    weight = patterns = 0
    for schema, place in schemas:
        # Only here may numbers stand that are not whole.
        yield from not_finite(schema, place)
        try:
            size = measure(schema)
            weight, patterns = weight + size.weight, patterns + size.patterns
            if weight > MAX_WEIGHT or patterns > MAX_PATTERNS:
                yield FieldError(
                    pointer_of(place), "The schemas of this template ask for too much work together"
                )
                return
            compiled = Schema(schema, size)
        except SchemaProblem as error:
            yield FieldError(pointer_of(place) + error.pointer, error.message)
            continue
        if place == ("parameters",):
            yield from _defaults(schema, compiled)


def _defaults(parameters: Mapping[str, Any], compiled: Schema) -> Iterator[FieldError]:
    defaults = {
        name: schema["default"]
        for name, schema in parameters.get("properties", {}).items()
        if "default" in schema
    }
    for error in compiled.errors(defaults):
        name = error.pointer.split("/")[1] if error.pointer else ""
        if name in defaults:
            place = pointer_of(("parameters", "properties", name, "default"))
            yield FieldError(place, f"The default does not fit: {error.message}")


def _checks(data: Mapping[str, Any], found: Files, known: Collection[str]) -> Iterator[FieldError]:
    named: list[tuple[str, Path]] = [
        (name, ("validation", moment, index))
        for moment in ("pre_submit", "post_submit")
        for index, name in enumerate(data.get("validation", {}).get(moment, ()))
    ]
    for slot, place in zip(found.slots, found.places, strict=True):
        if slot.validation:
            named.append((slot.validation, (*place, "validation")))
    for name, where in named:
        if name not in known:
            yield FieldError(
                pointer_of(where),
                f"The check {name!r} is not known; known: {', '.join(sorted(known)) or 'none'}",
            )
