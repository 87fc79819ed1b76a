"""What a plain YAML scalar means: YAML 1.1 as PyYAML reads it, without sexagesimal numbers and dates."""

from __future__ import annotations

import math
import re
from typing import Any, Final

_MAX_DIGITS: Final = 100
WORDS: Final[dict[str, Any]] = {
    form: value
    for words, value in (
        (("null",), None),
        (("true", "yes", "on"), True),
        (("false", "no", "off"), False),
    )
    for word in words
    for form in (word, word.capitalize(), word.upper())
} | {"": None, "~": None}
# What a plain scalar begins with that may be a number.
NUMERIC: Final = frozenset("-+.0123456789")
_SPECIAL: Final = {
    form: value
    for word, value in ((".inf", "inf"), ("+.inf", "inf"), ("-.inf", "-inf"), (".nan", "nan"))
    for form in (word, word.replace("inf", "Inf").replace("nan", "NaN"), word.upper())
}
_INT: Final = re.compile(
    r"[-+]?(?:0b[01_]*[01][01_]*|0x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*)"
)
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_BASES: Final = {"0b": 2, "0x": 16}


def plain(text: str) -> Any:
    """The value of an unquoted scalar. Raises ValueError for a number that is absurdly long."""
    if text in WORDS:
        return WORDS[text]
    return number(text) if text[0] in NUMERIC else text


def number(text: str) -> Any:
    """The value of an unquoted scalar that begins like a number. Raises ValueError as ``plain``."""
    if len(text) < 10 and text.isascii() and text.isdigit() and text[0] != "0":
        return int(text)
    if text in _SPECIAL:
        return float(_SPECIAL[text])
    whole = _INT.fullmatch(text)
    if not whole and not (_FLOAT.fullmatch(text) and any(c in ".eE" for c in text)):
        return text
    if len(text) > _MAX_DIGITS:
        raise ValueError(
            f"A number may have at most {_MAX_DIGITS} digits; write it in quotes to keep it as text."
        )
    digits = text.replace("_", "")
    if whole:
        return _integer(digits)
    value = float(digits)
    # 12e4567 is more likely the beginning of a hash than infinity.
    return value if math.isfinite(value) else text


def _integer(digits: str) -> int:
    sign, body = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    base = _BASES.get(body[:2].lower(), 8 if body[0] == "0" else 10)
    return sign * int(body[2:] if base in (2, 16) else body, base)
