"""Schemas from strangers, and messages for people."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stopwatch import stopwatch

from jupyter_slurmdash.formats.jsonschema import Schema, SchemaProblem, measure

CONFIG = {
    "type": "object",
    "properties": {
        "learning_rate": {"type": "number", "minimum": 0.0001, "exclusiveMaximum": 1},
        "batch_size": {"type": "integer", "maximum": 1024, "multipleOf": 2},
        "optimizer": {"enum": ["adam", "sgd", "rmsprop"]},
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 3,
            "pattern": "^[a-z]*$",
            "x-hint": "letters",
        },
        "plain": {"type": "string", "pattern": "^[a-z]+$"},
        "layers": {"type": "array", "maxItems": 2, "uniqueItems": True, "items": {"type": "integer"}},
        "few": {"type": "array", "minItems": 2},
        "mode": {"const": "fast"},
        "when": {"type": "string", "format": "date"},
        "size": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "part": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/part"}]},
        "both": {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
        "free": {"exclusiveMinimum": 0},
        "no": False,
        "not": {"not": {"type": "string"}},
        "has": {"contains": {"type": "string"}},
        "words": {"propertyNames": {"pattern": "^[a-z]+$", "x-hint": "small letters"}, "maxProperties": 1},
        "some": {"minProperties": 1},
    },
    "required": ["learning_rate"],
    "additionalProperties": False,
    "$defs": {"part": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}},
}
MESSAGES = [
    ({}, "/learning_rate", "learning_rate is required"),
    ({"batch_size": 2048}, "/batch_size", "batch_size is 2048, at most 1024"),
    ({"batch_size": 3}, "/batch_size", "batch_size is 3, must be a multiple of 2"),
    ({"batch_size": "x"}, "/batch_size", "batch_size is 'x', must be a whole number"),
    ({"learning_rate": 0}, "/learning_rate", "learning_rate is 0, at least 0.0001"),
    ({"learning_rate": 1}, "/learning_rate", "learning_rate is 1, must be less than 1"),
    ({"optimizer": "foo"}, "/optimizer", "optimizer is 'foo'; one of adam, sgd, rmsprop"),
    ({"name": 5}, "/name", "name is 5, must be text (write it in quotes)"),
    ({"name": ""}, "/name", "name is empty"),
    ({"name": "abcd"}, "/name", "name has 4 characters, at most 3"),
    ({"name": "A"}, "/name", "name is 'A'; letters"),
    ({"plain": "A\nB"}, "/plain", "plain is 'A\ufffdB'; it must match ^[a-z]+$"),
    ({"layers": [1, 2, 3]}, "/layers", "layers has 3 entries, at most 2"),
    ({"layers": [1, 1]}, "/layers", "layers holds the same entry twice"),
    ({"layers": [1, "x"]}, "/layers/1", "Entry 2 of layers is 'x', must be a whole number"),
    ({"few": [1]}, "/few", "few has 1 entry, at least 2"),
    ({"few": []}, "/few", "few is empty"),
    ({"mode": None}, "/mode", "mode is null, must be 'fast'"),
    ({"when": "soon"}, None, None),
    ({"size": []}, "/size", "size is a list, must be text or a whole number"),
    ({"part": {"id": 1}}, "/part/id", "id is 1, must be text (write it in quotes)"),
    ({"part": {}}, "/part/id", "id is required"),
    ({"part": True}, "/part", "part is true, must be null or a mapping"),
    ({"both": 2}, "/both", "both fits several forms; it must fit only one"),
    ({"free": 0}, "/free", "free is 0, must be more than 0"),
    ({"no": 1}, "/no", "no is not allowed here"),
    ({"not": "x"}, "/not", "not is 'x', which is not allowed"),
    ({"has": [1]}, "/has", "has lacks an entry of the kind it needs"),
    ({"words": {"A": 1}}, "/words/A", "The name 'A' is not allowed; small letters"),
    ({"words": {"a": 1, "b": 1}}, "/words", "words has 2 entries, at most 1"),
    ({"some": {}}, "/some", "some is empty"),
    ({"batchsize": 1}, "/batchsize", "'batchsize' is not known here; known: learning_rate, batch_size,"),
    ([], "", "The value is a list, must be a mapping"),
]


@pytest.mark.parametrize(("instance", "pointer", "message"), MESSAGES)
def test_messages(instance: Any, pointer: str | None, message: str | None) -> None:
    if isinstance(instance, dict) and instance:
        instance = {"learning_rate": 0.5, **instance}
    found = Schema(CONFIG).errors(instance)
    if message is None:
        assert found == []
    else:
        assert found[0].pointer == pointer
        assert found[0].message.startswith(message)
        assert len(found) == 1


def test_messages_never_dump_the_value() -> None:
    schema = Schema(
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": list(range(100))}}}
    )
    found = schema.errors({"a": "x" * 10_000, "b": 10**2000})
    assert found[0].message == f"a is '{'x' * 79}…', must be a whole number"
    assert all(len(error.message) < 400 for error in found)


def test_formats_are_checked_where_the_draft_does() -> None:
    schema = Schema({"$schema": "http://json-schema.org/draft-07/schema#", "format": "date"})
    assert schema.errors("soon")[0].message == "The value is 'soon', which is not a valid date"


def test_limit() -> None:
    schema = Schema({"items": {"type": "string"}})
    assert len(schema.errors([1] * 100)) == 50
    assert len(schema.errors([1] * 100, limit=3)) == 3
    strict = Schema({"properties": {"x": True}, "additionalProperties": False})
    assert len(strict.errors(dict.fromkeys("abcdef"), limit=2)) == 2


def test_odd_instances_are_answered() -> None:
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    schema = Schema({"type": "object"})
    assert "nested" in schema.errors(deep)[0].message
    assert "surrogate" in schema.errors("\ud800")[0].message
    assert schema.errors({1: 2})
    assert Schema({"maximum": 3}).errors(10**400)[0].message.endswith("…, at most 3")
    assert Schema({"maxProperties": 5}).errors({str(n): n for n in range(3000)})[0].message == (
        "The value has 3000 entries, at most 5"
    )


BAD = [
    ({"type": "objet"}, "/type", "type is 'objet'; one of array, boolean"),
    ({"properties": {"a": {"maximum": "x"}}}, "/properties/a/maximum", "maximum is 'x', must be a number"),
    (5, "", "The value is 5"),
    ({"pattern": "("}, "/pattern", "'('"),
    ({"pattern": "^(?=a)b"}, "/pattern", "Look-around"),
    ({"pattern": "(a{1000}){1000}"}, "/pattern", "too large"),
    ({"pattern": "a" * 600}, "/pattern", "500 characters"),
    ({"patternProperties": {"a" * 600: True}}, "/patternProperties", "500 characters"),
    ({"properties": {str(n): {"pattern": "a"} for n in range(60)}}, "", "50 patterns"),
    ({"$ref": "http://127.0.0.1:9/x"}, "/$ref", "leads outside"),
    ({"$ref": "file:///etc/passwd"}, "/$ref", "leads outside"),
    ({"$ref": "other.json"}, "/$ref", "leads outside"),
    ({"allOf": [{"$ref": "#/nowhere"}]}, "/allOf/0/$ref", "nowhere"),
    ({"$ref": "#/allOf/7", "allOf": []}, "/$ref", "nowhere"),
    ({"$ref": "#/type/x", "type": "object"}, "/$ref", "nowhere"),
    ({"$ref": "#no"}, "/$ref", "nowhere"),
    ({"$anchor": "1 x"}, "/$anchor", "it must match ^"),
    ({"$ref": 3}, "/$ref", "$ref is 3"),
    ({"$ref": "#"}, "/$ref", "refers to itself"),
    ({"properties": {"a": {"$ref": "#"}}}, "/properties/a/$ref", "refers to itself"),
    ({"$dynamicRef": "#x"}, "/$dynamicRef", "not supported"),
    ({"properties": {"a": {"$id": "x"}}}, "/properties/a/$id", "not supported"),
    ({"$schema": "http://127.0.0.1:9/meta"}, "", "cannot be used"),
    ({1: 2}, "", "cannot be read"),
]


@pytest.mark.parametrize(("schema", "pointer", "message"), BAD)
def test_bad_schemas(schema: Any, pointer: str, message: str) -> None:
    with pytest.raises(SchemaProblem) as caught:
        Schema(schema)
    assert message in caught.value.message
    assert caught.value.pointer == pointer


def test_references_inside() -> None:
    schema = {
        "properties": {
            "a": {"$ref": "#/$defs/x~1y%20z"},
            "b": {"$ref": "#here"},
            "c": {"$ref": "#/allOf/0"},
            "d": {"$ref": "https://json-schema.org/draft/2020-12/schema"},
        },
        "allOf": [{"minProperties": 0}],
        "$defs": {"x/y z": {"type": "integer"}, "n": {"$anchor": "here", "type": "string"}},
    }
    compiled = Schema(schema)
    assert compiled.errors({"a": 1, "b": "x", "d": {"type": "object"}}) == []
    assert [error.pointer for error in compiled.errors({"a": "x", "b": 1, "d": {"type": "objet"}})] == [
        "/a",
        "/b",
        "/d/type",
    ]


def test_work_bombs_are_refused() -> None:
    doubled: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    doubled["d30"] = {"type": "integer"}
    with pytest.raises(SchemaProblem, match="steps"):
        Schema({"$ref": "#/$defs/d0", "$defs": doubled})
    chain: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(5000)}
    with pytest.raises(SchemaProblem, match="deeply"):
        Schema({"$ref": "#/$defs/d0", "$defs": {**chain, "d5000": True}})
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"not": deep}
    with pytest.raises(SchemaProblem, match="deeply"):
        Schema(deep)
    assert measure({"properties": {"a": {"pattern": "a"}, "b": True}}).patterns == 1


@pytest.mark.parametrize("pattern", ["^(a|a)*$", "^(a+)+$", "^(a|aa)+$", "(.*)*x"])
def test_patterns_are_linear(pattern: str) -> None:
    with stopwatch() as watch:
        assert Schema({"pattern": pattern}).errors("a" * 31 + "b")
        Schema({"pattern": pattern}).errors("a" * 100_000 + "b")
    assert watch.seconds < 0.2


def test_a_million_errors_are_not_collected() -> None:
    schema = Schema({"items": {"type": "string"}})
    with stopwatch() as watch:
        assert schema.errors([1] * 1_000_000)[0].pointer == "/0"
    assert watch.seconds < 1


def test_nothing_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/schema.json"
        for schema in (
            {"$ref": url},
            {"$schema": url},
            {"$id": url, "$ref": "other.json"},
            {"$id": url, "allOf": [{"$ref": url + "#/x"}]},
            {"$dynamicRef": url},
            {"properties": {"a": {"$ref": url}}},
            {"unknown": {"$ref": url}, "$ref": "#/unknown"},
        ):
            with pytest.raises(SchemaProblem):
                Schema(schema)
        with pytest.raises(TimeoutError):
            trap.accept()


SCHEMAS = st.recursive(
    st.booleans() | st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["#", "#/a", "object"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "$ref",
                    "$id",
                    "$anchor",
                    "allOf",
                    "properties",
                    "items",
                    "$defs",
                    "a",
                    "pattern",
                    "enum",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(SCHEMAS, SCHEMAS)
@settings(max_examples=300, deadline=None)
def test_any_schema_compiles_or_is_a_problem(schema: Any, instance: Any) -> None:
    try:
        compiled = Schema(schema)
    except SchemaProblem as problem:
        words = problem.message
    else:
        words = "sound"
        assert all(error.message for error in compiled.errors(instance))
    assert words
