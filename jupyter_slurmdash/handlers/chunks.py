"""The plan's chunks over HTTP: octet-stream bodies that say in their headers which chunk of which file they are."""

from __future__ import annotations

from urllib.parse import unquote

from ..errors import InvalidInput, UnsupportedMediaType
from ..uploads.chunks import Chunk
from ..uploads.model import FILE_TYPES
from ..uploads.protocol import parse_checksum, parse_number
from .bodies import BodyHandler


class ChunksHandler(BodyHandler):
    path = "/api/v2/upload/sessions/{session_id}/chunks"

    async def admit_body(self) -> None:
        chunk = self._chunk()
        opening = self.dash.uploads.chunks.open
        self.take_body(await self.call(opening, self.path_kwargs["session_id"], self.dash.user, chunk))

    def _chunk(self) -> Chunk:
        headers = self.request.headers
        if headers.get("Content-Type", "") != "application/octet-stream":
            raise UnsupportedMediaType("Send the chunk as Content-Type: application/octet-stream.")
        kind = headers.get("X-File-Type", "")
        if kind and kind not in FILE_TYPES:
            raise InvalidInput(f"X-File-Type is one of {', '.join(FILE_TYPES)}.")
        checksum = headers.get("Upload-Checksum")
        return Chunk(
            name=header_text(headers.get("X-File-Name", "")),
            index=parse_number("X-Chunk-Index", headers.get("X-Chunk-Index", "")),
            total=parse_number("X-Total-Chunks", headers.get("X-Total-Chunks", "")),
            type=kind,
            slot=headers.get("X-File-Slot", ""),
            body=self.announced(),
            checksum=parse_checksum(checksum) if checksum else None,
            let_go=self.asker(),
        )

    async def post(self, session_id: str) -> None:
        receipt = await self.conclude()
        if receipt is not None:
            self.send(receipt)


def header_text(value: str) -> str:
    """A header that holds text of any script: percent-encoded (``encodeURIComponent``), or bytes of UTF-8."""
    try:
        raw = value.encode("latin-1").decode()
    except UnicodeError:
        raw = value
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidInput("X-File-Name must be UTF-8, percent-encoded.") from error


routes = [ChunksHandler]
