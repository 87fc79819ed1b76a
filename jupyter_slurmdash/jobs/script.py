"""The sbatch script: a pure function of the plan. The one place where values meet shell text.

Header, provenance, then one executable line (``:``) after which no ``#SBATCH`` counts any more (sbatch(1): directives
are read until the first line that is neither a comment nor blank), then variables, then the template's own sections.
Values reach the template as quoted environment variables, never by substitution into its text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from ..formats.fields import FormSchema
from ..slurm.directives import check_options, render_directive, render_other
from ..templates.model import FileSlot
from .model import ParameterValue, Plan

# Binds of the files that are linked into the job's directory from elsewhere, written when they are staged.
BINDS_FILE = ".slurmdash/binds"

# Where the exit code goes, for an array task beside its siblings'. The place is taken before the script may ``cd``
# away, and a record that cannot be written is no reason for a job to fail.
_RECORD_DIR = 'SLURMDASH_DIR="$PWD/.slurmdash"'
_RECORD_EXIT = (
    'trap \'printf "%s\\n" "$?" 2>/dev/null'
    ' > "$SLURMDASH_DIR/exit_code${SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}" || :\' EXIT'
)
_PROMISE = "# A failing command ends the job; post_exec runs on success only."
# The end of the directives, and what is ours before the template's own commands.
_START = (":", "set -e", _RECORD_DIR, 'mkdir -p "$SLURMDASH_DIR" 2>/dev/null || :', _RECORD_EXIT)

_BASH = re.compile(r"#! *(?:\S*/)?(?:env +(?:-S +)?)?(?:\S*/)?bash(?: .*)?")
# The kernel cuts a longer one.
_MAX_FIRST_LINE = 127


class Line(NamedTuple):
    """A piece of the script, of one line or more, and the pointer of the field that made it ("": none)."""

    text: str
    pointer: str = ""

    def parts(self) -> Iterator[Line]:
        """Its lines."""
        return (Line(text, self.pointer) for text in self.text.split("\n"))


def generate_script(plan: Plan) -> str:
    """The whole script. Raises InvalidInput when an option cannot be a directive (see ``check_options``)."""
    return joined(script_lines(plan))


def joined(lines: Iterable[Line]) -> str:
    """The text of these pieces."""
    return "\n".join(line.text for line in lines) + "\n"


def script_lines(plan: Plan) -> list[Line]:
    """The script in pieces, each with the field that made it. Raises InvalidInput as ``generate_script``."""
    variables = list(_variables(plan))
    blank = [Line("")] if variables else []
    lines = [*_header(plan), *variables, *blank, *_sections(plan)]
    while lines and not lines[-1].text:
        lines.pop()
    return lines


def _header(plan: Plan) -> Iterator[Line]:
    yield _first_line(plan)
    template, image = plan.template, plan.image
    # Before those of the fields, of which the last counts.
    other = template.other if template is not None else {}
    for name, value in other.items():
        yield Line(render_other(name, value), "/template_id")
    logs = {name: value for name, value in log_patterns(plan.options).items() if name not in other}
    options = {**logs, **plan.options, "job_name": plan.job_name}
    for name, value in check_options(options).items():
        own = name.replace("-", "_")
        yield Line(render_directive(name, value), "/job_name" if own == "job_name" else f"/options/{own}")
    yield Line("#")
    if template is not None:
        text = f"# template: {one_line(template.id)} {one_line(template.version)} sha256:{template.hash}"
        yield Line(text, "/template_id")
    if image is not None:
        text = f"# image: {one_line(image.path)} sif:{one_line(image.facts.sif_id) or 'unknown'}"
        yield Line(text, "/image_id")
    yield Line(_PROMISE)
    for line in _START:
        yield Line(line)
    yield Line("")


def _first_line(plan: Plan) -> Line:
    """The main part may ask for another way of bash: ``#!/bin/bash -l``."""
    found = bash_line(main_text(plan))
    return Line(found, _main_field(plan)) if found else Line("#!/bin/bash")


def bash_line(text: str) -> str:
    """The first line of ``text`` when it is a ``#!`` of bash that can stand in a script here, else ""."""
    line = text.lstrip().partition("\n")[0].replace("\t", " ").rstrip()
    if len(line.encode(errors="replace")) > _MAX_FIRST_LINE or not line.isprintable():
        return ""
    return line if _BASH.fullmatch(line) else ""


def without_frame(script: str) -> str:
    """A script of ours without what every script of ours has beside its directives and its own commands."""
    head, found, rest = script.partition("\n".join(("", *_START, "")))
    if not found:
        return script
    ours = ("# template: ", "# image: ", _PROMISE)
    lines = [line for line in head.split("\n") if line != "#" and not line.startswith(ours)]
    return "\n".join((*lines, "set -e", rest.lstrip("\n")))


