"""Whether a configuration file can be read, and fits the schema that its slot asks for.

Every message names the file and, where it is known, the line. Only files up to ``MAX_BYTES`` are read.
"""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from xml.parsers import expat

from ..formats import yamlsafe
from ..formats.jsonschema import Schema, SchemaProblem

MAX_BYTES = 4 * 1024 * 1024

Locate = Callable[[str], tuple[int, int]]
_MAX_VALUES = 200_000


class Unreadable(ValueError):
    """The text is not of its format; the message says why, ``line`` and ``column`` count from 1, 0 when
    unknown.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(_sentence(error.msg), error.lineno, error.colno) from error
    except RecursionError as error:
        raise Unreadable("It is nested too deeply") from error


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not a value in JSON")


def _yaml(text: str) -> Any:
    try:
        return yamlsafe.load(text, max_bytes=MAX_BYTES, max_nodes=_MAX_VALUES)
    except yamlsafe.YamlProblem as error:
        raise Unreadable(error.message, error.line, error.column) from error


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Unreadable(str(error) or "It is nested too deeply") from error


def _ini(text: str) -> Any:
    parser = configparser.ConfigParser(interpolation=None, allow_no_value=True, strict=True)
    try:
        parser.read_string(text)
    except configparser.ParsingError as error:
        line = getattr(error, "lineno", 0) or error.errors[0][0]
        raise Unreadable("This line is neither a section nor an option", line) from error
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        what = getattr(error, "option", None) or error.section
        raise Unreadable(f"“{what}” is there twice", error.lineno or 0) from error
    return {name: dict(section) for name, section in parser.items() if name != "DEFAULT" or section}


def _xml(text: str) -> None:
    parser = expat.ParserCreate()

    def refuse(*_: object) -> NoReturn:
        # Entities are how a small file becomes a large one, or reads other files; both need a DOCTYPE.
        raise Unreadable("A DOCTYPE is not taken; remove it", parser.CurrentLineNumber)

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise Unreadable(_sentence(expat.ErrorString(error.code)), error.lineno, error.offset + 1) from error


_READERS: dict[str, Callable[[str], Any]] = {
    "json": _json,
    "yaml": _yaml,
    "toml": _toml,
    "ini": _ini,
    "xml": _xml,
}
_ENDINGS = {"json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "ini": "ini", "xml": "xml"}


def format_of(name: str, wanted: str = "") -> str:
    """The format to read a file as: what the slot wants, else by the name's ending; "" for none of ours."""
    wanted = wanted.lower()
    return wanted if wanted in _READERS else _ENDINGS.get(name.lower().rpartition(".")[2], "")


def problems_in(
    name: str, data: bytes, *, wanted: str = "", schema: Mapping[str, Any] | None = None
) -> list[str]:
    """What is wrong in the file ``name`` with the bytes ``data``, as messages for people; [] when nothing
    is.
    """
    kind = format_of(name, wanted)
    if not kind:
        return []
    try:
        text = data.decode("utf-8-sig")
        value = _READERS[kind](text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [f"{name} line {line}: the text is not UTF-8. Save it as UTF-8 and send it again."]
    except Unreadable as error:
        return [f"{name}{_where(error.line, error.column)}: {error.message.rstrip('.')}."]
    if schema is None or kind == "xml":
        return []
    return _against_schema(name, value, schema, _locator(text, kind))


def _against_schema(name: str, value: Any, schema: Mapping[str, Any], locate: Locate | None) -> list[str]:
    try:
        found = Schema(dict(schema)).errors(value)
    except SchemaProblem as error:
        return [f"The template's schema for {name} is not valid: {error}. Tell the template's author."]
    messages = []
    for finding in found:
        place = locate(finding.pointer) if locate and finding.pointer else None
        # The message has the last name of the way there; deep inside a file that does not say where.
        inside = f" ({finding.pointer})" if finding.pointer.count("/") > 1 else ""
        messages.append(f"{name}{_where(place[0] if place else 0)}: {finding.message.rstrip('.')}{inside}.")
    return messages


def _locator(text: str, kind: str) -> Locate | None:
    # JSON is YAML enough to find lines in; where it is not, a message without a line is still a message.
    if kind not in ("json", "yaml"):
        return None
    try:
        return yamlsafe.load_with_marks(text, max_bytes=MAX_BYTES, max_nodes=_MAX_VALUES)[1]
    except yamlsafe.YamlProblem:
        return None


def _where(line: int, column: int = 0) -> str:
    if not line:
        return ""
    return f" line {line} column {column}" if column else f" line {line}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
