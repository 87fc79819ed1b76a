"""sbatch's options as a command line: short and long names, abbreviations, values. Source: sbatch(1),
getopt(3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import SchedulerRefused

# long name → short name, or an empty string
_WITH_VALUE: dict[str, str] = {
    "account": "A",
    "acctg-freq": "",
    "array": "a",
    "batch": "",
    "bb": "",
    "bbf": "",
    "begin": "b",
    "chdir": "D",
    "cluster-constraint": "",
    "clusters": "M",
    "comment": "",
    "constraint": "C",
    "container": "",
    "core-spec": "S",
    "cores-per-socket": "",
    "cpu-freq": "",
    "cpus-per-gpu": "",
    "cpus-per-task": "c",
    "deadline": "",
    "delay-boot": "",
    "dependency": "d",
    "distribution": "m",
    "error": "e",
    "exclude": "x",
    "export": "",
    "export-file": "",
    "extra-node-info": "B",
    "gid": "",
    "gpu-bind": "",
    "gpu-freq": "",
    "gpus": "G",
    "gpus-per-node": "",
    "gpus-per-socket": "",
    "gpus-per-task": "",
    "gres": "",
    "gres-flags": "",
    "hint": "",
    "input": "i",
    "job-name": "J",
    "kill-on-invalid-dep": "",
    "licenses": "L",
    "mail-type": "",
    "mail-user": "",
    "mcs-label": "",
    "mem": "",
    "mem-bind": "",
    "mem-per-cpu": "",
    "mem-per-gpu": "",
    "mincpus": "",
    "network": "",
    "nodefile": "F",
    "nodelist": "w",
    "nodes": "N",
    "ntasks": "n",
    "ntasks-per-core": "",
    "ntasks-per-gpu": "",
    "ntasks-per-node": "",
    "ntasks-per-socket": "",
    "open-mode": "",
    "output": "o",
    "partition": "p",
    "power": "",
    "prefer": "",
    "priority": "",
    "profile": "",
    "qos": "q",
    "reservation": "",
    "signal": "",
    "sockets-per-node": "",
    "switches": "",
    "thread-spec": "",
    "threads-per-core": "",
    "time": "t",
    "time-min": "",
    "tmp": "",
    "tres-bind": "",
    "tres-per-task": "",
    "uid": "",
    "wait-all-nodes": "",
    "wckey": "",
    "wrap": "",
}
# A value only when it is attached: --nice=5, -k1.
_WITH_OPTIONAL_VALUE: dict[str, str] = {
    "exclusive": "",
    "get-user-env": "",
    "nice": "",
    "no-kill": "k",
    "propagate": "",
}
_SWITCHES: dict[str, str] = {
    "contiguous": "",
    "disable-stdout-job-summary": "",
    "help": "h",
    "hold": "H",
    "ignore-pbs": "",
    "no-requeue": "",
    "overcommit": "O",
    "oversubscribe": "s",
    "parsable": "",
    "quiet": "Q",
    "reboot": "",
    "requeue": "",
    "spread-job": "",
    "test-only": "",
    "usage": "",
    "use-min-nodes": "",
    "verbose": "v",
    "version": "V",
    "wait": "W",
}
_ALL = {**_WITH_VALUE, **_WITH_OPTIONAL_VALUE, **_SWITCHES}
# What a plugin may call an option of its own.
_PLUGIN_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SHORT = {short: long for long, short in _ALL.items() if short}


def is_known(name: str) -> bool:
    """Whether sbatch itself has this long option; a site's plugins may add others."""
    return name in _ALL


def takes_value(name: str) -> bool:
    """Whether this long option of sbatch cannot do without a value."""
    return name in _WITH_VALUE


def abbreviates(name: str) -> list[str]:
    """The options that sbatch may take a shortened ``name`` for; nothing for a whole name."""
    return [] if name in _ALL else [known for known in _ALL if known.startswith(name)]


def read_options(words: list[str], *, strict: bool = True) -> list[tuple[str, str]]:
    """``(long name, value)`` in order. Raises SchedulerRefused as sbatch would: unknown option, missing
    value, or a word that is no option.

    Without ``strict`` a long option that sbatch does not know is taken as it stands: plugins of a site add some
    (``--container-image=…``).
    """
    found: list[tuple[str, str]] = []
    rest = iter(words)
    waiting = False  # for the value of an option of which nobody knows whether it has one
    for word in rest:
        if word.startswith("--") and word != "--":
            found.append(_long(word[2:], rest, strict))
        elif word.startswith("-") and word not in ("-", "--"):
            found += _short(word[1:], rest)
        elif waiting:
            found[-1] = (found[-1][0], word)
        else:
            raise SchedulerRefused(f"Invalid directive found in batch script: {word}")
        waiting = bool(found) and word.startswith("--") and not is_known(found[-1][0]) and not found[-1][1]
    return found


def _long(text: str, rest: Iterator[str], strict: bool) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    matches = [name] if name in _ALL else abbreviates(name)
    if not matches and not strict and _PLUGIN_OPTION.fullmatch(name):
        return name, value
    if len(matches) != 1:
        raise SchedulerRefused(f"The script has an #SBATCH option that sbatch does not know: --{name[:64]}.")
    long = matches[0]
    if long in _WITH_VALUE and not equals:
        return long, _next(long, rest)
    if long in _SWITCHES and equals:
        raise SchedulerRefused(f"The #SBATCH option --{long} takes no value.")
    return long, value


def _short(letters: str, rest: Iterator[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for position, letter in enumerate(letters, start=1):
        long = _SHORT.get(letter)
        if long is None:
            raise SchedulerRefused(f"The script has an #SBATCH option that sbatch does not know: -{letter}.")
        if long in _SWITCHES:
            found.append((long, ""))
            continue
        attached = letters[position:]
        found.append((long, attached if attached or long in _WITH_OPTIONAL_VALUE else _next(long, rest)))
        break
    return found


def _next(long: str, rest: Iterator[str]) -> str:
    try:
        return next(rest)
    except StopIteration:
        raise SchedulerRefused(f"The #SBATCH option --{long} needs a value.") from None
