"""No job that is submitted may undo what template or site decided: the script itself is looked at.

What a job asks for is what its ``#SBATCH`` lines say, wherever they come from; they are read as sbatch reads them and
held against the locks. See ``lockedvalues.py`` for the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..errors import SchedulerRefused
from ..formats.findings import clean, listed
from ..slurm import measures
from ..slurm.directives import numbered_directives
from ..templates.locks import Lock
from .lockedvalues import check_variables
from .model import Check, Plan
from .script import log_patterns

# Other options that ask for the same; where one is locked, these are not for the script.
_ALIKE: Final[dict[str, tuple[str, ...]]] = {
    "gres": ("gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "tres-per-task"),
    "mem": ("mem-per-cpu", "mem-per-gpu"),
    "mem_per_cpu": ("mem", "mem-per-gpu"),
    "cpus_per_task": (
        *("cpus-per-gpu", "mincpus", "cores-per-socket", "threads-per-core"),
        *("extra-node-info", "tres-per-task"),
    ),
    "nodelist": ("nodefile",),
    "nice": ("priority",),
    "constraint": ("cluster-constraint",),
}
# What sbatch takes where the option is not given, and the options beside which it would be another.
_BY_DEFAULT: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "nodes": (
        "1",
        (
            *("ntasks", "ntasks-per-node", "ntasks-per-socket", "ntasks-per-core"),
            *("nodelist", "nodefile", "gpus"),
        ),
    ),
    "ntasks": ("1", ("nodes", "ntasks-per-node", "ntasks-per-socket", "ntasks-per-core", "ntasks-per-gpu")),
    "cpus_per_task": ("1", ()),
    "gres": ("gpu:0", ()),
    "array": ("0", ()),
    "nice": ("0", ()),
}
# Of both words the later one counts for sbatch.
_SWITCHES: Final = {"exclusive": ("exclusive", "oversubscribe"), "requeue": ("requeue", "no-requeue")}
# A job alone on its nodes is given all of these there, whatever it asks for (sbatch's manual, --exclusive).
_ALL_OF_A_NODE: Final = ("cpus_per_task", "gres")


class _Script:
    """The directives of a script: of each option the value that counts, and its line."""

    def __init__(self, text: str) -> None:
        self.values: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        # In the order in which sbatch takes them: of several the last counts.
        self.order: list[str] = []
        for line, name, value in numbered_directives(text):
            self.values[name], self.lines[name] = value, line
            self.order.append(name)


def check_locks(plan: Plan, script: str) -> Iterator[Check]:
    """Every option and parameter of the script that is not as it was decided, with line and reason."""
    if not plan.locks:
        return
    try:
        found = _Script(script)
    except SchedulerRefused as error:
        yield Check("locked", "error", error.detail, "/edit/text" if plan.spec.edit else "/script")
        return
    for option, locks in plan.locks.slurm.items():
        for lock in locks:
            yield from _option(plan, found, option, lock)
    if plan.locks.parameters and (plan.spec.edit is not None or plan.spec.script):
        yield from check_variables(plan, script)


# -- options -----------------------------------------------------------------------------------------------------


def _option(plan: Plan, script: _Script, option: str, lock: Lock) -> Iterator[Check]:
    long = option.replace("_", "-")
    for other in _ALIKE.get(option, ()):
        if other in script.values:
            yield _finding(
                plan, script, other, lock, f"--{other} cannot be given, because {option} is decided here"
            )
    if option in _ALL_OF_A_NODE and _takes_whole_nodes(plan, script):
        yield _finding(
            plan, script, "exclusive", lock, f"--exclusive cannot be given, because {option} is decided here"
        )
    words = _switch(script, option, lock) if option in _SWITCHES else _value(plan, script, option, lock)
    if words:
        yield _finding(plan, script, long, lock, words)


def _takes_whole_nodes(plan: Plan, script: _Script) -> bool:
    """Whether the job is alone on its nodes though neither the template nor a lock wants it so."""
    wanted = plan.template is not None and plan.template.slurm.get("exclusive")
    decided = any(lock.fixed for lock in (plan.locks.slurm if plan.locks else {}).get("exclusive", ()))
    return not wanted and not decided and _last_of(script, *_SWITCHES["exclusive"]) == "exclusive"


def _last_of(script: _Script, on: str, off: str) -> str | None:
    """Which of a switch's words counts; ``--exclusive=user`` is neither."""
    last = next((name for name in reversed(script.order) if name in (on, off)), None)
    if last is None or script.values[last].lower() in ("", "exclusive"):
        return last
    return f"{last}={script.values[last]}"


