"""A template tried out over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answers import body_of, problem_of
from live import Live
from shells import add_template, write

VALIDATE, GENERATE = "/api/v2/templates/{id}/validate", "/api/v2/templates/{id}/generate"


@pytest.fixture(scope="module")
def template(live: Live) -> str:
    add_template(
        Path(live.app.root_dir),
        "try-v1",
        files={"input_schema": {"required": [{"name": "config", "pattern": "*.yaml"}]}},
        parameters={"type": "object", "properties": {"epochs": {"type": "integer", "maximum": 9}}},
    )
    add_template(Path(live.app.root_dir), "broken-v1", script={"main_exec": 3})
    live.call("POST", "/api/v2/templates/scan")
    return "try-v1"


def validate(live: Live, id: str, body: dict[str, Any]) -> Any:
    return live.call("POST", f"/api/v2/templates/{id}/validate", body)


def generate(live: Live, id: str, body: dict[str, Any]) -> Any:
    return live.call("POST", f"/api/v2/templates/{id}/generate", body)


def test_files_by_path_and_in_a_session(live: Live, template: str) -> None:
    root = Path(live.app.root_dir)
    write(root / "conf" / "a.yaml", "a: 1\n")
    by_path = validate(live, template, {"files": {"config": "conf/a.yaml"}})
    assert body_of(by_path, VALIDATE, "post")["valid"]
    session = live.call("POST", "/api/v2/upload/sessions", {"template_id": template}).json()["session_id"]
    empty = body_of(validate(live, template, {"session_id": session}), VALIDATE, "post")
    assert not empty["valid"]
    live.call("POST", f"/api/v2/upload/sessions/{session}/paths", {"path": "conf/a.yaml"})
    assert body_of(validate(live, template, {"session_id": session}), VALIDATE, "post")["valid"]


def test_nothing_to_validate_is_not_valid(live: Live, template: str) -> None:
    assert not body_of(validate(live, template, {}), VALIDATE, "post")["valid"]


def test_what_is_not_there(live: Live, template: str) -> None:
    problem_of(validate(live, "none-v1", {}), 404, "template-not-found")
    problem_of(validate(live, "broken-v1", {}), 422, "template-broken")
    problem_of(validate(live, template, {"session_id": "none"}), 404, "session-not-found")
    problem_of(validate(live, template, {"x": 1}), 400, "invalid-input")


def test_the_script_of_values(live: Live, template: str) -> None:
    root = Path(live.app.root_dir)
    write(root / "b.yaml", "a: 1\n")
    values = {"files": {"config": "b.yaml"}, "parameters": {"epochs": 3}, "options": {"mem": "1G"}}
    generated = body_of(generate(live, template, values), GENERATE, "post")
    assert generated["ready"]
    assert "EPOCHS=3" in generated["script"]
    preview = live.call("POST", "/api/jobs/preview", {**values, "template_id": template}).json()
    assert preview == generated


def test_what_stands_in_the_way_is_told(live: Live, template: str) -> None:
    missing = body_of(generate(live, template, {}), GENERATE, "post")
    assert not missing["ready"]
    assert [check["pointer"] for check in missing["checks"]] == ["/files/config"]
    wrong = body_of(generate(live, template, {"parameters": {"epochs": 10}}), GENERATE, "post")
    assert (wrong["script"], wrong["checks"][0]["pointer"]) == ("", "/parameters/epochs")
    nothing = body_of(generate(live, "none-v1", {}), GENERATE, "post")
    assert nothing["checks"][0]["name"] == "template-not-found"
    problem_of(generate(live, template, {"template_id": "other"}), 400, "invalid-input")


def test_what_is_decided_is_in_the_template_the_preview_and_the_refusal(live: Live) -> None:
    add_template(
        Path(live.app.root_dir),
        "locked-v1",
        parameters={"type": "object", "properties": {"cells": {"type": "integer", "default": 8}}},
        locks={
            "slurm": {"partition": {"fixed": "local", "reason": "Only there."}},
            "parameters": {"cells": {"maximum": 100, "reason": "The licence is for 100."}},
        },
    )
    live.call("POST", "/api/v2/templates/scan")
    found = live.call("GET", "/api/v2/templates/locked-v1")
    template = body_of(found, "/api/v2/templates/{id}", "get")
    partition = {"fixed": "local", "hidden": False, "reason": "Only there."}
    assert template["locks"]["slurm"] == {"partition": [partition]}
    preview = body_of(generate(live, "locked-v1", {}), GENERATE, "post")
    assert preview["locks"] == template["locks"]
    assert "#SBATCH --partition=local\n" in preview["script"]
    refused: list[tuple[dict[str, Any], int, str, str, str]] = [
        ({"options": {"partition": "gpu"}}, 422, "checks-failed", "/options/partition", "Only there."),
        ({"parameters": {"cells": 200}}, 400, "invalid-input", "/parameters/cells", "is for 100."),
    ]
    for body, status, code, pointer, reason in refused:
        answer = live.call("POST", "/api/jobs/submit", {"template_id": "locked-v1", **body})
        errors = problem_of(answer, status, code)["errors"]
        assert {error["pointer"] for error in errors} == {pointer}
        assert any(error["message"].endswith(reason) for error in errors)
