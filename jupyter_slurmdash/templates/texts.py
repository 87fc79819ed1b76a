"""A template as text and as plain data: checked, put in order, changed and copied."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..errors import FieldError, TemplateBroken, TooLarge
from ..formats.yamledit import edit
from ..formats.yamlsafe import MAX_BYTES, YamlProblem, load, load_with_marks
from ..formats.yamlwrite import Comments, write
from .model import Problem, Template
from .reader import read_template, template_errors

# Of the author, and of no use or even harm to who copies: what it costs, whom it writes to.
AUTHORS_OWN: Final = ("account", "qos", "reservation", "mail_user")


@dataclass(frozen=True)
class Checked:
    """What a text says: ``document`` is its plain data (None when it is no YAML), ``errors`` all that is wrong in it,
    ``template`` the template as a list would show it."""

    text: str
    document: Mapping[str, Any] | None
    template: Template
    errors: tuple[FieldError, ...] = ()

    @property
    def problem(self) -> Problem | None:
        return self.template.problem

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateCheck``."""
        return {
            "text": self.text,
            "document": self.document,
            "template": self.template.to_json(),
            "problem": self.problem.to_json() if self.problem else None,
            "errors": [error.to_json() for error in self.errors],
        }


@dataclass(frozen=True)
class Note:
    """Something of a draft that a human must look at. ``pointer`` leads to its place in the template ("": all of it),
    ``line`` is that of the script that it was made from (0: none)."""

    message: str
    line: int = 0
    pointer: str = ""

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message

    def to_json(self) -> dict[str, Any]:
        return {"message": self.message, "line": self.line, "pointer": self.pointer}


@dataclass(frozen=True)
class TemplateDraft:
    """A text to be looked at, changed and saved, the template that it is so far, and what needs a look."""

    text: str
    template: Template
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateDraft``."""
        return {
            "text": self.text,
            "template": self.template.to_json(),
            "notes": [note.to_json() for note in self.notes],
        }


def check(text: bytes, known_checks: Collection[str]) -> Checked:
    """Never raises for what stands in the text, only TooLarge."""
    if len(text) > MAX_BYTES:
        raise TooLarge(f"The template has {len(text)} bytes; at most {MAX_BYTES} are read.")
    template = read_template(
        text, source="private", path="draft.yaml", modified_at=0, known_checks=known_checks
    )
    shown = text.decode("utf-8", "replace")
    try:
        data, _ = load_with_marks(text)
    except YamlProblem as error:
        return Checked(shown, None, template, (FieldError("", error.message),))
    document = data if isinstance(data, dict) else None
    return Checked(shown, document, template, tuple(template_errors(data, known_checks)))


def accept(text: bytes, known_checks: Collection[str]) -> Checked:
    """A text that may be saved. Raises TemplateBroken with line, column and every error; TooLarge."""
    checked = check(text, known_checks)
    problem = checked.problem
    if problem is not None:
        where = f"Line {problem.line}, column {problem.column}: " if problem.line else ""
        raise TemplateBroken(
            f"{where}{problem.message} Nothing was saved.", checked.errors, problem=problem.to_json()
        )
    return checked


def text_of(document: Mapping[str, Any], known_checks: Collection[str], former: bytes | None = None) -> bytes:
    """``document`` as a file: as an edit of the ``former`` text, else anew. Raises TemplateBroken."""
    errors = template_errors(document, known_checks)
    if errors:
        raise TemplateBroken(f"{errors[0].message}. Nothing was saved.", errors)
    return changed(former, document)


def changed(former: bytes | None, document: Mapping[str, Any]) -> bytes:
    """``document`` as text, whether it is a good template or not. Raises TemplateBroken."""
    try:
        return write(ordered(document)) if former is None else edit(former, ordered(document))
    except YamlProblem as error:
        raise TemplateBroken(f"{error.message} Nothing was saved.") from error


def with_comments(document: Mapping[str, Any], comments: Comments) -> bytes:
    """A new file with a comment above some of its keys (by JSON Pointer)."""
    return write(ordered(document), comments)


def relabelled(text: bytes, head: Mapping[str, Any], *, drop_authors_own: bool = False) -> bytes:
    """A good template's text with other words in its ``template`` section; comments stay.

    With ``drop_authors_own`` also without the author's account and the like. Raises TemplateBroken.
    """
    document = load(text)
    document = {**document, "template": {**document["template"], **head}}
    if drop_authors_own and "slurm" in document:
        kept = {name: value for name, value in document["slurm"].items() if name not in AUTHORS_OWN}
        document["slurm"] = kept
    return changed(text, document)


# -- the order of the keys ----------------------------------------------------------------------------------------


def ordered(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its keys in the order of the template schema; unknown ones last."""
    return dict(_ordered(document, _schema()))


def _ordered(value: Any, schema: Mapping[str, Any]) -> Any:
    while "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list | tuple):
        return [_ordered(each, schema.get("items", {})) for each in value]
    properties = schema.get("properties", {})
    if not isinstance(value, Mapping) or not properties:
        return value
    names = [name for name in properties if name in value] + [
        name for name in value if name not in properties
    ]
    return {name: _ordered(value[name], properties.get(name, {})) for name in names}


@cache
def _schema() -> dict[str, Any]:
    text = files("jupyter_slurmdash.templates").joinpath("template.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
