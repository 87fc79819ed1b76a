"""``/api/v2/templates``: the shelves, one template, its file."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado import httputil

from ..errors import FieldError, InvalidInput, UnsupportedMediaType
from ..templates.model import Template
from .base import SlurmDashHandler

if TYPE_CHECKING:
    from ..dash import Dash

# A template of 256 KiB, as JSON with all its escapes or in a multipart form.
MAX_BODY = 1024 * 1024


class _WritingHandler(SlurmDashHandler):
    """What the handlers share that take or give a text."""

    max_body = MAX_BODY

    def content_type(self) -> str:
        return self.request.headers.get("Content-Type", "application/json").split(";")[0].strip().lower()

    def text_or_document(self) -> dict[str, Any]:
        """``text`` or ``document`` of a JSON body, or a YAML body as ``text``."""
        if self.content_type() in YAML_TYPES:
            return {"text": as_text(bytes(self._body))}
        return dict(self.body())

    def if_match(self) -> str | None:
        """The hash that a change is based on: from a template's ``hash``, or an ETag of ours."""
        return hash_of(self.request.headers.get("If-Match"))

    def send_template(self, template: Template, status: int = 200) -> None:
        self.set_header("ETag", f'"{template.hash}"')
        if status == 201:
            place = f"{self.route_root}/api/v2/templates/{quote(template.id, safe='@')}"
            self.set_header("Location", place)
        self.send(template.to_json(), status)


class TemplatesHandler(_WritingHandler):
    path = "/api/v2/templates"

    async def get(self) -> None:
        self.send_cached(await self.call(listed, self.dash, **self.query()))

    async def post(self) -> None:
        given = {"shelf": self.query()["shelf"], **self.text_or_document()}
        self.send_template(await self.call(self.dash.editor.create, **given), 201)


class TemplateImportHandler(_WritingHandler):
    path = "/api/v2/templates/import"

    async def post(self) -> None:
        is_public, text = self.query()["is_public"], bytes(self._body)
        if self.content_type() == "multipart/form-data":
            fields = form(self.request.headers["Content-Type"], text)
            text, is_public = fields["file"], is_public or fields.get("is_public") == b"true"
        elif self.content_type() not in YAML_TYPES:
            raise UnsupportedMediaType("Send the file as application/yaml, or as multipart/form-data.")
        self.send_template(await self.call(self.dash.editor.import_, as_text(text), is_public), 201)


class TemplateScriptHandler(_WritingHandler):
    path = "/api/v2/templates/import/script"

    async def post(self) -> None:
        body = self.body()
        draft = await self.call(self.dash.drafts.of_script, body["script"], body.get("name", ""))
        self.send(draft.to_json())


class TemplateCheckHandler(_WritingHandler):
    path = "/api/v2/templates/check"

    async def post(self) -> None:
        given = {**self.body()}
        given.pop("shelf", None)
        self.send((await self.call(self.dash.editor.check, **given)).to_json())


class TemplateSearchHandler(SlurmDashHandler):
    path = "/api/v2/templates/search"

    async def get(self) -> None:
        self.send_cached(await self.call(listed, self.dash, **self.query()))


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
        self.set_header("ETag", f'"{hashlib.sha256(text).hexdigest()}"')
        self.set_header("Content-Disposition", attachment(f"{id}.yaml"))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(text, set_content_type="application/yaml")


class TemplateHandler(_WritingHandler):
    path = "/api/v2/templates/{id}"

    async def get(self, id: str) -> None:
        template = await self.call(self.dash.library.get, id)
        # Its shelf and its problem may change while the file does not, so the hash alone is not all of the tag.
        self.send_cached(template.to_json(), template.hash)

    async def put(self, id: str) -> None:
        given = self.text_or_document()
        if given.pop("shelf", None):
            raise InvalidInput("A template keeps its shelf when it is saved; share or unshare it.")
        self.send_template(await self.call(self.dash.editor.save, id, **given, if_match=self.if_match()))

    async def delete(self, id: str) -> None:
        self.send_template(await self.call(self.dash.editor.delete, id, self.if_match()))


