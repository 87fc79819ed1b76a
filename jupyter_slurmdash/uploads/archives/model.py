"""What an archive says it holds, and how much work it may cost to hear it. Sizes are bytes."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import InvalidInput

Kind = Literal["file", "directory", "link", "other"]
# Why an entry is better not unpacked without a look; one word that a program can read.
Trouble = Literal["outside", "link-outside", "control", "device", "twice"]
Stop = Literal["entries", "names", "bytes", "time", "memory", "damaged"]

SHOWN = 512  # characters of a name
MOST = 2**63 - 1  # bytes: no file has more, and no number of 64 bits that a client reads

# They turn the direction of the text around, so that a name looks like another one.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of an archive. ``size`` is what it says it has when unpacked; ``target`` where a link leads, None
    where that is not known. Names are for the eye: control characters are written as escapes.
    """

    name: str
    kind: Kind
    size: int
    target: str | None = None
    trouble: Trouble | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "size": self.size,
            "target": self.target,
            "trouble": self.trouble,
        }


@dataclass(frozen=True)
class Listing:
    """``format`` is as ``tar.gz``; ``size`` that of the archive; ``stopped`` why not all of it was read, None when it
    was; ``notes`` what to know before unpacking it.
    """

    format: str
    size: int
    entries: tuple[Entry, ...]
    stopped: Stop | None
    notes: tuple[str, ...]

    @property
    def unpacked(self) -> int:
        """What the entries that were read say they have, up to ``MOST``."""
        return min(sum(entry.size for entry in self.entries), MOST)

    @property
    def complete(self) -> bool:
        return self.stopped is None

    def to_json(self, offset: int = 0, limit: int | None = None) -> dict[str, Any]:
        """The contract's ``ArchiveListing``, with ``limit`` entries from ``offset`` on."""
        end = None if limit is None else offset + limit
        return {
            "format": self.format,
            "size": self.size,
            "unpacked": self.unpacked,
            "total": len(self.entries),
            "complete": self.complete,
            "stopped": self.stopped,
            "notes": list(self.notes),
            "entries": [entry.to_json() for entry in self.entries[offset:end]],
        }


@dataclass(frozen=True)
class Limits:
    """What a listing may cost. ``unpacked`` is bytes that are decompressed, ``names`` bytes of all names, ``window``
    bytes of memory that a compressor may ask for; ``seconds`` is processor time, ``patience`` the seconds in all, on a
    disk that is slow.
    """

    entries: int = 10_000
    unpacked: int = 256 * 1024 * 1024
    names: int = 2 * 1024 * 1024
    window: int = 16 * 1024 * 1024
    seconds: float = 0.15
    patience: float = 2.0


class Enough(Exception):
    """The budget is used up; ``stop`` says which part of it."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop: Stop = stop


class Damaged(Exception):
    """From here on the archive cannot be read; the message says why, for people."""


class NotAnArchive(InvalidInput):
    """The file is none of the archives that can be listed."""


class Budget:
    """Counts down. Raises Enough."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._work_end = time.thread_time() + limits.seconds
        self._end = time.monotonic() + limits.patience
        self._entries, self._names, self._bytes = limits.entries, limits.names, limits.unpacked

    def check(self) -> None:
        """Time goes by."""
        if time.thread_time() > self._work_end or time.monotonic() > self._end:
            raise Enough("time")

    def entry(self, name: int) -> None:
        """One entry with a name of ``name`` bytes."""
        self._entries -= 1
        self._names -= name
        if self._entries < 0:
            raise Enough("entries")
        if self._names < 0:
            raise Enough("names")

    def spend(self, size: int) -> None:
        """``size`` bytes were decompressed."""
        self._bytes -= size
        if self._bytes < 0:
            raise Enough("bytes")
        self.check()

    def at_most(self, size: int) -> None:
        """From now on no more than ``size`` bytes are decompressed."""
        self._bytes = min(self._bytes, size)


def entry(name: str, kind: Kind, size: int, target: str | None = None, *, root: bool = False) -> Entry:
    """An entry with its trouble found and its name made fit to be shown. ``root``: the target is a path from the root
    of the archive, not from where the link stands.
    """
    trouble: Trouble | None = None
    if leaves(name):
        trouble = "outside"
    elif kind == "link" and target is not None and link_leaves("" if root else name, target):
        trouble = "link-outside"
    elif kind == "other":
        trouble = "device"
    safe = shown(name)
    if trouble is None and safe.removesuffix("…") != name[:SHOWN]:
        trouble = "control"
    return Entry(safe, kind, size, None if target is None else shown(target), trouble)


def leaves(name: str) -> bool:
    """Whether a name lies outside the folder in which it is unpacked, on any system."""
    if ".." not in name and name[:1] not in ("/", "\\") and name[1:2] != ":":
        return False
    slashed = name.replace("\\", "/")
    drive = len(slashed) > 1 and slashed[1] == ":" and slashed[0].isascii() and slashed[0].isalpha()
    return slashed.startswith("/") or drive or ".." in slashed.split("/")


def link_leaves(name: str, target: str) -> bool:
    """Whether a symbolic link at ``name`` leads out of the folder."""
    if target.startswith("/"):
        return True
    depth = name.strip("/").count("/")
    for step in target.split("/"):
        depth += -1 if step == ".." else 0 if step in ("", ".") else 1
        if depth < 0:
            return True
    return False


def shown(name: str) -> str:
    """The name as it may stand on a screen: what is invisible is escaped, what is too long cut."""
    if name.isascii() and name.isprintable() and len(name) <= SHOWN:
        return name
    letters = [_letter(letter) for letter in name[:SHOWN]]
    return "".join(letters) + ("…" if len(name) > SHOWN else "")


def _letter(letter: str) -> str:
    if letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp"):
        return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"
    return letter
