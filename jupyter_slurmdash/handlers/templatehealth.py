"""How templates do: dry runs in the background, and what became of the jobs."""

from __future__ import annotations

from .base import SlurmDashHandler


class TemplateReportsHandler(SlurmDashHandler):
    path = "/api/v2/templates/health"

    async def get(self) -> None:
        health = self.dash.checkups
        reports, running = await self.call(health.reports), health.under_way()
        self.send_cached(
            {"reports": [report.to_json() for report in reports], "running": running, "total": len(reports)}
        )

    async def post(self) -> None:
        running = await self.call(self.dash.checkups.start, self.body().get("ids"))
        self.send({"running": running}, 202)


class TemplateHealthHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}/health"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.checkups.of, id)).to_json())

    async def post(self, id: str) -> None:
        await self.call(self.dash.checkups.start, [id])
        self.send((await self.call(self.dash.checkups.of, id)).to_json(), 202)


routes = [TemplateReportsHandler, TemplateHealthHandler]
