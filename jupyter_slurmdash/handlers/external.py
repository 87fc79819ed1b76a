"""A job from another front end, with its files, in one request."""

from __future__ import annotations

from ..errors import SlurmDashError
from ..jobs.model import JobSpec
from ..uploads.external import ExternalFile
from .base import SlurmDashHandler
from .contract import contract


class ExternalHandler(SlurmDashHandler):
    path = "/api/v2/upload/external"

    async def admit(self) -> None:
        # It is two things at once: whoever may submit but not upload may not do it.
        await self.guard(self, contract().operations["/api/v2/upload/sessions"]["post"])
        await super().admit()

    async def post(self) -> None:
        body = self.body()
        files = [ExternalFile(**file) for file in body["files"]]
        uploads, user, template_id = self.dash.uploads, self.dash.user, body["template_id"]
        session_id = await self.call(uploads.external.gather, user, template_id, files)
        spec = JobSpec.from_json({"template_id": template_id, "session_id": session_id})
        key = self.request.headers.get("Idempotency-Key")
        try:
            record, new = await self.call(self.dash.jobs.submit, spec, key)
        except SlurmDashError:
            await self.call(uploads.sessions.delete, session_id, user)
            raise
        answer = {"job_id": record.job_id, "status": "submitted", "session_id": session_id}
        self.send(answer, 201 if new else 200)


routes = [ExternalHandler]
