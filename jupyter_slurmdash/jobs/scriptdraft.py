"""A first template from a script that somebody has: its directives become options, the rest is the template's body.

Nothing of it is lost: an option without a field stands in ``slurm.other``, one that no template can have becomes a
comment, and each is named in a note. Only what is its author's own (``personal.py``) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import FieldError, InvalidInput, SchedulerRefused
from ..slurm.directives import OPTIONS, Directive, read_directives, render_other
from ..slurm.getopt import is_known, takes_value
from ..templates.reader import template_errors
from ..templates.texts import Note
from .edits import MAX_LINES, NOT_IN_A_SCRIPT
from .personal import OWN_OPTIONS, Owner, left_out, personal_notes
from .prepare import MAX_NAME
from .script import bash_line, shell_quote
from .scriptbody import body_notes, by_another, is_command

MAX_CHARACTERS: Final = 131_072
_SWITCHES: Final = {"exclusive": True, "requeue": True, "no-requeue": False}
_NUMBERS: Final = ("nodes", "ntasks", "ntasks_per_node", "cpus_per_task", "nice")
_OF_ONE_RUN: Final = ("dependency", "begin", "nodelist")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_COMMENTED_OUT: Final = re.compile(r"\s*#+[ \t]*#?SBATCH\b(.*)")
_STOPS: Final = re.compile(r"\s*set\s+(?:-o\s+errexit|-[a-zA-Z]*e)")
_GO_ON: Final = "set +e  # as sbatch runs it: a failing command does not end the job"


@dataclass(frozen=True)
class Drafted:
    """A template's document so far, and what of it a human must look at."""

    document: dict[str, Any]
    notes: tuple[Note, ...]


