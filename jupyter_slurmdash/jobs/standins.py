"""What stands in, in a dry run, for what only a user can give: files and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..templates.model import FileSlot
from ..uploads.model import JobFile
from .model import ParameterValue

_WORD = "sample"


def file_for(slot: FileSlot) -> JobFile:
    """A file that is not there, with a name that the slot's pattern takes."""
    # [seq] by its first character; [!seq] takes the letter x unless that is the very one left out.
    name = re.sub(r"\[([^\]!])[^\]]*\]", r"\1", slot.pattern)
    name = re.sub(r"\[![^\]]*\]|\?", "x", name).replace("*", _WORD)
    return JobFile(name, "", 0, slot.type, slot.name)


def value_for(field: Mapping[str, Any]) -> ParameterValue:
    """A value that a parameter's JSON Schema may take: its first choice, its bound, else something plain."""
    if field.get("enum"):
        return field["enum"][0]  # type: ignore[no-any-return]
    if "const" in field:
        return field["const"]  # type: ignore[no-any-return]
    kind = field.get("type", "string")
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        low = field.get("minimum", field.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in field))
        return min(low if low > 0 else 1, field.get("maximum", max(low, 1)))  # type: ignore[no-any-return]
    return _WORD.ljust(field.get("minLength", 0), "x")[: field.get("maxLength", None)]
