"""What a site decides about every job, or about some templates, beyond what a template says itself.

The files are the administrator's; what they say adds up, so that a user's own file can add to it but take nothing away.
They are read again when they change; one that cannot be read any more leaves what it said before.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..errors import FieldError, InvalidInput
from ..formats.jsonschema import Schema
from ..formats.yamlsafe import MAX_BYTES, YamlProblem, load_with_marks
from .locks import Locks, lock_faults
from .model import Template

log = logging.getLogger(__name__)

_RULE_WORDS: Final = ("slurm", "parameters")


@dataclass(frozen=True)
class Rule:
    """``locks`` for the templates that fit one of ``patterns`` (``shelf/id`` or ``id``, with ``*``), for every job
    where there are none."""

    locks: Locks
    patterns: tuple[str, ...] = ()

    def holds_for(self, template: Template | None) -> bool:
        if not self.patterns:
            return True
        return template is not None and any(_fits(pattern, template) for pattern in self.patterns)

    def names_origin(self, template_id: str) -> bool:
        """Whether the rule is about templates with this id by name, so that it is about their copies too."""
        names = (pattern.rpartition("/")[2] for pattern in self.patterns)
        return any(name != "*" and fnmatchcase(template_id, name) for name in names)


def _fits(pattern: str, template: Template) -> bool:
    shelf, _, name = pattern.rpartition("/")
    if fnmatchcase(template.id, name) and fnmatchcase(template.source, shelf or "*"):
        return True
    # A copy stays what it is a copy of, whatever its own name and shelf; a bare shelf is no name.
    return name != "*" and any(fnmatchcase(origin, name) for origin in template.cloned_from)


@dataclass(frozen=True)
class _Read:
    rules: tuple[Rule, ...] = ()
    keep_locks: bool = False


@dataclass
class Policy:
    """The rules in the files at ``paths``; those that are not there say nothing. Raises InvalidInput for a bad one."""

    paths: Sequence[str] = ()
    _known: dict[str, tuple[tuple[int, int], _Read]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.paths:
            self._file(path)

    @property
    def keep_locks(self) -> bool:
        """Whether a copy keeps the locks of what it was copied from."""
        return any(read.keep_locks for read in self._all())

    def locks(self, template: Template | None) -> Locks:
        """What the site decides about jobs of ``template``, or about those without one."""
        found = Locks()
        for read in self._all():
            for rule in read.rules:
                if rule.holds_for(template):
                    found |= rule.locks
        return found

    def applied(self, template: Template, origin: Callable[[str], Template | None]) -> Template:
        """The template with the site's decisions, and those of the templates that it is a copy of."""
        locks = template.locks
        if template.cloned_from and self.keep_locks:
            for name in template.cloned_from:
                found = origin(name)
                locks |= found.locks if found is not None else Locks()
        locks |= self.locks(template)
        return template if locks == template.locks else replace(template, locks=locks)

    def binds_copies(self, template_id: str) -> bool:
        """Whether copies of this template must say that they are."""
        return self.keep_locks or any(
            rule.names_origin(template_id) for read in self._all() for rule in read.rules
        )

    def _all(self) -> Iterator[_Read]:
        return (self._file(path) for path in self.paths)

    def _file(self, path: str) -> _Read:
        try:
            info = os.stat(path)
        except FileNotFoundError:
            self._known.pop(path, None)
            return _Read()
        except OSError as error:
            raise InvalidInput(f"The site's policy {path} cannot be read: {error.strerror}.") from error
        stamp = (info.st_mtime_ns, info.st_size)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            read = _read(path)
        except InvalidInput as error:
            if known is None:
                raise
            log.error("%s What it said before holds on.", error.detail)
            read = known[1]
        self._known[path] = (stamp, read)
        return read


def _read(path: str) -> _Read:
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
        data, locate = load_with_marks(text)
    except OSError as error:
        raise InvalidInput(f"The site's policy {path} cannot be read: {error.strerror}.") from error
    except YamlProblem as error:
        raise InvalidInput(f"The site's policy {path}, line {error.line}: {error.message}") from error
    errors = policy_schema().errors(data) or list(_faults(data))
    if errors:
        line, _ = locate(errors[0].pointer)
        raise InvalidInput(f"The site's policy {path}, line {line}: {errors[0].message}.", errors)
    rules = tuple(
        Rule(Locks.from_data(rule, rule.get("reason", "")), tuple(rule.get("templates", ())))
        for rule in data.get("rules", ())
    )
    return _Read(rules, data.get("keep_locks", False))


def _faults(data: Mapping[str, Any]) -> Iterator[FieldError]:
    for at, rule in enumerate(data.get("rules", ())):
        yield from lock_faults(rule, ("rules", at))


@cache
def policy_schema() -> Schema:
    """The schema of the policy file: rules whose locks are those of a template."""
    text = files("jupyter_slurmdash.templates").joinpath("template.schema.json").read_text(encoding="utf-8")
    template = json.loads(text)
    locks = template["properties"]["locks"]["properties"]
    return Schema(
        {
            "$schema": template["$schema"],
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "keep_locks": {"type": "boolean"},
                "rules": {
                    "type": "array",
                    "maxItems": 200,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "reason": {"$ref": "#/$defs/line"},
                            "templates": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 200,
                                "items": {"$ref": "#/$defs/line", "minLength": 1},
                            },
                            **{word: locks[word] for word in _RULE_WORDS},
                        },
                    },
                },
            },
            "$defs": template["$defs"],
        }
    )
