"""What ``apptainer build`` keeps of an image as ``inspect-metadata.json``: the same document that
``apptainer inspect --json --all`` prints (apptainer: pkg/inspect/inspect.go).

``{"data": {"attributes": {…}}}`` with labels, environment, runscript, startscript, test, helpfile, deffile
and apps; ``environment`` maps the path of a script to its text. Anything may be missing or of another type.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from .model import ImageApp

_ASSIGNMENT = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_BUILD_DATE = "org.label-schema.build-date"
# As Apptainer writes it: Monday_23_November_2026_7:7:49_UTC
_APPTAINER_DATE = re.compile(r"[A-Za-z]+_(\d{1,2})_([A-Za-z]+)_(\d{4})_(\d{1,2}):(\d{1,2}):(\d{1,2})_UTC")
# Not the calendar module's, which follow the locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def parse_metadata(data: bytes) -> dict[str, Any] | None:
    """The fields of ``SifFacts`` that the document gives; None when it is not such a document."""
    try:
        document, is_clean = _decoded(data.rstrip(b"\0"))
        attributes = document["data"]["attributes"]
        # To look at each of the texts takes as long as all the rest.
        attributes = attributes if is_clean else _cleaned(attributes)
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    return _fields(attributes) if isinstance(attributes, dict) else None


def _decoded(text: bytes) -> tuple[Any, bool]:
    """The document, and whether it is sure to hold nothing that ``clean`` takes away, as most do."""
    try:
        return orjson.loads(text), b"\\u0000" not in text
    except orjson.JSONDecodeError:
        # Halves of surrogate pairs, which it refuses, or numbers of any length.
        return json.loads(text.decode()), False


def from_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``SifFacts`` that these attributes give; the facts are complete then."""
    return _fields(_cleaned(attributes))


def _fields(attributes: Mapping[str, Any]) -> dict[str, Any]:
    given = attributes.get
    scripts = _texts(given("environment"))
    return {
        "labels": _texts(given("labels")),
        "apps": _apps(given("apps")),
        "runscript": _text(given("runscript")),
        "startscript": _text(given("startscript")),
        "test": _text(given("test")),
        "environment": _assignments(scripts),
        "environment_scripts": scripts,
        "help": _text(given("helpfile")),
        "deffile": _text(given("deffile")),
        "complete": True,
    }


def _apps(value: object) -> tuple[ImageApp, ...]:
    named = _mapping(value)
    return tuple([_app(name, _mapping(named[name])) for name in sorted(named)]) if named else ()


def _app(name: str, app: Mapping[str, Any]) -> ImageApp:
    return ImageApp(
        name=name,
        help=_text(app.get("helpfile")),
        runscript=_text(app.get("runscript")),
        startscript=_text(app.get("startscript")),
        test=_text(app.get("test")),
        labels=_texts(app.get("labels")),
        environment=_assignments(_texts(app.get("environment"))),
    )


def _assignments(scripts: Mapping[str, str]) -> dict[str, str]:
    """The variables of all scripts, in the order in which the container sources them."""
    found: dict[str, str] = {}
    for _, text in sorted(scripts.items()):
        if "=" in text:
            found.update(parse_environment(text))
    return found


def parse_environment(script: str) -> dict[str, str]:
    """The variables that a script assigns on lines of their own, unquoted but not expanded.

    It is for reading, not for running: ``A="$B/c"`` gives ``$B/c``, and what stands inside an ``if`` counts.
    """
    found: dict[str, str] = {}
    for line in script.splitlines():
        match = _ASSIGNMENT.match(line.strip())
        if match is None:
            continue
        name, rest = match.groups()
        found[name] = rest
        if "$(" in rest or "`" in rest:
            continue
        try:
            first, *others = shlex.split(f"{name}={rest}", comments=True)
        except ValueError:
            continue  # a quotation that goes on in the next line
        found[name] = first.partition("=")[2]
        for word in others:
            further = _ASSIGNMENT.fullmatch(word)
            if further is None:
                break
            found[further[1]] = further[2]
    return found


def build_time(labels: Mapping[str, str]) -> int:
    """The labels' build date as seconds since the epoch (UTC); 0 when there is none that can be read."""
    text = labels.get(_BUILD_DATE, "")
    match = _APPTAINER_DATE.fullmatch(text)
    try:
        if match is not None:
            day, month, year, hour, minute, second = match.groups()
            date = (int(year), _MONTHS.index(month) + 1, int(day))
            moment = datetime(*date, int(hour), int(minute), int(second), tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(moment.timestamp()))
    except (ValueError, OverflowError):
        return 0


def clean(text: str) -> str:
    """Without what a database or an answer cannot hold: NUL, and halves of surrogate pairs."""
    plain = text.replace("\0", "")
    return plain if plain.isascii() else plain.encode("utf-8", "replace").decode("utf-8")


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _texts(value: object) -> dict[str, str]:
    if not value or not isinstance(value, dict):
        return {}
    for item in value.values():
        if type(item) is not str:
            return {name: _text(item) for name, item in value.items()}
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
