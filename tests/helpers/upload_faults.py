"""One request to an upload server, and what can go wrong in the middle of it."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import select
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from forgetful_disk import Syncs
from upload_nursery import Born
from upload_server import TUS

Kind = Literal["none", "drop", "reset", "kill", "kill late", "fill", "sync"]


@dataclass(frozen=True)
class Fault:
    """``at`` is per cent of the body after which it happens: the connection is closed (``drop``) or reset, the server
    killed, or the disk filled up to ``room`` bytes. ``kill late``: all is sent; killed when it answers, or ``wait``
    seconds after. ``sync``: one sync until the answer comes, after ``after`` others, fails with ``number`` (see
    ``forgetful_disk``).
    """

    kind: Kind = "none"
    at: int = 100
    wait: float = 0.0
    room: int = 0
    after: int = 0
    number: int = errno.ENOSPC


NONE = Fault()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Disk:
    """A file system of ``size`` bytes for nothing but uploads. ``full`` says whether it was filled up since the last
    ``free``; where none can be mounted (not root), it is never filled.
    """

    def __init__(self, path: Path, mounted: bool) -> None:
        self.path, self.mounted = path, mounted
        self.full = False
        self._filler = path / "filler"

    def fill(self, room: int) -> None:
        if not self.mounted:
            return
        status = os.statvfs(self.path)
        size = status.f_bavail * status.f_frsize - room
        if size > 0:
            self.full = True
            # Others write at the same time: what is free now may be taken.
            with self._filler.open("ab") as stream, contextlib.suppress(OSError):
                os.posix_fallocate(stream.fileno(), stream.tell(), size)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
        self.full = False


class Door:
    """Sends requests to ``server``, with faults."""

    def __init__(self, server: Born, disk: Disk) -> None:
        self.server, self.disk = server, disk
        self.syncs = Syncs(server.directory)
        self.kills = self.requests = 0

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        fault: Fault = NONE,
    ) -> Answer | None:
        """The answer, None when there came none. ``path`` begins with ``/``; a killed server runs again afterwards."""
        if fault.kind != "sync" or not self.disk.mounted:
            return self._ask(method, path, headers, body, fault)
        self.syncs.order(fault.after, fault.number)
        try:
            return self._ask(method, path, headers, body, NONE)
        finally:
            self.syncs.take_back()

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes, fault: Fault
    ) -> Answer | None:
        self.requests += 1
        parts = urlsplit(self.server.url)
        lines = {**TUS, "Host": parts.netloc, "Content-Length": str(len(body)), **(headers or {})}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{key}: {lines[key]}\r\n" for key in lines) + "\r\n"
        point = len(body) * fault.at // 100 if fault.kind != "none" else len(body)
        try:
            connection = socket.create_connection((parts.hostname or "", parts.port or 0), 60)
        except ConnectionError:
            return None  # another thread has just killed the server
        with connection:
            with contextlib.suppress(
                ConnectionError
            ):  # refused before all of it was sent; the answer says why
                connection.sendall(head.encode("latin-1") + body[:point])
                if fault.kind in ("drop", "reset"):
                    if fault.kind == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return None
                if fault.kind == "fill":
                    self.disk.fill(fault.room)
                if fault.kind != "kill":
                    connection.sendall(body[point:])
            if fault.kind not in ("kill", "kill late"):
                return _read(connection, method)
            if fault.kind == "kill late":
                select.select([connection], [], [], fault.wait)
            self.server.kill()
            try:
                self.kills += 1
                self.when_dead()
                return _read(connection, method)
            finally:
                self.server.start()

    def when_dead(self) -> None:
        """Look at what a killed server has left."""


def _read(connection: socket.socket, method: str) -> Answer | None:
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        return Answer(response.status, dict(response.headers), response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        response.close()
