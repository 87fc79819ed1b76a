"""Fetch a file from another server, and from nowhere else: an allowed host, a public address, a bounded body."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urljoin

from ..errors import Forbidden, InvalidInput, TooLarge, TransportError
from .addresses import check_url, is_public
from .units import size_text

_PIECE = 256 * 1024
_REDIRECTS = 3
_CONNECT = 10.0  # seconds

Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of ``host``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Connection(http.client.HTTPSConnection):
    """To the one address that was checked; TLS and the Host header have the name."""

    def __init__(
        self, host: str, port: int, address: str, context: ssl.SSLContext, public: Callable[[str], bool]
    ) -> None:
        super().__init__(host, port, timeout=_CONNECT, context=context)
        self._address, self._tls, self._public = address, context, public

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), _CONNECT)
        try:
            if not self._public(str(raw.getpeername()[0])):
                raise _refused(self.host)
            self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise


class Fetcher:
    """``hosts`` are allowed, ``timeout`` is seconds for one file in all. The rest is for tests."""

    def __init__(
        self,
        hosts: Sequence[str] = (),
        timeout: float = 300.0,
        *,
        resolver: Resolver = resolve,
        public: Callable[[str], bool] = is_public,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts, self._timeout = hosts, timeout
        self._resolver, self._public = resolver, public
        self._context = context or ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raises InvalidInput or Forbidden when ``url`` is never fetched. Asks nobody."""
        check_url(url, self._hosts)

    @contextmanager
    def open(self, url: str, limit: int) -> Iterator[tuple[int | None, Iterator[bytes]]]:
        """The announced size (None: not known) and the pieces of the body of up to ``limit`` bytes.

        Raises InvalidInput, Forbidden, TooLarge, TransportError (it cannot be reached, or was too slow).
        """
        deadline = time.monotonic() + self._timeout
        first = check_url(url, self._hosts)
        for _ in range(_REDIRECTS + 1):
            host, port, path = check_url(url, self._hosts)
            if (host, port) != first[:2]:
                raise Forbidden(f"{first[0]} sends on to {host}, another host. Give that URL yourself.")
            connection = _Connection(host, port, self._address(host, port), self._context, self._public)
            # One byte now and then would outlive any time-out of a single read.
            alarm = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (connection,))
            alarm.start()
            try:
                answer = self._ask(connection, path, host)
                if answer.status not in (301, 302, 303, 307, 308):
                    yield _length(answer, host, limit), self._pieces(answer, host, limit, deadline)
                    return
                url = urljoin(url, answer.headers.get("Location", ""))
            finally:
                alarm.cancel()
                connection.close()
        raise InvalidInput(f"{first[0]} sends on again and again. Give the URL of the file itself.")

    def _address(self, host: str, port: int) -> str:
        try:
            found = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise TransportError(f"There is no host {host}. Check the URL.", "no-host") from error
        if not found or not all(map(self._public, found)):
            raise _refused(host)
        return found[0]

    def _ask(self, connection: _Connection, path: str, host: str) -> http.client.HTTPResponse:
        try:
            connection.request(
                "GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "slurmdash"}
            )
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(
                f"{host} cannot be fetched from: {error}. Check the URL, or try later."
            ) from error

    def _pieces(
        self, answer: http.client.HTTPResponse, host: str, limit: int, deadline: float
    ) -> Iterator[bytes]:
        read = 0
        while True:
            try:
                piece = answer.read1(_PIECE)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise TransportError(f"{host} broke off: {error}. Try again.") from error
            if time.monotonic() > deadline:
                raise TransportError(f"{host} did not send it within {self._timeout:g} seconds.", "timeout")
            if not piece:
                break
            read += len(piece)
            if read > limit:
                raise _too_large(host, limit)
            yield piece
        if answer.length:
            raise TransportError(f"{host} broke off after {read} bytes. Try again.")


def _length(answer: http.client.HTTPResponse, host: str, limit: int) -> int | None:
    if answer.status != 200:
        raise TransportError(f"{host} answers {answer.status} {answer.reason}. Check the URL.", "http")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise TransportError(f"{host} sends it compressed though it was asked not to. Give another URL.")
    if answer.length is not None and answer.length > limit:
        raise _too_large(host, limit)
    return answer.length


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself


def _too_large(host: str, limit: int) -> TooLarge:
    return TooLarge(f"{host} sends more than {size_text(limit)}, the most that is taken here.")


def _refused(host: str) -> Forbidden:
    return Forbidden(f"{host} does not lead to a public address, so nothing is fetched from it.")
