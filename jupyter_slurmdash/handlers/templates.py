"""``/api/v2/templates``: the shelves, one template, its file."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from ..templates.model import Template
from .base import SlurmDashHandler


class TemplatesHandler(SlurmDashHandler):
    path = "/api/v2/templates"

    async def get(self) -> None:
        query = self.query()
        limit, cursor = query.pop("limit"), query.pop("cursor")
        found = await self.call(self.dash.library.templates, **query)
        self.send_cached(page(found, limit, cursor))


class TemplateSearchHandler(SlurmDashHandler):
    path = "/api/v2/templates/search"

    async def get(self) -> None:
        query = self.query()
        found = await self.call(self.dash.library.templates, q=query["q"])
        self.send_cached(page(found, query["limit"], query["cursor"]))


class TemplateCategoriesHandler(SlurmDashHandler):
    path = "/api/v2/templates/categories"

    async def get(self) -> None:
        self.send_cached(counts(await self.call(self.dash.library.categories)))


class TemplateTagsHandler(SlurmDashHandler):
    path = "/api/v2/templates/tags"

    async def get(self) -> None:
        self.send_cached(counts(await self.call(self.dash.library.tags)))


class TemplateScanHandler(SlurmDashHandler):
    path = "/api/v2/templates/scan"

    async def post(self) -> None:
        count, broken = await self.call(self.dash.library.scan)
        self.send({"count": count, "broken": broken})


class TemplateExportHandler(SlurmDashHandler):
    path = "/api/v2/templates/export/{id}"

    async def get(self, id: str) -> None:
        text = await self.call(self.dash.library.text, id)
        self.set_header("Content-Disposition", attachment(f"{id}.yaml"))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(text, set_content_type="application/yaml")


class TemplateHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}"

    async def get(self, id: str) -> None:
        template = await self.call(self.dash.library.get, id)
        self.send_cached(template.to_json())


def page(found: list[Template], limit: int, cursor: str | None) -> dict[str, Any]:
    """One page of templates that are sorted by id; the cursor is the last id of the page before.

    So a template that appears or vanishes between two pages neither repeats nor hides another.
    """
    rest = [template for template in found if cursor is None or template.id > cursor]
    shown = rest[:limit]
    return {
        "templates": [template.summary_json() for template in shown],
        "total": len(found),
        "next_cursor": shown[-1].id if len(rest) > limit else None,
    }


def counts(items: list[tuple[str, int]]) -> dict[str, Any]:
    return {"items": [{"name": name, "count": count} for name, count in items]}


def attachment(name: str) -> str:
    """A Content-Disposition for a download (RFC 6266), a name that is not ASCII also as UTF-8 (RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9._ @-]", "_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


# Fixed names before ids, which match anything.
routes = [
    TemplatesHandler,
    TemplateSearchHandler,
    TemplateCategoriesHandler,
    TemplateTagsHandler,
    TemplateScanHandler,
    TemplateExportHandler,
    TemplateHandler,
]
