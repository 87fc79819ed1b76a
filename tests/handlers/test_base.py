"""What every route shares: bodies that do not fit, errors as problem documents, nothing of the inside."""

from __future__ import annotations

import http.client
import json
import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from answers import problem_of
from live import Answer, Live
from tornado import web

from jupyter_slurmdash.errors import NotFound
from jupyter_slurmdash.handlers.base import MAX_JSON_BODY, SlurmDashHandler, _json, as_problem

PREVIEW = "/api/jobs/preview"


def post(live: Live, body: Any, **headers: str) -> Answer:
    return live.call("POST", PREVIEW, body, {name.replace("_", "-"): text for name, text in headers.items()})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"not json", b"\xff\xfe", b'{"a": 1} x', b"[" * 100_000, b'{"nodes": ' + b"9" * 5000 + b"}"],
    ids=["empty", "cut", "words", "bytes", "more", "deep", "digits"],
)
def test_what_is_not_json(live: Live, body: bytes) -> None:
    problem = problem_of(post(live, body), 400, "invalid-input")
    assert "not valid JSON" in problem["detail"]


@pytest.mark.parametrize("value", [10**30, -(2**70), "lone \ud800 half", 2**64 - 1])
def test_what_json_can_say_is_said(value: Any) -> None:
    assert json.loads(_json({"value": [value]})) == {"value": [value]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"nonsense": 1}, "/nonsense"),
        ({"job_name": 3}, "/job_name"),
        ({"job_name": ""}, "/job_name"),
        ({"files": {"a": 1}}, "/files/a"),
        ({"files": []}, "/files"),
        ({"nodes": 0}, "/nodes"),
        ({"nodes": "2"}, "/nodes"),
        ({"options": {"nonsense": 1}}, "/options/nonsense"),
        ({"parameters": {"x": {"y": 1}}}, "/parameters/x"),
        ({"script": "x" * 1_048_577}, "/script"),
        ([], ""),
        ("text", ""),
        (3, ""),
    ],
)
def test_what_does_not_fit_the_contract(live: Live, body: Any, pointer: str) -> None:
    problem = problem_of(post(live, body), 400, "invalid-input")
    assert pointer in [error["pointer"] for error in problem["errors"]], problem
    assert len(problem["detail"]) < 2000


def test_everything_wrong_is_named_at_once(live: Live) -> None:
    problem = problem_of(post(live, {"job_name": 3, "nodes": 0, "x": 1}), 400, "invalid-input")
    assert {error["pointer"] for error in problem["errors"]} >= {"/job_name", "/nodes"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"script": "true", "job_name": "\\ud800"}',
        b'{"script": "\\udfff"}',
        b'{"script": "true", "parameters": {"x": NaN}}',
        b'{"script": "true", "parameters": {"x": Infinity}}',
        b'{"script": "true", "parameters": {"x": 1e999}}',
        b'{"script": "true", "parameters": {"\\ud800": 1}}',
        b'{"script": "a\\u0000b"}',
        b'{"script": "true", "job_name": "a\\u0000b"}',
        b'{"template_id": "a\\u0000b"}',
        b'{"template_id": "python-script-v1", "files": {"script": "a\\u0000b"}}',
        b'{"template_id": "python-script-v1", "files": {"script": "\\ud800"}}',
        b'{"script": "true", "image_id": "\\u0000"}',
        b'{"script": "true", "session_id": "\\u0000"}',
        b'{"script": "true", "options": {"mem": "\\u0000"}}',
    ],
    ids=lambda body: body.decode(),
)
@pytest.mark.parametrize("path", [PREVIEW, "/api/jobs/submit", "/api/jobs/estimate"])
def test_odd_values_are_refused_and_break_nothing(live: Live, path: str, body: bytes) -> None:
    answer = live.call("POST", path, body)
    if answer.status == 200:
        assert path == PREVIEW
        assert not answer.json()["ready"], answer.json()
        return
    assert 400 <= answer.status < 500, answer.body
    problem_of(answer, answer.status, answer.json()["type"].removeprefix("slurmdash:"))


def test_only_json(live: Live) -> None:
    body = b'{"script": "true"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"):
        problem_of(post(live, body, Content_Type=kind), 415, "unsupported-media-type")
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        assert post(live, body, Content_Type=kind).status == 200
    assert post(live, body).status == 200, "without a word of its kind"


