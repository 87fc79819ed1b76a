"""File names as people send them: the one place that decides which are taken, and how they are written.

A name is taken as it is, or refused with a reason; nothing is cut or replaced behind the user's back. A
leading dash, spaces, quotes, a backslash and trailing dots are kept: names are quoted, and never stand
where a program would take them for an option. Only the Unicode form is made one (NFC), so that a Hangul
name from macOS and from Linux is the same name.
"""

from __future__ import annotations

import unicodedata

from ..errors import InvalidInput

MAX_BYTES = 255  # NAME_MAX of Linux file systems

# Characters that make a name look like another one: they turn the direction of the text around.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset(("Cc", "Cs", "Zl", "Zp"))
_OURS = ".slurmdash"  # the run's record in a job's directory


def clean_name(name: str) -> str:
    """``name`` in NFC. Raises InvalidInput when it cannot be the name of one file."""
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise InvalidInput("The file has no name. Send one in the metadata as filename.")
    if "/" in name:
        raise InvalidInput(f"{_shown(name)} is a path. Send the name only, without a slash.")
    if name in (".", "..", _OURS):
        raise InvalidInput(f"A file cannot be named {_shown(name)}. Choose another name.")
    if any(unicodedata.category(letter) in _INVISIBLE or letter in _TURNING for letter in name):
        raise InvalidInput(f"{_shown(name)} has control characters in its name. Rename it and try again.")
    length = len(name.encode())
    if length > MAX_BYTES:
        raise InvalidInput(
            f"The name {_shown(name)} has {length} bytes in UTF-8; at most {MAX_BYTES} fit. Shorten it."
        )
    return name


def _shown(name: str) -> str:
    """The name as it may stand in a message: no control characters, not too long."""
    safe = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in name)
    return f"“{safe if len(safe) <= 80 else safe[:79] + '…'}”"
