"""Forms over HTTP: curl, ten thousand small files in one request, and flat memory."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from live import Live
from upload_server import HEADERS, Server

from jupyter_slurmdash.handlers.contract import contract
from jupyter_slurmdash.uploads.intake import Intake

MANY = 10_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def test_curl_sends_a_file_and_a_folder(server: Server, tmp_path: Path) -> None:
    big = tmp_path / "big.dat"
    big.write_bytes(os.urandom(64 * 1024 * 1024))
    before = server.facts()["VmHWM"]
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/files"
    command = ["curl", "-sSf", "-HAuthorization: " + HEADERS["Authorization"], url]
    fields = [f"-Ffile=@{big}", "-Ffile_type=model", f"-Ffile=@{__file__};filename=src/한글.py"]
    done = subprocess.run([*command, *fields], check=True, capture_output=True)
    answer = requests.models.complexjson.loads(done.stdout)
    assert contract().schema({"$ref": "#/components/schemas/FilesReceipt"}).errors(answer) == []
    assert (answer["name"], answer["size"], answer["type"]) == ("big.dat", 64 * 1024 * 1024, "model")
    assert [file["name"] for file in answer["files"]] == ["big.dat", "src/한글.py"]
    assert answer["sha256"] == hashlib.sha256(big.read_bytes()).hexdigest()
    assert server.facts()["VmHWM"] - before < 32 * 1024  # KiB


def test_a_dead_connection_lets_go_of_its_form(server: Server) -> None:
    """A proxy or a sleeping laptop drops a connection without a word; the client comes again at once."""
    session = server.session()["session_id"]
    data = os.urandom(2_000_000)
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.dat"\r\n\r\n'
        + data
        + b"\r\n--B--\r\n"
    )
    headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=B"}
    parts = urlsplit(f"{server.api}/sessions/{session}/files")
    before = server.facts()["bytes"]
    dead = http.client.HTTPConnection(parts.netloc, timeout=60)
    dead.putrequest("POST", parts.path)
    for name, text in {**headers, "Content-Length": str(len(body))}.items():
        dead.putheader(name, text)
    dead.endheaders()
    dead.send(body[:1_000_000])
    while server.facts()["bytes"] < before + 1_000_000:
        pass
    began = time.monotonic()
    done = requests.post(parts.geturl(), headers=headers, data=body, timeout=60)
    assert done.status_code == 201, done.text
    assert time.monotonic() - began < 5
    assert done.json()["sha256"] == hashlib.sha256(data).hexdigest()
    assert dead.sock.recv(1000) == b""
    dead.close()
    (file,) = server.call("POST", f"/sessions/{session}/finalize").json()["files"]
    assert file["size"] == len(data)


def test_forms_that_are_sent_again_do_not_keep_the_old_ones_from_letting_go(
    live: Live, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The network was away, and a page sends as many large forms again as there are threads that write."""
    writers = live.app.web_app.settings["slurmdash_writers"]._max_workers
    uploads, user = live.dash.uploads, live.dash.user
    session = live.call("POST", "/api/v2/upload/sessions", {}).json()["session_id"]
    path = f"/api/v2/upload/sessions/{session}/files"
    bodies = [
        f'--B\r\nContent-Disposition: form-data; name="file"; filename="{number}.dat"\r\n\r\n'.encode()
        + os.urandom(600_000)
        + b"\r\n--B--\r\n"
        for number in range(writers)
    ]
    kind = "multipart/form-data; boundary=B"
    for body in bodies:
        dead = socket.create_connection((live.host, live.port), timeout=30)
        request.addfinalizer(dead.close)
        head = (
            f"POST {live.root}{path} HTTP/1.1\r\nHost: {live.host}\r\nAuthorization: token {live.token}\r\n"
        )
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        dead.sendall(head.encode() + body[:400_000])
    deadline = time.monotonic() + 30
    while len(uploads.sessions.get(session, user).files) < writers:
        assert time.monotonic() < deadline
    together = threading.Barrier(writers)
    begin_large = Intake._begin_large

    def begin_together(self: Intake, *args: object) -> None:
        together.wait(30)
        begin_large(self, *args)

    monkeypatch.setattr(Intake, "_begin_large", begin_together)
    with ThreadPoolExecutor(writers) as pool:
        answers = list(pool.map(lambda body: live.call("POST", path, body, {"Content-Type": kind}), bodies))
    assert [answer.status for answer in answers] == [201] * writers, answers[0].body
    assert len(uploads.sessions.finalize(session, user).files) == writers


def test_ten_thousand_small_files_in_one_request(server: Server) -> None:
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="file"; filename="d{index % 50}/f{index}.txt"\r\n\r\n{index}\r\n'
        for index in range(MANY)
    ]
    body = ("".join(parts) + "--B--\r\n").encode()
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/files"
    began = time.perf_counter()
    headers = HEADERS | {"Content-Type": "multipart/form-data; boundary=B"}
    answer = requests.post(url, data=body, headers=headers, timeout=120)
    took = time.perf_counter() - began
    assert answer.status_code == 201, answer.text[:1000]
    print(f"\n{MANY} small files in one request: {took:.1f} s, {MANY / took:.0f} files/s")
    seen = server.call("GET", f"/sessions/{session}").json()
    assert len(seen["files"]) == MANY
    assert seen["files"][0]["state"] == "complete"
    assert took < 60


def test_a_dropped_form_leaves_no_half_file(server: Server) -> None:
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/files"
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'

    def broken() -> Iterator[bytes]:
        yield head + bytes(1_000_000)
        raise OSError("the laptop is closed")

    headers = HEADERS | {"Content-Type": "multipart/form-data; boundary=B"}
    with pytest.raises(OSError, match="laptop"):
        requests.post(url, data=broken(), headers=headers, timeout=60)
    deadline = time.monotonic() + 10
    while server.call("GET", f"/sessions/{session}").json()["files"]:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_no_form(server: Server, kind: str) -> None:
    session = server.session()["session_id"]
    url = f"{server.api}/sessions/{session}/files"
    answer = requests.post(url, data=b"{}", headers=HEADERS | {"Content-Type": kind}, timeout=60)
    assert answer.status_code in (400, 415)
    assert requests.post(f"{server.api}/sessions/none/files", headers=HEADERS, timeout=60).status_code == 415
