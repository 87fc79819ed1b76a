"""``#SBATCH`` lines: reading them as sbatch does, and writing values that it reads back exactly.

sbatch(1) says little about quoting; what is written here was found by asking sbatch 22.05 itself (``sbatch
-vvv`` prints each argument it finds in a script), and the tests ask it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import FieldError, InvalidInput, SchedulerRefused
from . import forms
from .getopt import abbreviates, read_options

_SPACE = " \t\n\v\f\r"
_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./^\[\]~-]+")
_NEXT_PART = ("hetjob", "packjob")
_NAME_HINT = "It must be a name, or names with commas between, without spaces."

Rule = Callable[[object], "str | tuple[str, str] | None"]

# Allowed options by the names of the contract (SlurmOptions), in the order in which they stand in a script.
OPTIONS: dict[str, Rule] = {
    "job_name": forms.plain(100),
    "comment": forms.plain(1024),
    "partition": forms.matching(r"[\w.+@:-]+(?:,[\w.+@:-]+)*", _NAME_HINT),
    "account": forms.matching(r"[\w.+@:-]+", "It must be the name of an account, without spaces."),
    "qos": forms.matching(r"[\w.+@:-]+", "It must be the name of a QOS, without spaces."),
    "reservation": forms.matching(r"[\w.+@:-]+(?:,[\w.+@:-]+)*", _NAME_HINT),
    "nodes": forms.nodes,
    "ntasks": forms.count(1_000_000),
    "ntasks_per_node": forms.count(100_000),
    "cpus_per_task": forms.count(100_000),
    "mem": forms.memory,
    "mem_per_cpu": forms.memory,
    "gres": forms.gres,
    "constraint": forms.constraint,
    "nodelist": forms.host_list,
    "exclude": forms.host_list,
    "exclusive": forms.flag("exclusive"),
    "time": forms.time,
    "begin": forms.begin,
    "array": forms.array,
    "dependency": forms.dependency,
    "nice": forms.count(2_147_483_645, -2_147_483_645),
    "requeue": forms.flag("requeue", "no-requeue"),
    "mail_type": forms.mail_type,
    "mail_user": forms.matching(r"[^\s\"'\\`$;|&<>()#]+", "It must be a mail address or a user's name."),
    "chdir": forms.directory,
    "output": forms.plain(255),
    "error": forms.plain(255),
}


def check_options(options: Mapping[str, object]) -> dict[str, str]:
    """The options by sbatch's long names (``cpus-per-task``), values as text, in the order of ``OPTIONS``.

    A switch that is on has an empty value. None and empty text mean "not set" and are left out. Raises
    InvalidInput with every wrong one at ``/options/<name>`` (the job's name at ``/job_name``).
    """
    errors = [_at(name, "There is no such option here.") for name in options if name not in OPTIONS]
    checked: dict[str, str] = {}
    for name, rule in OPTIONS.items():
        value = options.get(name)
        if value is None or value == "":
            continue
        try:
            result = rule(value)
        except ValueError as error:
            errors.append(_at(name, str(error)))
            continue
        if isinstance(result, str):
            checked[name.replace("_", "-")] = result
        elif result is not None:
            checked[result[0]] = result[1]
    if "mem" in checked and "mem-per-cpu" in checked:
        errors.append(_at("mem_per_cpu", "Give the memory per node or per CPU, not both."))
    if errors:
        raise InvalidInput(" ".join(f"{_label(error.pointer)}: {error.message}" for error in errors), errors)
    return checked


def _at(name: str, message: str) -> FieldError:
    if name == "job_name":
        return FieldError("/job_name", message)
    escaped = str(name).replace("~", "~0").replace("/", "~1")
    return FieldError(f"/options/{escaped}", message)


def _label(pointer: str) -> str:
    return pointer.rpartition("/")[2][:64]


def seconds_of(time: str) -> int | None:
    """Seconds of a time limit as it stands in an option; None for no limit or what is no time."""
    try:
        return forms.seconds(time)
    except ValueError:
        return None


def quote_value(value: str) -> str:
    """The text that stands in a directive for ``value``. Raises InvalidInput for what no line can hold."""
    try:
        forms.one_line(value)
    except ValueError as error:
        raise InvalidInput(f"A value for #SBATCH cannot be written: {error}") from error
    if _BARE.fullmatch(value):
        return value
    # Inside quotes sbatch takes a backslash away from whatever follows it, so only these two need one.
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_directive(name: str, value: str) -> str:
    """``#SBATCH --job-name="my job"``; with an empty value ``#SBATCH --exclusive``. Raises InvalidInput."""
    long = name.replace("_", "-")
    if re.fullmatch(r"[a-z][a-z-]*", long) is None:
        raise InvalidInput(f"{name[:64]!r} is not the name of an sbatch option.")
    return f"#SBATCH --{long}={quote_value(value)}" if value else f"#SBATCH --{long}"


def render_other(name: str, value: str) -> str:
    """A directive for an option that no field stands for, under sbatch's own name (``gpus-per-node``).

    Raises InvalidInput for what is no whole name: sbatch takes ``--acc`` for ``--account``.
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) is None or abbreviates(name):
        raise InvalidInput(f"--{name[:64]} is not the whole name of an sbatch option.")
    return f"#SBATCH --{name}={quote_value(value)}" if value else f"#SBATCH --{name}"


@dataclass(frozen=True)
class Directive:
    """One ``#SBATCH`` line: its number (from 1), its options by long name, and what stands behind them, a comment."""

    line: int
    options: tuple[tuple[str, str], ...]
    rest: str = ""


def read_directives(script: str) -> list[Directive]:
    """The lines of a script that sbatch reads options from, each by itself; options of plugins are taken as they stand.

    Raises SchedulerRefused, with ``line``, for a line that cannot be read, and where a further part of a heterogeneous
    job begins.
    """
    found = []
    for number, text in _directive_lines(script):
        try:
            words, rest = _cut(text, number)
            if words and words[0] in _NEXT_PART:
                raise SchedulerRefused(
                    "another part of a heterogeneous job begins here, and a job here has one part."
                    " Make a script of each part."
                )
            options = read_options(words, strict=False)
        except SchedulerRefused as error:
            where = "" if error.detail.startswith("Line ") else f"Line {number} of the script: "
            raise SchedulerRefused(where + error.detail, line=number) from error
        found.append(Directive(number, tuple(options), rest))
    return found


def parse_directives(script: str, *, strict: bool = True) -> list[tuple[str, str]]:
    """The options in a script in order, by long name, as sbatch reads them; a switch has an empty value.

    ``("hetjob", "")`` stands where the next part of a heterogeneous job begins. ``#PBS`` and ``#BSUB`` lines
    mean nothing (we submit with ``--ignore-pbs``). Raises SchedulerRefused for what sbatch refuses; without ``strict``
    not for options that a site's plugins may know.
    """
    found: list[tuple[str, str]] = []
    part: list[str] = []
    for line_number, line in _directive_lines(script):
        words, _ = _cut(line, line_number)
        if words and words[0] in _NEXT_PART:
            found += [*read_options(part, strict=strict), ("hetjob", "")]
            part = []
        else:
            part += words
    return found + read_options(part, strict=strict)


def numbered_directives(script: str) -> list[tuple[int, str, str]]:
    """Like ``parse_directives`` (not strict), each option with its line (from 1; 0 where a value is on the next line).

    Raises SchedulerRefused.
    """
    found = parse_directives(script, strict=False)
    numbered: list[tuple[int, str, str]] = []
    for number, line in _directive_lines(script):
        try:
            numbered += [(number, *each) for each in parse_directives(f"#SBATCH{line}", strict=False)]
        except SchedulerRefused:
            break  # a value on the next line
    if [each[1:] for each in numbered] == found:
        return numbered
    return [(0, *each) for each in found]


def _directive_lines(script: str) -> Iterator[tuple[int, str]]:
    """What follows ``#SBATCH``, until the first line that is neither a comment nor blank."""
    for number, line in enumerate(script.split("\n"), start=1):
        if line.startswith("#SBATCH"):
            yield number, line.removeprefix("#SBATCH")
        elif (rest := line.lstrip(_SPACE)) and not rest.startswith("#"):
            return


def _cut(line: str, number: int) -> tuple[list[str], str]:
    """The line's words as sbatch cuts it, and what it does not look at any more: quotes group, a backslash takes the
    next character as it is, ``#`` ends.

    Unlike in a shell, a backslash does not keep a space outside quotes, and it counts inside single quotes
    too.
    """
    words: list[str] = []
    position = 0
    while True:
        while position < len(line) and line[position] in _SPACE:
            position += 1
        if position >= len(line) or line[position] == "#":
            return words, line[position:].rstrip(_SPACE)
        if line[position] == ":":
            raise SchedulerRefused(
                f"Line {number} of the script: a colon cannot stand alone in #SBATCH{line}"
            )
        word, end = _word(line, position, number)
        if not word:  # sbatch takes an empty word for the end of the line
            return words, line[position:].rstrip(_SPACE)
        words.append(word)
        position = end


def _word(line: str, position: int, number: int) -> tuple[str, int]:
    letters: list[str] = []
    quote = ""
    escaped = False
    while position < len(line):
        character = line[position]
        if not quote and (character in _SPACE or (character == "#" and not escaped)):
            break
        if escaped:
            letters.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        else:
            letters.append(character)
        position += 1
    if quote:
        raise SchedulerRefused(
            f"Line {number} of the script: the quote {quote} is not closed in #SBATCH{line}"
        )
    return "".join(letters), position
