"""A wire between a client and a server that breaks at given places."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence

_PIECE = 1024 * 1024
_RESET = struct.pack("ii", 1, 0)


class Cutter:
    """Forwards from ``url`` to the server at ``port``. After each of ``gaps`` bytes from the client, counted from the
    last time, it calls the next of ``actions`` and resets all its connections. ``sent`` is bytes from the client,
    ``rate`` bytes a second that it may send at most (0: no bound).
    """

    def __init__(
        self, port: int, gaps: Sequence[int], actions: Sequence[Callable[[], None]], rate: int = 0
    ) -> None:
        self._to, self._rate = port, rate
        self._gaps, self._actions = list(gaps), list(actions)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._since = 0
        self.sent = self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self._to), 60)
            except OSError:
                client.close()  # the server is down
                continue
            server.settimeout(None)  # a slow upload is no silence
            with self._lock:
                self._open |= {client, server}
            for source, target, counted in ((client, server, True), (server, client, False)):
                thread = threading.Thread(target=self._pump, args=(source, target, counted))
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        buffer = memoryview(bytearray(self._rate // 20 if self._rate and counted else _PIECE))
        with contextlib.suppress(OSError):
            while length := source.recv_into(buffer):
                if counted:
                    self._count(length)
                    if self._rate:
                        time.sleep(length / self._rate)
                target.sendall(buffer[:length])
            target.shutdown(socket.SHUT_WR)
            return
        self._drop({source, target})

    def _count(self, length: int) -> None:
        with self._lock:
            self.sent += length
            self._since += length
            if not self._gaps or self._since < self._gaps[0]:
                return
            self._gaps.pop(0)
            self._since = 0
            self.cuts += 1
            self._actions.pop(0)()
            connections = set(self._open)
        self._drop(connections)
        raise OSError("cut")

    def _drop(self, connections: set[socket.socket]) -> None:
        with self._lock:
            self._open -= connections
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(20)
        with self._lock:
            connections = set(self._open)
        self._drop(connections)
        for thread in self._threads:
            thread.join(20)
