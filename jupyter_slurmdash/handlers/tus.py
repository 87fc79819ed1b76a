"""Resumable uploads: tus 1.0.0 (tus.io/protocols/resumable-upload) with its extensions creation,
creation-with-upload, creation-defer-length, checksum, expiration and termination.

Bytes go to the disk as they come, in the event loop while the disk is quick and beside it when it is
not. Whatever ends a request early, what has arrived stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import time
from email.utils import formatdate
from typing import Any

from tornado.iostream import StreamClosedError

from ..errors import (
    Conflict,
    InvalidInput,
    PreconditionFailed,
    SlurmDashError,
    TooLarge,
    UnsupportedMediaType,
)
from ..uploads.locks import LetGo
from ..uploads.model import SessionFile
from ..uploads.protocol import (
    ALGORITHMS,
    EXTENSIONS,
    VERSION,
    Checksum,
    parse_checksum,
    parse_metadata,
    parse_number,
)
from ..uploads.records import NewFile
from ..uploads.transfers import Append
from ..uploads.writer import Writer
from .base import SlurmDashHandler, is_number

CONTENT_TYPE = "application/offset+octet-stream"
PIECE = 256 * 1024  # bytes that are read at once; measured to be the quickest
SLOW = 0.02  # seconds for one piece, from which on the disk is waited for beside the loop
# What holds an upload's lock runs in threads of its own: behind those that wait for the lock, it would never come to
# release it.
_WRITERS = "slurmdash_writers"
_ENDLESS = 2**62
LINGER = 5.0  # seconds that a refused body may go on arriving before the connection is closed


class WrongVersion(PreconditionFailed):
    code, title = "tus-version", "This version of tus is not spoken here"


class TusHandler(SlurmDashHandler):
    """What every tus request shares: the version, the streamed body, and what becomes of it."""

    def initialize(self) -> None:
        super().initialize()
        self._writer: Writer | None = None
        self._refused = False
        self._slow = False
        self._unwanted = False
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

    async def admit(self) -> None:
        try:
            await self._admit()
        except SlurmDashError as error:
            announced = self.request.headers.get("Content-Length", "")
            sending = self.request.method in ("PATCH", "POST") and is_number(announced) and announced != "0"
            if not sending or "Expect" in self.request.headers:
                raise
            self.allow_body(int(announced))
            await self._refuse(error)

    async def _admit(self) -> None:
        if self.request.method == "OPTIONS":
            self.allow_body(0)
            return
        if self.request.headers.get("Tus-Resumable") != VERSION:
            raise WrongVersion(f"Send the header Tus-Resumable: {VERSION}.")
        await self.admit_body()

    async def admit_body(self) -> None:
        """Most requests have none."""
        self.allow_body(0)

    async def begin(self, session_id: str, file_id: str, offset: int, total: int | None = None) -> None:
        """Open the upload at ``offset`` for the body of this request."""
        checksum = self.check_body_headers()
        append = Append(offset, self.announced(), total, checksum, self._asker())
        open_upload = self.dash.uploads.transfers.open
        opened = await self.call(open_upload, session_id, self.dash.user, file_id, append)
        if isinstance(opened, SessionFile):
            self.allow_body(0)
            return
        self._writer = opened
        if self._unwanted:
            raise Conflict("A newer connection has taken over this upload.")
        # The writer bounds a body of unknown length itself, and can say why; Tornado could not.
        self.allow_body(append.body if append.body is not None else _ENDLESS)
        self._widen()

    def _asker(self) -> LetGo:
        loop = asyncio.get_running_loop()

        def ask() -> None:
            loop.call_soon_threadsafe(self._let_go)

        return ask

    def check_body_headers(self) -> Checksum | None:
        """The checksum of the body, if it has one. Raises UnsupportedMediaType or InvalidInput."""
        if self.request.headers.get("Content-Type", "") != CONTENT_TYPE:
            raise UnsupportedMediaType(f"Send the bytes as Content-Type: {CONTENT_TYPE}.")
        checksum = self.request.headers.get("Upload-Checksum")
        return parse_checksum(checksum) if checksum else None

    def announced(self) -> int | None:
        """Bytes of the body; None when it comes in chunks of unknown number."""
        length = self.request.headers.get("Content-Length")
        if length is not None:
            return parse_number("Content-Length", length)
        return None if "Transfer-Encoding" in self.request.headers else 0

    def _widen(self) -> None:
        # Larger pieces are a third faster. The parameters are shared by all connections: change a copy.
        connection: Any = self.request.connection
        connection.params = copy.copy(connection.params)
        connection.params.chunk_size = PIECE
        connection.stream.read_chunk_size = PIECE

    # -- the body -------------------------------------------------------------------------------------------

    async def data_received(self, chunk: bytes) -> None:
        if self._refused or self._writer is None:
            return
        began = time.perf_counter()
        try:
            if self._slow:
                await self.call_in(_WRITERS, self._writer.write, chunk)
            else:
                self._writer.write(chunk)
        except SlurmDashError as error:
            await self.call_in(_WRITERS, self._writer.close)
            await self._refuse(error)
        self._slow = self._slow or time.perf_counter() - began > SLOW

    async def _refuse(self, error: SlurmDashError) -> None:
        """Answer now, and read on a little: a connection closed on unread bytes is reset, and the answer
        lost.
        """
        self._refused = True
        self.set_status(error.status, error.title)
        self._add_version(error)
        body = json.dumps({**error.to_problem(), "request_id": self.request_id}, ensure_ascii=False).encode()
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Content-Length", str(len(body)))
        self.write(body)
        with contextlib.suppress(StreamClosedError):
            await self.flush()
        asyncio.get_running_loop().call_later(LINGER, self._stop_lingering)

    def send_problem(self, problem: SlurmDashError) -> None:
        self._add_version(problem)
        super().send_problem(problem)

    def _add_version(self, problem: SlurmDashError) -> None:
        if isinstance(problem, WrongVersion):
            self.set_header("Tus-Version", VERSION)

    def _stop_lingering(self) -> None:
        if not self._finished:
            self.finish()

    def _let_go(self) -> None:
        """A newer request wants this upload, so this connection is taken for dead."""
        self._unwanted = True
        if not self._finished and self._writer is not None:
            stream: Any = self.request.connection.stream  # type: ignore[union-attr]
            stream.close()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._release()

    def on_finish(self) -> None:
        super().on_finish()
        self._release()

    def _release(self) -> None:
        if self._writer is None:
            return
        try:
            self.settings[_WRITERS].submit(self._writer.close)
        except RuntimeError:  # the server is going down, and its threads are gone
            self._writer.close()

    # -- the answer -----------------------------------------------------------------------------------------

    async def conclude(self) -> SessionFile | None:
        """The body is complete: the file as it stands, None when it was refused or there was nothing to
        write.
        """
        if self._refused:
            self._stop_lingering()
            return None
        return await self.call_in(_WRITERS, self._writer.finish) if self._writer is not None else None

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

    async def admit_body(self) -> None:
        if self.request.method != "POST":
            raise InvalidInput("Create an upload with POST.")
        new, metadata = self._new_file()
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
        if (length is None) == (later is None) or later not in (None, "1"):
            raise InvalidInput("Send either Upload-Length, or Upload-Defer-Length: 1.")
        metadata = headers.get("Upload-Metadata", "")
        about = parse_metadata(metadata)
        name = about.get("filename") or about.get("name", "")
        size = parse_number("Upload-Length", length) if length is not None else None
        return NewFile(name, size, about.get("slot", ""), about.get("filetype", "")), metadata

    def options(self, *args: Any, **kwargs: Any) -> None:
        self.send_capabilities()

    async def post(self, session_id: str) -> None:
        file = await self.conclude() or self._file
        if self._finished or file is None:
            return
        self.set_header("Location", f"{self.route_root}/api/v2/upload/tus/{session_id}/{file.id}")
        await self.send_offset(file, 201)


class TusFileHandler(TusHandler):
    path = "/api/v2/upload/tus/{session_id}/{file_id}"

    async def admit_body(self) -> None:
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
