"""What can be wrong in a template that its JSON Schema cannot say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ..errors import FieldError
from ..formats.fieldrules import form_faults
from ..formats.fields import BRANCHES, FormSchema
from ..formats.jsonschema import Schema
from ..formats.schemasize import MAX_PATTERNS, MAX_WEIGHT, SchemaProblem, measure, pointer_of
from .locks import Locks, fixed_of, lock_faults, refusals
from .rules import is_variable, not_finite, read_bind, reserved
from .slots import Files, Path

_SCALARS: Final = frozenset(("string", "number", "integer", "boolean", "null"))
# Of a form's schema: it is walked anew at every keystroke.
_FORM_WEIGHT: Final = 5_000


def faults(data: Mapping[str, Any], found: Files, known_checks: Collection[str]) -> Iterator[FieldError]:
    """What is wrong in data that fits the template schema: names, binds, patterns, schemas, checks.

    ``found`` are the data's files.
    """
    form = _form_of(data)
    yield from found.errors
    yield from _names(form, found)
    yield from _schemas(data, found, form)
    for index, bind in enumerate(data.get("apptainer", {}).get("bind", ())):
        yield from _bind(bind, ("apptainer", "bind", index))
    yield from _locks(data, form)
    yield from _checks(data, found, known_checks)


def _bind(text: str, place: Path) -> Iterator[FieldError]:
    try:
        read_bind(text)
    except ValueError as error:
        yield FieldError(pointer_of(place), str(error))


def _names(form: FormSchema, found: Files) -> Iterator[FieldError]:
    named: list[tuple[str, Path]] = [
        (slot.name, (*place, "name")) for slot, place in zip(found.slots, found.places, strict=True)
    ]
    slots = {name.upper() for name, _ in named}
    parameters: dict[str, str] = {}
    for each in form.declared:
        place = ("parameters", *each.place)
        named.append((each.name, place))
        former = parameters.setdefault(each.name.upper(), each.name)
        if each.name.upper() in slots or former != each.name:
            other = "a file" if each.name.upper() in slots else repr(former)
            yield FieldError(pointer_of(place), f"{each.name!r} would become the same variable as {other}")
    for name, where in named:
        if reserved(name):
            yield FieldError(
                pointer_of(where), f"{name!r} would become {name.upper()}, a variable of the system"
            )
        elif not is_variable(name):
            yield FieldError(
                pointer_of(where), f"{name!r} cannot be a variable of the job; use letters, digits and '_'"
            )


def _form_of(data: Mapping[str, Any]) -> FormSchema:
    """The form of the parameters; an empty one where there is none, or where walking it would take too long."""
    schema = data.get("parameters") or {}
    try:
        walked = not BRANCHES & schema.keys() or measure(schema).weight <= _FORM_WEIGHT
        return FormSchema(schema if walked else {})
    except SchemaProblem:
        return FormSchema({})  # told where it stands


def _schemas(data: Mapping[str, Any], found: Files, form: FormSchema) -> Iterator[FieldError]:
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
            if place == ("parameters",) and size.weight > _FORM_WEIGHT:
                yield FieldError(pointer_of(place), "The parameters ask for too much work; make them simpler")
                return
            compiled = Schema(schema, size)
        except SchemaProblem as error:
            yield FieldError(pointer_of(place) + error.pointer, error.message)
            continue
        if place == ("parameters",):
            yield from _parameters(schema, compiled, form)


def _parameters(schema: Mapping[str, Any], compiled: Schema, form: FormSchema) -> Iterator[FieldError]:
    """What a form cannot be made of, and defaults that do not fit."""
    place = ("parameters",)
    found = [*form_faults(form, schema), *_types(form)]
    for fault in found:
        yield FieldError(pointer_of(place) + fault.pointer, fault.message)
    if found:
        return
    if form.is_plain:
        values = {name: field["default"] for name, field in form.names.items() if "default" in field}
    else:
        values = dict(form.resolve({}).values)
    wrong = {error.pointer.split("/")[1]: error for error in compiled.errors(values) if error.pointer}
    told: set[str] = set()
    for each in form.declared:
        if not isinstance(each.schema, Mapping) or "default" not in each.schema:
            continue
        where = pointer_of((*place, *each.place, "default"))
        if each.name in wrong and each.name in values and each.name not in told:
            told.add(each.name)
            yield FieldError(where, f"The default does not fit: {wrong[each.name].message}")
        elif each.depends:
            own = {"properties": {each.name: each.schema}, "$defs": schema.get("$defs", {})}
            for error in Schema(own).errors({each.name: each.schema["default"]}):
                yield FieldError(where, f"The default does not fit: {error.message}")


def _types(form: FormSchema) -> Iterator[FieldError]:
    """A value becomes a variable of the job, so it is one word or number wherever it is declared."""
    for each in form.declared:
        kind = each.schema.get("type") if isinstance(each.schema, Mapping) else None
        if not {kind} <= _SCALARS if isinstance(kind, str) else not set(kind or ()) <= _SCALARS:
            yield FieldError(
                pointer_of((*each.place, "type")),
                f"The type of {each.name} is one of {', '.join(sorted(_SCALARS))}",
            )


def _locks(data: Mapping[str, Any], form: FormSchema) -> Iterator[FieldError]:
    given = data.get("locks")
    if not given:
        return
    yield from not_finite(given, ("locks",))
    yield from lock_faults(given, ("locks",))
    names = form.names
    locks = Locks.from_data(given).parameters
    for name in locks:
        if name not in names:
            known = f"; known: {', '.join(names)}" if names else ""
            yield FieldError(
                pointer_of(("locks", "parameters", name)), f"There is no parameter {name!r}{known}"
            )
    fixed = {name: value for name, value in fixed_of(locks).items() if name in names}
    for name, value in fixed.items():
        try:
            own = {"properties": {name: names[name]}, "$defs": (data["parameters"]).get("$defs", {})}
            errors = Schema(own).errors({name: value})
        except SchemaProblem:
            return  # told where it stands
        for error in errors:
            yield FieldError(pointer_of(("locks", "parameters", name, "fixed")), error.message)
    defaults = {
        name: field["default"] for name, field in names.items() if "default" in field and name not in fixed
    }
    for error in refusals(locks, {}, defaults, defaults):
        name = error.pointer.split("/")[1]
        yield FieldError(
            pointer_of(("locks", "parameters", name)), f"The default does not fit: {error.message}"
        )


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
