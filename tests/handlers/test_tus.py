"""tus 1.0.0 (tus.io/protocols/resumable-upload) by hand, by curl and by tuspy."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from live import Live
from tusclient.client import TusClient
from upload_server import HEADERS, TUS, Server

from jupyter_slurmdash.handlers import bodies
from jupyter_slurmdash.uploads import digest as digesting

BYTES = {"Content-Type": "application/offset+octet-stream"}
DATA = os.urandom(700_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("tus") / "server", "--max-size", "50000000")
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture
def collection(server: Server) -> str:
    return server.url.rstrip("/") + server.session()["tus_url"]


def about(name: str = "a.dat", **more: str) -> dict[str, str]:
    pairs = {"filename": name, **more}.items()
    text = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs)
    return {"Upload-Metadata": text}


def ask(
    method: str, url: str, expected: int, headers: Mapping[str, str] | None = None, **options: Any
) -> requests.Response:
    answer = requests.request(method, url, headers={**TUS, **(headers or {})}, timeout=60, **options)
    assert answer.status_code == expected, (answer.status_code, answer.text)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    if answer.content:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == expected
    return answer


def create(collection: str, size: int = len(DATA), name: str = "a.dat", **headers: str) -> str:
    answer = ask("POST", collection, 201, {"Upload-Length": str(size), **about(name), **headers})
    assert "Upload-Expires" in answer.headers
    parts = urlsplit(collection)
    return f"{parts.scheme}://{parts.netloc}{answer.headers['Location']}"


def patch(url: str, offset: int, data: Any, expected: int = 204, **headers: str) -> requests.Response:
    return ask("PATCH", url, expected, {**BYTES, "Upload-Offset": str(offset), **headers}, data=data)


def offset(url: str) -> int:
    answer = ask("HEAD", url, 200)
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def digest(server: Server, url: str) -> str | None:
    session_id, file_id = url.split("/")[-2:]
    session = server.call("GET", f"/sessions/{session_id}").json()
    return next(file["sha256"] for file in session["files"] if file["file_id"] == file_id)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- the core protocol --------------------------------------------------------------------------------------


def test_options(server: Server, collection: str) -> None:
    for url in (collection, create(collection)):
        answer = requests.options(url, headers=HEADERS, timeout=60)
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == "50000000"
        assert {"creation", "checksum", "expiration", "termination"} <= set(
            answer.headers["Tus-Extension"].split(",")
        )
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")


def test_create_head_patch(server: Server, collection: str) -> None:
    url = create(collection)
    head = ask("HEAD", url, 200)
    assert head.headers["Upload-Length"] == str(len(DATA))
    assert head.headers["Upload-Metadata"] == about()["Upload-Metadata"]
    answer = patch(url, 0, DATA[:300_000])
    assert answer.headers["Upload-Offset"] == "300000"
    assert "Upload-Expires" in answer.headers
    assert offset(url) == 300_000
    assert patch(url, 300_000, DATA[300_000:]).headers["Upload-Offset"] == str(len(DATA))
    assert offset(url) == len(DATA)
    assert digest(server, url) == sha256(DATA)
    assert patch(url, len(DATA), b"").headers["Upload-Offset"] == str(len(DATA))


@pytest.mark.parametrize("version", ["0.2.2", "2.0.0", "", None])
def test_another_version_is_not_processed(collection: str, version: str | None) -> None:
    url = create(collection)
    spoken = {"Tus-Resumable": version} if version is not None else {}
    headers = {**HEADERS, **BYTES, "Upload-Offset": "0", **spoken}
    for method, body in (("PATCH", b"x"), ("HEAD", None), ("DELETE", None), ("DELETE", b"with a body")):
        answer = requests.request(method, url, headers=headers, data=body, timeout=60)
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert offset(url) == 0


def test_wrong_offsets_write_nothing(collection: str) -> None:
    url = create(collection)
    patch(url, 0, DATA[:1000])
    for wrong in (0, 999, 1001):
        problem = patch(url, wrong, DATA[:500_000], 409).json()
        assert problem["type"] == "slurmdash:offset-mismatch"
        assert problem["offset"] == 1000
    assert offset(url) == 1000


@pytest.mark.parametrize("value", ["-1", "x", "", None])
def test_bad_offsets(collection: str, value: str | None) -> None:
    url = create(collection)
    ask("PATCH", url, 400, {**BYTES, **({"Upload-Offset": value} if value is not None else {})}, data=b"x")
    assert offset(url) == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
def test_another_content_type(collection: str, kind: str) -> None:
    url = create(collection)
    ask("PATCH", url, 415, {"Content-Type": kind, "Upload-Offset": "0"}, data=b"x" * 300_000)
    assert offset(url) == 0


def test_method_override(server: Server, collection: str) -> None:
    url = create(collection)
    headers = {**BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    ask("POST", url, 204, headers, data=DATA)
    assert digest(server, url) == sha256(DATA)
    ask("POST", url, 204, {"X-HTTP-Method-Override": "DELETE"})
    ask("HEAD", url, 404)
    ask("POST", url, 405)
    ask("PATCH", url, 405, {"X-HTTP-Method-Override": "BREW"})


def test_what_is_not_there(server: Server, collection: str) -> None:
    for method in ("HEAD", "DELETE"):
        answer = ask(method, collection + "/nothing", 404)
        assert method == "DELETE" or answer.content == b""
    patch(collection + "/nothing", 0, DATA, 404)
    ask("POST", server.api + "/tus/nothing", 404, {"Upload-Length": "1", **about()})


def test_a_body_that_is_too_long(collection: str) -> None:
    url = create(collection, 1000)
    patch(url, 0, DATA, 413)
    patch(url, 0, iter([DATA[:600], DATA[:600]]), 413)
    assert offset(url) in (0, 600)


# -- the extensions -----------------------------------------------------------------------------------------


def test_creation_refuses(collection: str) -> None:
    ask("POST", collection, 400, about())
    ask("POST", collection, 400, {"Upload-Length": "1", "Upload-Defer-Length": "1", **about()})
    ask("POST", collection, 400, {"Upload-Defer-Length": "2", **about()})
    ask("POST", collection, 400, {"Upload-Length": "-1", **about()})
    ask("POST", collection, 400, {"Upload-Length": "1"})
    ask("POST", collection, 400, {"Upload-Length": "1", **about("../../etc/passwd")})
    ask("POST", collection, 413, {"Upload-Length": "50000001", **about()})
    ask("POST", collection, 413, {"Upload-Length": "1", **about(), **BYTES}, data=b"22")
    ask("POST", collection, 415, {"Upload-Length": "1", **about()}, data=b"1")
    unknown = {"Upload-Length": "1", "Upload-Checksum": "md17 x", **about(), **BYTES}
    ask("POST", collection, 400, unknown, data=b"1")
    create(collection, 5)
    patch(create(collection, 6, "b.dat"), 0, b"1")
    answer = ask("POST", collection, 409, {"Upload-Length": "6", **about("b.dat")})
    assert answer.json()["file_id"]


def test_an_empty_file(server: Server, collection: str) -> None:
    url = create(collection, 0)
    assert offset(url) == 0
    assert digest(server, url) == sha256(b"")


def test_creation_with_upload(server: Server, collection: str) -> None:
    headers = {"Upload-Length": str(len(DATA)), **about(), **BYTES}
    answer = ask("POST", collection, 201, headers, data=DATA[:500_000])
    assert answer.headers["Upload-Offset"] == "500000"
    url = server.url.rstrip("/") + answer.headers["Location"]
    patch(url, 500_000, DATA[500_000:])
    assert digest(server, url) == sha256(DATA)


def test_a_length_that_comes_later(server: Server, collection: str) -> None:
    url_headers = ask("POST", collection, 201, {"Upload-Defer-Length": "1", **about()}).headers
    url = server.url.rstrip("/") + url_headers["Location"]
    head = ask("HEAD", url, 200).headers
    assert head["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in head
    patch(url, 0, DATA[:1000])
    patch(url, 1000, iter([DATA[1000:2000], DATA[2000:]]), **{"Upload-Length": str(len(DATA))})
    assert digest(server, url) == sha256(DATA)


def test_checksums(server: Server, collection: str) -> None:
    url = create(collection)

    def value(algorithm: str, data: bytes) -> dict[str, str]:
        return {
            "Upload-Checksum": f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"
        }

    patch(url, 0, DATA[:1000], **value("sha1", DATA[:1000]))
    patch(url, 1000, DATA[1000:], 460, **value("sha1", DATA))
    assert offset(url) == 1000
    patch(url, 1000, DATA[1000:], 400, **{"Upload-Checksum": "md17 YQ=="})
    assert offset(url) == 1000
    patch(url, 1000, DATA[1000:], **value("sha256", DATA[1000:]))
    assert digest(server, url) == sha256(DATA)


def test_termination(collection: str) -> None:
    url = create(collection)
    patch(url, 0, DATA[:1000])
    ask("DELETE", url, 204)
    ask("HEAD", url, 404)
    patch(url, 1000, b"x", 404)
    ask("DELETE", url, 404)


# -- broken connections -------------------------------------------------------------------------------------


def begin_patch(url: str, start: int, length: int) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.putrequest("PATCH", parts.path)
    for name, text in {**TUS, **BYTES, "Upload-Offset": str(start), "Content-Length": str(length)}.items():
        connection.putheader(name, text)
    connection.endheaders()
    return connection


def wait_for(server: Server, more: int) -> None:
    for _ in range(500):
        if server.facts()["bytes"] >= more:
            return
        time.sleep(0.01)
    raise AssertionError("the bytes did not arrive")


def test_a_dropped_connection_keeps_every_byte(server: Server, collection: str) -> None:
    url = create(collection)
    before = server.facts()["bytes"]
    connection = begin_patch(url, 0, len(DATA))
    connection.send(DATA[:400_000])
    wait_for(server, before + 400_000)
    connection.close()
    assert offset(url) == 400_000
    patch(url, 400_000, DATA[400_000:])
    assert digest(server, url) == sha256(DATA)


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_a_dead_connection_lets_go(server: Server, collection: str, method: str) -> None:
    url = create(collection)
    before = server.facts()["bytes"]
    connection = begin_patch(url, 0, len(DATA))
    connection.send(DATA[:1000])
    wait_for(server, before + 1000)
    began = time.monotonic()
    if method == "HEAD":
        assert offset(url) == 1000
    elif method == "PATCH":
        patch(url, 1000, DATA[1000:])
        assert digest(server, url) == sha256(DATA)
    else:
        ask("DELETE", url, 204)
    assert time.monotonic() - began < 5
    assert connection.sock.recv(1000) == b""
    connection.close()


def test_a_wrong_file_stops_early_and_the_answer_arrives(server: Server, collection: str) -> None:
    url = create(collection, 20_000_000, "data.tar.gz")
    before = server.facts()["bytes"]
    connection = begin_patch(url, 0, 20_000_000)
    connection.send(b"not gzip" * 50_000)
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"not a gzip file" in answer.read()
    connection.close()
    assert server.facts()["bytes"] - before <= 400_000


def test_a_refused_body_is_read_to_its_end(collection: str) -> None:
    url = create(collection)
    with requests.Session() as session:
        headers = {**TUS, **BYTES, "Upload-Offset": "5"}
        assert session.patch(url, headers=headers, data=DATA[5:], timeout=60).status_code == 409
        assert session.head(url, headers=TUS, timeout=60).headers["Upload-Offset"] == "0"


# -- strangers ----------------------------------------------------------------------------------------------


def test_a_stranger_sends_no_byte(server: Server, collection: str) -> None:
    url = create(collection)
    before = server.facts()["bytes"]
    headers = {"Tus-Resumable": "1.0.0", **BYTES, "Upload-Offset": "0"}
    for method, address in (("PATCH", url), ("POST", collection)):
        answer = requests.request(method, address, headers=headers, data=DATA, timeout=60)
        assert answer.status_code == 401
    with requests.Session() as session:
        # The anonymous page for signing in gives out the XSRF cookie to everyone.
        session.get(server.url + "login", timeout=60)
        cookies = {"X-XSRFToken": session.cookies.get("_xsrf", ""), "Expect": "100-continue"}
        answer = session.patch(url, headers=headers | cookies, data=b"x", timeout=60)
        assert answer.status_code == 401
    assert server.facts()["bytes"] == before
    assert offset(url) == 0


def test_who_may_not_write_sends_no_byte(tmp_path: Path) -> None:
    server = Server(tmp_path / "denied", "--deny")
    try:
        for method in ("PATCH", "DELETE"):
            ask(method, server.api + "/tus/a/b", 403, {**BYTES, "Upload-Offset": "0"}, data=b"x")
        ask("POST", server.api + "/tus/a", 403, {**BYTES, "Upload-Length": "1"}, data=b"x")
        ask("HEAD", server.api + "/tus/a/b", 404)
        assert server.facts()["bytes"] == 0
    finally:
        server.stop()


# -- real clients -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checksum", [False, True])
def test_tuspy_uploads_and_resumes(server: Server, collection: str, tmp_path: Path, checksum: bool) -> None:
    path = tmp_path / "한글 data.bin"
    path.write_bytes(DATA)
    client = TusClient(collection, headers=HEADERS)
    with path.open("rb") as stream:
        options = {"file_stream": stream, "upload_checksum": checksum}
        uploader = client.uploader(chunk_size=100_000, metadata={"filename": path.name}, **options)
        uploader.upload_chunk()
        uploader.upload_chunk()
        assert offset(uploader.url) == 200_000
        again = client.uploader(chunk_size=250_000, url=uploader.url, **options)
        again.upload()
    assert digest(server, again.url) == sha256(DATA)


def test_curl(server: Server, collection: str, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(DATA * 20)  # large enough for curl to send Expect: 100-continue
    url = create(collection, len(DATA) * 20)
    headers = {**TUS, **BYTES, "Upload-Offset": "0"}
    options = [f"-H{name}: {text}" for name, text in headers.items()]
    command = ["curl", "-sS", "-T", str(path), "-X", "PATCH", *options, "-w", "%{http_code}", url]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "204"
    assert digest(server, url) == sha256(DATA * 20)
    wrong = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert wrong.endswith("409")


def test_memory_stays_flat(server: Server, collection: str) -> None:
    url = create(collection, 48_000_000)
    before = server.facts()["VmHWM"]
    patch(url, 0, bytes(48_000_000))
    assert server.facts()["VmHWM"] - before < 16 * 1024  # KiB


def test_a_half_open_socket_is_no_harm(server: Server, collection: str) -> None:
    url = create(collection)
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as raw:
        lines = [f"PATCH {urlsplit(url).path} HTTP/1.1", "Host: localhost", "Content-Length: 10"]
        lines += [f"{name}: {text}" for name, text in {**TUS, **BYTES, "Upload-Offset": "0"}.items()]
        raw.sendall("\r\n".join([*lines, "", "123"]).encode())
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1000):
            pass
    assert offset(url) == 3


def test_those_who_wait_for_an_upload_do_not_keep_it_from_being_let_go(live: Live) -> None:
    """Every thread of the server waits for the one upload whose dead connection still holds it."""
    session = live.call("POST", "/api/v2/upload/sessions", {}).json()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000", **about()}
    created = live.call("POST", f"/api/v2/upload/tus/{session['session_id']}", b"", headers)
    address = created.headers["Location"]
    file_id = address.rsplit("/", 1)[1]
    executor = live.app.web_app.settings["slurmdash_executor"]
    uploads, user = live.dash.uploads, live.dash.user
    with socket.create_connection((live.host, live.port), timeout=30) as dead:
        head = f"PATCH {address} HTTP/1.1\r\nHost: {live.host}:{live.port}\r\nTus-Resumable: 1.0.0\r\n"
        head += f"Authorization: token {live.token}\r\nContent-Type: {BYTES['Content-Type']}\r\n"
        dead.sendall(f"{head}Upload-Offset: 0\r\nContent-Length: 1000\r\n\r\n0123456789".encode())
        deadline = time.monotonic() + 10
        while uploads.sessions.get(session["session_id"], user).files[0].offset < 10:
            assert time.monotonic() < deadline
        together = threading.Barrier(executor._max_workers)

        def look() -> int:
            together.wait(10)
            return uploads.transfers.look(session["session_id"], user, file_id).offset

        began = time.monotonic()
        waiting = [executor.submit(look) for _ in range(executor._max_workers)]
        assert [one.result(20) for one in waiting] == [10] * len(waiting)
        assert time.monotonic() - began < 5


class _SlowDigest:
    """Each piece is looked at for a while before it is digested."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update(self, data: memoryview) -> None:
        for _ in range(10):
            hashlib.sha256(data)
        self._digest.update(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def test_memory_that_is_not_digested_yet_is_not_written_over(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(20 * 1024 * 1024)
    session = live.call("POST", "/api/v2/upload/sessions", {}).json()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(body)), **about()}
    created = live.call("POST", f"/api/v2/upload/tus/{session['session_id']}", b"", headers)
    with monkeypatch.context() as patch:
        patch.setattr(digesting, "new_digest", _SlowDigest)
        answer = requests.patch(
            f"http://{live.host}:{live.port}{created.headers['Location']}",
            body,
            headers={**TUS, **BYTES, "Authorization": f"token {live.token}", "Upload-Offset": "0"},
            timeout=60,
        )
    assert answer.status_code == 204, answer.text
    (file,) = live.dash.uploads.sessions.get(session["session_id"], live.dash.user).files
    assert (file.state, file.sha256) == ("complete", hashlib.sha256(body).hexdigest())


def test_a_stall_of_the_disk_moves_the_writing_beside_the_loop_and_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = bodies.BodyHandler.__new__(bodies.BodyHandler)
    handler._slow, handler._quick = False, 0
    handler._judge(bodies.SLOW / 2)
    assert not handler._slow
    handler._judge(bodies.SLOW * 2)
    for _ in range(bodies.QUICK - 1):
        assert handler._slow
        handler._judge(bodies.SLOW / 2)
    handler._judge(bodies.SLOW * 2)  # counted anew
    for _ in range(bodies.QUICK):
        assert handler._slow
        handler._judge(bodies.SLOW / 2)
    assert not handler._slow
    monkeypatch.setattr(bodies.BodyHandler, "off_loop", True)
    handler._slow = True
    for _ in range(2 * bodies.QUICK):
        handler._judge(0)
    assert handler._slow
