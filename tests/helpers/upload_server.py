"""A real Jupyter server with the upload routes alone: ``python upload_server.py DIRECTORY --port N``.

It needs no scheduler and starts in a second, so tests may kill it. It prints its address when it is
ready. ``--deny`` refuses every write; ``--forgetful`` gives it a ``forgetful_disk``. ``/received`` tells
how many body bytes reached a tus handler, and the server's memory; ``/expire`` removes the sessions
whose time is over. ``DIRECTORY/clock`` holds seconds by which its clock is ahead (``Server.put_forward``).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

TOKEN = "upload-test-token"
HEADERS = {"Authorization": f"token {TOKEN}"}
TUS = HEADERS | {"Tus-Resumable": "1.0.0"}


class Server:
    """The server in a process of its own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        port = str(free_port())  # the same after a restart, so addresses stay good
        self.arguments = [str(directory), "--port", port, *options]
        self.log = directory.with_name(directory.name + ".log")
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            command = [sys.executable, __file__, *self.arguments]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self._started(self.process.stdout.readline().strip())

    def _started(self, url: str) -> None:
        assert url, "the server did not start"
        self.url = url
        self.api = self.url + "slurmdash/api/v2/upload"

    def kill(self) -> None:
        """As by ``kill -9``: nothing is said, nothing is written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def session(self, **body: Any) -> dict[str, Any]:
        return self.call("POST", "/sessions", 201, json=body).json()

    def call(self, method: str, path: str, expected: int = 200, **options: Any) -> requests.Response:
        answer = requests.request(method, self.api + path, **{"headers": HEADERS, "timeout": 60, **options})
        assert answer.status_code == expected, answer.text
        return answer

    def facts(self) -> dict[str, int]:
        return requests.get(self.url + "received", timeout=60).json()

    def put_forward(self, seconds: float) -> None:
        """Move its clock."""
        clock = self.directory / "clock"
        told = clock.with_suffix(".new")
        told.write_text(str(seconds + float(clock.read_text() if clock.exists() else "0")))
        os.rename(told, clock)

    def expire(self) -> None:
        requests.get(self.url + "expire", timeout=60).raise_for_status()


def serve(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--deny", action="store_true")
    parser.add_argument("--forgetful", action="store_true")
    parser.add_argument("--chunk-size", type=int, default=10 * 1024**2)
    parser.add_argument("--max-size", type=int, default=0)
    parser.add_argument("--window", type=int)
    options = parser.parse_args(arguments)

    from forgetful_disk import ForgetfulDisk
    from jupyter_server.auth import Authorizer
    from jupyter_server.serverapp import ServerApp
    from tornado import ioloop, web
    from upload_place import ME, Place

    from jupyter_slurmdash.errors import TemplateNotFound
    from jupyter_slurmdash.handlers import bodies, chunks, forms, receiving, tus, uploads
    from jupyter_slurmdash.handlers.contract import Contract

    received = count_bytes(bodies.BodyHandler, receiving.Reception)

    class Deny(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            return not (options.deny and action == "write" and resource == "slurmdash:uploads")

    class Received(web.RequestHandler):
        def get(self) -> None:
            status = Path("/proc/self/status").read_text()
            memory = {
                line.split(":")[0]: int(line.split()[1])
                for line in status.splitlines()
                if line.startswith(("VmRSS", "VmHWM"))
            }
            self.finish({"bytes": received["bytes"], **memory})

    options.directory.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(options.directory)  # Jupyter leaves an empty folder of settings behind
    if options.forgetful:
        ForgetfulDisk(options.directory).install()
    place = Place(options.directory, max_size=options.max_size, chunk_size=options.chunk_size)
    ahead = options.directory / "clock"

    def clock() -> float:
        return time.time() + (float(ahead.read_text()) if ahead.exists() else 0.0)

    class Expire(web.RequestHandler):
        def get(self) -> None:
            self.finish({"removed": place.sessions.expire(ME)})

    place.uploads.sessions._records.clock = clock
    place.uploads.settings.__dict__["ttl"] = 86400.0

    def validate_files(template_id: str, session_id: str, files: dict[str, str]) -> Any:
        if template_id != "training":
            raise TemplateNotFound("There is no such template.")
        return place.uploads.validate(place.uploads.session_files(session_id, ME), place.slots)

    os.environ["JUPYTER_TOKEN"] = TOKEN
    app = ServerApp(
        open_browser=False,
        port=options.port,
        ip="127.0.0.1",
        port_retries=0,
        allow_root=True,
        root_dir=str(options.directory),
        jpserver_extensions={},
        authorizer_class=Deny,
        log_level="WARN",
    )
    app.initialize(argv=[], find_extensions=False)
    app.web_app.settings.update(
        slurmdash=SimpleNamespace(
            user=ME,
            uploads=place.uploads,
            settings=SimpleNamespace(chunk_size=options.chunk_size),
            validate_files=validate_files,
        ),
        slurmdash_executor=ThreadPoolExecutor(8),
        slurmdash_writers=ThreadPoolExecutor(8),
        slurmdash_receivers=receiving.Receivers(options.window or receiving.WINDOW),
    )
    root = app.base_url + "slurmdash"
    rules: list[Any] = [
        (root + Contract.pattern(handler.path), handler)
        for handler in [*tus.routes, *uploads.routes, *chunks.routes, *forms.routes]
    ]
    own = [(app.base_url + "received", Received), (app.base_url + "expire", Expire)]
    app.web_app.add_handlers(".*", [*rules, *own])
    address = f"http://127.0.0.1:{app.port}{app.base_url}"
    ioloop.IOLoop.current().add_callback(lambda: print(address, flush=True))
    app.start()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def count_bytes(handler: Any, reception: Any) -> dict[str, int]:
    """Count what reaches ``data_received``, or a thread that receives."""
    received = {"bytes": 0}
    original: Callable[..., Any] = handler.data_received

    async def counting(self: Any, chunk: bytes) -> None:
        received["bytes"] += len(chunk)
        await original(self, chunk)

    def counted(put: Callable[[memoryview], object]) -> Callable[[memoryview], object]:
        def count(piece: memoryview) -> object:
            received["bytes"] += len(piece)
            return put(piece)

        return count

    hurry = reception.hurry
    handler.data_received = counting
    reception.hurry = lambda self, first, put: hurry(self, first, counted(put))
    return received


if __name__ == "__main__":
    os.environ.setdefault("JUPYTER_NO_CONFIG", "1")
    serve(sys.argv[1:])
