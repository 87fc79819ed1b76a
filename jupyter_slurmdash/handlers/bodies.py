"""Request bodies that go to the disk as they come, whatever protocol they belong to.

In the event loop while the disk is quick, and beside it when it is not. Whatever ends a request early, what
has arrived stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import sys
import time
from concurrent.futures import Future
from typing import Any, ClassVar

from tornado import web
from tornado.iostream import StreamClosedError

from ..errors import Conflict, Forbidden, SlurmDashError, Unauthenticated
from ..uploads.locks import LetGo
from ..uploads.protocol import parse_number
from .base import SlurmDashHandler, as_problem, is_number
from .receiving import PIECE, Reception
from .refusals import LINGER, LINGER_BYTES, throw_away
from .sinks import BorrowingSink, Sink

SLOW = 0.004  # seconds for one piece, from which on the disk is waited for beside the loop
QUICK = 512  # pieces in a row that were quick, after which they are written in the loop again
TURN = 0.0005  # seconds after which others get their turn: while bytes are there, Tornado reads on without a pause
# What holds an upload's lock runs in threads of its own: behind those that wait for the lock, it would never come to
# release it. So a sink that waits for others' locks does that among all that wait.
_WRITERS = "slurmdash_writers"
_WAITERS = "slurmdash_executor"
_ENDLESS = 2**62


class BodyHandler(SlurmDashHandler):
    """A streamed body, and what becomes of it. A subclass opens its sink in ``admit_body``; ``off_loop`` says that
    the sink's ``write`` and ``finish`` may wait for more than the disk: for the locks of uploads.
    """

    off_loop: ClassVar[bool] = False

    def initialize(self) -> None:
        super().initialize()
        self._writer: Sink | None = None
        self._borrower: BorrowingSink | None = None
        self._refused = False
        self._slow = self.off_loop
        self._quick = 0
        self._unwanted = False
        self._lingered = 0
        self._turn = 0.0
        self._over = asyncio.Event()

    # -- before the body ------------------------------------------------------------------------------------

    async def admit(self) -> None:
        try:
            await self.admit_body()
        except SlurmDashError as error:
            if not self._is_sending():
                raise
            announced = self.announced()
            self.allow_body(announced if announced is not None else _ENDLESS)
            self._release()
            await self._refuse(error)

    async def admit_body(self) -> None:
        """Say how large the body may be, and where it goes. Most requests have none."""
        self.allow_body(0)

    async def prepare(self) -> None:  # type: ignore[override]
        try:
            await super().prepare()
        except (Unauthenticated, Forbidden, web.HTTPError) as error:
            if not self._is_sending():
                raise
            self.log_exception(*sys.exc_info())
            self.set_header("Connection", "close")
            await self._answer(as_problem(error, getattr(error, "status_code", 500)))
            await throw_away(self.request, self._over)
            self._stop_lingering()
        if self._borrower is not None and not self._refused:
            await self._receive(self._borrower)

    def _is_sending(self) -> bool:
        """Whether bytes are on their way, whatever we say."""
        headers = self.request.headers
        length = headers.get("Content-Length", "")
        has_body = "Transfer-Encoding" in headers or (is_number(length) and length != "0")
        return has_body and self.request.method in ("PATCH", "POST") and "Expect" not in headers

    def lend_body(self, sink: BorrowingSink) -> None:
        """As ``take_body``, without a copy of what comes in: its memory is used again."""
        self.take_body(sink)
        if self.announced() and "Expect" not in self.request.headers:
            self._borrower = sink

    def take_body(self, sink: Sink) -> None:
        """The body goes to ``sink``, which bounds it."""
        self._writer = sink
        if self._unwanted:
            raise Conflict("A newer connection has taken over this upload.")
        announced = self.announced()
        # The sink bounds a body of unknown length itself, and can say why; Tornado could not.
        self.allow_body(announced if announced is not None else _ENDLESS)
        self._widen()

    def asker(self) -> LetGo:
        """What asks this connection to let go of its upload."""
        loop = asyncio.get_running_loop()

        def ask() -> None:
            loop.call_soon_threadsafe(self._let_go)

        return ask

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

    async def _receive(self, sink: BorrowingSink) -> None:
        """Read the body before Tornado does. What is left when this returns (after a refusal, or a broken connection)
        is Tornado's to read.
        """
        stream: Any = self.request.connection.stream  # type: ignore[union-attr]
        reception = Reception(stream, self.announced() or 0, sink, self.settings["slurmdash_receivers"])
        try:
            while reception.left and not self._refused:
                piece = await reception.piece()
                if not (reception.may_hurry() and await self._hurry(reception, piece)):
                    await self.data_received(piece)
        except StreamClosedError:
            pass  # Tornado finds it closed too, and tells on_connection_close
        finally:
            self.request.headers["Content-Length"] = str(reception.left)

    async def _hurry(self, reception: Reception, piece: memoryview) -> bool:
        """Whether the piece has gone its way: in a thread, which others may have followed."""
        try:
            return await reception.hurry(piece, self._put)
        except SlurmDashError as error:
            await self._released()
            await self._refuse(error)
        return True

    async def data_received(self, chunk: bytes | memoryview) -> None:
        if self._refused:
            self._lingered += len(chunk)
            if self._lingered > LINGER_BYTES:
                await self._over.wait()
            return
        if self._writer is None:
            return
        try:
            took = await self.call_in(self._threads, self._put, chunk) if self._slow else self._put(chunk)
        except SlurmDashError as error:
            await self._released()
            await self._refuse(error)
            return
        self._judge(took)
        if time.perf_counter() - self._turn > TURN:
            await asyncio.sleep(0)
            self._turn = time.perf_counter()

    @property
    def _threads(self) -> str:
        return _WAITERS if self.off_loop else _WRITERS

    def _put(self, chunk: bytes | memoryview) -> float:
        """Seconds that it took."""
        assert self._writer is not None
        began = time.perf_counter()
        self._writer.write(chunk)  # type: ignore[arg-type]  # memory is lent to those only that take it
        return time.perf_counter() - began

    def _judge(self, took: float) -> None:
        """A hand-over costs more than a quick write: one stall of the disk must not slow down all of a file."""
        if took > SLOW:
            self._slow, self._quick = True, 0
        elif self._slow and not self.off_loop:
            self._quick += 1
            self._slow = self._quick < QUICK

    async def _refuse(self, error: SlurmDashError) -> None:
        """Answer now, and read on a little (see ``refusals``)."""
        self._refused = True
        await self._answer(error)
        asyncio.get_running_loop().call_later(LINGER, self._stop_lingering)

    async def _answer(self, error: SlurmDashError) -> None:
        self.set_status(error.status, error.title)
        self.add_headers(error)
        body = json.dumps({**error.to_problem(), "request_id": self.request_id}, ensure_ascii=False).encode()
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Content-Length", str(len(body)))
        self.write(body)
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    def send_problem(self, problem: SlurmDashError) -> None:
        self.add_headers(problem)
        super().send_problem(problem)

    def add_headers(self, problem: SlurmDashError) -> None:
        """What the protocol says of a refusal beside its body."""

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
        self._over.set()
        self._release()

    def on_finish(self) -> None:
        super().on_finish()
        self._over.set()
        self._release()

    def _release(self) -> Future[None] | None:
        """Let go of the upload, beside the loop. Nobody has to wait for it; the log tells what went wrong."""
        if self._writer is None:
            return None
        try:
            closed: Future[None] = self.settings[_WRITERS].submit(self._writer.close)
        except RuntimeError:  # the server is going down, and its threads are gone
            self._writer.close()
            return None
        closed.add_done_callback(self._tell_failure)
        return closed

    async def _released(self) -> None:
        """As ``_release``, for who waits: a client that has its answer comes again, and finds nobody in its way."""
        # What fails now is told in the log: the client is to hear of what came first.
        with contextlib.suppress(SlurmDashError):
            closed = self._release()
            if closed is not None:
                await asyncio.wrap_future(closed)

    def _tell_failure(self, closed: Future[None]) -> None:
        error = None if closed.cancelled() else closed.exception()
        if error is not None:
            fault = None if isinstance(error, SlurmDashError) else error
            self.log.warning("What is left of an upload could not be put in order: %s", error, exc_info=fault)

    async def conclude(self) -> Any:
        """The body is complete: what its sink answers, None when it was refused or there was nothing to
        write.
        """
        if self._refused:
            self._stop_lingering()
            return None
        return await self.call_in(self._threads, self._writer.finish) if self._writer is not None else None
