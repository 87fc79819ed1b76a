"""From what the user asks for to a plan with everything looked up, and the preview of its script.

Nothing here changes anything: a preview may be asked for at every keystroke.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import FieldError, InvalidInput, SlurmDashError
from ..formats.fields import Form, FormSchema
from ..formats.jsonschema import Schema
from ..images.model import Image
from ..templates.locks import Locks, fixed_of, narrowed_of, refusals
from ..templates.model import Template
from ..uploads.model import JobFile
from .checks import CheckRunner
from .edits import check_conflicts, final_script, read_back
from .model import Check, JobSpec, Plan, Preview
from .ports import FileSource, ImageSource, TemplateSource

MAX_NAME = 100
# Set with every submission: where the job runs, and the key by which a lost one is found again.
OWN_OPTIONS = frozenset(("chdir", "comment"))


class Planner:
    """Looks up and defaults; the same plan for the preview and for the submission."""

    def __init__(
        self,
        templates: TemplateSource,
        images: ImageSource,
        files: FileSource,
        checks: CheckRunner,
        user: str,
        results_root: str = "",
        site_locks: Callable[[], Locks] = Locks,
    ) -> None:
        self._templates = templates
        self._images = images
        self._files = files
        self._checks = checks
        self._user = user
        self._results_root = results_root
        self._site_locks = site_locks

    def plan(self, spec: JobSpec) -> Plan:
        """Raises the errors of the sources, and InvalidInput for values that can never work."""
        _require_text(spec.script or "", "/script")
        _require_text(spec.app or "", "/app")
        template = self._templates.usable(spec.template_id) if spec.template_id else None
        read: dict[str, str] = {}
        if spec.edit is not None:
            _require_text(spec.edit.text, "/edit/text")
            read = read_back(spec.edit)
        locks = template.locks if template else self._site_locks()
        options = {
            **(template.slurm if template else {}),
            **fixed_of(locks.slurm),
            **_given(spec.options),
            **read,
        }
        name = str(options.pop("job_name", "")) or spec.job_name
        _require_none_of_ours(options)
        image = self._image(spec, template, options)
        form = parameters(spec, template)
        return Plan(
            spec=spec,
            job_name=job_name(name, template),
            template=template,
            image=image,
            app=spec.app or (template.app if template else ""),
            files=tuple(self._gather(spec, template)),
            options=options,
            parameters=form.values,
            results_root=self._results_root,
            read_back=read,
            locks=locks,
            left_out=tuple(name for name in _given(spec.parameters) if name not in form.values),
        )

    def preview(self, spec: JobSpec) -> Preview:
        """The script and all checks. What makes a script impossible is the one check that is then shown."""
        try:
            plan = self.plan(spec)
            edited = final_script(plan)
        except SlurmDashError as error:
            found = error.errors or [FieldError("", error.detail)]
            return Preview(
                "", tuple(Check(error.code, "error", item.message, item.pointer) for item in found)
            )
        return Preview(
            edited.text,
            (*self._checks.before_submit(plan, edited.text), *check_conflicts(edited)),
            edited.generated,
            edited.origins,
            plan.read_back,
            edited.conflicts,
            plan.locks,
        )

    def _image(self, spec: JobSpec, template: Template | None, options: Mapping[str, Any]) -> Image | None:
        if spec.image_id:
            return self._images.image(spec.image_id)
        if template is not None and template.image_name:
            return self._images.find_by_name(template.image_name, options.get("partition"))
        return None

    def _gather(self, spec: JobSpec, template: Template | None) -> list[JobFile]:
        files = self._files.job_files(spec.session_id, self._user) if spec.session_id else []
        slots = {slot.name for slot in template.slots} if template else set()
        for slot, path in spec.files.items():
            if template is not None and slot not in slots:
                known = ", ".join(sorted(slots)) or "none"
                raise InvalidInput(
                    f"The template has no file slot {slot!r}; it has: {known}.",
                    [FieldError(f"/files/{slot}", f"Unknown slot; known: {known}.")],
                )
            files.append(self._files.at_path(path, slot))
        return self._files.assign(files, template.slots if template else ())


def job_name(name: str, template: Template | None) -> str:
    """The name given, else the template's. Slurm takes any text; we take one printable line."""
    name = name or (template.name if template else "") or "job"
    if len(name) > MAX_NAME or not name.isprintable() or not name.strip():
        message = f"A job name is one line of 1 to {MAX_NAME} printable characters."
        raise InvalidInput(message, [FieldError("/job_name", message)])
    return name


def parameters(spec: JobSpec, template: Template | None) -> Form:
    """The form of the template's parameters with the user's values, checked against its schema and its locks.

    Values for fields that are not there with these values do not count.
    """
    schema: Mapping[str, Any] = (template.parameters if template else None) or {}
    locks = template.locks.parameters if template else {}
    found, given = FormSchema(schema), _given(spec.parameters)
    known = found.names
    unknown = [name for name in spec.parameters if name not in known]
    if unknown:
        names = ", ".join(known) or "none"
        raise InvalidInput(
            f"Unknown parameter {unknown[0]!r}; known: {names}.",
            [FieldError(f"/parameters/{name}", f"Unknown parameter; known: {names}.") for name in unknown],
        )
    form = found.resolve(given, fixed_of(locks), narrowed_of(locks))
    asked = {name: value for name, value in given.items() if name in form.fields}
    defaults = {name: field.get("default") for name, field in form.fields.items()}
    errors = [*refusals(locks, asked, form.values, defaults), *form.errors()]
    told = {error.pointer for error in errors}
    if schema:
        errors += [e for e in Schema(dict(schema)).errors(dict(form.values)) if e.pointer not in told]
    if errors:
        raise InvalidInput(
            errors[0].message,
            [FieldError("/parameters" + error.pointer, error.message) for error in errors],
        )
    for name, value in form.values.items():
        if isinstance(value, str):
            _require_text(value, f"/parameters/{name}")
    return form


def _require_none_of_ours(options: Mapping[str, Any]) -> None:
    message = "There is no such option here: every job has a directory and a comment of its own."
    errors = [FieldError(f"/options/{name}", message) for name in sorted(OWN_OPTIONS & options.keys())]
    if errors:
        raise InvalidInput(message, errors)


def _require_text(value: str, pointer: str) -> None:
    """A script is a file of UTF-8, and bash drops NUL characters without a word."""
    bad = "a NUL character" if "\0" in value else "half of a surrogate pair" if _has_surrogate(value) else ""
    if bad:
        message = f"A value cannot hold {bad}."
        raise InvalidInput(message, [FieldError(pointer, message)])


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in value)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that a form left empty."""
    return {name: value for name, value in values.items() if value is not None and value != ""}
