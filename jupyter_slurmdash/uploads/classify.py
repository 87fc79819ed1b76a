"""Which class a file is of, and which slot of a template it fills.

A pattern is a shell glob (``*``, ``?``, ``[…]``), compared case by case. The most specific pattern wins
(``config.json`` before ``init_*.dat`` before ``*.dat``), then required slots, then the template's order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TypeVar

from .model import FILE_TYPES, JobFile, SessionFile, Slot

F = TypeVar("F", SessionFile, JobFile, SessionFile | JobFile)

_ENDINGS = {
    "config": "json yaml yml xml toml ini cfg conf",
    "code": "py ipynb sh bash csh r m jl pl rb c cc cpp h hpp cu f f90 f95 f03 for java js lua sql tcl jou",
    "model": "pt pth ckpt onnx safetensors pb keras tflite joblib pkl gguf",
}
TYPE_RULES: Mapping[str, str] = {
    f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()
}


def type_of(name: str, slot: Slot | None = None, rules: Mapping[str, str] = TYPE_RULES) -> str:
    """data, config, code or model: as the slot says, else by the name's ending, else data."""
    if slot is not None and slot.type in FILE_TYPES:
        return slot.type
    if slot is not None and slot.kind == "config":
        return "config"
    lower = name.lower()
    endings = [lower[index:] for index, letter in enumerate(lower) if letter == "."]
    return next((rules[ending] for ending in endings if ending in rules), "data")


def matches(name: str, slot: Slot) -> bool:
    """Whether ``name`` fits the slot's pattern; a slot without a pattern takes any name. Of a file in a folder the
    last part counts, unless the pattern has folders too.
    """
    if "/" not in slot.pattern:
        name = name.rpartition("/")[2]
    return not slot.pattern or fnmatchcase(name, unicodedata.normalize("NFC", slot.pattern))


def find_slot(name: str, slots: Sequence[Slot], taken: Iterable[str] = ()) -> Slot | None:
    """The best slot for ``name`` among those not ``taken``, or None."""
    full = set(taken)
    fitting = [slot for slot in slots if slot.name not in full and matches(name, slot)]
    return min(fitting, key=lambda slot: (_vagueness(slot.pattern), not slot.required), default=None)


def _vagueness(pattern: str) -> tuple[int, int]:
    wildcards = sum(pattern.count(sign) for sign in "*?[")
    return (wildcards or (0 if pattern else 1000), wildcards - len(pattern))


def assign(files: Sequence[F], slots: Sequence[Slot], rules: Mapping[str, str] = TYPE_RULES) -> list[F]:
    """The files with a slot given to each that has none and fits one. What the user chose stays, unless it is a slot of
    another template; of the others, one that stands in a slot already keeps it.
    """
    known = {slot.name: slot for slot in slots}
    taken = {file.slot for file in files if file.slot in known}
    result: list[F] = []
    for file in files:
        if file.slot in known or (file.pinned and not (file.slot and known)):
            result.append(file)
            continue
        slot = find_slot(file.name, slots, taken)
        if slot is not None:
            taken.add(slot.name)
        name = slot.name if slot is not None else ""
        result.append(replace(file, slot=name, type=type_of(file.name, slot, rules)))
    return result
