"""Templates from what people have: a script, or a job. Drafts, to be looked at and saved by their user."""

from __future__ import annotations

from ..formats.yamlsafe import load
from ..templates.editor import Editor
from ..templates.texts import TemplateDraft
from .jobdraft import has_own_request, job_script_draft, request_draft
from .personal import Owner
from .scriptdraft import script_draft
from .service import Jobs


class Drafts:
    """Drafts for ``owner``, whose account, addresses and the like are never in them."""

    def __init__(self, jobs: Jobs, editor: Editor, owner: Owner) -> None:
        self._jobs = jobs
        self._editor = editor
        self._owner = owner

    def of_script(self, script: str, name: str = "") -> TemplateDraft:
        """A template from a batch script, not yet saved; ``name`` for one that names no job.

        Raises InvalidInput, with the line, for directives that cannot be read or that are of a heterogeneous job.
        """
        found = script_draft(script, name, self._owner)
        return self._editor.draft(found.document, {}, found.notes)

    def of_job(self, job_id: str) -> TemplateDraft:
        """A template from one of the user's jobs, not yet saved: its values are the defaults.

        Raises JobNotFound, also when nobody has the script of a job that was submitted elsewhere any more.
        """
        record = self._jobs.get(job_id)
        former = None
        if record.template_id is not None and record.template_hash is not None:
            former = self._editor.text_with_hash(record.template_id, record.template_hash)
        if has_own_request(record) and (former is not None or record.template_id is None):
            found = request_draft(record, load(former) if former else {}, self._owner)
        else:
            found, former = job_script_draft(record, self._jobs.script(job_id), self._owner), None
        document = found.document
        if record.template_id is not None:
            # A copy, for which the site's rules hold too.
            head = {**document["template"], "cloned_from": self._editor.origins(record.template_id)}
            document = {**document, "template": head}
        return self._editor.draft(document, {}, found.notes, former)
