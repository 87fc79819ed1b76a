"""Other people's clients, unmodified: interrupted five times, they resume, and every byte is right.
``SLURMDASH_CLIENT_MIB`` sets the size of the file.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from clients import CLIENTS, node
from cutter import Cutter
from upload_kill import sha256_of
from upload_server import TOKEN, Server

SIZE = int(os.environ.get("SLURMDASH_CLIENT_MIB", "8")) * 1024**2
INTERRUPTIONS = ("connection", "client", "server", "client", "connection")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "mesh.dat"
    chance = random.Random(5)
    with path.open("wb") as stream:
        for _ in range(SIZE // 1024**2):
            stream.write(chance.randbytes(1024**2))
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server", "--chunk-size", str(max(SIZE // 16, 65536)))
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.mark.parametrize("client", ["tusjs.mjs", "uppy.mjs", "tuspy.py", "chunks.sh", "form.sh"])
def test_interrupted_five_times(server: Server, source: Path, client: str, tmp_path: Path) -> None:
    session = server.session()
    chance = random.Random(client)
    # A form is sent anew each time; the others go on, and all interruptions must fall into one file.
    bounds = (0.05, 0.95) if client == "form.sh" else (0.05, 0.15)
    gaps = [int(SIZE * chance.uniform(*bounds)) for _ in INTERRUPTIONS]
    running: list[subprocess.Popen[str]] = []

    running_again = threading.Lock()

    def end_server() -> None:
        with running_again:
            server.kill()
            server.start()

    def end_client() -> None:
        os.killpg(running[-1].pid, signal.SIGKILL)

    actions = {"connection": lambda: None, "client": end_client, "server": end_server}
    port = urlsplit(server.url).port
    assert port is not None
    cutter = Cutter(port, gaps, [actions[kind] for kind in INTERRUPTIONS])
    tus = client in ("tusjs.mjs", "uppy.mjs", "tuspy.py")
    address = session["tus_url"] if tus else f"{urlsplit(server.api).path}/sessions/{session['session_id']}"
    program = {"mjs": [node()], "py": [sys.executable], "sh": ["sh"]}[client.rpartition(".")[2]]
    command = [
        *program,
        str(CLIENTS / client),
        cutter.url + address,
        TOKEN,
        str(source),
        str(tmp_path / "memory"),
    ]
    began = time.perf_counter()
    for _ in range(2 * len(INTERRUPTIONS)):
        with running_again:
            pass
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            running.append(process)
            _, said = process.communicate(timeout=600)
        if process.returncode == 0:
            break
    took = time.perf_counter() - began
    cutter.close()
    assert process.returncode == 0, said
    assert cutter.cuts == len(INTERRUPTIONS)
    (file,) = server.call("POST", f"/sessions/{session['session_id']}/finalize").json()["files"]
    sha256 = sha256_of(source)
    assert (file["state"], file["size"], file["sha256"]) == ("complete", SIZE, sha256)
    directory = server.directory / "uploads" / session["session_id"]
    assert sha256_of(directory / file["file_id"] / source.name) == sha256
    print(
        f"\n{client}: {SIZE // 1024**2} MiB, interrupted {cutter.cuts} times ({', '.join(INTERRUPTIONS)}), begun"
        f" {len(running)} times, {cutter.sent / SIZE:.2f} times its size sent, SHA-256 equal, {took:.1f} s"
    )
