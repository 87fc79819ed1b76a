"""A bare Tornado server that answers, and reads bodies without using them: ``python sink.py``. Prints its address."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from stopping import Stopping
from tornado import httpserver, netutil, web


class Sink(Stopping):
    """The process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


@web.stream_request_body
class Handler(web.RequestHandler):
    def prepare(self) -> None:
        self.request.connection.set_max_body_size(2**62)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> None:
        pass

    def patch(self) -> None:
        self.set_status(204)

    def get(self) -> None:
        self.finish("there")


async def main() -> None:
    (socket,) = netutil.bind_sockets(0, "127.0.0.1")
    server = httpserver.HTTPServer(web.Application([(".*", Handler)]))
    server.add_sockets([socket])
    print(f"http://127.0.0.1:{socket.getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
