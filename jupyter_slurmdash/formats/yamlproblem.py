"""What is wrong in a YAML text, in words for its author."""

from __future__ import annotations

from typing import Final

import yaml


class YamlProblem(ValueError):
    """What is wrong in the text; ``line`` and ``column`` count from 1, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def from_parser(error: yaml.YAMLError, text: str) -> YamlProblem:
    """What libyaml says, with a hint where its words need one."""
    if isinstance(error, yaml.reader.ReaderError):
        line, column = position(text.encode()[: error.position])
        return YamlProblem("A control character is not allowed here; remove it.", line, column)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = getattr(error, "problem", None) or getattr(error, "context", None) or "this is not YAML"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    lines = text.split("\n")
    here = lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""
    if here == "\t":
        return YamlProblem("A tab cannot indent in YAML; use spaces.", line, column)
    hint = next((hint for part, hint in _HINTS.items() if part in words), "")
    return YamlProblem(f"{words[:1].upper()}{words[1:]}.{hint}", line, column)


def position(before: bytes) -> tuple[int, int]:
    """Line and column, counted from 1, of what comes after these bytes."""
    line = before.count(b"\n") + 1
    return line, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


_HINTS: Final = {
    "mapping values are not allowed": " A text with ': ' in it needs quotes, and entries must line up.",
    "did not find expected key": " Check the indentation and the quotes just above.",
    "could not find expected ':'": " Check the indentation and the quotes just above.",
    "cannot start any token": " A text that begins with this character needs quotes.",
    "found unexpected end of stream": " A quote or a bracket is not closed.",
}
