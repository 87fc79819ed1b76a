"""Parameters that come and go: the cases that core and panel are held to as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.templates.locks import Locks
from jupyter_slurmdash.templates.model import Template
from jupyter_slurmdash.widgets.fields import touch
from jupyter_slurmdash.widgets.parameters import Parameters

CASES = json.loads((Path(__file__).parent.parent / "formats/data/fields.json").read_text(encoding="utf-8"))[
    "cases"
]

# Widgets take no values of other types or beyond their bounds; such values come by other doors.
FITTING = [case for case in CASES if not case["errors"] and "types in a condition" not in case["name"]]


def shown(parameters: Parameters) -> list[str]:
    return [name for name, field in parameters.fields.items() if field.layout.display != "none"]


def filled(case: dict[str, Any]) -> Parameters:
    found = Locks()
    for name, each in case.get("locks", {}).items():
        for lock in each:
            found |= Locks.from_data({"parameters": {name: lock}})
    parameters = Parameters(Template("t", "t", "T", parameters=case["schema"], locks=found))
    parameters.follow()
    # What decides about others is set first, as a person would.
    for name, value in reversed([*case["given"].items()]):
        if value is not None:
            field = parameters.fields[name]
            touch(field)
            field.value = value
            assert field.value == value
            parameters.follow()
    return parameters


@pytest.mark.parametrize("case", FITTING, ids=lambda case: case["name"])
def test_the_same_fields_and_values(case: dict[str, Any]) -> None:
    parameters = filled(case)
    assert shown(parameters) == list(case["fields"])
    sent = parameters.values()
    decided = {*case.get("hidden", ()), *case.get("readonly", ())}
    assert sent == {name: value for name, value in case["values"].items() if name not in decided}
    for name in case.get("readonly", ()):
        assert parameters.fields[name].disabled
        assert parameters.fields[name].value == case["values"][name]


def test_a_value_comes_back_with_its_field_and_is_not_sent_meanwhile() -> None:
    case = next(each for each in CASES if each["name"].startswith("then: the"))
    parameters = filled(case)
    parameters.fields["momentum"].value = 0.25
    parameters.fields["optimizer"].value = "adam"
    parameters.follow()
    assert shown(parameters) == ["optimizer"]
    assert parameters.values() == {"optimizer": "adam"}
    assert "role='status'" in parameters.box.children[-1].value
    assert "No longer asked for: momentum." in parameters.box.children[-1].value
    parameters.fields["optimizer"].value = "sgd"
    parameters.follow()
    assert "New below: momentum." in parameters.box.children[-1].value
    assert parameters.values() == {"optimizer": "sgd", "momentum": 0.25}


def test_bounds_that_move_away_from_a_value() -> None:
    schema = {
        "type": "object",
        "properties": {
            "size": {"enum": ["small", "large"], "default": "small"},
            "cores": {"type": "integer"},
        },
        "if": {"properties": {"size": {"const": "large"}}},
        "then": {"properties": {"cores": {"minimum": 32, "maximum": 64, "default": 32}}},
        "else": {"properties": {"cores": {"maximum": 8, "default": 2}}},
    }
    parameters = Parameters(Template("t", "t", "T", parameters=schema))
    parameters.follow()
    size, cores = parameters.fields["size"], parameters.fields["cores"]
    for name, default in (("large", 32), ("small", 2), ("large", 32)):
        size.value = name
        parameters.follow()
        assert cores.value == default
    cores.value = 40
    parameters.follow()
    assert parameters.values() == {"size": "large", "cores": 40}
    size.value = "small"
    parameters.follow()
    assert cores.value == 40, "what was chosen stays; the preview says that it is too much"
    cores.value = 3
    parameters.follow()
    assert (cores.value, cores.max) == (3, 8)


def test_the_form_shows_what_is_decided_and_submits_within_it(dash: NotebookDash) -> None:
    dash.save_template(
        "template: {id: l, name: l}\nslurm: {time: '00:10:00'}\n"
        "locks: {slurm: {partition: {fixed: local, reason: Only here.}, gres: {hidden: true}, time: {maximum: 30}}}\n"
        "script: {main_exec: echo}\n"
    )
    form = dash.form("l")
    try:
        assert form.options["partition"].disabled
        assert form.options["partition"].value == "local"
        assert form.options["gres"].layout.display == "none"
        assert not form.submit_button.disabled
        assert "partition" not in form.spec().options
        form.set(options={"time": "01:00:00"})
        assert form.submit_button.disabled
        assert "at most 30" in form.findings.value
        assert "Only here." in form._locks_note.value
    finally:
        form.close()
