"""Upload sessions over HTTP; the bytes themselves come by ``tus.py``."""

from __future__ import annotations

from typing import Any

from ..times import written
from ..uploads.model import Session
from .base import SlurmDashHandler


class UploadHandler(SlurmDashHandler):
    """What the handlers of sessions share."""

    def session_json(self, session: Session) -> dict[str, Any]:
        """The contract's ``UploadSession``."""
        sizes = [max(file.size or 0, file.offset) for file in session.files]
        arrived = sum(size * file.progress / 100 for size, file in zip(sizes, session.files, strict=True))
        done = all(file.state == "complete" for file in session.files)
        percent = 100.0 * arrived / sum(sizes) if sum(sizes) else 100.0 if session.files and done else 0.0
        return {
            "session_id": session.id,
            "status": session.state,
            "template_id": session.template_id,
            "expires_at": written(session.expires_at),
            "chunk_size": self.dash.settings.chunk_size,
            "tus_url": f"{self.route_root}/api/v2/upload/tus/{session.id}",
            "files": [file.to_json() for file in session.files],
            "progress": round(percent, 1),
            "total_size": sum(sizes),
        }


class SessionsHandler(UploadHandler):
    path = "/api/v2/upload/sessions"

    async def post(self) -> None:
        template_id = self.body().get("template_id")
        session = await self.call(self.dash.uploads.sessions.create, self.dash.user, template_id)
        self.send(self.session_json(session), 201)


class SessionHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}"

    async def get(self, session_id: str) -> None:
        session = await self.call(self.dash.uploads.sessions.get, session_id, self.dash.user)
        self.send(self.session_json(session))

    async def delete(self, session_id: str) -> None:
        await self.call(self.dash.uploads.sessions.delete, session_id, self.dash.user)
        self.send_nothing()


class PathsHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/paths"

    async def post(self, session_id: str) -> None:
        body = self.body()
        path = self.resolve_path(body["path"])
        add = self.dash.uploads.sessions.add_path
        file = await self.call(add, session_id, self.dash.user, path, body.get("slot", ""))
        self.send(file.to_json(), 201)


class FileHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/files/{file_id}"

    async def patch(self, session_id: str, file_id: str) -> None:
        update = self.dash.uploads.sessions.update_file
        file = await self.call(update, session_id, self.dash.user, file_id, self.body())
        self.send(file.to_json())

    async def delete(self, session_id: str, file_id: str) -> None:
        await self.call(self.dash.uploads.sessions.delete_file, session_id, self.dash.user, file_id)
        self.send_nothing()


class ContentsHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/files/{file_id}/contents"

    async def get(self, session_id: str, file_id: str) -> None:
        query = self.query()
        listing = await self.call(self.dash.uploads.contents, session_id, self.dash.user, file_id)
        self.send(listing.to_json(query["offset"], query["limit"]))


class SpaceHandler(UploadHandler):
    path = "/api/v2/upload/space"

    async def get(self) -> None:
        room = await self.call(self.dash.uploads.space.look, self.dash.user)
        self.send(room.to_json())


class FinalizeHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/finalize"

    async def post(self, session_id: str) -> None:
        session = await self.call(self.dash.uploads.sessions.finalize, session_id, self.dash.user)
        self.send(self.session_json(session))


class ValidateHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/validate"

    async def post(self, session_id: str) -> None:
        template_id = self.body()["template_id"]
        verdict = await self.call(self.dash.validate_files, template_id, session_id, {})
        self.send(verdict.to_json())


class PreflightHandler(UploadHandler):
    path = "/api/v2/upload/sessions/{session_id}/preflight"

    async def post(self, session_id: str) -> None:
        wanted = [(file["name"], file["size"]) for file in self.body()["files"]]
        look = self.dash.uploads.preflight.look
        self.send(await self.call(look, session_id, self.dash.user, wanted))


routes = [
    PreflightHandler,
    SpaceHandler,
    ContentsHandler,
    SessionsHandler,
    SessionHandler,
    PathsHandler,
    FileHandler,
    FinalizeHandler,
    ValidateHandler,
]
