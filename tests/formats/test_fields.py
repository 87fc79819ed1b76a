"""Forms of JSON Schemas: the cases that the panel is held to as well, and what no case says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.formats.fieldrules import MAX_CONDITIONS, form_faults
from jupyter_slurmdash.formats.fields import FROM, Form, FormSchema, merged
from jupyter_slurmdash.formats.jsonschema import Schema
from jupyter_slurmdash.formats.schemasize import SchemaProblem
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.jobs.prepare import parameters
from jupyter_slurmdash.templates.locks import Locks, fixed_of, narrowed_of
from jupyter_slurmdash.templates.model import Template

CASES = json.loads((Path(__file__).parent / "data/fields.json").read_text(encoding="utf-8"))["cases"]
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum")


def _template(case: dict[str, Any]) -> Template:
    locks = case.get("locks", {})
    found = Locks()
    for name, each in locks.items():
        for lock in each:
            found |= Locks.from_data({"parameters": {name: lock}})
    return Template("t", "t", "T", parameters=case["schema"], locks=found)


def _form(case: dict[str, Any]) -> Form:
    locks = _template(case).locks.parameters
    given = {name: value for name, value in case["given"].items() if value is not None}
    return FormSchema(case["schema"]).resolve(given, fixed_of(locks), narrowed_of(locks))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_form_has_these_fields_with_these_bounds(case: dict[str, Any]) -> None:
    form = _form(case)
    shown = [name for name in form.fields if name not in case.get("hidden", ())]
    bounds = {n: {w: form.fields[n][w] for w in _BOUNDS if w in form.fields[n]} for n in shown}
    assert shown == list(case["fields"])
    assert bounds == case["fields"]
    assert form.required == set(case.get("required", ()))
    assert dict(form.values) == case["values"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_job_gets_the_same_values_or_the_same_errors(case: dict[str, Any]) -> None:
    spec = JobSpec(template_id="t", parameters=case["given"])
    if not case["errors"]:
        assert dict(parameters(spec, _template(case)).values) == case["values"]
        return
    with pytest.raises(InvalidInput) as caught:
        parameters(spec, _template(case))
    assert sorted({e.pointer for e in caught.value.errors}) == ["/parameters" + p for p in case["errors"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_case_is_a_good_form(case: dict[str, Any]) -> None:
    assert list(form_faults(FormSchema(case["schema"]), case["schema"])) == []


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ({"if": {"properties": {"a": {"pattern": "x"}}}}, "/if/properties/a/pattern", "cannot stand"),
        ({"allOf": [{"if": {"minProperties": 1}}]}, "/allOf/0/if/minProperties", "cannot stand"),
        ({"if": {"not": {"anyOf": [{"format": "date"}]}}}, "/if/not/anyOf/0/format", "cannot stand"),
        (
            {"properties": {"a": {"type": "integer", "x-maximum": "b"}, "b": {"type": "string"}}},
            "/properties/a/x-maximum",
            "a number: a",
        ),
        (
            {
                "properties": {"a": {"type": "integer"}},
                "if": {"required": ["a"]},
                "then": {"properties": {"a": False}},
            },
            "/properties/a",
            "in a circle",
        ),
        (
            {
                "if": {"required": ["b"]},
                "else": {"properties": {"a": {"type": "string", "default": "x"}}},
                "dependentSchemas": {"a": {"properties": {"b": {"type": "string", "default": "y"}}}},
            },
            "/else/properties/a",
            "in a circle",
        ),
        ({"allOf": [{"if": {}}] * (MAX_CONDITIONS + 1)}, "", f"at most {MAX_CONDITIONS}"),
    ],
)
def test_what_no_form_can_be_made_of(schema: dict[str, Any], pointer: str, words: str) -> None:
    (found,) = form_faults(FormSchema(schema), schema)
    assert found.pointer == pointer
    assert words in found.message


def test_a_circle_ends_in_an_error_rather_than_in_a_loop() -> None:
    schema = {
        "properties": {"a": {"type": "integer", "default": 1}},
        "if": {"required": ["a"]},
        "then": {"properties": {"a": False}},
    }
    with pytest.raises(SchemaProblem, match="circle"):
        FormSchema(schema).resolve({})


# -- whatever form there may be ------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d")
_values = st.sampled_from([0, 1, 2, 3, "x", "y", True, False])
_fields = st.one_of(
    st.just({"type": "integer"}),
    st.builds(lambda v: {"default": v}, _values),
    st.builds(lambda low, high: {"minimum": low, "maximum": high}, st.integers(0, 2), st.integers(1, 3)),
    st.builds(lambda v: {"enum": v}, st.lists(_values, min_size=1, max_size=3)),
    st.builds(lambda other: {"type": "integer", "x-maximum": other}, st.sampled_from(NAMES)),
    st.just(False),
)
_properties = st.dictionaries(st.sampled_from(NAMES), _fields, max_size=4).map(lambda p: {"properties": p})
_conditions = st.builds(
    lambda name, value, must: {
        "properties": {name: {"const": value}},
        **({"required": [name]} if must else {}),
    },
    st.sampled_from(NAMES),
    _values,
    st.booleans(),
)
_rules = st.builds(lambda c, t, e: {"if": c, "then": t, "else": e}, _conditions, _properties, _properties)
_schemas = st.builds(
    lambda base, rules, needs, more: {
        **base,
        **({"allOf": rules} if rules else {}),
        "dependentRequired": {n: sorted(set(o)) for n, o in needs.items()},
        "dependentSchemas": more,
    },
    _properties,
    st.lists(_rules, max_size=3),
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2), max_size=2),
    st.dictionaries(st.sampled_from(NAMES), _properties, max_size=1),
)


@given(schema=_schemas, values=st.dictionaries(st.sampled_from(NAMES), _values))
def test_a_good_form_settles_and_agrees_with_the_validator(schema: dict[str, Any], values: Any) -> None:
    form = FormSchema(schema)
    if list(form_faults(form, schema)):
        return
    found = form.resolve(values)
    # What counts is what was given in the fields that are there, or a default.
    for name, value in found.values.items():
        assert name in found.fields
        assert value == values.get(name, found.fields[name].get("default"))
    assert all(name in found.values for name in values if name in found.fields)
    # The merged fields say what the validator says of the whole.
    wrong = {error.pointer.split("/")[1] for error in Schema(schema).errors(found.values) if error.pointer}
    told = set()
    for name, field in found.fields.items():
        own = {word: value for word, value in field.items() if word not in FROM}
        if name in found.values and Schema(own).errors(found.values[name]):
            told.add(name)
    assert {name for name in wrong if name in found.values} == told
    assert {name for name in found.required if name not in found.values} <= wrong


@given(one=_fields.filter(bool), other=_fields.filter(bool), value=_values)
def test_a_merged_field_takes_what_both_take(one: Any, other: Any, value: Any) -> None:
    if {"type", "enum"} <= {*one, *other} and "enum" in one and "type" in other:
        return
    both = Schema(merged(one, other))
    if not both.errors(value):
        assert not Schema(one).errors(value)
        assert not Schema(other).errors(value)
