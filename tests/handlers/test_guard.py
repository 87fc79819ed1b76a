"""Nobody gets in by any route or method without authentication and the authorizer's word for a resource and action."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from collections.abc import Callable
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from live import Live

from jupyter_slurmdash.handlers.base import GuardMixin, NotFoundHandler, SlurmDashHandler
from jupyter_slurmdash.handlers.contract import METHODS, contract
from jupyter_slurmdash.handlers.routes import handlers_by_path, route_table

EVERY = [(path, method) for path, verbs in contract().operations.items() for method in verbs]


class NobodyMay(Authorizer):
    """Refuses everyone, and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 (the tests empty it)

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return not resource.startswith("slurmdash:")


@pytest.fixture(scope="module")
def live(make_live: Callable[..., Live]) -> Live:
    return make_live(server={"authorizer_class": NobodyMay})


def concrete(path: str) -> str:
    for name in ("{id}", "{session_id}", "{file_id}", "{scan_id}", "{path}"):
        path = path.replace(name, "x")
    return path


def test_what_the_server_serves_is_the_contract(live: Live) -> None:
    groups = [rule.target for rule in live.app.web_app.default_router.rules]
    rules = [rule for group in groups for rule in group.rules]
    ours = [rule.target for rule in rules if "/slurmdash/" in rule.matcher.regex.pattern]
    assert len(ours) == len(contract().operations) + 1
    for handler in ours:
        assert issubclass(handler, GuardMixin)
        if handler is NotFoundHandler:
            continue
        for method in METHODS:
            operation = contract().operations[handler.path].get(method)
            assert (method.upper() in handler.SUPPORTED_METHODS) == (operation is not None)
            if operation is not None:
                assert operation.resource.startswith("slurmdash:")
                assert operation.action in ("read", "write", "execute")


@pytest.mark.parametrize(("path", "method"), EVERY)
def test_a_stranger_is_turned_away(live: Live, path: str, method: str) -> None:
    answer = live.call(method.upper(), concrete(path), token=False)
    assert answer.status == 401
    if method != "head":
        problem = answer.json()
        assert problem["type"] == "slurmdash:unauthenticated"
        assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("path", "method"), EVERY)
def test_the_authorizer_is_asked(live: Live, path: str, method: str) -> None:
    NobodyMay.asked.clear()
    answer = live.call(method.upper(), concrete(path))
    operation = contract().operations[path][method]
    assert answer.status == 403
    assert NobodyMay.asked == [(operation.action, operation.resource)]


@pytest.mark.parametrize("token", [True, False])
def test_a_websocket_is_refused_before_it_opens(live: Live, token: bool) -> None:
    with pytest.raises(Exception, match=r"HTTP 40[13]"):
        asyncio.run(live.websocket(token=token))


def test_no_byte_of_a_strangers_body_is_read(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[int] = []
    monkeypatch.setattr(SlurmDashHandler, "data_received", lambda self, chunk: received.append(len(chunk)))
    for path in ("/api/jobs/submit", "/api/v2/upload/tus/x"):
        connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
        connection.putrequest("POST", live.root + path)
        connection.putheader("Content-Length", "50000000")
        connection.endheaders()
        with contextlib.suppress(ConnectionError):  # the server may close while we still send
            for _ in range(50):
                connection.send(b"x" * 1_000_000)
        with contextlib.suppress(ConnectionError):
            assert connection.getresponse().status == 401
        connection.close()
    assert received == []


def test_an_unknown_address_tells_strangers_nothing(live: Live) -> None:
    assert live.call("GET", "/api/nothing", token=False).status == 401
    answer = live.call("POST", "/api/nothing")
    assert (answer.status, answer.json()["type"]) == (404, "slurmdash:not-found")


def test_an_unknown_method_is_named(live: Live) -> None:
    answer = live.call("PUT", "/api/health")
    assert (answer.status, answer.json()["status"]) == (405, 405)


def test_a_cookie_needs_the_xsrf_token(make_live: Callable[..., Live]) -> None:
    live = make_live()
    page = live.call("GET", "login", token=False, root=live.app.base_url)
    known = live.call("GET", "login?token=" + live.token, token=False, root=live.app.base_url)
    set_by = [*(page.headers.get_all("Set-Cookie") or []), *(known.headers.get_all("Set-Cookie") or [])]
    jar = dict(value.split(";")[0].split("=", 1) for value in set_by)
    cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
    assert live.call("GET", "/api/health", headers={"Cookie": cookies}, token=False).status == 200
    assert live.call("POST", "/api/v2/templates/scan", headers={"Cookie": cookies}, token=False).status == 403
    both = {"Cookie": cookies, "X-XSRFToken": jar["_xsrf"]}
    assert live.call("POST", "/api/v2/templates/scan", headers=both, token=False).status == 200


def test_a_route_outside_the_contract_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="differ"):
        type("Extra", (SlurmDashHandler,), {"path": "/api/health", "delete": lambda self: None})
    with pytest.raises(TypeError, match="differ"):
        type("Missing", (SlurmDashHandler,), {"path": "/api/health"})
    assert len(route_table()) == len(handlers_by_path()) + 1
