"""The notebook's door: ``connect()`` and the short names that a cell uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import SlurmDash
from ..dash import load_config
from ..errors import FieldError, InvalidInput
from ..formats.fields import FormSchema
from ..images.model import Image
from ..jobs.model import JobSpec, ParameterValue, ScriptEdit
from ..jobs.prepare import OWN_OPTIONS
from ..slurm.directives import OPTIONS
from ..widgets.filedrop import FileDrop
from ..widgets.form import JobForm
from ..widgets.images import ImagePicker
from .images import FamilyTable, WhereTable, find_image
from .job import Job, JobList
from .tables import ImageTable, TemplateTable
from .templates import TemplateCells
from .uploads import FileTable, UploadCells

# sbatch options that may be given to submit() by name, beside the template's own parameters.
OPTION_NAMES = frozenset(OPTIONS) - OWN_OPTIONS - {"job_name"}
# Options that are on or off, whose text is read as such.
_SWITCHES = ("exclusive", "requeue")


class NotebookDash(TemplateCells, UploadCells):
    """A ``Dash`` with the names of the notebook API."""

    def images(self, **filters: Any) -> ImageTable:
        """Images of the catalogue as a table; filters: partition, type, q, node, app. Scans when it is empty."""
        self.scan_once()
        return ImageTable(self.catalog.images(**filters), self.catalog.node_errors())

    def families(self, **filters: Any) -> FamilyTable:
        """Images with their versions together, as a table; filters: partition, type, q. Scans when it is empty."""
        self.scan_once()
        return FamilyTable(self.catalog.families(**filters))

    def image(self, image: str) -> Image:
        """An image by its file name (the newest version) or its id. Raises ImageNotFound."""
        self.scan_once()
        return find_image(self.catalog, image)

    def where(self, image: str) -> WhereTable:
        """The nodes of each partition with and without an image, given by its file name or id."""
        return WhereTable(self.catalog.where(self.image(image).id))

    def digest(self, image: str | Image) -> Image:
        """The image (an ``Image``, a file name or an id) with its ``digest``, computed on its node if need be."""
        return self.integrity.digest(self._id_of(image))

    def verify(self, image: str | Image) -> Image:
        """The image (an ``Image``, a file name or an id) with the ``verdict`` that the site's keyring gives now."""
        return self.integrity.verify(self._id_of(image))

    def _id_of(self, image: str | Image) -> str:
        return image.id if isinstance(image, Image) else self.image(image).id

    def templates(self, q: str = "", **filters: Any) -> TemplateTable:
        """Templates that match the words ``q``, as a table; filters: category, tag, source."""
        self.library.refresh()
        found = self.library.templates(q=q, **filters)
        return TemplateTable(found, self.checkups.briefs(found), self.checkups.runs())

    def spec(
        self,
        template: str | None = None,
        *,
        files: Mapping[str, str] | FileTable | FileDrop | None = None,
        image: str | None = None,
        app: str | None = None,
        script: str | None = None,
        job_name: str = "",
        session_id: str | None = None,
        edited: str | None = None,
        **values: Any,
    ) -> JobSpec:
        """What ``submit`` would submit. ``values`` are sbatch options by name, or the template's parameters.

        ``files`` are slot → path, or what ``upload`` and ``file_drop`` made. ``edited`` is the whole script of these
        values (``script(…)``) with changes by hand, which are kept.
        """
        if template or image:
            self.scan_once()
        if isinstance(files, FileTable | FileDrop):
            session_id, files = files.session_id, None
        spec = JobSpec(
            job_name=job_name,
            template_id=template,
            script=script,
            image_id=self._image_id(image) if image else None,
            app=app,
            session_id=session_id,
            files={slot: str(Path(path).expanduser().absolute()) for slot, path in (files or {}).items()},
            options={name: value for name, value in values.items() if name in OPTION_NAMES},
            parameters={name: value for name, value in values.items() if name not in OPTION_NAMES},
        )
        if edited is None:
            return spec
        return replace(spec, edit=ScriptEdit(self.jobs.preview(spec).script, edited))

    def _image_id(self, image: str) -> str:
        """An image by its id, or by its file name."""
        found = self.catalog.find_by_name(image)
        return found.id if found is not None else image

    def submit(
        self, template: str | None = None, *, idempotency_key: str | None = None, **values: Any
    ) -> Job:
        """Check, stage and submit; see ``spec`` for the arguments. Raises ChecksFailed with every finding."""
        return self.submit_spec(self.spec(template, **values), idempotency_key)

    def submit_spec(self, spec: JobSpec, idempotency_key: str | None = None) -> Job:
        """Submit a spec as it is."""
        record, _ = self.jobs.submit(spec, idempotency_key)
        return Job(self, record)

    def with_texts(self, spec: JobSpec, options: Mapping[str, str], parameters: Mapping[str, str]) -> JobSpec:
        """``spec`` with options and parameters given as text (a terminal has nothing else): a switch becomes true or
        false, and a parameter what the template's schema says it is."""
        template = self.library.usable(spec.template_id) if spec.template_id else None
        fields = FormSchema((template.parameters if template else None) or {}).names
        typed = {name: typed_value(value, fields.get(name, {})) for name, value in parameters.items()}
        switches = {
            name: typed_value(options[name], {"type": "boolean"}) for name in _SWITCHES if name in options
        }
        return replace(
            spec,
            options={**spec.options, **options, **switches},
            parameters={**spec.parameters, **typed},
        )

    def script(self, template: str | None = None, **values: Any) -> str:
        """The script that ``submit`` with the same arguments would run."""
        preview = self.jobs.preview(self.spec(template, **values))
        if not preview.script:
            findings = [FieldError(check.pointer, check.message) for check in preview.checks]
            raise InvalidInput(
                "; ".join(f"{each.pointer} {each.message}".lstrip() for each in findings), findings
            )
        return preview.script

    def job(self, job_id: str) -> Job:
        """One of your jobs, by its id."""
        return Job(self, self.jobs.get(str(job_id)))

    def list_jobs(self, state: str = "", q: str = "", limit: int = 50) -> JobList:
        """Your jobs, newest first, as a table."""
        return JobList([Job(self, record) for record in self.jobs.page(state=state, q=q, limit=limit).jobs])

    def form(self, template: str | None = None) -> JobForm:
        """The form as a widget: template, image, files, options, script, submit, progress."""
        return JobForm(self, template)

    def image_picker(self, partition: str = "") -> ImagePicker:
        """The image field alone as a widget; ``value`` is the chosen image's id. Scans when there is no catalogue."""
        self.scan_once()
        return ImagePicker(self, partition)


def typed_value(text: str, schema: Mapping[str, Any]) -> ParameterValue:
    """``text`` as the type that a parameter's schema names; as it is when it cannot be, for the schema to refuse."""
    kind = schema.get("type")
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def connect(**settings: Any) -> NotebookDash:
    """See ``jupyter_slurmdash.connect``."""
    unknown = sorted(set(settings) - set(SlurmDash.class_trait_names(config=True)))
    if unknown:
        raise InvalidInput(f"Unknown setting {unknown[0]!r}; see SlurmDash for the names.")
    return NotebookDash(SlurmDash(config=load_config(), **settings))
