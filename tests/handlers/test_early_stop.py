"""A file of 5 GiB that cannot be right is refused before 4 MiB of it arrived, over every door that streams; what a
stranger sends is not read, and the stranger hears why.
"""

from __future__ import annotations

import base64
import http.client
import select
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

import pytest
from upload_server import HEADERS, TUS, Server

GIB = 1024**3
MIB = 1024**2
NAME = "data.tar.gz"
WRONG = b"this is no gzip file" * 50_000
NAMED = {"Upload-Metadata": f"filename {base64.b64encode(NAME.encode()).decode()}"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
FORM = {"Content-Type": "multipart/form-data; boundary=B"}
PART = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{NAME}"\r\n\r\n'.encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("early") / "server", "--chunk-size", str(GIB))
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def send(
    server: Server, method: str, path: str, headers: Mapping[str, str], begin: bytes = b"", deaf: bool = False
) -> bytes:
    """Send until there is an answer; ``deaf``: on and on, as a client that does not listen before it has sent all."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.putrequest(method, path)
    for name, text in headers.items():
        connection.putheader(name, text)
    connection.endheaders()
    connection.sock.settimeout(60)
    try:
        connection.send(begin)
        for _ in range(5 * GIB // len(WRONG)):
            if not deaf and select.select([connection.sock], [], [], 0)[0]:
                break
            connection.send(WRONG)
        else:
            raise AssertionError("all of 5 GiB was taken")
    except OSError:
        pass  # the server does not read on
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 400, body
    return body


@pytest.mark.parametrize(
    "door", ["tus", "tus, bytes in the creation", "tus, length unknown", "chunks", "form"]
)
def test_a_wrong_file_is_refused_early(server: Server, door: str) -> None:
    session = server.session()
    before = server.facts()["bytes"]
    url = f"{urlsplit(server.api).path}/sessions/{session['session_id']}"
    length = {"Content-Length": str(5 * GIB)}
    if door == "tus, bytes in the creation":
        headers = {**TUS, **NAMED, **BYTES, **length, "Upload-Length": str(5 * GIB)}
        body = send(server, "POST", session["tus_url"], headers)
    elif door.startswith("tus"):
        size = {"Upload-Defer-Length": "1"} if "unknown" in door else {"Upload-Length": str(5 * GIB)}
        created = server.call("POST", f"/tus/{session['session_id']}", 201, headers={**TUS, **NAMED, **size})
        headers = {**TUS, **BYTES, **length, "Upload-Offset": "0"}
        body = send(server, "PATCH", created.headers["Location"], headers, deaf=door == "tus")
    elif door == "chunks":
        about = {"X-Chunk-Index": "0", "X-Total-Chunks": "5", "X-File-Name": quote(NAME)}
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(GIB)}
        body = send(server, "POST", f"{url}/chunks", {**HEADERS, **about, **kind})
    else:
        body = send(server, "POST", f"{url}/files", {**HEADERS, **FORM, **length}, PART)
    assert b"not a gzip file" in body
    arrived = server.facts()["bytes"] - before
    print(f"\n{door}: refused after {arrived / MIB:.2f} MiB")
    assert arrived < 4 * MIB
    files = server.call("GET", f"/sessions/{session['session_id']}").json()["files"]
    assert all(file["state"] == "failed" for file in files)
    assert sum(path.stat().st_size for path in (server.directory / "uploads").rglob("*.part")) == 0


@pytest.mark.parametrize("door", ["tus", "tus, bytes in the creation", "chunks", "form"])
def test_a_stranger_hears_why(server: Server, door: str) -> None:
    """The connection ends, it is not reset: to a proxy, which goes on sending, that would be a server that is away."""
    session = server.session()["session_id"]
    api = urlsplit(server.api)
    size = MIB // 2
    length = {"Upload-Length": str(size)}
    if door == "tus":
        made = server.call("POST", f"/tus/{session}", 201, headers={**TUS, **NAMED, **length})
        method, path, headers = "PATCH", made.headers["Location"], {**TUS, **BYTES, "Upload-Offset": "0"}
    elif door.startswith("tus"):
        method, path, headers = "POST", f"{api.path}/tus/{session}", {**TUS, **NAMED, **BYTES, **length}
    elif door == "chunks":
        about = {"X-Chunk-Index": "0", "X-Total-Chunks": "1", "X-File-Name": quote(NAME)}
        method, path, headers = "POST", f"{api.path}/sessions/{session}/chunks", about
    else:
        method, path, headers = "POST", f"{api.path}/sessions/{session}/files", FORM
    given = {
        **headers,
        "Host": api.netloc,
        "Content-Length": str(size),
        "Authorization": "token of-yesterday",
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in given.items())
    before = server.facts()["bytes"]
    with socket.create_connection((api.hostname, api.port), 60) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        assert select.select([connection], [], [], 60)[0]
        for _ in range(size // 32768):
            connection.sendall(bytes(32768))
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 401 ")
    assert b"slurmdash:unauthenticated" in told
    assert server.facts()["bytes"] == before


@pytest.mark.parametrize("door", ["tus", "chunks", "form"])
def test_a_body_of_unknown_length_is_refused_with_an_answer(server: Server, door: str) -> None:
    """What the protocol refuses before the first byte, and the client sends on: it hears why, it is not cut off."""
    session = server.session()["session_id"]
    api = urlsplit(server.api)
    made = server.call("POST", f"/tus/{session}", 201, headers={**TUS, **NAMED, "Upload-Length": str(MIB)})
    if door == "tus":
        method, path, headers = "PATCH", made.headers["Location"], {**TUS, **BYTES, "Upload-Offset": "5"}
    elif door == "chunks":
        about = {"X-Chunk-Index": "0", "X-Total-Chunks": "1", "X-File-Name": quote(NAME)}
        kind = {"Content-Type": "application/octet-stream"}
        method, path = "POST", f"{api.path}/sessions/{session}/chunks"
        headers = {**HEADERS, **about, **kind}
    else:
        method, path = "POST", f"{api.path}/sessions/{session}/files"
        headers = {**HEADERS, "Content-Type": "multipart/form-data"}
    given = {**headers, "Host": api.netloc, "Transfer-Encoding": "chunked"}
    head = "".join(f"{name}: {text}\r\n" for name, text in given.items())
    with socket.create_connection((api.hostname, api.port), 60) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        assert select.select([connection], [], [], 60)[0]
        for _ in range(MIB // 2 // 32768):
            connection.sendall(b"8000\r\n" + bytes(32768) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    status = 400 if door == "form" else 409
    assert told.startswith(f"HTTP/1.1 {status} ".encode()), told
    assert b'"type": "slurmdash:' in told
