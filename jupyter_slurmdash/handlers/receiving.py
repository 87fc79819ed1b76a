"""The bytes of a body from their socket to a sink, in memory that is used again.

Tornado clears new memory for each piece and copies it twice, which together costs more than to write it to the disk.
So what comes is read into memory that is there already: in the event loop while the line is slow, and in a thread while
it brings more than the loop could take beside its other work. Nothing is handed over for each piece: the thread has the
line for as long as it is quick.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..uploads.digest import AHEAD
from ..uploads.standback import stand_back
from .line import Line
from .sinks import BorrowingSink

PIECE = 512 * 1024  # bytes that are read at once; measured to be the quickest
WINDOW = 4 * 1024 * 1024  # bytes over which the pace is measured
_QUICK = 0.1  # seconds for them, up to which a line is quick
_THREADS = 4


class Receivers:
    """The threads for quick lines. With more of those than threads, the loop has the others. ``window``: the bytes over
    which the pace of a line is measured.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.stopped = False
        self._free = _THREADS

    def is_free(self) -> bool:
        return self._free > 0

    async def run(self, work: Callable[[], None]) -> bool:
        """Do ``work`` in a thread; False when none can be started, at a limit of processes. Called in the loop."""
        # An executor of its own: what was handed to one that cannot start a thread, no other thread finds there.
        thread = ThreadPoolExecutor(1, "slurmdash-receive", stand_back)
        try:
            doing = thread.submit(work)
        except RuntimeError:
            return False
        finally:
            thread.shutdown(wait=False)
        self._free -= 1
        try:
            await asyncio.wrap_future(doing)
        finally:
            self._free += 1
        return True

    def close(self) -> None:
        """End the threads, as soon as each has put away the piece that it holds."""
        self.stopped = True


class Pace:
    """Whether a line is quick, as each ``window`` of bytes shows anew."""

    def __init__(self, window: int) -> None:
        self.is_quick = False
        self._window = window
        self._bytes = 0
        self._began = time.monotonic()

    def came(self, count: int) -> None:
        self._bytes += count
        if self._bytes >= self._window:
            now = time.monotonic()
            self.is_quick = now - self._began <= _QUICK
            self._bytes, self._began = 0, now

    def excuse(self, wait: Callable[[], object]) -> None:
        """What ``wait`` takes is not the line's fault."""
        began = time.monotonic()
        wait()
        self._began += time.monotonic() - began


class Reception:
    """The body of one request: ``left`` bytes that have yet to come, of those that Tornado has not read itself."""

    def __init__(self, stream: Any, length: int, sink: BorrowingSink, receivers: Receivers) -> None:
        self.left = length
        self._stream = stream
        self._sink = sink
        self._receivers = receivers
        self._pace = Pace(receivers.window)
        self._pieces: list[memoryview] = []
        self._turn = self._next = -1
        # What TLS has taken from a socket is in its own memory, which only one thread may touch.
        self._takes_threads = isinstance(stream.socket, socket.socket) and not isinstance(
            stream.socket, ssl.SSLSocket
        )

    async def piece(self) -> memoryview:
        """What has come, at least a byte. Raises StreamClosedError."""
        memory = self._memory()
        return self._came(memory[: await self._stream.read_into(memory, partial=True)])

    def may_hurry(self) -> bool:
        """Whether ``hurry`` is to take over, right after ``piece``: nothing of this line is in Tornado's memory."""
        quick = self._pace.is_quick and self._takes_threads and self.left > 0
        return quick and self._stream._read_buffer_size == 0 and self._receivers.is_free()

    async def hurry(self, first: memoryview, put: Callable[[memoryview], object]) -> bool:
        """``put``, in a thread, ``first`` and what comes after it, while the line is quick; False when no thread can be
        had. Raises what ``put`` raises.
        """
        try:
            line = Line(self._stream.socket)
        except OSError:
            return False
        self._pause()
        try:
            self._takes_threads = await self._receivers.run(lambda: self._drain(line, first, put))
        finally:
            self._sink.has_time = False
            line.close()
            self._resume()
        return self._takes_threads

    def _drain(self, line: Line, piece: memoryview, put: Callable[[memoryview], object]) -> None:
        put(piece)
        while self.left and self._pace.is_quick and not self._is_over():
            memory = self._memory()
            count = line.take(memory, self.left)
            if not count:
                return
            self._sink.has_time = line.was_slower
            put(self._came(memory[:count]))
            self._pace.excuse(self._sink.keep_up)

    def _is_over(self) -> bool:
        return bool(self._stream.closed()) or self._receivers.stopped

    def _memory(self) -> memoryview:
        """For the next piece, which uses it up: were it passed over, the one after it would hold the oldest piece that
        is still being digested.
        """
        self._next = (self._turn + 1) % (AHEAD + 1) if self._sink.is_behind else 0
        if self._next == len(self._pieces):
            self._pieces.append(memoryview(bytearray(min(PIECE, self.left))))
        return self._pieces[self._next][: self.left]

    def _came(self, piece: memoryview) -> memoryview:
        self._turn = self._next
        self.left -= len(piece)
        self._pace.came(len(piece))
        return piece

    def _pause(self) -> None:
        """Tornado listens to an idle stream, to hear of its end, and reads what comes."""
        if self._stream._state is not None:
            self._stream.io_loop.remove_handler(self._stream.fileno())
            self._stream._state = None

    def _resume(self) -> None:
        self._stream._maybe_add_error_listener()