def _variables(plan: Plan) -> Iterator[Line]:
    if plan.image is not None:
        yield Line(_export("CONTAINER", plan.image.path), "/image_id")
        yield Line('export APPTAINER_IMAGE="$CONTAINER"', "/image_id")
    # In the template's order and with its names: those that come with the files are the user's, in any order.
    by_slot = {file.slot: file for file in plan.files}
    for slot in plan.template.slots if plan.template is not None else ():
        if slot.name in by_slot:
            yield Line(_export(slot.name.upper(), by_slot[slot.name].name), f"/files/{slot.name}")
    for name, value in plan.parameters.items():
        if value is not None:
            yield Line(_export(name.upper(), text_of(value)), f"/parameters/{name}")
    # One that is decided and has no value does not come from the environment of whoever submits either.
    declared = plan.template.parameters if plan.template is not None and plan.locks.parameters else None
    for name in FormSchema(declared or {}).names:
        if name in plan.locks.parameters and plan.parameters.get(name) is None:
            yield Line(f"unset {name.upper()}", f"/parameters/{name}")
    if plan.results_root:
        yield Line(_export("RESULTS_ROOT", plan.results_root))
    if plan.image is not None:
        yield from _binds(plan)


def _binds(plan: Plan) -> Iterator[Line]:
    """Added to what the site or the user has set already. Which files lie elsewhere is known only when they are
    staged (``BINDS_FILE``), so that the script is the same wherever its files come from."""
    if plan.template is not None and plan.template.binds:
        binds = shell_quote(",".join(str(bind) for bind in plan.template.binds))
        yield Line(f'export APPTAINER_BIND="${{APPTAINER_BIND:+$APPTAINER_BIND,}}"{binds}', "/template_id")
    yield Line(f"if [ -s {BINDS_FILE} ]; then")
    yield Line(f'  export APPTAINER_BIND="${{APPTAINER_BIND:+$APPTAINER_BIND,}}$(cat {BINDS_FILE})"')
    yield Line("fi")


def _sections(plan: Plan) -> Iterator[Line]:
    template = plan.template
    if template is not None:
        yield from _section("pre_exec", template.pre_exec, "/template_id")
    yield from _section("main_exec", main_text(plan), _main_field(plan))
    if template is not None:
        yield from _section("post_exec", template.post_exec, "/template_id")


def _main_field(plan: Plan) -> str:
    if plan.spec.script:
        return "/script"
    if plan.template is not None and plan.template.main_exec.strip():
        return "/template_id"
    return "/app" if plan.app else "/image_id"


def _section(name: str, text: str, pointer: str) -> Iterator[Line]:
    body = without_shebang(text).strip("\n")
    if body.strip():
        yield Line(f"# --- {name} ---", pointer)
        yield Line(body, pointer)
        yield Line("")


def main_text(plan: Plan) -> str:
    """The main part: the user's own script, else the template's, else what the image does by itself."""
    if plan.spec.script:
        return plan.spec.script.replace("\r\n", "\n")
    if plan.template is not None and plan.template.main_exec.strip():
        return plan.template.main_exec
    if plan.image is None:
        return ""
    gpu = " --nv" if wants_gpu(plan) else ""
    if plan.app in {app.name for app in plan.image.facts.apps}:
        return f'apptainer run{gpu} --app {shell_quote(plan.app)} "$CONTAINER" "$@"'
    if plan.app:
        return f'apptainer exec{gpu} "$CONTAINER" {shell_quote(plan.app)} "$@"'
    return f'apptainer run{gpu} "$CONTAINER" "$@"'


def log_patterns(options: Mapping[str, object]) -> dict[str, str]:
    """Where output and errors go when the user does not say: beside the files, a pair per array task."""
    stem = "slurm-%A_%a" if options.get("array") else "slurm-%j"
    return {"output": f"{stem}.out", "error": f"{stem}.err"}


def wants_gpu(plan: Plan) -> bool:
    return "gpu" in str(plan.options.get("gres") or "")


def bindable(path: str) -> bool:
    """Can a container be shown this path?"""
    # Apptainer splits binds at colons and commas and knows no quoting, so such a path cannot be bound.
    return not set(path) & set(":,\n")


def slot_alias(slot: FileSlot, file_name: str) -> str:
    """The second name of a slot's file: slot name and extension (``*.tar.gz`` gives ``dataset.tar.gz``)."""
    tail = re.split(r"[*?\]]", slot.pattern)[-1]
    suffix = tail[tail.index(".") :] if "." in tail else "".join(PurePosixPath(file_name).suffixes[-1:])
    return slot.name + suffix


def text_of(value: ParameterValue) -> str:
    """A parameter as the job's environment has it: JSON's words for booleans, shortest form of a number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def one_line(text: str) -> str:
    """Text for a comment: anything that could end the line is shown, not obeyed."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def without_shebang(text: str) -> str:
    return re.sub(r"\A\s*#![^\n]*\n?", "", text)


def shell_quote(value: str) -> str:
    """``value`` as one bash word. Control characters are escaped (``$'…'``), so a value never breaks a line."""
    if all(character.isprintable() for character in value):
        return shlex.quote(value)
    escaped = "".join(_escape(character) for character in value)
    return f"$'{escaped}'"


def _escape(character: str) -> str:
    if character in ("'", "\\"):
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _export(name: str, value: str) -> str:
    return f"export {name}={shell_quote(value)}"
