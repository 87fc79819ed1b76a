"""What in a draft is its author's own: accounts and addresses left out, paths and secrets pointed out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..formats.schemasize import pointer_of
from ..templates.texts import AUTHORS_OWN, Note

# By sbatch's names; the last is an account of another kind.
OWN_OPTIONS: Final = frozenset((*(name.replace("_", "-") for name in AUTHORS_OWN), "wckey"))
_MOST: Final = 20
_PATH: Final = re.compile(r"~?/?[^\s\"'`=:;,|&<>(){}]*")
# Bounded, so that a long line costs no more than its length.
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SECRET: Final = re.compile(
    r"\b(\w{0,40}(?:token|secret|passw|passphrase|credential|api_?key|access_?key)\w{0,40})[\"']?\s*[=:]\s*[\"']?[^\s\"'$`]",
    re.IGNORECASE,
)
# Who the template is says whose it is, and that is meant to be seen.
_SECTIONS: Final = ("slurm", "apptainer", "files", "parameters", "script")


@dataclass(frozen=True)
class Owner:
    """Whose job or script it is."""

    user: str
    home: str


def left_out(option: str, line: int = 0) -> Note:
    """That an option of ``OWN_OPTIONS`` is not in the draft. What it said is not in the note either."""
    message = f"--{option} is left out: it is your own. Whoever uses the template gives theirs in the form."
    return Note(message, line, "/slurm")


def without_own(slurm: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """A template's options without those of a person."""
    kept = {name: value for name, value in slurm.items() if name not in AUTHORS_OWN}
    return kept, [left_out(name.replace("_", "-")) for name in slurm if name in AUTHORS_OWN]


def personal_notes(document: Mapping[str, Any], owner: Owner, words: Collection[str] = ()) -> list[Note]:
    """Where the draft still names the owner, or one of ``words`` (an account that was left out), or a secret."""
    found = [
        Note(f"{place}: {what}", 0, pointer)
        for pointer, place, line in _lines(document)
        for what in _own(line, owner, sorted(words)[:_MOST])
    ]
    more = len(found) - _MOST
    return [*found[:_MOST], *([Note(f"{more} more places name you.")] if more > 0 else [])]


def _own(line: str, owner: Owner, words: Collection[str]) -> Iterator[str]:
    for path in dict.fromkeys(_PATH.findall(line)):
        if _is_own(path, owner):
            yield f"{path[:200]} is a path of your own. Others cannot use it: make it a file slot or a parameter."
    for address in dict.fromkeys(_ADDRESS.findall(line)):
        yield f"{address[:200]} is an address. Take it out, unless everybody may use it."
    for match in _SECRET.finditer(line):
        yield f"{match[1][:100]} looks like a secret. Take its value out before you save."
    for word in words:
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line):
            yield "it still names an account, QOS or address of yours that was left out of the options."


def _is_own(path: str, owner: Owner) -> bool:
    home = owner.home.rstrip("/")
    if home and (path == home or path.startswith(f"{home}/")):
        return True
    return "/" in path and (owner.user in path.split("/") or path.startswith(f"~{owner.user}/"))


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each line of text: the pointer of its field, a place in words, and the line."""
    for section in _SECTIONS:
        for path, text in _texts(document.get(section), (section,)):
            rows = text.split("\n")
            for number, row in enumerate(rows, start=1):
                name = str(path[-1])
                yield pointer_of(path), f"{name}, line {number}" if len(rows) > 1 else name, row


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _texts(each, (*path, index))
