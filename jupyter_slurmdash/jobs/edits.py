"""A script that the user edited by hand, kept in step with the form.

What can be read back (an ``#SBATCH`` line with one option that the form has) goes to the form. The rest is kept as the
difference to what was generated, and laid over whatever the form generates later.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import FieldError, InvalidInput, SchedulerRefused
from ..slurm.directives import OPTIONS, check_options, parse_directives
from ..slurm.getopt import is_known
from .merge import Conflict, merge
from .model import Check, Plan, ScriptEdit
from .script import Line, joined, script_lines

MAX_BYTES = 256 * 1024
MAX_LINES = 5_000
# Lines of a merged script that no field made.
BY_HAND = "/edit"
# Ours alone, or no property of a job: on the command line, or never.
NOT_IN_A_SCRIPT = frozenset(
    (
        *(
            "chdir",
            "clusters",
            "comment",
            "gid",
            "help",
            "ignore-pbs",
            "parsable",
            "test-only",
            "uid",
            "usage",
        ),
        *("version", "wait", "wrap"),
    )
)


@dataclass(frozen=True)
class Edited:
    """The script as it will be submitted; ``generated`` without what was written by hand. ``origins`` says of each line
    which field made it."""

    text: str
    generated: str
    origins: tuple[str, ...]
    conflicts: tuple[Conflict, ...] = ()


def final_script(plan: Plan) -> Edited:
    """What the plan submits: the generated script, with the user's own changes laid over it.

    Raises InvalidInput when an option, or a directive written by hand, cannot be submitted.
    """
    lines = [part for line in script_lines(plan) for part in line.parts()]
    generated = joined(lines)
    edit = plan.spec.edit
    if edit is None:
        return Edited(generated, generated, tuple(line.pointer for line in lines))
    edited = lay_over(edit, generated, lines, plan.read_back)
    require_submittable(edited.text, plan.template.other if plan.template is not None else ())
    return edited


def check_conflicts(edited: Edited) -> Iterator[Check]:
    """Where the form and the hand-written lines want different things. The hand-written ones stand."""
    for conflict in edited.conflicts:
        yield Check(
            "edit-conflict",
            "warning",
            f"Line {conflict.line} of the script is yours; the form would now write:"
            f" {' / '.join(conflict.other) or 'nothing'}",
            "/edit/text",
        )


def read_back(edit: ScriptEdit) -> dict[str, str]:
    """Options that the user set or changed in the text, by the names of the form.

    Raises InvalidInput when the text is too long, or has directives that cannot be submitted.
    """
    _require_short(edit)
    before, after = _options(edit.base), _options(edit.text)
    return {
        name: value for name, value in after.items() if before.get(name) != value and _is_right(name, value)
    }


def lay_over(edit: ScriptEdit, generated: str, lines: Sequence[Line], read: Mapping[str, str]) -> Edited:
    """The user's changes laid over what is generated now, with the options that were read back in it already."""
    # What was read back is no difference any more: the form writes it, at its own place.
    base, own = _without(edit.base, read), _without(edit.text, read)
    merged = merge(base, own, [line.text for line in lines])
    origins = tuple(BY_HAND if at is None else lines[at].pointer for at in merged.sources)
    text = "\n".join(merged.lines).rstrip("\n") + "\n"
    return Edited(text, generated, origins, merged.conflicts)


def require_submittable(text: str, of_plugins: Container[str] = ()) -> None:
    """Raises InvalidInput for directives that sbatch refuses or that are not for a script of ours. ``of_plugins`` are
    options that only the site may know: those of the template."""
    try:
        names = [name for name, _ in parse_directives(text, strict=False)]
    except SchedulerRefused as error:
        raise _wrong(error.detail) from error
    unknown = [n for n in names if n != "hetjob" and not is_known(n) and n not in of_plugins]
    if unknown:
        raise _wrong(f"The script has an #SBATCH option that sbatch does not know: --{unknown[0][:64]}.")
    if "hetjob" in names:
        raise _wrong("Heterogeneous jobs cannot be submitted from here.")
    forbidden = sorted(NOT_IN_A_SCRIPT.intersection(names))
    if forbidden:
        raise _wrong(f"--{forbidden[0]} cannot stand in a script here. Take that line out.")


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError("/edit/text", message)])


def _require_short(edit: ScriptEdit) -> None:
    for text in (edit.base, edit.text):
        if len(text.encode(errors="surrogatepass")) > MAX_BYTES or text.count("\n") > MAX_LINES:
            raise _wrong(f"A script edited here has at most {MAX_BYTES // 1024} KiB and {MAX_LINES} lines.")


def _options(script: str) -> dict[str, str]:
    """The options that stand alone in a directive line, by the form's names; the last of a name counts."""
    return {option[0]: option[1] for line in script.split("\n") if (option := _option_of(line)) is not None}


def _option_of(line: str) -> tuple[str, str] | None:
    """Name and value of a directive line with just one option that the form has."""
    if not line.startswith("#SBATCH"):
        return None
    try:
        found = parse_directives(line)
    except SchedulerRefused:
        return None
    if len(found) != 1:
        return None
    name = found[0][0].replace("-", "_")
    return (name, found[0][1]) if name in OPTIONS and name not in NOT_IN_A_SCRIPT else None


def _is_right(name: str, value: str) -> bool:
    """Whether the form could have written it; a switch has no value, and cannot be told from one that is off."""
    try:
        return bool(value) and check_options({name: value}) == {name.replace("_", "-"): value}
    except InvalidInput:
        return False


def _without(script: str, read: Mapping[str, str]) -> list[str]:
    lines = script.rstrip("\n").split("\n")
    return [line for line in lines if (option := _option_of(line)) is None or option[0] not in read]
