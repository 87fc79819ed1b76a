"""The parameters of a template as fields that come and go, as the panel's form does."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

import ipywidgets as w

from ..formats.fields import FROM, Form, FormSchema
from ..templates.locks import ByField, Lock, fixed_of, narrowed_of
from ..templates.model import Template
from .fields import LARGEST, parameter_field, parameter_value


class Parameters:
    """``fields`` by name, all that may be there; ``box`` shows those that are there with the values so far.

    It also shows what is decided about them, and says what came and went.
    """

    def __init__(self, template: Template | None) -> None:
        self._schema = FormSchema((template.parameters if template else None) or {})
        self._locks: ByField = template.locks.parameters if template else {}
        self.fields: dict[str, w.ValueWidget] = {
            name: parameter_field(name, schema) for name, schema in self._schema.names.items()
        }
        self._said = w.HTML()
        decided = w.HTML(decided_html(self._locks))
        self.box = w.VBox([*self.fields.values(), decided, self._said])
        self._shown: set[str] | None = None

    def follow(self) -> None:
        """Show what is there now; a field that is not keeps what was typed in it."""
        # A field that appears may bring others along.
        for _ in range(len(self.fields) + 1):
            form = self._form()
            before = {name: field.value for name, field in self.fields.items()}
            for name, schema in form.fields.items():
                self._settle(self.fields[name], schema, form.values.get(name))
            if before == {name: field.value for name, field in self.fields.items()}:
                break
        shown = {name for name in form.fields if not _hidden(self._locks.get(name, ()))}
        for name, field in self.fields.items():
            field.layout.display = None if name in shown else "none"
        self._say(shown)

    def values(self) -> dict[str, Any]:
        """What is sent: the values of fields that are there and the user's to set."""
        there = self._form().fields
        decided = {name for name, locks in self._locks.items() if any(is_decided(lock) for lock in locks)}
        return {
            name: value
            for name, field in self.fields.items()
            if name in there and name not in decided and (value := parameter_value(field)) is not None
        }

    def _form(self) -> Form:
        given = {name: field.value for name, field in self.fields.items() if field.chosen}
        given = {name: value for name, value in given.items() if value != ""}
        form = self._schema.resolve(given, fixed_of(self._locks), narrowed_of(self._locks))
        fields = {name: _limited(field, form.values) for name, field in form.fields.items()}
        return Form(fields, form.required, form.values)

    def _settle(self, field: w.ValueWidget, schema: Mapping[str, Any], value: Any) -> None:
        """Bounds and choices as they are now, and the default where nobody chose a value."""
        chosen, counts = field.chosen, field.counts
        name = next(name for name, each in self.fields.items() if each is field)
        fixed = any(lock.fixed is not None for lock in self._locks.get(name, ()))
        if isinstance(field, w.Dropdown) and "enum" in schema:
            now = field.value
            # What was chosen before stays, though it is no choice any more; the preview says so.
            choices = [*schema["enum"], *([now] if chosen and now not in schema["enum"] else [])]
            if list(field.options) != choices:
                field.options = choices
                field.value = now if now in choices else choices[0]
        elif isinstance(field, w.BoundedIntText):
            low, high = schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST)
            stays = field.value if chosen and not fixed else value
            # Also beyond its bounds of now.
            _bound(field, *(low, high) if stays is None else (min(low, stays), max(high, stays)))
        if value is not None and (fixed or not chosen) and field.value != value:
            field.value = value
        field.disabled = fixed
        field.chosen, field.counts = chosen, counts or (value is not None and not chosen)

    def _say(self, shown: set[str]) -> None:
        if self._shown is not None and shown != self._shown:
            came = [self._label(name) for name in self.fields if name in shown - self._shown]
            went = [self._label(name) for name in self.fields if name in self._shown - shown]
            words = [
                f"New below: {', '.join(came)}." if came else "",
                f"No longer asked for: {', '.join(went)}." if went else "",
            ]
            text = html.escape(" ".join(each for each in words if each))
            self._said.value = f"<div role='status' aria-live='polite'>{text}</div>"
        self._shown = shown

    def _label(self, name: str) -> str:
        return str(self.fields[name].description)


def _bound(field: w.BoundedIntText, low: int, high: int) -> None:
    """Set both bounds, in the order in which they do not cross."""
    field.max = max(high, field.min)
    field.min, field.max = low, max(low, high)


def _limited(field: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the bounds that other fields' values are."""
    found = dict(field)
    for word, bound in FROM.items():
        limit = values.get(field.get(word, ""))
        if isinstance(limit, int | float):
            narrower = min if bound == "maximum" else max
            found[bound] = narrower(found.get(bound, limit), limit)
    return found


def is_decided(lock: Lock) -> bool:
    """Whether the value is not the user's to set."""
    return lock.hidden or lock.fixed is not None


def _hidden(locks: tuple[Lock, ...]) -> bool:
    return any(lock.hidden for lock in locks)


def decided_html(fields: ByField) -> str:
    """What is decided about fields that are shown, and why."""
    return "".join(f"<div>{html.escape(line)}</div>" for line in _lines(fields))


def _lines(fields: ByField) -> Iterator[str]:
    for name, locks in fields.items():
        if not _hidden(locks):
            yield from (f"{name}: {lock.because(lock.words())}" for lock in locks)