def test_too_large_a_body(live: Live) -> None:
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    connection.putrequest("POST", live.root + PREVIEW)
    connection.putheader("Authorization", f"token {live.token}")
    connection.putheader("Content-Length", str(MAX_JSON_BODY + 1))
    connection.endheaders()
    refused = connection.getresponse()
    problem_of(Answer(refused.status, refused.headers, refused.read()), 413, "too-large")
    connection.close()
    problem_of(post(live, b" " * MAX_JSON_BODY), 400, "invalid-input")


@pytest.mark.parametrize("length", ["²", "1²", "9" * 5000, "x", "-1"])
@pytest.mark.parametrize(("method", "path"), [("POST", PREVIEW), ("PATCH", "/api/v2/upload/tus/a/b")])
def test_a_length_that_is_no_number(live: Live, method: str, path: str, length: str) -> None:
    with socket.create_connection((live.host, live.port), timeout=30) as connection:
        head = f"{method} {live.root}{path} HTTP/1.1\r\nHost: {live.host}:{live.port}\r\n"
        head += f"Authorization: token {live.token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        answer = connection.makefile("rb").readline()
    assert not answer or 400 <= int(answer.split()[1]) < 500, answer


def test_too_large_a_body_without_an_announced_size(live: Live) -> None:
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)

    def pieces() -> Any:
        for _ in range(5):
            yield b" " * (MAX_JSON_BODY // 4)

    headers = {"Authorization": f"token {live.token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", live.root + PREVIEW, pieces(), headers, encode_chunked=True)
        assert connection.getresponse().status in (400, 413)
    except ConnectionError:
        pass  # closed while we still sent
    finally:
        connection.close()
    assert live.call("GET", "/api/health").status == 200


def test_a_small_body_in_pieces(live: Live) -> None:
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    headers = {"Authorization": f"token {live.token}", "Content-Type": "application/json"}
    pieces = iter([b'{"scr', b'ipt": "true"}'])
    connection.request("POST", live.root + PREVIEW, pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["ready"]) == (200, True)
    connection.close()


def test_a_body_may_be_left_out_where_the_contract_says_so(live: Live) -> None:
    assert live.call("POST", "/api/v2/upload/sessions").status == 201


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_fault_of_ours_shows_nothing_of_the_inside(
    live: Live, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def break_down(*args: Any, **kwargs: Any) -> Any:
        raise KeyError("the-secret-inside /etc/shadow")

    for name in ("refresh", "submit", "cancel"):
        monkeypatch.setattr(live.dash.jobs, name, break_down)
    path = "/api/jobs/submit" if method == "POST" else "/api/jobs/1"
    answer = live.call(method, path, {"script": "true"} if method == "POST" else None)
    problem = problem_of(answer, 500, "http-500")
    for word in (b"secret", b"shadow", b"KeyError", b".py"):
        assert word not in answer.body
    assert "request id" in problem["detail"]


def test_the_shape_of_foreign_errors() -> None:
    said = as_problem(web.HTTPError(400, "No %s in %r", "name", "x"), 400)
    assert (said.detail, said.code, said.status) == ("No name in 'x'", "http-400", 400)
    assert as_problem(web.HTTPError(400, "100% sure"), 400).detail == "100% sure"
    assert as_problem(web.HTTPError(403, reason="Not you"), 403).detail == "Not you"
    assert as_problem(web.HTTPError(400), 400).detail == "The request was refused."
    inside = as_problem(web.HTTPError(502, "the inside"), 502)
    assert (inside.status, "inside" in inside.detail) == (502, False)
    ours = NotFound("There is none.")
    assert as_problem(ours, 404) is ours


def test_headers_that_every_answer_has(live: Live) -> None:
    for answer in (live.call("GET", "/api/health"), live.call("GET", "/api/jobs/4711")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(answer.headers["X-Request-ID"]) == 36
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert live.call("GET", "/api/health").headers["X-Request-ID"] != answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/../b c", "{root}/b c"), ("/x/./y", "/x/y"), ("~/z", "{home}/z"), ("", "{root}")],
)
def test_a_users_path_is_absolute(live: Live, path: str, expected: str) -> None:
    root = live.app.root_dir
    handler = SimpleNamespace(settings={"server_root_dir": root})
    found = SlurmDashHandler.resolve_path(handler, path)  # type: ignore[arg-type]
    assert found == expected.format(root=root, home=os.path.expanduser("~"))
