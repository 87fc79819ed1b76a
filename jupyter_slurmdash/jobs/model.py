"""A job as asked for, as prepared, and as recorded. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..images.model import Image
from ..slurm.base import FINAL_STATES
from ..templates.locks import Locks
from ..templates.model import Template
from ..times import moment
from ..uploads.model import JobFile
from .merge import Conflict

Level = Literal["error", "warning", "ok"]
ParameterValue = str | int | float | bool | None

# What is never asked for again: it has ended, or nobody can say any more what became of it.
OVER: frozenset[str] = FINAL_STATES | {"UNKNOWN"}


@dataclass(frozen=True)
class ScriptEdit:
    """A script edited by hand: ``text`` is what the user made of ``base``, which was generated."""

    base: str
    text: str

    @classmethod
    def from_json(cls, body: Mapping[str, str]) -> ScriptEdit:
        """Browsers and editors may end lines as Windows does; bash would not read them."""
        return cls(body["base"].replace("\r\n", "\n"), body["text"].replace("\r\n", "\n"))

    def to_json(self) -> dict[str, str]:
        return {"base": self.base, "text": self.text}


@dataclass(frozen=True)
class JobSpec:
    """What a user asks for, from any door. ``files`` maps slot names to paths on the cluster;
    ``options`` are sbatch's long options with underscores; ``parameters`` the template's own values."""

    job_name: str = ""
    template_id: str | None = None
    script: str | None = None
    image_id: str | None = None
    app: str | None = None
    session_id: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    edit: ScriptEdit | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> JobSpec:
        """From the contract's ``JobSubmit``: the plan's flat fields win over the same name in ``options``."""
        flat = {name: body[name] for name in ("partition", "nodes", "ntasks", "time") if name in body}
        return cls(
            job_name=body.get("job_name") or "",
            template_id=body.get("template_id"),
            script=body.get("script"),
            image_id=body.get("image_id"),
            app=body.get("app"),
            session_id=body.get("session_id"),
            files=dict(body.get("files") or {}),
            options={**(body.get("options") or {}), **flat},
            parameters=dict(body.get("parameters") or {}),
            edit=ScriptEdit.from_json(body["edit"]) if body.get("edit") else None,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "job_name": self.job_name,
            "template_id": self.template_id,
            "script": self.script,
            "image_id": self.image_id,
            "app": self.app,
            "session_id": self.session_id,
            "files": dict(self.files),
            "options": dict(self.options),
            "parameters": dict(self.parameters),
            "edit": self.edit.to_json() if self.edit else None,
        }


@dataclass(frozen=True)
class Check:
    """One finding before submit; ``pointer`` leads to the field that mends it."""

    name: str
    level: Level
    message: str
    pointer: str = ""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "level": self.level, "message": self.message, "pointer": self.pointer}


@dataclass(frozen=True)
class Plan:
    """A submission with everything looked up: what the script is generated from and the checks look at.

    ``read_back`` are the options that were read from a script edited by hand; they are in ``options`` too. ``locks``
    are what template and site decided; ``left_out`` the parameters that were given but do not apply with these values.
    """

    spec: JobSpec
    job_name: str
    template: Template | None
    image: Image | None
    app: str
    files: tuple[JobFile, ...]
    options: Mapping[str, Any]
    parameters: Mapping[str, ParameterValue]
    results_root: str = ""
    read_back: Mapping[str, str] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """The script and what stands in its way.

    ``origins`` has for each line of the script the pointer of the field that made it. For a script edited by hand:
    ``generated`` is what it would be without the edit, ``read_back`` the options that were found in it, ``conflicts``
    the lines where form and edit want different things. ``locks`` are what template and site decided about the fields.
    """

    script: str
    checks: tuple[Check, ...]
    generated: str = ""
    origins: tuple[str, ...] = ()
    read_back: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    locks: Locks = field(default_factory=Locks)

    @property
    def ready(self) -> bool:
        return all(check.level != "error" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {
            "script": self.script,
            "checks": [check.to_json() for check in self.checks],
            "ready": self.ready,
            "generated": self.generated,
            "origins": list(self.origins),
            "read_back": dict(self.read_back),
            "conflicts": [
                {"line": each.line, "kept": list(each.kept), "other": list(each.other)}
                for each in self.conflicts
            ],
            "locks": self.locks.to_json(),
        }


@dataclass(frozen=True)
class JobRecord:
    """A job as the database has it. Times are seconds since the epoch, UTC; durations seconds."""

    run_id: str
    cluster: str
    job_id: str | None
    user: str
    name: str
    state: str
    raw_state: str
    reason: str
    partition: str
    nodes: str
    workdir: str
    ours: bool
    template_id: str | None
    template_version: str | None
    template_hash: str | None
    image_id: str | None
    image_path: str | None
    sif_id: str | None
    image_digest: str | None
    image_size: int | None
    image_mtime_ns: int | None
    request: Mapping[str, Any]
    script: str
    idempotency_key: str | None
    submitted_at: float | None
    started_at: float | None
    ended_at: float | None
    elapsed: int | None
    time_limit: int | None
    exit_code: int | None
    seen_at: float | None
    created_at: float

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Job``."""
        return {
            "job_id": self.job_id,
            "run_id": self.run_id if self.ours else None,
            "name": self.name,
            "user": self.user,
            "state": self.state,
            "raw_state": self.raw_state,
            "reason": self.reason,
            "cluster": self.cluster,
            "partition": self.partition,
            "nodes": self.nodes,
            "template_id": self.template_id,
            "template_version": self.template_version,
            "image_path": self.image_path,
            "sif_id": self.sif_id,
            "image_digest": self.image_digest,
            "workdir": self.workdir,
            "submitted_at": moment(self.submitted_at),
            "started_at": moment(self.started_at),
            "ended_at": moment(self.ended_at),
            "elapsed": self.elapsed,
            "time_limit": self.time_limit,
            "exit_code": self.exit_code,
            "seen_at": moment(self.seen_at),
        }
