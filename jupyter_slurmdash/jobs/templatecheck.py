"""A template tried out without submitting: its file, its image, its script, its limits, and what Slurm says.

Every step is taken even when one before it found an error, so that one run tells all there is to mend. Only a broken
file ends it: there is nothing more to try.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import FieldError, InvalidInput, SchedulerRefused, SchedulerUnavailable
from ..formats.fields import Form, FormSchema, Property
from ..formats.schemasize import pointer_of
from ..slurm.base import Scheduler, Submission
from ..templates.ids import file_name
from ..templates.locks import ByField, fixed_of, narrowed_of
from ..templates.model import Template
from .checks import CheckRunner
from .model import Check, JobSpec, Plan
from .ports import FileSource, ImageSource
from .prepare import Planner
from .script import generate_script, main_text
from .standins import file_for, value_for
from .templatereport import TemplateReport

# What a finding of the checks before a submission is about.
_IMAGE = frozenset(
    ("image-missing", "image-unusable", "image-gone", "image-elsewhere", "image-partly", "image-arch")
)
_SCRIPT = frozenset(("syntax",))
# Not of the template: there are no files in a dry run, and whether an image changed is asked for each job.
_NOT_OURS = frozenset(("files", "file-not-bound", "image-changed", "nothing-to-run"))


class _One:
    """The source of templates for a plan of just this one, whatever is on the shelves by now."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def usable(self, id: str) -> Template:
        return self._template

    get = usable


