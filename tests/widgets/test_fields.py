"""One value, one widget."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pytest

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.widgets.fields import option_fields, parameter_field, parameter_value, touch


@pytest.mark.parametrize(
    ("schema", "kind", "value"),
    [
        ({"type": "string", "default": "x"}, w.Text, "x"),
        ({"type": "string"}, w.Text, ""),
        ({"type": "integer", "minimum": 2, "maximum": 9, "default": 3}, w.BoundedIntText, 3),
        ({"type": "integer", "minimum": 2}, w.BoundedIntText, 2),
        ({"type": "integer", "default": 2**40}, w.BoundedIntText, 2**40),
        ({"type": "number", "default": 0.5}, w.FloatText, 0.5),
        ({"type": "number"}, w.FloatText, 0.0),
        ({"type": "boolean", "default": True}, w.Checkbox, True),
        ({"type": "boolean"}, w.Checkbox, False),
        ({"enum": ["a", "b"], "default": "b"}, w.Dropdown, "b"),
        ({"enum": ["a", "b"]}, w.Dropdown, "a"),
        ({"enum": [1, 0], "default": 0}, w.Dropdown, 0),
        ({"enum": [True, False], "default": False}, w.Dropdown, False),
        ({}, w.Text, ""),
    ],
)
def test_the_widget_follows_the_schema(schema: dict[str, Any], kind: type, value: object) -> None:
    field = parameter_field("epochs", schema)
    assert isinstance(field, kind)
    assert (field.value, field.description) == (value, "epochs")


@pytest.mark.parametrize("schema", [{"type": "number"}, {"type": "boolean"}, {"enum": ["a", "b"]}])
def test_a_value_that_nobody_chose_is_none(schema: dict[str, Any]) -> None:
    field = parameter_field("x", schema)
    assert parameter_value(field) is None
    touch(field)
    assert parameter_value(field) == field.value is not None
    defaulted = parameter_field("x", {**schema, "default": field.value})
    assert parameter_value(defaulted) == field.value


def test_a_value_that_was_changed_and_changed_back_is_chosen() -> None:
    field = parameter_field("x", {"type": "integer"})
    field.value = 1
    field.value = 0
    assert parameter_value(field) == 0


def test_title_and_description_are_shown() -> None:
    field = parameter_field("lr", {"type": "number", "title": "Learning rate", "description": "Per step"})
    assert (field.description, field.tooltip) == ("Learning rate", "Per step")


def test_the_bounds_are_the_schemas() -> None:
    field = parameter_field("epochs", {"type": "integer", "minimum": 1, "maximum": 10})
    assert (field.min, field.max) == (1, 10)


def test_the_partitions_are_offered(dash: NotebookDash) -> None:
    assert list(option_fields(dash)["partition"].options) == ["local"]


def test_without_a_scheduler_the_name_can_be_typed(
    dash: NotebookDash, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> Any:
        raise SchedulerUnavailable("It does not answer.")

    monkeypatch.setattr(dash.scheduler, "partitions", silent)
    fields = option_fields(dash)
    assert list(fields["partition"].options) == []
    fields["partition"].value = "gpu"
    assert fields["partition"].value == "gpu"
