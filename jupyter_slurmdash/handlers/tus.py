"""Resumable uploads: tus 1.0.0 (tus.io/protocols/resumable-upload) with its extensions creation,
creation-with-upload, creation-defer-length, checksum, expiration, termination and concatenation.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from ..errors import InvalidInput, PreconditionFailed, SlurmDashError, TooLarge, UnsupportedMediaType
from ..uploads.model import SessionFile
from ..uploads.protocol import (
    ALGORITHMS,
    EXTENSIONS,
    VERSION,
    Checksum,
    parse_checksum,
    parse_concat,
    parse_metadata,
    parse_number,
)
from ..uploads.records import NewFile
from ..uploads.transfers import Append
from .bodies import BodyHandler

CONTENT_TYPE = "application/offset+octet-stream"
CLASHES = ("", "keep", "replace")


class WrongVersion(PreconditionFailed):
    code, title = "tus-version", "This version of tus is not spoken here"


class TusHandler(BodyHandler):
    """What every tus request shares: the version, and how its bytes are written."""

    def initialize(self) -> None:
        super().initialize()
        override = self.request.headers.get("X-HTTP-Method-Override")
        if override:
            # Some clients and proxies cannot send PATCH. All checks that follow see the method that is meant.
            self.request.method = override.upper()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Tus-Resumable", VERSION)

    @property
    def ids(self) -> tuple[str, str]:
        """Session id and file id of the address, "" for no file."""
        return self.path_kwargs["session_id"], self.path_kwargs.get("file_id", "")

    # -- before the body ------------------------------------------------------------------------------------

    async def admit_body(self) -> None:
        if self.request.method == "OPTIONS":
            self.allow_body(0)
            return
        if self.request.headers.get("Tus-Resumable") != VERSION:
            raise WrongVersion(f"Send the header Tus-Resumable: {VERSION}.")
        await self.admit_bytes()

    async def admit_bytes(self) -> None:
        """Most requests have none."""
        self.allow_body(0)

    async def begin(self, session_id: str, file_id: str, offset: int, total: int | None = None) -> None:
        """Open the upload at ``offset`` for the body of this request."""
        checksum = self.check_body_headers()
        append = Append(offset, self.announced(), total, checksum, self.asker())
        open_upload = self.dash.uploads.transfers.open
        opened = await self.call(open_upload, session_id, self.dash.user, file_id, append)
        if isinstance(opened, SessionFile):
            self.allow_body(0)
        else:
            self.lend_body(opened)

    def check_body_headers(self) -> Checksum | None:
        """The checksum of the body, if it has one. Raises UnsupportedMediaType or InvalidInput."""
        if self.request.headers.get("Content-Type", "") != CONTENT_TYPE:
            raise UnsupportedMediaType(f"Send the bytes as Content-Type: {CONTENT_TYPE}.")
        checksum = self.request.headers.get("Upload-Checksum")
        return parse_checksum(checksum) if checksum else None

    def add_headers(self, problem: SlurmDashError) -> None:
        if isinstance(problem, WrongVersion):
            self.set_header("Tus-Version", VERSION)

    # -- the answer -----------------------------------------------------------------------------------------

    async def send_offset(self, file: SessionFile, status: int) -> None:
        self.set_header("Upload-Offset", str(file.offset))
        session = await self.call(self.dash.uploads.sessions.find, file.session_id, self.dash.user)
        self.set_header("Upload-Expires", formatdate(session.expires_at, usegmt=True))
        self.send_nothing(status)

    def send_capabilities(self) -> None:
        self.set_header("Tus-Version", VERSION)
        self.set_header("Tus-Extension", ",".join(EXTENSIONS))
        self.set_header("Tus-Checksum-Algorithm", ",".join(ALGORITHMS))
        limit = self.dash.uploads.settings.max_size
        if limit:
            self.set_header("Tus-Max-Size", str(limit))
        self.send_nothing()


class TusCollectionHandler(TusHandler):
    path = "/api/v2/upload/tus/{session_id}"

    _file: SessionFile | None = None

    async def admit_bytes(self) -> None:
        if self.request.method != "POST":
            raise InvalidInput("Create an upload with POST.")
        new, metadata = self._new_file()
        concat = self.request.headers.get("Upload-Concat", "")
        if concat and concat != "partial":
            await self._join(new, metadata, concat)
            return
        body = self.announced()
        if body != 0:
            self.check_body_headers()
        if new.size is not None and body is not None and body > new.size:
            raise TooLarge(f"The body has {body} bytes, but Upload-Length is {new.size}.")
        session_id, _ = self.ids
        create = self.dash.uploads.transfers.create
        self._file = await self.call(create, session_id, self.dash.user, new, metadata)
        if body == 0 or self._file.state == "complete":
            self.allow_body(0)
        else:
            await self.begin(session_id, self._file.id, 0)

    def _new_file(self) -> tuple[NewFile, str]:
        headers = self.request.headers
        length, later = headers.get("Upload-Length"), headers.get("Upload-Defer-Length")
        concat = headers.get("Upload-Concat", "")
        if concat.startswith("final"):
            if length is not None or later is not None or self.announced() != 0:
                raise InvalidInput("A final upload has the length and the bytes of its parts. Send neither.")
        elif (length is None) == (later is None) or later not in (None, "1"):
            raise InvalidInput("Send either Upload-Length, or Upload-Defer-Length: 1.")
        metadata = headers.get("Upload-Metadata", "")
        about = parse_metadata(metadata)
        size = parse_number("Upload-Length", length) if length is not None else None
        if concat == "partial":
            return NewFile("", size, origin="partial"), metadata
        clash = about.get("clash", "")
        if clash not in CLASHES:
            raise InvalidInput("Upload-Metadata: clash is keep or replace.")
        return NewFile(
            _name(about), size, about.get("slot", ""), about.get("filetype", ""), clash=clash
        ), metadata

    async def _join(self, new: NewFile, metadata: str, concat: str) -> None:
        self.allow_body(0)
        session_id, _ = self.ids
        _, parts = parse_concat(concat)
        if any(session != session_id for session, _ in parts):
            raise InvalidInput("Upload-Concat: all parts must be uploads of this session.")
        ids = [part_id for _, part_id in parts]
        create = self.dash.uploads.transfers.joins.create
        self._file = await self.call(create, session_id, self.dash.user, new, ids, concat, metadata)

    def options(self, *args: Any, **kwargs: Any) -> None:
        self.send_capabilities()

    async def post(self, session_id: str) -> None:
        file = await self.conclude() or self._file
        if self._finished or file is None:
            return
        self.set_header("Location", f"{self.route_root}/api/v2/upload/tus/{session_id}/{file.id}")
        await self.send_offset(file, 201)


def _name(about: dict[str, str]) -> str:
    """The file's name; of one in a folder the path, which Uppy sends as ``relativePath`` ("null" for none)."""
    path = about.get("relativePath", "")
    return path if path not in ("", "null") else about.get("filename") or about.get("name", "")


