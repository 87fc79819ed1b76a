"""A template file's bytes as a Template. A bad file is a Template too, with the reason and the line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any, Final

from ..errors import FieldError
from ..formats.jsonschema import Schema
from ..formats.yamlsafe import Locate, YamlProblem, load_with_marks
from .faults import faults
from .locks import Locks
from .model import CATEGORIES, Problem, Source, Template
from .rules import printable, read_bind
from .slots import Files, read_files

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Words that the routes below api/v2/templates/ keep for themselves.
RESERVED_IDS: Final = frozenset(
    ("categories", "tags", "search", "scan", "export", "import", "check", "health")
)
_NO_LOCKS: Final = Locks()
_ID_LINE: Final = re.compile(r"^\s+id:\s*[\"']?([A-Za-z0-9._-]+)[\"']?\s*(?:#.*)?$", re.MULTILINE)


def is_id(text: str) -> bool:
    """Whether a template may have this id."""
    return bool(_ID.fullmatch(text)) and text not in RESERVED_IDS


@dataclass(frozen=True)
class Reading:
    """A template, and whether its id stands in the file (a broken file may only have its name to go by)."""

    template: Template
    id_in_file: bool


def read_template(
    text: bytes,
    *,
    source: Source,
    path: str,
    modified_at: float,
    known_checks: Collection[str],
) -> Template:
    """The template in ``text``; ``path`` names the file, ``modified_at`` is in seconds since the epoch.

    Never raises for what stands in the file: a bad one has ``problem``, and the best id and name that can be
    told.
    """
    return read(text, source=source, path=path, modified_at=modified_at, known_checks=known_checks).template


def read(
    text: bytes,
    *,
    source: Source,
    path: str,
    modified_at: float,
    known_checks: Collection[str],
    owner: str = "",
    can_edit: bool = False,
) -> Reading:
    """Like read_template, and tells where the id comes from."""
    common: dict[str, Any] = {
        "source": source,
        "path": path,
        "hash": hashlib.sha256(text).hexdigest(),
        "modified_at": modified_at,
        "owner": owner,
        "can_edit": can_edit,
    }
    try:
        data, locate = load_with_marks(text)
    except YamlProblem as error:
        return _broken(_guess(text), Problem(error.message, error.line, error.column), common)
    files, errors = _examined(data, known_checks)
    if files is None or errors:
        return _broken(data, _problem(errors, locate), common)
    return Reading(_template(data, files, common), id_in_file=True)


def template_errors(data: Any, known_checks: Collection[str]) -> list[FieldError]:
    """All that is wrong in a template as plain data; nothing when it is good."""
    return _examined(data, known_checks)[1]


def _examined(data: Any, known_checks: Collection[str]) -> tuple[Files | None, list[FieldError]]:
    """The files of a template that fits its schema, and all that is wrong."""
    errors = template_schema().errors(data)
    if errors:
        return None, errors
    found = read_files(data)
    return found, list(faults(data, found, known_checks))


@cache
def template_schema() -> Schema:
    """The schema of the YAML file, ``template.schema.json`` of the package."""
    text = files("jupyter_slurmdash.templates").joinpath("template.schema.json").read_text(encoding="utf-8")
    return Schema(json.loads(text))


def _problem(errors: list[FieldError], locate: Locate) -> Problem:
    placed = [(*locate(error.pointer), error) for error in errors]
    line, column, first = min(placed, key=lambda entry: entry[:2])
    more = len(errors) - 1
    message = first.message.rstrip(".") + "."
    if more:
        message += f" {more} more {'error' if more == 1 else 'errors'} in this file."
    return Problem(message, line, column, first.pointer)


# -- the record ---------------------------------------------------------------------------------------------


def _template(data: Mapping[str, Any], found: Files, common: Mapping[str, Any]) -> Template:
    head, apptainer, script = data["template"], data.get("apptainer", {}), data.get("script", {})
    checks = data.get("validation", {})
    options = dict(data.get("slurm", {}))
    other = options.pop("other", {})
    return Template(
        id=head["id"],
        name=head["name"],
        display_name=head.get("display_name") or head["name"],
        description=head.get("description", ""),
        category=head.get("category", "custom"),
        tags=tuple(dict.fromkeys(head.get("tags", ()))),
        version=head.get("version", "1.0.0"),
        author=head.get("author", ""),
        is_public=head.get("is_public", False),
        slurm=options,
        other={name: _directive(value) for name, value in other.items() if value is not False},
        image_name=apptainer.get("image_name", ""),
        app=apptainer.get("app", ""),
        binds=tuple(read_bind(bind) for bind in apptainer.get("bind", ())),
        slots=found.slots,
        output_pattern=found.output_pattern,
        parameters=data.get("parameters"),
        pre_exec=script.get("pre_exec", ""),
        main_exec=script.get("main_exec", ""),
        post_exec=script.get("post_exec", ""),
        pre_submit=tuple(checks.get("pre_submit", ())),
        post_submit=tuple(checks.get("post_submit", ())),
        locks=Locks.from_data(data["locks"]) if "locks" in data else _NO_LOCKS,
        cloned_from=tuple(head.get("cloned_from", ())),
        **common,
    )


def _directive(value: str | int | bool) -> str:
    return "" if value is True else str(value)


def _guess(text: bytes) -> dict[str, Any]:
    """The id of a file that is not YAML, by its look."""
    match = _ID_LINE.search(text[:4096].decode("utf-8", "replace"))
    return {"template": {"id": match[1]}} if match else {}


def _broken(data: Any, problem: Problem, common: Mapping[str, Any]) -> Reading:
    head = data.get("template") if isinstance(data, dict) else None
    head = head if isinstance(head, dict) else {}
    path = PurePath(common["path"])
    stem = printable(path.stem)
    found = head.get("id")
    good_id = isinstance(found, str) and is_id(found)
    fallback = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:100] or "template"
    name = _word(head, "name") or stem
    folder = path.parent.name
    tags = head.get("tags")
    template = Template(
        id=str(found) if good_id else fallback,
        name=name,
        display_name=_word(head, "display_name") or name,
        description=_word(head, "description"),
        category=_word(head, "category") or (folder if folder in CATEGORIES else "custom"),
        tags=tuple(printable(tag) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        version=_word(head, "version") or "1.0.0",
        author=_word(head, "author"),
        problem=problem,
        **common,
    )
    return Reading(template, id_in_file=good_id)


def _word(head: Mapping[str, Any], key: str) -> str:
    value = head.get(key)
    return printable(value) if isinstance(value, str) else ""
