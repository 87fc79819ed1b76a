"""Slurm's patterns in the names of output files: ``slurm-%A_%a.out`` (sbatch(1), FILENAME PATTERN)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PATTERN = re.compile(r"%([0-9]*)([A-Za-z%])")


def fill(pattern: str, letters: Mapping[str, str]) -> str:
    """``letters`` maps each pattern letter to its text; a number between ``%`` and the letter fills up with
    zeros (at most 10, for numbers only). A backslash anywhere switches all patterns off, as in Slurm; a
    letter that is not known stays."""
    if "\\" in pattern:
        return pattern.replace("\\", "")

    def replace(match: re.Match[str]) -> str:
        width, letter = match.groups()
        if letter == "%":
            return "%"
        text = letters.get(letter)
        if text is None:
            return match[0]
        return text.zfill(min(int(width), 10)) if width and text.isdigit() else text

    return _PATTERN.sub(replace, pattern)