@dataclass
class _Sorted:
    """Where each option of the script went. ``comments`` are lines that stand in the place of a directive."""

    slurm: dict[str, Any] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    comments: dict[int, list[str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    name: str = ""
    chdir: str = ""

    def remember(self, option: str, value: str) -> None:
        """Words that must not be left anywhere else. Many a QOS has the name of something else, too."""
        if option not in ("qos", "reservation"):
            self.own.update(word for word in value.split(",") if len(word) > 2)


def script_draft(script: str, name: str, owner: Owner) -> Drafted:
    """A document from a batch script. ``name`` is what the template is called when the script names no job.

    Raises InvalidInput, with the line, for directives that cannot be read or that are of a heterogeneous job.
    """
    text = _checked(script)
    try:
        directives = read_directives(text)
    except SchedulerRefused as error:
        raise _wrong(error.detail, **error.extra) from error
    found = _Sorted()
    for directive in directives:
        _sort(directive, found)
    name = _line(found.name or name)[:MAX_NAME].strip() or "script"
    if found.name and found.name.strip() != name:
        found.notes.append(Note(f"A job's name is one line of at most {MAX_NAME} characters: {name}"))
    main = _main(text, {directive.line for directive in directives}, found)
    document = {
        "template": head(name),
        "slurm": {**found.slurm, **({"other": _values(found.other)} if found.other else {})},
        "script": {"main_exec": main},
    }
    notes = [*found.notes, *body_notes(text), *personal_notes(document, owner, found.own)]
    return Drafted(document, tuple(sorted(notes, key=lambda note: note.line or len(script))))


def head(name: str) -> dict[str, Any]:
    """Who a new template is."""
    return {
        "id": name,
        "name": name,
        "display_name": name,
        "category": "custom",
        "version": "1.0.0",
        "is_public": False,
    }


def option_of(name: str, value: str) -> tuple[str, Any] | None:
    """The field of a template for an option by sbatch's name, and its value there; None when it has none for it."""
    if name in _SWITCHES:
        return (name.removeprefix("no-"), _SWITCHES[name]) if not value else None
    own = name.replace("-", "_")
    if own not in OPTIONS or not value:
        return None
    try:
        text = OPTIONS[own](value)
    except ValueError:
        return None
    typed: Any = int(str(text)) if own in _NUMBERS and str(text).lstrip("-").isdigit() else text
    return (own, typed) if _fits({own: typed}) else None


def _fits(slurm: Mapping[str, Any]) -> bool:
    return not template_errors({"template": {"id": "x", "name": "x"}, "slurm": slurm}, ())


def _values(other: Mapping[str, str]) -> dict[str, Any]:
    """As one writes them in YAML: a switch is true, a number has no quotes."""
    return {name: int(value) if _NUMBER.fullmatch(value) else value or True for name, value in other.items()}


# -- the text -------------------------------------------------------------------------------------------------


def _wrong(message: str, **extra: object) -> InvalidInput:
    return InvalidInput(message, [FieldError("/script", message)], **extra)


def _checked(script: str) -> str:
    text = script.removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.strip():
        raise _wrong("The script is empty. Paste a batch script, with its #SBATCH lines.")
    if text.count("\n") > MAX_LINES:
        raise _wrong(f"The script has more than {MAX_LINES} lines. Put the long part into a file of its own.")
    if len(text) > MAX_CHARACTERS - 1000:
        raise _wrong(
            f"The script has {len(text)} characters; a template holds {MAX_CHARACTERS // 1024} KiB."
            " Put the long part into a file of its own."
        )
    bad = next((letter for letter in text if letter == "\0" or "\ud800" <= letter <= "\udfff"), "")
    if bad:
        raise _wrong(f"The script has the character {bad!a}, which is no text. Choose a text file in UTF-8.")
    return text.rstrip("\n")


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()


# -- the directives -------------------------------------------------------------------------------------------


def _sort(directive: Directive, found: _Sorted) -> None:
    line, comments = directive.line, found.comments.setdefault(directive.line, [])
    for name, value in directive.options:
        note = _place(name, value, line, found)
        if note is not None:
            found.notes.append(note)
    if directive.rest:
        comments.append(directive.rest if directive.rest.startswith("#") else f"# {directive.rest}")


def _place(name: str, value: str, line: int, found: _Sorted) -> Note | None:
    """Put one option where it belongs; what a human should know of it."""
    if name in OWN_OPTIONS:
        found.remember(name, value)
        return left_out(name, line)
    if name == "job-name":
        found.name = value
        return None
    if name == "chdir" and value:
        found.chdir = value
        return Note(
            "--chdir: the template's body goes there with cd; a job has a directory of its own.", line
        )
    fits = option_of(name, value)
    if name not in NOT_IN_A_SCRIPT and fits is not None:
        own, typed = fits
        found.other.pop(name, None)
        found.slurm[own] = typed
        _only_one_memory(own, line, found)
        if own in _OF_ONE_RUN:
            return Note(
                f"--{name} was of one run. Take it out, unless every job needs it.", line, f"/slurm/{own}"
            )
        return None
    if name not in NOT_IN_A_SCRIPT and _is_other(name, value):
        found.slurm.pop(name.replace("-", "_"), None)
        found.other[name] = value
        unknown = "" if is_known(name) else " sbatch itself does not know it; a plugin of the site may."
        return Note(
            f"--{name} has no field in the form; it is kept in slurm.other.{unknown}", line, "/slurm/other"
        )
    found.comments[line].append(f"# not an option here: --{name}{f'={_line(value)}' if value else ''}")
    return Note(f"--{name} cannot stand in a template as it is; it is kept as a comment.", line)


def _is_other(name: str, value: str) -> bool:
    if not value and takes_value(name):
        return False
    try:
        render_other(name, value)
    except InvalidInput:
        return False
    return _fits({"other": {name: value or True}})


def _only_one_memory(own: str, line: int, found: _Sorted) -> None:
    """sbatch takes memory per node or per CPU."""
    rival = {"mem": "mem_per_cpu", "mem_per_cpu": "mem"}.get(own)
    if rival in found.slurm:
        value = found.slurm.pop(rival)
        found.comments[line].append(f"# not beside the other: --{rival.replace('_', '-')}={value}")
        found.notes.append(Note("Memory is given per node and per CPU; the last is kept.", line, "/slurm"))


# -- the body -------------------------------------------------------------------------------------------------


def _main(text: str, taken: set[int], found: _Sorted) -> str:
    """The rest of the script, as bash of a template runs it."""
    lines = text.split("\n")
    has_first = lines[0].startswith("#!")
    body = list(_body(lines, taken, found))
    first = lines[0] if has_first else "#!/bin/bash"
    cd = [f"cd -- {shell_quote(found.chdir)} || exit"] if found.chdir else []
    bash = bash_line(first)
    if not bash:
        return "\n".join(["#!/bin/bash", *cd, *by_another(first, body)]) + "\n"
    at = next((at for at, line in enumerate(body) if is_command(line)), len(body))
    stops = (at < len(body) and _STOPS.match(body[at])) or re.search(r"\s-[a-zA-Z]*e", bash)
    before = [*cd, *([] if stops else [_GO_ON])]
    return "\n".join([first.rstrip(), *body[:at], *before, *body[at:]]) + "\n"


def _body(lines: list[str], taken: set[int], found: _Sorted) -> Iterator[str]:
    begun = False
    for number, line in enumerate(lines, start=1):
        if number in taken:
            yield from found.comments.get(number, ())
        elif number == 1 and line.startswith("#!"):
            continue
        else:
            begun = begun or is_command(line)
            own = _commented_out(line, found)
            if not begun and own:
                found.notes += [left_out(name, number) for name in own]
            else:
                yield line


def _commented_out(line: str, found: _Sorted) -> list[str]:
    """The options of a person in a directive that is commented out, or comes too late."""
    match = _COMMENTED_OUT.match(line)
    if match is None:
        return []
    try:
        options = [each for row in read_directives(f"#SBATCH{match[1]}") for each in row.options]
    except SchedulerRefused:
        return []  # a remark about directives
    own = [(name, value) for name, value in options if name in OWN_OPTIONS]
    for name, value in own:
        found.remember(name, value)
    return [name for name, _ in own]
