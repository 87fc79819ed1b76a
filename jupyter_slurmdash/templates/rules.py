"""What may stand in a template beyond its schema.

Names of variables, binds, file patterns, sizes, numbers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from ..errors import FieldError
from ..formats.schemasize import pointer_of
from .model import Bind

# A slot or parameter becomes an environment variable of the job. These would change how the job's shell, its
# dynamic linker, Slurm or Apptainer work, or are read-only in bash.
_RESERVED: Final = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "TERM", "LANG", "HOSTNAME", "TMPDIR"),
        *("IFS", "ENV", "BASH", "BASHOPTS", "SHELLOPTS", "SHLVL", "CDPATH", "GLOBIGNORE", "PROMPT_COMMAND"),
        *("UID", "EUID", "PPID", "GROUPS", "DIRSTACK", "FUNCNAME", "LINENO", "RANDOM", "SECONDS", "SRANDOM"),
        *("EPOCHSECONDS", "EPOCHREALTIME", "PIPESTATUS", "POSIXLY_CORRECT", "HISTCMD", "HISTFILE", "MAIL"),
        *("OPTARG", "OPTIND", "OPTERR", "REPLY", "MAPFILE", "COPROC", "TIMEFORMAT", "TMOUT", "HOSTTYPE"),
        *("MACHTYPE", "OSTYPE", "PS0", "PS1", "PS2", "PS3", "PS4", "NLSPATH", "LOCPATH", "GCONV_PATH"),
        *("MALLOC_TRACE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "RUBYOPT"),
        *("RUBYLIB", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "CONTAINER", "RESULTS_ROOT", "_"),
    )
)
_RESERVED_PREFIXES: Final = (
    *("SLURM_", "SLURMDASH_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SINFO_", "SACCT_", "SCONTROL_"),
    *("APPTAINER_", "APPTAINERENV_", "SINGULARITY_", "SINGULARITYENV_"),
    *("LD_", "DYLD_", "BASH_", "LC_", "COMP_", "GIT_", "SSH_", "JUPYTER"),
)
_FINITE: Final = json.JSONEncoder(allow_nan=False)
_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:I?B)?\s*", re.IGNORECASE | re.ASCII)


def is_variable(name: str) -> bool:
    """Whether ``name`` can be a variable of a shell."""
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name))


def reserved(name: str) -> bool:
    """Whether the variable that ``name`` becomes (in upper case) belongs to the system."""
    upper = name.upper()
    return upper in _RESERVED or upper.startswith(_RESERVED_PREFIXES)


def size_in_bytes(size: str | int | None) -> int | None:
    """``10MB`` → 10485760. K, M, G and T count by 1024 with or without an ``i``, like Slurm's own sizes."""
    if size is None or isinstance(size, int):
        return size
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{size!r} is not a size; write a number of bytes or something like 10MB.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def read_bind(text: str) -> Bind:
    """``source:target:mode`` (mode ``rw`` when left out, target the same as the source).

    Raises ValueError.
    """
    source, *rest = text.split(":")
    if len(rest) > 2:
        raise ValueError(f"{text[:80]!r} has too many parts; write source:target:ro or source:target:rw.")
    target = rest[0] if rest else source
    mode = rest[1] if len(rest) == 2 else "rw"
    if mode not in ("ro", "rw"):
        raise ValueError(f"{mode[:80]!r} is no mode of a bind; write ro or rw.")
    for path in (source, target):
        if not path.startswith("/") or ".." in path.split("/"):
            raise ValueError(
                f"{path[:80]!r} must be an absolute path without '..'; variables and '~' are not expanded."
            )
        if not path.isprintable() or any(char in path for char in ",$`\\\"'"):
            raise ValueError(
                f"{path[:80]!r} has a character that a bind cannot have (comma, quote, '$', backslash)."
            )
    return Bind(source, target, "ro" if mode == "ro" else "rw")


def bad_pattern(pattern: str, *, folders: bool = False) -> str | None:
    """Why ``pattern`` cannot match files of the job, or None. Only output patterns may name ``folders``."""
    if not pattern.isprintable():
        return "The pattern has a control character."
    if pattern.startswith("/") or ".." in pattern.split("/"):
        return "The pattern must stay in the job's directory."
    if "/" in pattern and not folders:
        return "The pattern is one for file names; it cannot have '/'."
    return None


def not_finite(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[FieldError]:
    """Infinite numbers and NaN in plain data at ``path``, for which JSON has no word. As deep as the data."""
    try:
        # Nearly all data is good, and the encoder walks it in a tenth of the time.
        _FINITE.encode(value)
    except ValueError:
        yield from _not_finite(value, path)


def _not_finite(value: Any, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    if isinstance(value, float) and not math.isfinite(value):
        yield FieldError(
            pointer_of(path), f"{path[-1] if path else 'The value'} is {value}, which is no finite number"
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _not_finite(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _not_finite(item, (*path, index))


def printable(text: str) -> str:
    """Text for a list, whatever a file or its name holds.

    One line, no lone surrogates, at most 200 characters.
    """
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:200])
