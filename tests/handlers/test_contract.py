"""openapi.yaml at work."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.handlers.contract import METHODS, Contract, contract

OPERATIONS = [
    (path, method, operation)
    for path, verbs in contract().operations.items()
    for method, operation in verbs.items()
]


def small(**item: Any) -> Contract:
    """A contract with one operation, GET /x."""
    operation = {"operationId": "x", "x-resource": "jobs", "x-action": "read", **item}
    parameters = {
        "Limit": {"$ref": "#/components/parameters/Real"},
        "Real": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 7}},
    }
    return Contract(
        {"paths": {"/x": {"get": operation}}, "components": {"schemas": {}, "parameters": parameters}}
    )


def test_every_operation_has_a_name_of_its_own() -> None:
    ids = [operation.id for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(operation.resource.startswith("slurmdash:") for _, _, operation in OPERATIONS)


def test_reading_is_reading_and_changing_is_not() -> None:
    for path, method, operation in OPERATIONS:
        if method in ("get", "head", "options"):
            assert operation.action == "read", (path, method)
        if method in ("put", "patch", "delete"):
            assert operation.action in ("write", "execute"), (path, method)


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                contract()._resolve(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(contract().document)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=lambda value: str(value)[:60])
def test_the_path_names_its_parameters(path: str, method: str, operation: Any) -> None:
    item = contract().document["paths"][path]
    parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
    named = {each["name"] for each in map(contract()._resolve, parameters) if each["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", path))
    assert method in METHODS


def test_patterns_hold_segments_apart() -> None:
    job = re.compile(Contract.pattern("/api/jobs/{id}"))
    assert (job.fullmatch("/api/jobs/12_[3-4]") or {})["id"] == "12_[3-4]"
    assert job.fullmatch("/api/jobs/1/log") is None
    assert job.fullmatch("/api/jobs/") is None
    assert job.fullmatch("/apiXjobs/1") is None
    file = re.compile(Contract.pattern("/api/jobs/{id}/files/{path}"))
    found = file.fullmatch("/api/jobs/1/files/a/b/c.txt")
    assert found is not None
    assert found.groupdict() == {"id": "1", "path": "a/b/c.txt"}


def test_a_query_gets_types_and_defaults() -> None:
    schemas = {"limit": {"$ref": "#/components/parameters/Limit"}}
    operation = small(
        parameters=[
            schemas["limit"],
            {"name": "active", "in": "query", "schema": {"type": "boolean"}},
            {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "Header", "in": "header", "schema": {"type": "string"}},
        ]
    ).operations["/x"]["get"]
    assert operation.read_query({"q": "7"}) == {"limit": 7, "active": None, "q": "7"}
    assert operation.read_query({"q": "", "limit": "3", "active": "true"}) == {
        "limit": 3,
        "active": True,
        "q": "",
    }
    for arguments, pointers in (
        ({}, ["/query/q"]),
        ({"q": "", "limit": "0"}, ["/query/limit"]),
        ({"q": "", "limit": "3.0"}, ["/query/limit"]),
        ({"q": "", "active": "yes"}, ["/query/active"]),
        ({"q": "", "Header": "x"}, ["/query/Header"]),
        ({"limit": "x", "y": "1"}, ["/query/limit", "/query/q", "/query/y"]),
    ):
        with pytest.raises(InvalidInput) as caught:
            operation.read_query(arguments)
        assert sorted(error.pointer for error in caught.value.errors) == pointers


def test_jupyters_own_parameters_are_let_through() -> None:
    arguments = {"token": "x", "no_track_activity": "1", "_xsrf": "y"}
    assert small().operations["/x"]["get"].read_query(arguments) == {}


@given(st.text())
def test_any_query_is_read_or_refused(text: str) -> None:
    operation = contract().operations["/api/jobs/{id}/log"]["get"]
    with contextlib.suppress(InvalidInput):
        values = operation.read_query({"offset": text, "limit": text})
        assert isinstance(values["offset"], int)
        assert 1 <= values["limit"] <= 1024**2


def test_a_body_is_checked_where_there_is_one() -> None:
    small().operations["/x"]["get"].check_body({"anything": 1})
    submit = contract().operations["/api/jobs/submit"]["post"]
    submit.check_body({"script": "true"})
    assert submit.body_required
    with pytest.raises(InvalidInput, match=r"^/nodes: ") as caught:
        submit.check_body({"nodes": 0})
    assert [error.pointer for error in caught.value.errors] == ["/nodes"]
    with pytest.raises(InvalidInput) as caught:
        submit.check_body([])
    assert not caught.value.detail.startswith(":")


def test_it_is_read_once() -> None:
    assert contract() is contract()
