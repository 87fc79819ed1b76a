"""The body of a script that becomes a template: how another program than bash runs it, and what of it needs a look."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from ..templates.texts import Note
from .script import bash_line

_ARGUMENT: Final = re.compile(r"\$(?:[1-9@*]|\{[1-9@*])")
_OTHER_SYSTEM: Final = re.compile(r"#(PBS|BSUB)\b")


def is_command(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def by_another(first: str, body: list[str]) -> Iterator[str]:
    """A script of another program than bash: a file of the job, run as the system runs one with such a first line."""
    words = first.removeprefix("#!").strip().split(None, 1)
    program = shlex.join(words) if words else "/bin/sh"
    end = "END_OF_SCRIPT"
    while end in body:
        end += "_"
    yield "# The script is not for bash: it becomes a file of the job, and its own program runs that."
    yield f"cat > \"$SLURMDASH_DIR/script.$SLURM_JOB_ID\" <<'{end}'"
    yield from (first, *body, end)
    yield f'{program} "$SLURMDASH_DIR/script.$SLURM_JOB_ID"'


def body_notes(text: str) -> Iterator[Note]:
    """What a human should know of a script, beside its options."""
    lines = text.split("\n")
    if not lines[0].startswith("#!"):
        yield Note("The script has no first line such as #!/bin/bash; bash runs it here.", 1)
    elif not bash_line(lines[0]):
        yield Note("The script is not for bash; the template writes it to a file and runs that.", 1)
    yield Note(
        "A job of a template runs in a directory of its own, not where you call sbatch: give its files as file slots"
        " or with their whole paths.",
        0,
        "/script/main_exec",
    )
    begun = False
    for number, line in enumerate(lines, start=1):
        begun = begun or is_command(line)
        if begun and line.startswith("#SBATCH"):
            yield Note(
                "This #SBATCH comes after the first command, so sbatch never read it; it is kept.", number
            )
        if match := _OTHER_SYSTEM.match(line):
            yield Note(f"#{match[1]} lines mean nothing here; write it as an option, or take it out.", number)
        # What stands in single quotes is for another program, such as awk.
        if begun and not line.lstrip().startswith("#") and _ARGUMENT.search(re.sub(r"'[^']*'", "", line)):
            yield Note(
                "It takes an argument of the command line, and there is none here: use a parameter.", number
            )
