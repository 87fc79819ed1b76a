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
MAX_PATH = 1024  # of a file in a folder; the job's directory comes before it, and PATH_MAX is 4096
MAX_DEPTH = 32

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


def clean_path(path: str) -> str:
    """The name of a file, or its path in a folder that was sent (``mesh/fine/a.msh``), each part as ``clean_name``
    has it. Raises InvalidInput for what would leave the folder.
    """
    if "/" not in path:
        return clean_name(path)
    parts = path.split("/")
    if not all(parts):
        raise InvalidInput(
            f"{_shown(path)} is not a path inside a folder. Send it as folder/file, without a slash at its ends."
        )
    clean = "/".join(clean_name(part) for part in parts)
    if len(parts) > MAX_DEPTH or len(clean.encode()) > MAX_PATH:
        raise InvalidInput(
            f"{_shown(path)} lies too deep: at most {MAX_DEPTH} folders and {MAX_PATH} bytes in UTF-8."
            " Pack the folder into an archive."
        )
    return clean


def other_name(name: str, number: int) -> str:
    """The name under which a second file called ``name`` is kept beside the first: ``mesh (2).tar.gz``."""
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last[1:].partition(".")
    mark = f" ({number})"
    stem, tail = last[:1] + stem, dot + ending
    while len((stem + mark + tail).encode()) > MAX_BYTES:
        if len(stem) > 1:
            stem = stem[:-1]
        else:
            tail = tail[1:]
    return f"{folder}{slash}{stem}{mark}{tail}"


def _shown(name: str) -> str:
    """The name as it may stand in a message: no control characters, not too long."""
    safe = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in name)
    return f"“{safe if len(safe) <= 80 else safe[:79] + '…'}”"
