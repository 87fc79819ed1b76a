"""Single fields of the form: one widget for one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as w

from ..dash import Dash
from ..errors import SchedulerUnavailable

# Not one Layout for all: who closes it would close it for every later form.
_WIDE = {"width": "100%"}
_LABEL = {"description_width": "9em"}
LARGEST = 2**53 - 1  # what JavaScript counts exactly


def parameter_field(name: str, schema: Mapping[str, Any]) -> w.ValueWidget:
    """The widget for one parameter of a template, from its JSON Schema. See ``parameter_value``."""
    field = _field_of(name, schema)
    field.counts, field.chosen = "default" in schema, False
    field.observe(lambda _change: touch(field), "value")
    return field


def touch(field: w.ValueWidget) -> None:
    """Somebody chose the value that the field shows."""
    field.counts = field.chosen = True


def parameter_value(field: w.ValueWidget) -> Any:
    """The parameter's value; None where it has no default and nobody chose one, though a number or a switch always
    shows something."""
    return field.value if field.counts else None


def _field_of(name: str, schema: Mapping[str, Any]) -> w.ValueWidget:
    common = {
        "description": schema.get("title", name),
        "tooltip": schema.get("description", ""),
        "style": _LABEL,
        "layout": _WIDE,
    }
    default = schema.get("default")
    if "enum" in schema:
        choices = list(schema["enum"])
        return w.Dropdown(options=choices, value=default if default in choices else choices[0], **common)
    kind = schema.get("type")
    if kind == "boolean":
        return w.Checkbox(value=bool(default), **{**common, "indent": True})
    if kind == "integer":
        return w.BoundedIntText(
            value=default or 0,
            min=schema.get("minimum", -LARGEST),
            max=schema.get("maximum", LARGEST),
            **common,
        )
    if kind == "number":
        return w.FloatText(value=default or 0.0, **common)
    return w.Text(value=str(default or ""), **common)


def option_fields(dash: Dash) -> dict[str, w.ValueWidget]:
    """The resources, with the partitions of the cluster."""
    try:
        partitions = [part.name for part in dash.scheduler.partitions()]
    except SchedulerUnavailable:
        partitions = []  # the preview says so; the name can be typed all the same
    return {
        "partition": w.Combobox(description="Partition", options=partitions, style=_LABEL, layout=_WIDE),
        "nodes": w.BoundedIntText(description="Nodes", min=0, max=100_000, style=_LABEL, layout=_WIDE),
        "ntasks": w.BoundedIntText(description="Tasks", min=0, max=1_000_000, style=_LABEL, layout=_WIDE),
        "cpus_per_task": w.BoundedIntText(
            description="CPUs per task", min=0, max=100_000, style=_LABEL, layout=_WIDE
        ),
        "mem": w.Text(description="Memory", placeholder="4G", style=_LABEL, layout=_WIDE),
        "gres": w.Text(description="GPUs", placeholder="gpu:1", style=_LABEL, layout=_WIDE),
        "time": w.Text(description="Time", placeholder="01:00:00", style=_LABEL, layout=_WIDE),
    }
