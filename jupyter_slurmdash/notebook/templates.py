"""Templates in a cell: draft, save, clone, share, and go back."""

from __future__ import annotations

from pathlib import Path

from ..dash import Dash
from ..errors import InvalidInput
from ..jobs.templatereport import TemplateHealth
from ..templates.editor import ANY, Shelf
from ..templates.history import Version
from ..templates.locks import Lock
from ..templates.model import Template
from ..templates.texts import TemplateDraft
from ..uploads.units import size_text
from .job import Job
from .tables import ReportTable, Table


class VersionTable(Table[Version]):
    """Former versions of a template, the newest first."""

    columns = ("version", "saved", "size")

    def row(self, item: Version) -> tuple[str, ...]:
        return (item.version, str(item.to_json()["saved_at"]), size_text(item.size))


class LockTable(Table[tuple[str, Lock]]):
    """What is decided about fields: the field, the decision, and why."""

    columns = ("field", "decided", "reason")

    def row(self, item: tuple[str, Lock]) -> tuple[str, ...]:
        name, lock = item
        return (name, lock.words(), lock.reason)


class TemplateCells(Dash):
    """What ``NotebookDash`` knows of writing templates.

    Whoever sits in a cell has just read the template, so a change goes to what is there now unless ``based_on`` (the
    ``hash`` of what was read) says otherwise; the former text is kept either way.
    """

    def template_draft(self, image_id: str, app: str | None = None) -> TemplateDraft:
        """A draft for an image by its file name or id: ``.text`` is YAML to change and ``save_template``."""
        if self.catalog.scanned_at() is None:
            self.catalog.scan()
        found = self.catalog.find_by_name(image_id)
        return super().template_draft(found.id if found is not None else image_id, app)

    def template_from_script(self, script: str | Path, name: str = "") -> TemplateDraft:
        """A draft from a batch script, its text or (a ``Path``) its file: ``.text`` to change and ``save_template``,
        ``.notes`` what needs a look. Raises InvalidInput, with the line."""
        if isinstance(script, Path):
            try:
                text = script.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise InvalidInput(f"{script} is not text in UTF-8: {error}.") from error
            return self.drafts.of_script(text, name or script.stem)
        return self.drafts.of_script(script, name)

    def template_from_job(self, job: str | Job) -> TemplateDraft:
        """A draft from one of your jobs (a ``Job`` or its id), with its values as defaults. Raises JobNotFound."""
        if isinstance(job, Job):
            return self.drafts.of_job(job.record.run_id)
        self.jobs.watcher.look()  # it may have been submitted elsewhere just now
        return self.drafts.of_job(job)

    def template_text(self, template_id: str) -> str:
        """The template's YAML."""
        self.library.refresh()
        return self.library.text(template_id).decode("utf-8", "replace")

    def template_locks(self, template_id: str | None = None) -> LockTable:
        """What template and site have decided about fields, as a table; without an id what holds for every job."""
        self.library.refresh()
        found = self.library.get(template_id).locks if template_id else self.library.policy.locks(None)
        parts = (("", found.slurm), ("parameters.", found.parameters))
        return LockTable(
            [
                (f"{part}{name}", lock)
                for part, fields in parts
                for name, locks in fields.items()
                for lock in locks
            ]
        )

    def save_template(
        self, text: str | TemplateDraft, based_on: str = ANY, shelf: Shelf = "private"
    ) -> Template:
        """Save a template's YAML under the id in it: a new one on ``shelf``, or one that you may change.

        Raises TemplateBroken with line and column, PreconditionFailed when it is no longer what ``based_on`` was.
        """
        text = text.text if isinstance(text, TemplateDraft) else text
        found = self.editor.check(text).template
        self.library.refresh()
        known = self.library.find(found.id) if found.problem is None else None
        if known is None or known.source == "archived":
            return self.editor.create(text, shelf=shelf)
        return self.editor.save(found.id, text, if_match=based_on)

    def clone_template(self, template_id: str, new_name: str) -> Template:
        """A private copy under another name, without its author's account."""
        return self.editor.clone(template_id, new_name)

    def share_template(self, template_id: str) -> Template:
        """Let everybody use your template."""
        return self.editor.share(template_id)

    def unshare_template(self, template_id: str) -> Template:
        """Take it back."""
        return self.editor.unshare(template_id)

    def delete_template(self, template_id: str, based_on: str = ANY) -> Template:
        """Move your template to your archive; ``restore_template`` brings it back."""
        return self.editor.delete(template_id, based_on)

    def restore_template(self, template_id: str, version: str | None = None, based_on: str = ANY) -> Template:
        """A former ``version`` of a template again, or without one the archived template itself."""
        if version is None:
            return self.editor.restore(template_id)
        return self.editor.restore_version(template_id, version, based_on)

    def import_template(self, text: str, is_public: bool = False) -> Template:
        """A template from elsewhere, under a free id."""
        return self.editor.import_(text, is_public)

    def template_versions(self, template_id: str) -> VersionTable:
        """The former versions that are kept, the newest first, as a table."""
        self.library.refresh()
        return VersionTable(self.editor.versions(template_id))

    def check_templates(self, *ids: str) -> ReportTable:
        """Dry-run these templates (by default the official set) as a table: nothing is submitted, the result is kept.

        Raises TemplateNotFound, and SchedulerUnavailable where the scheduler does not answer.
        """
        self.library.refresh()
        return ReportTable(self.checkups.check(ids or None))

    def template_health(self, template_id: str) -> TemplateHealth:
        """A template's last dry run (``report``) and what became of your jobs of it (``runs``)."""
        self.library.refresh()
        return self.checkups.of(template_id)

    def template_diff(self, template_id: str, version: str) -> str:
        """What was changed since a version, as a unified diff."""
        return self.editor.version(template_id, version).diff
