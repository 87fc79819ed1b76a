"""A template tried out: its files checked, its script shown."""

from __future__ import annotations

from ..jobs.model import JobSpec
from .base import SlurmDashHandler


class ValidateHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}/validate"

    async def post(self, id: str) -> None:
        body = self.resolve_paths(self.body())
        verdict = await self.call(
            self.dash.validate_files, id, body.get("session_id"), body.get("files") or {}
        )
        self.send(verdict.to_json())


class GenerateHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}/generate"

    async def post(self, id: str) -> None:
        spec = JobSpec.from_json({**self.resolve_paths(self.body()), "template_id": id})
        self.send((await self.call(self.dash.jobs.preview, spec)).to_json())


routes = [ValidateHandler, GenerateHandler]
