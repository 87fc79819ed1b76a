"""A job template as data: the YAML file's sections, each a small record. No YAML, no disk here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from ..times import written
from .locks import Locks

Source = Literal["official", "community", "private", "archived"]
CATEGORIES = ("ml", "cfd", "structural", "molecular", "data", "custom")


@dataclass(frozen=True)
class FileSlot:
    """One file that a template asks for. ``max_size`` in bytes; ``schema`` a JSON Schema for its content."""

    name: str
    pattern: str
    kind: Literal["input", "config"]
    required: bool
    description: str = ""
    type: str = ""
    max_size: int | None = None
    format: str = ""
    schema: Mapping[str, Any] | None = None
    validation: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pattern": self.pattern,
            "kind": self.kind,
            "required": self.required,
            "description": self.description,
            "type": self.type,
            "max_size": self.max_size,
            "format": self.format,
            "schema": dict(self.schema) if self.schema is not None else None,
            "validation": self.validation,
        }


@dataclass(frozen=True)
class Bind:
    """A bind mount, ``src:dst:mode`` in the file."""

    source: str
    target: str
    mode: Literal["ro", "rw"] = "rw"

    def __str__(self) -> str:
        return f"{self.source}:{self.target}:{self.mode}"


@dataclass(frozen=True)
class Problem:
    """Why a template file is broken; ``line`` and ``column`` count from 1, 0 when they are not known."""

    message: str
    line: int = 0
    column: int = 0
    pointer: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"message": self.message, "line": self.line, "column": self.column, "pointer": self.pointer}


@dataclass(frozen=True)
class TemplateSummary:
    """What a list shows of a template. A broken file has one too: with ``problem`` and the best id known.

    ``hash`` is the SHA-256 of the file's bytes, ``modified_at`` in seconds since the epoch, ``owner`` the name of the
    Unix user to whom the file belongs ("" for the packaged ones), ``can_edit`` whether this user may change it.
    """

    id: str
    name: str
    display_name: str
    description: str = ""
    category: str = "custom"
    tags: tuple[str, ...] = ()
    version: str = "1.0.0"
    author: str = ""
    is_public: bool = False
    source: Source = "official"
    path: str = ""
    hash: str = ""
    modified_at: float = 0.0
    problem: Problem | None = None
    owner: str = ""
    can_edit: bool = False

    def summary_json(self) -> dict[str, Any]:
        """The contract's ``TemplateSummary``."""
        return {
            "id": self.id,
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "category": self.category,
            "tags": list(self.tags),
            "version": self.version,
            "author": self.author,
            "is_public": self.is_public,
            "source": self.source,
            "hash": self.hash,
            "modified_at": written(self.modified_at),
            "problem": self.problem.to_json() if self.problem else None,
            "owner": self.owner,
            "can_edit": self.can_edit,
        }


@dataclass(frozen=True)
class Template(TemplateSummary):
    """A template as read from disk.

    ``slurm`` holds scheduler options by their option names (``cpus_per_task``…), ``other`` those without a field by
    sbatch's own names (``gpus-per-node``; a switch has an empty value), ``parameters`` a JSON Schema of type object (or
    None), ``locks`` what is decided about its fields, ``cloned_from`` the ids of those that it is a copy of.
    """

    slurm: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, str] = field(default_factory=dict)
    image_name: str = ""
    app: str = ""
    binds: tuple[Bind, ...] = ()
    slots: tuple[FileSlot, ...] = ()
    output_pattern: str = ""
    parameters: Mapping[str, Any] | None = None
    pre_exec: str = ""
    main_exec: str = ""
    post_exec: str = ""
    pre_submit: tuple[str, ...] = ()
    post_submit: tuple[str, ...] = ()
    locks: Locks = field(default_factory=Locks)
    cloned_from: tuple[str, ...] = ()

    def slot(self, name: str) -> FileSlot | None:
        return next((slot for slot in self.slots if slot.name == name), None)

    def summary(self) -> TemplateSummary:
        return TemplateSummary(**{name: getattr(self, name) for name in _SUMMARY})

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Template``: all of it."""
        return {
            **self.summary_json(),
            "slurm": dict(self.slurm),
            "apptainer": {
                "image_name": self.image_name,
                "app": self.app,
                "bind": [str(bind) for bind in self.binds],
            },
            "files": {
                "slots": [slot.to_json() for slot in self.slots],
                "output_pattern": self.output_pattern,
            },
            "parameters": dict(self.parameters) if self.parameters is not None else None,
            "locks": self.locks.to_json(),
            "cloned_from": list(self.cloned_from),
            "script": {
                "pre_exec": self.pre_exec,
                "main_exec": self.main_exec,
                "post_exec": self.post_exec,
            },
            "validation": {"pre_submit": list(self.pre_submit), "post_submit": list(self.post_submit)},
        }


_SUMMARY: Final = tuple(each.name for each in fields(TemplateSummary))