def _switch(script: _Script, option: str, lock: Lock) -> str:
    on, off = _SWITCHES[option]
    last = _last_of(script, on, off)
    if lock.fixed is None:
        return f"{option} cannot be set here" if lock.hidden and last is not None else ""
    if last in ((on,) if lock.fixed else (off, None)):
        return ""
    return f"{option} is fixed here: it is {'on' if lock.fixed else 'off'}"


def _value(plan: Plan, script: _Script, option: str, lock: Lock) -> str:
    """What is wrong with an option's value; "" for nothing."""
    value = script.values.get(option.replace("_", "-"))
    if lock.fixed is not None:
        if value is None:
            return f"{option} is missing; it is fixed here at {_words(lock.fixed)}"
        if measures.same(option, value, lock.fixed):
            return ""
        return f"{option} is {_words(value)}, but it is fixed here at {_words(lock.fixed)}"
    if lock.hidden:
        given = {**log_patterns(plan.options), **(plan.template.slurm if plan.template else {})}
        own = given.get(option)
        if own in (None, "") and value is not None:
            return f"{option} cannot be set here"
        if own not in (None, "") and (value is None or not measures.same(option, value, own)):
            return f"{option} stays here as the template has it, {_words(own)}"
    return _bounds(script, option, value, lock)


def _bounds(script: _Script, option: str, value: str | None, lock: Lock) -> str:
    bounded = lock.minimum is not None or lock.maximum is not None or lock.enum is not None
    if not bounded:
        return ""
    if value is None:
        value = _unsaid(script, option, lock)
        if value is None:
            return f"{option} must be given here: {_allowed(lock)}"
    if lock.enum is not None and not all(
        any(measures.same(option, item, each) for each in lock.enum) for item in measures.items(option, value)
    ):
        return f"{option} is {_words(value)}; here it is {_allowed(lock)}"
    try:
        amount = measures.amounts(option, value)
        most = measures.amounts(option, _as_value(option, lock.maximum)) if lock.maximum is not None else None
        least = (
            measures.amounts(option, _as_value(option, lock.minimum)) if lock.minimum is not None else None
        )
    except ValueError:
        return f"{option} is {_words(value)}, which cannot be held against its bounds here: {_allowed(lock)}"
    if amount is not None and ((most and amount[1] > most[1]) or (least and amount[0] < least[0])):
        return f"{option} is {_words(value)}; here it is {_allowed(lock)}"
    return ""


def _unsaid(script: _Script, option: str, lock: Lock) -> str | None:
    """What sbatch takes where the option is not given; None where that is not known here."""
    value, beside = _BY_DEFAULT.get(option, (None, ()))
    if lock.enum is not None and option in ("gres", "array"):
        return None
    return None if any(name in script.values for name in beside) else value


def _as_value(option: str, bound: Any) -> str:
    """A bound as a value of the option: so many GPUs, so many tasks of an array."""
    if option == "gres":
        return f"gpu:{bound}"
    return f"1-{bound}" if option == "array" else str(bound)


def _allowed(lock: Lock) -> str:
    parts = [
        f"one of {listed(lock.enum)}" if lock.enum is not None else "",
        f"at least {_words(lock.minimum)}" if lock.minimum is not None else "",
        f"at most {_words(lock.maximum)}" if lock.maximum is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _words(value: Any) -> str:
    return clean(str(value))


def _finding(plan: Plan, script: _Script, long: str, lock: Lock, words: str) -> Check:
    """At the option's field, or at the line of a script that was edited by hand."""
    option = long.replace("-", "_")
    line = script.lines.get(long)
    of_the_form = option not in plan.read_back and str(plan.options.get(option)) == script.values.get(long)
    form = plan.spec.edit is None or of_the_form
    if form:
        return Check("locked", "error", lock.because(_sentence(words)), f"/options/{option}")
    where = f"Line {line} of the script: " if line else "The script: "
    return Check("locked", "error", where + lock.because(words), "/edit/text")


def _sentence(words: str) -> str:
    return words if words.startswith("--") else words[0].upper() + words[1:]
