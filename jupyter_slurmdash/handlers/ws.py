"""Events to the browser over one WebSocket, batched, by channel, and replayed after a reconnect.

In: ``{"subscribe": [channels], "last_event_id": n}``. Out: arrays of events; ``[{"type": "reload"}]`` when some of
the missed ones are no longer kept.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import websocket

from ..errors import SlurmDashError
from ..events import CHANNELS, Event
from .base import GuardMixin

if TYPE_CHECKING:
    from ..dash import Dash

_BATCH_SECONDS = 0.05
_BATCH_SIZE = 10
# A browser that does not read is cut off, and comes back with its last event id.
_MAX_WAITING = 5000
_MAX_MESSAGE = 64 * 1024


class EventsHandler(GuardMixin, WebSocketMixin, websocket.WebSocketHandler, JupyterHandler):
    path = "/api/ws"

    def initialize(self) -> None:
        self.request_id = str(uuid.uuid4())
        self._channels: frozenset[str] = frozenset()
        self._waiting: list[Event] = []
        self._replayed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Future[None] | None = None
        self._cut_off = False
        self._unsubscribe: Any = None

    @property
    def dash(self) -> Dash:
        return cast("Dash", self.settings["slurmdash"])

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        await super().prepare()
        await self.guard(self, self.operation_for(self.request.method))

    async def get(self, *args: Any, **kwargs: Any) -> None:
        await super().get(*args, **kwargs)

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    @property
    def max_message_size(self) -> int:
        return _MAX_MESSAGE

    def open(self, *args: Any, **kwargs: Any) -> None:
        super().open(*args, **kwargs)
        loop = asyncio.get_running_loop()

        def listen(event: Event) -> None:
            loop.call_soon_threadsafe(self._hear, event)

        self._unsubscribe = self.dash.events.subscribe(listen)

    def on_message(self, message: str | bytes) -> None:
        try:
            asked = json.loads(message)
            channels = frozenset(asked["subscribe"])
            last_id = asked.get("last_event_id")
            if not channels <= frozenset(CHANNELS) or not isinstance(last_id, int | None):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.close(1007, "Send {subscribe: [channels], last_event_id: number}.")
            return
        self._channels = channels
        if last_id is None:
            return
        missed = self.dash.events.since(last_id, channels)
        if missed is None:
            self._send([{"type": "reload"}])
            return
        for event in missed:
            self._queue(event)
            self._replayed = event.id

    def _hear(self, event: Event) -> None:
        # What was published just before the replay is in it already.
        if event.id > self._replayed:
            self._queue(event)

    def _queue(self, event: Event) -> None:
        if event.channel not in self._channels or self._cut_off:
            return
        self._waiting.append(event)
        if len(self._waiting) > _MAX_WAITING:
            self._cut_off = True
            self._waiting.clear()
            self.close(1013, "Too slow; connect again.")
        elif len(self._waiting) >= _BATCH_SIZE:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        """Send the next batch, unless the one before is still on its way: then its end sends this one.

        Tornado's own buffer has no bound, and what lies there could not be counted.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None and self._waiting:
            batch, self._waiting = self._waiting[:_BATCH_SIZE], self._waiting[_BATCH_SIZE:]
            self._send([event.to_json() for event in batch])

    def _send(self, events: list[dict[str, Any]]) -> None:
        if self.ws_connection is None:
            return
        try:
            self._sending = self.write_message(json.dumps(events, ensure_ascii=False))
        except websocket.WebSocketClosedError:
            self._waiting.clear()
        else:
            self._sending.add_done_callback(self._sent)

    def _sent(self, sending: asyncio.Future[None]) -> None:
        if self._sending is sending:
            self._sending = None
        if sending.cancelled() or sending.exception() is not None:  # closed meanwhile
            self._waiting.clear()
        else:
            self._flush()

    def on_close(self) -> None:
        super().on_close()
        if self._timer is not None:
            self._timer.cancel()
        if self._unsubscribe is not None:
            self._unsubscribe()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, SlurmDashError):
            self.set_status(error.status, error.title)
            self.set_header("Content-Type", "application/problem+json")
            self.set_header("X-Request-ID", self.request_id)
            self.finish(json.dumps({**error.to_problem(), "request_id": self.request_id}))
            return
        super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, SlurmDashError):
            super().log_exception(typ, value, tb)


routes = [EventsHandler]