class TemplateChecker:
    """Dry-runs templates. ``look`` sees to it that the images are known, however long that takes."""

    def __init__(
        self,
        images: ImageSource,
        files: FileSource,
        checks: CheckRunner,
        scheduler: Scheduler,
        user: str,
        work_root: str,
        look: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._images = images
        self._files = files
        self._checks = checks
        self._scheduler = scheduler
        self._user = user
        self._work_root = work_root
        self._look = look
        self._clock = clock

    def check(self, template: Template) -> TemplateReport:
        """The report on the template as it was read. Raises SchedulerUnavailable: without an answer of the scheduler
        nothing is known of the template."""
        now = self._clock()
        return TemplateReport(template.id, template.hash, tuple(self._steps(template)), now)

    def _steps(self, template: Template) -> Iterator[Check]:
        if template.problem is not None:
            where = f"line {template.problem.line}: " if template.problem.line else ""
            message = f"{file_name(template)}, {where}{template.problem.message} Correct the file."
            yield Check("schema", "error", message, template.problem.pointer)
            return
        yield Check("schema", "ok", "The file fits the schema.")
        self._look()
        given, wanting = self._parameters(template)
        yield from wanting
        planner = Planner(_One(template), self._images, self._files, self._checks, self._user)
        try:
            plan = planner.plan(JobSpec(template_id=template.id, parameters=given))
            files = tuple(file_for(slot) for slot in template.slots if slot.required)
            script = generate_script(replace(plan, files=files))
        except InvalidInput as error:
            yield from _no_script(error, given)
            return
        found = self._checks.before_submit(plan, script)
        if any(check.name == "scheduler" for check in found):
            raise SchedulerUnavailable(next(check.message for check in found if check.name == "scheduler"))
        yield from self._image(template, plan, found)
        yield from _script(plan, script, found)
        yield from _resources(plan, found)
        yield self._slurm(script)

    def _parameters(self, template: Template) -> tuple[dict[str, Any], list[Check]]:
        """Values for the parameters that the template leaves to the user, and a warning for each."""
        schema = FormSchema(template.parameters or {})
        decided = template.locks.parameters
        given: dict[str, Any] = {}
        # A value may bring fields along that need one too.
        while missing := _missing(
            schema.resolve(given, fixed_of(decided), narrowed_of(decided)), given, decided
        ):
            given.update({name: value_for(field) for name, field in missing.items()})
        places = {each.name: pointer_of(each.place) for each in reversed(schema.declared)}
        return given, [
            Check(
                "parameters",
                "warning",
                f"The parameter {name} has no default, so it was tried with {value!r}."
                " Give it a default if there is one that fits most.",
                f"/parameters{places[name]}",
            )
            for name, value in given.items()
        ]

    def _image(self, template: Template, plan: Plan, found: list[Check]) -> Iterator[Check]:
        ours = [check for check in found if check.name in _IMAGE]
        image = plan.image
        elsewhere = self._images.find_by_name(template.image_name) if template.image_name else None
        if image is None and elsewhere is not None:
            message = (
                f"{elsewhere.name} is on {', '.join(elsewhere.nodes)}, but on no node of partition"
                f" {plan.options.get('partition')}. Copy it there, or change slurm.partition in the template."
            )
            yield Check("image", "error", message, "/slurm/partition")
        elif image is None and template.image_name:
            message = (
                f"No scanned node has {template.image_name}. Put it into a directory that is scanned, or change"
                " apptainer.image_name in the template."
            )
            yield Check("image", "error", message, "/apptainer/image_name")
        elif ours:
            advice = "Copy it to these nodes, or change apptainer.image_name in the template."
            for check in ours:
                text = check.message if check.name == "image-arch" else f"{check.message} {advice}"
                yield Check("image", check.level, text, "/apptainer/image_name")
        elif image is not None:
            yield Check("image", "ok", f"{image.name} is where the job would run.")
        else:
            yield Check("image", "ok", "It names no image.")

    def _slurm(self, script: str) -> Check:
        try:
            said = self._scheduler.test(Submission(script, str(Path(self._work_root))))
        except SchedulerRefused as refusal:
            message = f"{refusal.detail} Change the section slurm of the template."
            return Check("slurm", "error", message, "/slurm")
        name = (
            "sbatch --test-only" if self._scheduler.is_cluster else "The embedded scheduler (no Slurm here)"
        )
        return Check("slurm", "ok", f"{name}: {said}")


def _missing(form: Form, given: Mapping[str, Any], decided: ByField) -> dict[str, Property]:
    """The fields that the user has to fill in. What a lock hides is nobody's to give."""
    return {
        name: field
        for name, field in form.fields.items()
        if name in form.required
        and name not in form.values
        and name not in given
        and not any(lock.hidden for lock in decided.get(name, ()))
    }


def _no_script(error: InvalidInput, given: Mapping[str, Any]) -> Iterator[Check]:
    """Why there is none. That we found no value for what only a user can give is no fault of the template."""
    for item in error.errors or [FieldError("", error.detail)]:
        if item.pointer.removeprefix("/parameters/") in given:
            message = f"The script could not be tried: {item.message} Give the parameter a default to have it tried."
            yield Check("script", "warning", message, item.pointer)
        else:
            yield Check("script", "error", f"{item.message} Change the template.", item.pointer)


def _script(plan: Plan, script: str, found: list[Check]) -> Iterator[Check]:
    wrong = [check for check in found if check.name in _SCRIPT]
    for check in wrong:
        message = f"{check.message} Change the section script of the template."
        yield Check("script", "error", message, "/script")
    if not main_text(plan).strip() and not (plan.template and plan.template.image_name):
        message = (
            "It runs nothing until an image is chosen. Give it script.main_exec or apptainer.image_name if it"
            " should run by itself."
        )
        yield Check("script", "warning", message, "/script/main_exec")
    elif not wrong:
        yield Check("script", "ok", f"Its defaults give a script of {script.count(chr(10))} lines.")


def _resources(plan: Plan, found: list[Check]) -> Iterator[Check]:
    ours = [check for check in found if check.name not in _IMAGE | _SCRIPT | _NOT_OURS]
    for check in ours:
        option = check.pointer.removeprefix("/options/")
        pointer = f"/slurm/{option}" if option != check.pointer else check.pointer
        advice = f" Change slurm.{option} in the template." if option != check.pointer else ""
        yield Check("resources", check.level, f"{check.message}{advice}", pointer)
    if not ours:
        where = plan.options.get("partition")
        yield Check(
            "resources",
            "ok",
            f"Within the limits of {f'partition {where}' if where else 'the default partition'}.",
        )
