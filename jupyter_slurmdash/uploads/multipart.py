"""``multipart/form-data`` (RFC 7578) piece by piece: a body in, its parts out, nothing kept but a part's headers."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from ..errors import InvalidInput

_MAX_HEADER = 8192  # bytes of a header line; a name of 1,024 bytes may come percent-encoded


@dataclass(frozen=True)
class PartBegin:
    """A part begins: ``name`` is the form field's, ``filename`` the file's, None for a plain field."""

    name: str
    filename: str | None


class PartEnd:
    """The part is complete."""


Event: TypeAlias = PartBegin | PartEnd | bytes


class Multipart:
    """Feed the body as it comes. Raises InvalidInput for what is no such body."""

    def __init__(self, content_type: str) -> None:
        message = Message()
        message["Content-Type"] = content_type
        boundary = message.get_param("boundary")
        if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
            raise InvalidInput("Send the files as multipart/form-data with a boundary.")
        self._events: list[Event] = []
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._ended = False
        self._parser = MultipartParser(
            boundary.encode("latin-1", "replace"),
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._begin,
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(PartEnd()),
                "on_end": self._end,
            },
            max_header_size=_MAX_HEADER,
        )

    def feed(self, data: bytes) -> list[Event]:
        """What ``data`` brings, in its order."""
        self._events = []
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise InvalidInput(f"The body is not valid multipart/form-data: {error}.") from error
        return self._events

    def finish(self) -> None:
        """Raises InvalidInput when the body ended before its closing boundary."""
        if not self._ended:
            raise InvalidInput("The body ended before its closing boundary. Send it again.")

    def _end(self) -> None:
        self._ended = True

    def _header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "surrogateescape")
        self._field.clear()
        self._value.clear()

    def _begin(self) -> None:
        options = _options(self._headers.get("content-disposition", ""))
        if "name" not in options:
            raise InvalidInput(
                "A part of the body has no name. Send it as Content-Disposition: form-data; name=…."
            )
        self._events.append(PartBegin(options["name"], options.get("filename")))


def _options(header: str) -> dict[str, str]:
    """The parameters of a Content-Disposition as browsers and curl write them: quotes as ``%22`` or ``\\"``."""
    found: dict[str, str] = {}
    rest = header.partition(";")[2]
    while rest.strip():
        name, _, rest = rest.partition("=")
        if rest[:1] == '"':
            value, rest = _quoted(rest[1:])
        else:
            value, _, rest = rest.partition(";")
            value = value.strip()
        found.setdefault(
            name.strip(" ;").lower(), value.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
        )
    return found


def _quoted(text: str) -> tuple[str, str]:
    value, index = [], 0
    while index < len(text) and text[index] != '"':
        # A backslash is an escape before these two only: names of files may hold one.
        if text[index] == "\\" and text[index + 1 : index + 2] in ('"', "\\"):
            index += 1
        value.append(text[index])
        index += 1
    return "".join(value), text[index + 1 :].partition(";")[2]
