"""sbatch's options as a command line: short and long names, abbreviations, values. Source: sbatch(1),
getopt(3)."""

from __future__ import annotations

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
_SHORT = {short: long for long, short in _ALL.items() if short}


def read_options(words: list[str]) -> list[tuple[str, str]]:
    """``(long name, value)`` in order. Raises SchedulerRefused as sbatch would: unknown option, missing
    value, or a word that is no option."""
    found: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        if word.startswith("--") and word != "--":
            found.append(_long(word[2:], rest))
        elif word.startswith("-") and word not in ("-", "--"):
            found += _short(word[1:], rest)
        else:
            raise SchedulerRefused(f"Invalid directive found in batch script: {word}")
    return found


def _long(text: str, rest: Iterator[str]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    matches = [name] if name in _ALL else [known for known in _ALL if known.startswith(name)]
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
