"""A real Jupyter server with the extension in this process, in a thread of its own, on a free port."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect
from traitlets.config import Config


class QuietServerApp(ServerApp):
    """Signals belong to the main thread, which is the tests'."""

    def init_signal(self) -> None:
        pass


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Live:
    """The running server. ``app`` is the ServerApp, ``dash`` the product inside."""

    def __init__(self, place: Path, settings: dict[str, Any], server: dict[str, Any]) -> None:
        self.token = secrets.token_hex(16)
        config = Config(
            {
                "ServerApp": {
                    "jpserver_extensions": {"jupyter_slurmdash": True},
                    "port": free_port(),
                    "port_retries": 0,
                    "open_browser": False,
                    "allow_root": True,
                    "root_dir": str(place),
                    "base_url": "/user/someone/",
                    "log_level": 50,
                    **server,
                },
                "IdentityProvider": {"token": self.token},
                "SlurmDash": settings,
            }
        )
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(config,))
        self._thread.start()
        assert self._ready.wait(30)
        self.dash = self.app.web_app.settings["slurmdash"]
        address = urlsplit(self.app.connection_url)
        self.host, self.port = "127.0.0.1", int(address.port or 0)
        self.root = f"{self.app.base_url}slurmdash"

    def _run(self, config: Config) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self.app = QuietServerApp(config=config)
        self.app.initialize(argv=[], find_extensions=False)
        self.loop = loop
        loop.call_soon(self._ready.set)
        self.app.start()
        loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.app.stop)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        token: bool = True,
        root: str | None = None,
    ) -> Answer:
        """One request; ``path`` is below our root. ``body`` is JSON unless it is bytes."""
        raw = body is None or isinstance(body, bytes)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(
                method,
                (self.root if root is None else root) + path,
                body if raw else json.dumps(body),
                {
                    **({"Authorization": f"token {self.token}"} if token else {}),
                    **({} if raw else {"Content-Type": "application/json"}),
                    **(headers or {}),
                },
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.json()

    async def websocket(self, *, token: bool = True) -> WebSocketClientConnection:
        headers = {"Authorization": f"token {self.token}"} if token else {}
        return await websocket_connect(
            HTTPRequest(f"ws://{self.host}:{self.port}{self.root}/api/ws", headers=headers)
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
