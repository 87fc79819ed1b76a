"""Files in a form (multipart/form-data), as browsers, ``curl -F`` and every HTTP library send them."""

from __future__ import annotations

from ..errors import UnsupportedMediaType
from ..uploads.intake import Intake, answer
from .bodies import BodyHandler


class FormHandler(BodyHandler):
    path = "/api/v2/upload/sessions/{session_id}/files"
    off_loop = True  # parts of a form end in the database

    async def admit_body(self) -> None:
        kind = self.request.headers.get("Content-Type", "")
        if not kind.lower().startswith("multipart/form-data"):
            raise UnsupportedMediaType("Send the files as multipart/form-data.")
        uploads, session_id = self.dash.uploads, self.path_kwargs["session_id"]
        await self.call(uploads.sessions.find, session_id, self.dash.user)
        form = Intake(uploads.transfers, uploads.small, session_id, self.dash.user, kind, self.asker())
        self.take_body(form)

    async def post(self, session_id: str) -> None:
        files = await self.conclude()
        if files is not None:
            self.send(answer(files), 201)


routes = [FormHandler]