class TusFileHandler(TusHandler):
    path = "/api/v2/upload/tus/{session_id}/{file_id}"

    async def admit_bytes(self) -> None:
        if self.request.method != "PATCH":
            self.allow_body(0)
            return
        headers = self.request.headers
        self.check_body_headers()
        offset = parse_number("Upload-Offset", headers.get("Upload-Offset", ""))
        length = headers.get("Upload-Length")
        total = parse_number("Upload-Length", length) if length is not None else None
        await self.begin(*self.ids, offset, total)

    def options(self, *args: Any, **kwargs: Any) -> None:
        self.send_capabilities()

    async def head(self, session_id: str, file_id: str) -> None:
        self.set_header("Cache-Control", "no-store")
        transfers = self.dash.uploads.transfers
        file = await self.call(transfers.look, session_id, self.dash.user, file_id)
        if file.size is None:
            self.set_header("Upload-Defer-Length", "1")
        else:
            self.set_header("Upload-Length", str(file.size))
        concat = await self.call(transfers.concat, file)
        if concat:
            self.set_header("Upload-Concat", concat)
        metadata = await self.call(transfers.metadata, file)
        if metadata:
            self.set_header("Upload-Metadata", metadata)
        await self.send_offset(file, 200)

    async def patch(self, session_id: str, file_id: str) -> None:
        file = await self.conclude()
        if self._finished:
            return
        if file is None:
            look = self.dash.uploads.transfers.look
            file = await self.call(look, session_id, self.dash.user, file_id)
        await self.send_offset(file, 204)

    async def delete(self, session_id: str, file_id: str) -> None:
        await self.call(self.dash.uploads.transfers.remove, session_id, self.dash.user, file_id)
        self.send_nothing()


routes = [TusCollectionHandler, TusFileHandler]
