"""The New job form as a widget: the same fields in the same order and words as the panel.

Every change asks the core for a new preview, so what the form shows is what a submission would do.
"""

from __future__ import annotations

import html
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as w

from ..dash import Dash
from ..errors import ImageNotFound, SlurmDashError
from ..jobs.model import OVER, JobRecord, JobSpec, Preview
from ..templates.model import Template
from .fields import option_fields, touch
from .filedrop import FileDrop
from .images import ImagePicker
from .parameters import Parameters, decided_html, is_decided

_WIDE = {"width": "100%"}
_LABEL = {"description_width": "9em"}


class JobForm(w.VBox):
    """Template, image, files, options, script, submit, progress. ``job`` is the last submitted job's record.

    Values may be set from code: ``form.set(template=…, files={slot: path}, parameters={…}, options={…})``.
    """

    def __init__(self, dash: Dash, template: str | None = None) -> None:
        self._dash = dash
        self.job: JobRecord | None = None
        self._key: str | None = None
        self._followed = ""
        self._follow_lock = threading.Lock()
        self._quiet = False
        self.files: dict[str, w.Text] = {}
        self._parameters = Parameters(None)
        self.parameters = self._parameters.fields
        self._decided: set[str] = set()
        self._make_fields()
        super().__init__(
            [
                self.template,
                self.image,
                self.app,
                self.drop,
                w.Accordion([self._slots_box], titles=["Files by path"]),
                self._parameters_box,
                self._options_box,
                self.job_name,
                w.Accordion([self.script], titles=["Script"]),
                self.findings,
                w.HBox([self.submit_button, self.status]),
                self.output,
            ]
        )
        dash.library.refresh()
        if template:
            dash.library.usable(template)  # says why where it is not
        self.template.options = [("Choose a template", ""), *self._template_options()]
        self.template.value = template or ""
        self._on_template(None)

    def _make_fields(self) -> None:
        self.template = w.Dropdown(description="Template", style=_LABEL, layout=_WIDE)
        self.image = ImagePicker(self._dash, description="Image")
        self.app = w.Combobox(description="App", style=_LABEL, layout=_WIDE)
        self.drop = FileDrop(self._dash, description="Files")
        self._slots_box, self._parameters_box = w.VBox(), w.VBox()
        self.options = option_fields(self._dash)
        self._locks_note = w.HTML()
        self._options_box = w.VBox([*self.options.values(), self._locks_note])
        self.job_name = w.Text(description="Job name", style=_LABEL, layout=_WIDE)
        self.script = w.Textarea(disabled=True, layout=w.Layout(width="100%", height="20em"))
        self.findings = w.HTML()
        self.submit_button = w.Button(description="Submit", button_style="primary", disabled=True)
        self.status = w.HTML()
        self.output = w.Textarea(disabled=True, layout=w.Layout(width="100%", height="12em", display="none"))
        self.template.observe(self._on_template, "value")
        self.image.observe(self._on_image, "value")
        self.drop.observe(self._on_files, "files")
        for field in (self.app, self.job_name, *self.options.values()):
            field.observe(self._on_change, "value")
        self.submit_button.on_click(lambda _: self.submit())

    def _template_options(self) -> list[tuple[str, str]]:
        return [
            (template.display_name, template.id)
            for template in self._dash.library.templates()
            if template.problem is None
        ]

    def close(self) -> None:
        """Take the form out of the page."""
        self.image.close()
        self.drop.close()
        super().close()

    # -- values ---------------------------------------------------------------------------------------------

    def spec(self) -> JobSpec:
        """What the form says now."""
        return JobSpec(
            job_name=self.job_name.value,
            template_id=self.template.value or None,
            image_id=self.image.value or None,
            app=self.app.value or None,
            session_id=self.drop.session_id if self.drop.files else None,
            files={
                slot: str(Path(field.value).expanduser().absolute())
                for slot, field in self.files.items()
                if field.value.strip()
            },
            options={
                name: field.value
                for name, field in self.options.items()
                if field.value not in ("", 0) and name not in self._decided
            },
            parameters=self._parameters.values(),
        )

    def set(
        self,
        *,
        template: str | None = None,
        image: str | None = None,
        app: str | None = None,
        job_name: str | None = None,
        files: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> JobForm:
        """Fill fields from code; what is not named stays."""
        if template is not None:
            self.template.value = template
        for field, value in ((self.image, image), (self.app, app), (self.job_name, job_name)):
            if value is not None:
                field.value = value
        for fields, values in ((self.files, files), (self.parameters, parameters), (self.options, options)):
            for name, value in (values or {}).items():
                touch(fields[name])
                fields[name].value = value
        # A value that the field showed already is no change, but chosen now.
        self._on_change(None)
        return self

    # -- reactions ------------------------------------------------------------------------------------------

    def _on_template(self, _change: Any) -> None:
        self._quiet = True
        try:
            self._fill(self._chosen())
        finally:
            self._quiet = False
        self._on_change(None)

    def _fill(self, template: Template | None) -> None:
        self.image.refresh()
        self.drop.template = template.id if template else ""
        self.files = {
            slot.name: self._slot_field(slot.name, slot.pattern, slot.required)
            for slot in (template.slots if template else ())
        }
        self._parameters = Parameters(template)
        self.parameters = self._parameters.fields
        self._slots_box.children = list(self.files.values())
        self._parameters_box.children = [self._parameters.box]
        self._parameters.follow()
        for field in (*self.files.values(), *self.parameters.values()):
            field.observe(self._on_change, "value")
        self._take_defaults(template)

    def _chosen(self) -> Template | None:
        try:
            return self._dash.library.usable(self.template.value) if self.template.value else None
        except SlurmDashError:
            return None  # it was removed or broken meanwhile; the preview says so

    def _slot_field(self, name: str, pattern: str, required: bool) -> w.Text:
        need = "required" if required else "optional"
        return w.Text(description=name, placeholder=f"path of {pattern}, {need}", style=_LABEL, layout=_WIDE)

    def _take_defaults(self, template: Template | None) -> None:
        for name, field in self.options.items():
            given = (template.slurm if template else {}).get(name)
            # A value that the field cannot hold (nodes: 2-4) stays the template's own.
            fits = isinstance(field.value, str) or isinstance(given, int)
            field.value = (
                type(field.value)(given) if given is not None and fits else field.trait_defaults("value")
            )
        self._lock_options(template)
        if template is not None:
            found = self._dash.catalog.find_by_name(template.image_name) if template.image_name else None
            self.image.value = found.id if found else ""
            self.app.value = template.app

    def _lock_options(self, template: Template | None) -> None:
        """What is fixed cannot be changed, what is hidden is not shown, and the reasons stand below."""
        locks = template.locks.slurm if template else self._dash.library.policy.locks(None).slurm
        self._decided = {name for name, each in locks.items() if any(map(is_decided, each))}
        for name, field in self.options.items():
            field.disabled = name in self._decided
            field.layout.display = "none" if any(lock.hidden for lock in locks.get(name, ())) else None
            for lock in locks.get(name, ()):
                if lock.fixed is not None and (isinstance(field.value, str) or isinstance(lock.fixed, int)):
                    field.value = type(field.value)(lock.fixed)
        self._locks_note.value = decided_html(locks)

    def _on_image(self, _change: Any) -> None:
        try:
            image = self.image.image
        except ImageNotFound:
            image = None  # it went away meanwhile; the preview says so
        self.app.options = [app.name for app in image.facts.apps] if image else []
        self._on_change(None)

    def _on_files(self, change: Any) -> None:
        """A file came, went, or is complete now; the progress of one changes nothing in the script."""
        before, now = (
            [(row["name"], row.get("slot"), row.get("state")) for row in rows]
            for rows in (change["old"], change["new"])
        )
        if before != now:
            self._on_change(None)

    def _on_change(self, _change: Any) -> None:
        if self._quiet:
            return
        self._quiet = True
        self._parameters.follow()
        self._quiet = False
        partition = self.options["partition"]
        self.image.partition = partition.value if partition.value in partition.options else ""
        self._key = None
        self._show(self._dash.jobs.preview(self.spec()))

    def _show(self, preview: Preview) -> None:
        self.script.value = preview.script
        self.findings.value = "".join(
            f"<div>{'✗' if check.level == 'error' else '!'} {html.escape(check.message)}</div>"
            for check in preview.checks
        )
        self.submit_button.disabled = not preview.ready

    # -- submit ---------------------------------------------------------------------------------------------

    def submit(self) -> JobRecord | None:
        """Submit what the form says; the form keeps its values. None when it was refused (the reason is shown)."""
        self.submit_button.disabled = True
        # Kept when the answer is lost, so that submitting the same again finds the job instead of making a second.
        self._key = self._key or str(uuid.uuid4())
        try:
            record, _ = self._dash.jobs.submit(self.spec(), self._key)
        except SlurmDashError as error:
            self.findings.value = f"<div>✗ {html.escape(error.detail)}</div>"
            return None
        finally:
            self.submit_button.disabled = False
        self._key = None
        self.output.layout.display = ""
        with self._follow_lock:
            self.job, self._followed = record, record.run_id
            self._show_state(record)
        threading.Thread(target=self._follow, args=(record.run_id,), daemon=True).start()
        return record

    def _show_state(self, record: JobRecord) -> None:
        reason = f" · {html.escape(record.reason)}" if record.reason else ""
        self.status.value = (
            f"Job {html.escape(str(record.job_id))}: <b>{html.escape(record.state)}</b>{reason}"
        )

    def _follow(self, run_id: str, wait: Callable[[float], object] | None = None) -> None:
        """Bring state and log up to date until the job ends or another one is submitted."""
        pause = wait or threading.Event().wait
        while True:
            record = self._dash.jobs.refresh(run_id)
            text = self._dash.jobs.log(run_id, "out", -16 * 1024).text
            with self._follow_lock:
                if self._followed != run_id:
                    return
                self.job = record
                self._show_state(record)
                self.output.value = text
            if record.state in OVER:
                return
            pause(1.0)
