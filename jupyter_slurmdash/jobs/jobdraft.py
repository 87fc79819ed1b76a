"""A template from a job: what was asked for becomes the template's defaults.

A job of a template whose text is still there gives an edit of that text. A job whose script was edited by hand, or that
was submitted elsewhere, gives a template of its script.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ..formats.fields import FormSchema
from ..formats.findings import shown
from ..formats.jsonschema import Schema
from ..slurm.directives import check_options
from ..templates.texts import Note
from .model import JobRecord
from .personal import Owner, personal_notes, without_own
from .script import without_frame
from .scriptdraft import Drafted, head, option_of, script_draft


def has_own_request(record: JobRecord) -> bool:
    """Whether what the job's user asked for is all that its script was made of."""
    return record.ours and not record.request.get("edit")


def request_draft(record: JobRecord, template: Mapping[str, Any], owner: Owner) -> Drafted:
    """A document from the job's request, on the ``template`` that it used (empty: none)."""
    request = record.request
    slurm, own = without_own({**template.get("slurm", {}), **_options(request.get("options") or {})})
    document = {
        **template,
        "template": {**template.get("template", {}), **head(record.name)},
        "slurm": slurm,
        "apptainer": {**template.get("apptainer", {}), **_image(record)},
        "script": {**template.get("script", {}), **_own_script(request)},
    }
    lost: list[Note] = []
    if "parameters" in template:
        schema = template["parameters"]
        values = _counted(schema, request.get("parameters") or {})
        document["parameters"] = _with_defaults(schema, values)
        lost += _lost_notes(document["parameters"], values)
    whole = {name: section for name, section in document.items() if section or name in template}
    notes = [*own, *lost, *_file_notes(request), *personal_notes(whole, owner)]
    return Drafted(whole, tuple(notes))


def job_script_draft(record: JobRecord, script: str, owner: Owner) -> Drafted:
    """A document from the job's script; what stood on the command line of sbatch is filled in as far as it is known."""
    drafted = script_draft(without_frame(script) if record.ours else script, record.name, owner)
    document, notes = dict(drafted.document), list(drafted.notes)
    if record.ours:
        notes.insert(0, Note(_why_script(record)))
        if record.image_path:
            document["apptainer"] = _image(record)
        return Drafted(document, tuple(notes))
    seen = {"partition": record.partition, "time": _time(record.time_limit)}
    added = {name: value for name, value in seen.items() if value and name not in document["slurm"]}
    document["slurm"] = {**added, **document["slurm"]}
    notes += [
        Note(f"--{name} is not in the script: {value} is what the job had.", 0, f"/slurm/{name}")
        for name, value in added.items()
    ]
    return Drafted(document, tuple(notes))


def _why_script(record: JobRecord) -> str:
    if record.request.get("edit"):
        return "The job's script was edited by hand, so it is taken as it was: values that were parameters are fixed."
    return (
        f"The template {record.template_id} is no longer what it was, so the job's script is taken:"
        " values that were parameters are fixed."
    )


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The user's options as a template has them."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value in (None, "") or name == "job_name":
            continue
        checked = check_options({name: value})
        own = next((option_of(long, text) for long, text in checked.items()), None)
        found.update([own or (name, value)])
    return found


def _image(record: JobRecord) -> dict[str, str]:
    chosen = record.request.get("image_id") or record.template_id is None or record.request.get("edit")
    image = PurePosixPath(record.image_path or "").name if chosen else ""
    app = record.request.get("app") or ""
    return {**({"image_name": image} if image else {}), **({"app": app} if app else {})}


def _own_script(request: Mapping[str, Any]) -> dict[str, str]:
    return {"main_exec": request["script"]} if request.get("script") else {}


def _counted(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the user gave for fields that were there."""
    known = {name: value for name, value in given.items() if value not in (None, "")}
    there = FormSchema(schema).resolve(known).fields
    return {name: value for name, value in known.items() if name in there}


def _with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the values as defaults, wherever it declares a field that may take them: which place counts
    depends on the other fields."""
    found = copy.deepcopy(dict(schema))
    for each in FormSchema(schema).declared:
        field = _at(found, each.place)
        if each.name in values and field is not None:
            whole = {"properties": {each.name: each.schema}, "$defs": schema.get("$defs", {})}
            if not Schema(whole).errors({each.name: values[each.name]}, 1):
                field["default"] = values[each.name]
    return found


def _at(schema: dict[str, Any], place: Iterable[str | int]) -> dict[str, Any] | None:
    """What stands at a place of a document; None for what a ``$ref`` brings there from elsewhere."""
    found: Any = schema
    for step in place:
        try:
            found = found[step]
        except (KeyError, IndexError):
            return None
    return found if isinstance(found, dict) else None


def _lost_notes(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Note]:
    """Values of the job that the template will not have by itself."""
    defaults = FormSchema(schema).resolve({}).values
    for name, value in values.items():
        if defaults.get(name) != value:
            yield Note(
                f"The job had {name} = {shown(value)}. It could not be made the default.", 0, "/parameters"
            )


def _file_notes(request: Mapping[str, Any]) -> Iterator[Note]:
    for slot, path in (request.get("files") or {}).items():
        yield Note(
            f"The file for {slot} was {path}. A template holds no files; its users choose theirs.",
            0,
            "/files",
        )
    if request.get("session_id"):
        yield Note(
            "The job had uploaded files. A template holds no files; its users choose theirs.", 0, "/files"
        )


def _time(seconds: int | None) -> str:
    if not seconds:
        return ""
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}-{clock}" if days else clock
