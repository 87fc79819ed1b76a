"""Refusing a body that is on its way, so that the answer arrives.

A connection that is closed on bytes which nobody has read is reset, and what was said is lost: the client learns of a
broken connection, and behind JupyterHub's proxy of a 503. So a little is read on.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError

# Of a refused body so many bytes are still read, then no more; the connection is closed after so many seconds.
LINGER_BYTES = 1024 * 1024
LINGER = 5.0
_PIECE = 64 * 1024


async def throw_away(request: HTTPServerRequest, over: asyncio.Event) -> None:
    """Read the body of a stranger and forget it, until the client has heard the answer and ends the connection
    (``over``). No handler sees a byte of it.
    """
    stream: Any = request.connection.stream  # type: ignore[union-attr]
    announced = request.headers.get("Content-Length")
    left = min(int(announced), LINGER_BYTES) if announced else LINGER_BYTES
    all_of_it = announced is not None and left == int(announced)
    piece = memoryview(bytearray(_PIECE))
    with contextlib.suppress(StreamClosedError, TimeoutError):
        async with asyncio.timeout(LINGER):
            while left > 0:
                left -= await stream.read_into(piece[:left], partial=True)
            if not all_of_it:
                await over.wait()
