"""What every HTTP handler shares: who may call, what fits, how it answers, how it fails.

All handlers stream their bodies, so ``prepare()`` runs when the headers are there: a stranger is turned away before
one byte of the body is read. A verb is then a few lines: read, call the service, send.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar, cast

import orjson
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado import web

from ..errors import (
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    SlurmDashError,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)
from .contract import Operation, contract

if TYPE_CHECKING:
    from ..dash import Dash

P = ParamSpec("P")
T = TypeVar("T")

MAX_JSON_BODY = 2 * 1024 * 1024


class GuardMixin:
    """Authentication and authorization from the contract; shared by HTTP and WebSocket handlers.

    A subclass names its ``path`` in the contract. Each operation of that path must be a method of the class and each
    verb of the class an operation, or importing the class fails.
    """

    path: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.path:
            return
        operations = contract().operations[cls.path]
        for method in ("get", "post", "put", "patch", "delete", "head", "options"):
            verb = cls.__dict__.get(method)
            if (verb is None) != (method not in operations):
                raise TypeError(f"{cls.__name__}: {method.upper()} {cls.path} and openapi.yaml differ")
            if verb is not None:
                # prepare() has decided already; this lets Jupyter's own audit of handlers see that it is so.
                setattr(cls, method, web.authenticated(verb))
        cls.SUPPORTED_METHODS = tuple(method.upper() for method in operations)  # type: ignore[attr-defined]

    def operation_for(self, method: str | None) -> Operation:
        operation = contract().operations[self.path].get((method or "").lower())
        if operation is None:
            raise MethodNotAllowed(f"{method} is not known here.")
        return operation

    async def guard(self, handler: Any, operation: Operation) -> None:
        """Raise Unauthenticated or Forbidden unless this user may do this."""
        if handler.current_user is None:
            raise Unauthenticated("Sign in to Jupyter, or send an Authorization header with a token.")
        allowed = await ensure_async(
            handler.authorizer.is_authorized(
                handler, handler.current_user, operation.action, operation.resource
            )
        )
        if not allowed:
            raise Forbidden(
                f"Your account may not {operation.action} {operation.resource}. Ask your administrator."
            )


@web.stream_request_body
class SlurmDashHandler(GuardMixin, APIHandler):
    """Base of all HTTP handlers."""

    max_body: ClassVar[int] = MAX_JSON_BODY
    operation: Operation

    def initialize(self) -> None:
        self.request_id = str(uuid.uuid4())
        self._body = bytearray()

    @property
    def dash(self) -> Dash:
        return cast("Dash", self.settings["slurmdash"])

    @property
    def route_root(self) -> str:
        """Absolute path of our routes, ``{base_url}slurmdash``."""
        return self.base_url + "slurmdash"

    # -- coming in ------------------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if hasattr(self, "request_id"):
            self.set_header("X-Request-ID", self.request_id)

    def check_xsrf_cookie(self) -> None:
        # A stranger without the cookie is a stranger first: 401, not 403. (Tornado asks once before Jupyter knows.)
        if hasattr(self, "_jupyter_current_user") and self.current_user is None:
            raise Unauthenticated("Sign in to Jupyter, or send an Authorization header with a token.")
        super().check_xsrf_cookie()

    async def prepare(self) -> None:  # type: ignore[override]
        self.set_header("X-Request-ID", self.request_id)
        self.operation = self.operation_for(self.request.method)
        await super().prepare()
        if self._finished:
            return
        await self.guard(self, self.operation)
        await self.admit()

    async def admit(self) -> None:
        """The last gate before the body: its announced size. Uploads have their own."""
        length = self.request.headers.get("Content-Length", "0")
        if not is_number(length) or int(length) > self.max_body:
            raise TooLarge(f"The body may have at most {self.max_body} bytes.")
        self.allow_body(self.max_body)

    def allow_body(self, size: int) -> None:
        """Let the connection take a body of up to ``size`` bytes (Jupyter's own bound is for buffered bodies)."""
        self.request.connection.set_max_body_size(size)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> Any:
        if len(self._body) + len(chunk) > self.max_body:
            raise TooLarge(f"The body may have at most {self.max_body} bytes.")
        self._body += chunk

    def body(self) -> Any:
        """The JSON body, checked against the contract; ``{}`` when it may be and is left out."""
        if not self._body and not self.operation.body_required:
            return {}
        kind = self.request.headers.get("Content-Type", "application/json").split(";")[0].strip().lower()
        if kind != "application/json":
            raise UnsupportedMediaType("Send the body as application/json.")
        try:
            value = json.loads(bytes(self._body))
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"The body is not valid JSON: {error}.") from error
        self.operation.check_body(value)
        return value

    def query(self) -> dict[str, Any]:
        """The query, with the contract's types and defaults."""
        return self.operation.read_query(
            {name: self.get_query_argument(name) for name in self.request.query_arguments}
        )

    def resolve_path(self, path: str) -> str:
        """A user's path as an absolute one: ``~`` is their home, a relative one is below JupyterLab's root."""
        root = str(self.settings.get("server_root_dir") or os.getcwd())
        return os.path.normpath(os.path.join(os.path.expanduser(root), os.path.expanduser(path)))

    def resolve_paths(self, body: dict[str, Any]) -> dict[str, Any]:
        """``body`` with every path of its ``files`` absolute."""
        files = {slot: self.resolve_path(path) for slot, path in (body.get("files") or {}).items()}
        return {**body, "files": files}

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking service call beside the event loop."""
        return await self.call_in("slurmdash_executor", function, *args, **kwargs)

    async def call_in(
        self, executor_name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``call``, in the threads of another executor of the settings."""
        work = functools.partial(function, *args, **kwargs)
        executor = cast("Executor", self.settings[executor_name])
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    # -- going out ------------------------------------------------------------------------------------------

    def send(self, payload: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.finish(_json(payload))

    def send_cached(self, payload: Any, tag: str = "") -> None:
        """Answer with JSON and an ETag (beginning with ``tag``); 304 without a body when the caller has it already."""
        body = _json(payload)
        digest = hashlib.sha256(body).hexdigest()[:32]
        self.set_header("ETag", f'"{tag}.{digest}"' if tag else f'"{digest}"')
        self.set_header("Cache-Control", "private, no-cache")
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return
        self.finish(body)

    def send_nothing(self, status: int = 204) -> None:
        self.set_status(status)
        self.finish()

    def compute_etag(self) -> str | None:
        return None  # only lists carry one, and they make it themselves

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.send_problem(as_problem(error, status_code))

    def send_problem(self, problem: SlurmDashError) -> None:
        self.set_status(problem.status, problem.title)
        body = json.dumps({**problem.to_problem(), "request_id": self.request_id}, ensure_ascii=False)
        self.finish(body, set_content_type="application/problem+json")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # An expected error is an answer, not a fault of ours.
        if not isinstance(value, SlurmDashError):
            super().log_exception(typ, value, tb)


def is_number(text: str) -> bool:
    """Whether a header's text is a whole number that ``int`` reads: ``²`` is a digit too, and a long one no number."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _json(payload: Any) -> bytes:
    """JSON; what orjson does not write, integers beyond 64 bits and lone surrogates, as the standard library does."""
    try:
        return orjson.dumps(payload)
    except TypeError:
        return json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()


class HttpProblem(SlurmDashError):
    """An error that Jupyter or Tornado raised, in our shape."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]
        self.code = f"http-{status}"  # type: ignore[misc]
        self.title = detail.rstrip(".")  # type: ignore[misc]


def as_problem(error: BaseException | None, status: int) -> SlurmDashError:
    """Any exception as a problem document: ours as they are, foreign ones without their insides."""
    if isinstance(error, SlurmDashError):
        return error
    if isinstance(error, web.HTTPError) and status < 500:
        # Tornado keeps the message as a format and its arguments.
        said = (error.log_message or "") % error.args
        return HttpProblem(status, said or error.reason or "The request was refused.")
    return HttpProblem(
        status,
        "The server could not do this. The administrator finds the reason in its log by the request id.",
    )


class NotFoundHandler(SlurmDashHandler):
    """Everything below our root that no route matches. It has no operation, so it only answers 404 to users."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    async def prepare(self) -> None:  # type: ignore[override]
        self.set_header("X-Request-ID", self.request_id)
        await APIHandler.prepare(self)
        if self.current_user is None:
            raise Unauthenticated("Sign in to Jupyter, or send an Authorization header with a token.")
        raise NotFound("There is no such address. The API reference lists them all.")