class TemplateCloneHandler(_WritingHandler):
    path = "/api/v2/templates/{id}/clone"

    async def post(self, id: str) -> None:
        self.send_template(await self.call(self.dash.editor.clone, id, self.body()["new_name"]), 201)


class TemplateShareHandler(_WritingHandler):
    path = "/api/v2/templates/{id}/share"

    async def post(self, id: str) -> None:
        self.send_template(await self.call(self.dash.editor.share, id))


class TemplateUnshareHandler(_WritingHandler):
    path = "/api/v2/templates/{id}/unshare"

    async def post(self, id: str) -> None:
        self.send_template(await self.call(self.dash.editor.unshare, id))


class TemplateRestoreHandler(_WritingHandler):
    path = "/api/v2/templates/{id}/restore"

    async def post(self, id: str) -> None:
        self.send_template(await self.call(self.dash.editor.restore, id))


class TemplateVersionsHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}/versions"

    async def get(self, id: str) -> None:
        found = await self.call(self.dash.editor.versions, id)
        self.send_cached({"versions": [version.to_json() for version in found], "total": len(found)})


class TemplateVersionHandler(SlurmDashHandler):
    path = "/api/v2/templates/{id}/versions/{version}"

    async def get(self, id: str, version: str) -> None:
        self.send_cached((await self.call(self.dash.editor.version, id, version)).to_json())


class TemplateVersionRestoreHandler(_WritingHandler):
    path = "/api/v2/templates/{id}/versions/{version}/restore"

    async def post(self, id: str, version: str) -> None:
        restored = await self.call(self.dash.editor.restore_version, id, version, self.if_match())
        self.send_template(restored)


def listed(dash: Dash, *, limit: int, cursor: str | None, **filters: Any) -> dict[str, Any]:
    """One page of the templates, which are sorted by id, with how each does; the cursor is the last id of the page
    before.

    So a template that appears or vanishes between two pages neither repeats nor hides another.
    """
    found = dash.library.templates(**filters)
    rest = [template for template in found if cursor is None or template.id > cursor]
    shown = rest[:limit]
    checks, runs = dash.checkups.briefs(shown), dash.checkups.runs()
    return {
        "templates": [
            {
                **template.summary_json(),
                "check": checks[template.id].to_json() if template.id in checks else None,
                "runs": runs[template.id].to_json() if template.id in runs else None,
            }
            for template in shown
        ],
        "total": len(found),
        "next_cursor": shown[-1].id if len(rest) > limit else None,
    }


YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")


def as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not UTF-8 text; save it as UTF-8.") from error


def hash_of(tag: str | None) -> str | None:
    """``"hash"`` or ``"hash.more"`` → hash; ``*`` as it is."""
    return tag if tag is None else tag.strip().strip('"').partition(".")[0]


def form(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields and the file of a form. Raises InvalidInput."""
    arguments: dict[str, list[bytes]] = {}
    uploads: dict[str, list[httputil.HTTPFile]] = {}
    try:
        httputil.parse_body_arguments(content_type, body, arguments, uploads)
    except httputil.HTTPInputError as error:
        raise InvalidInput(f"The form cannot be read: {error}.") from error
    fields = {name: values[-1] for name, values in arguments.items()}
    fields |= {name: files[-1]["body"] for name, files in uploads.items()}
    if "file" not in fields:
        raise InvalidInput("The form has no file.", [FieldError("/file", "The YAML file is missing.")])
    return fields


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
    TemplateImportHandler,
    TemplateScriptHandler,
    TemplateCheckHandler,
    TemplateSearchHandler,
    TemplateCategoriesHandler,
    TemplateTagsHandler,
    TemplateScanHandler,
    TemplateExportHandler,
    TemplateHandler,
    TemplateCloneHandler,
    TemplateShareHandler,
    TemplateUnshareHandler,
    TemplateRestoreHandler,
    TemplateVersionsHandler,
    TemplateVersionHandler,
    TemplateVersionRestoreHandler,
]
