"""What an HTTP answer must look like, by the contract."""

from __future__ import annotations

from typing import Any

from live import Answer

from jupyter_slurmdash.handlers.contract import contract


def problem_of(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem document, after a look at its shape."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    schema = contract().schema(contract().document["components"]["schemas"]["Problem"])
    assert schema.errors(problem) == []
    assert (problem["status"], problem["type"]) == (status, f"slurmdash:{code}")
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.body.decode()
    return problem


def body_of(answer: Answer, path: str, method: str = "get", status: int = 200) -> Any:
    """The JSON body, after a look whether it is what the contract promises for ``path``."""
    assert answer.status == status, answer.body
    responses = contract().document["paths"][path][method]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert contract().schema(schema).errors(answer.json()) == []
    return answer.json()
