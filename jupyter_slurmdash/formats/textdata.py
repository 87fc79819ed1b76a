"""Columns of numbers in plain text (``.dat``), looked at in a bounded way."""

from __future__ import annotations

import math
from pathlib import Path

_LOOK_AT = 64 * 1024
_COMMENTS = ("#", "%", "!", "//")


def first_bad_row(path: str) -> tuple[int, str] | None:
    """Line number and reason of the first line, within the first 64 KiB, that is not numbers in as many columns as
    the first data line; None when there is none. Empty lines, comments and one line of column names are fine."""
    with Path(path).open("rb") as file:
        head = file.read(_LOOK_AT)
        whole = not file.read(1)
    if b"\0" in head:
        return 1, "it is a binary file, not columns of numbers"
    lines = head.decode("utf-8", errors="replace").splitlines()
    if not whole:
        lines = lines[:-1]  # cut in the middle
    columns = 0
    for number, line in enumerate(lines, 1):
        fields = line.replace(",", " ").split()
        if not fields or line.lstrip().startswith(_COMMENTS):
            continue
        if not all(map(_is_number, fields)):
            if columns == 0 and number == 1:
                continue  # names of the columns
            return (
                number,
                f"{next(field for field in fields if not _is_number(field))[:40]!r} is not a number",
            )
        if columns and len(fields) != columns:
            return number, f"{len(fields)} columns, but {columns} above"
        columns = len(fields)
    return None if columns else (1, "there is no row of numbers in it")


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text)) or text.lower() == "nan"
    except ValueError:
        return False
