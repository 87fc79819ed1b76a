"""What an archive holds, from its own words. Nothing is unpacked to the disk, and nobody's archive costs more than
``Limits`` allow.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ...errors import InvalidInput
from ..units import size_text
from . import tar, zip
from .model import MOST, Budget, Damaged, Enough, Entry, Limits, Listing, NotAnArchive, Stop, Trouble
from .unpack import Plain, Unpacked, compression_of

# The endings of names that are looked into.
ENDINGS = (
    *(".tar", ".tgz", ".tar.gz", ".tbz2", ".tbz", ".tar.bz2", ".txz", ".tar.xz", ".tzst", ".tar.zst"),
    *(".zip", ".npz", ".whl", ".jar"),
)
# What unpacks to so many times its size, and to so much, fills a disk rather than being of use.
_BOMB, _BOMB_SIZE = 200, 10 * 1000**3

_STOPS: dict[Stop, str] = {
    "entries": "Only the first entries are listed; there are more.",
    "names": "Only the first entries are listed: their names are very long.",
    "bytes": "Only its beginning was read; there may be more entries.",
    "time": "Only its beginning was read; there may be more entries.",
    "memory": "It was packed with a window too large to be read here.",
}
_TROUBLES: dict[Trouble, str] = {
    "outside": "would be written outside the folder in which it is unpacked",
    "link-outside": "is a link that leads out of the folder",
    "control": "has control characters in its name",
    "device": "is a device or a pipe",
    "twice": "is there twice; the later one wins",
}


def is_archive(name: str) -> bool:
    """Whether a file of this name is one whose contents can be listed."""
    return name.lower().endswith(ENDINGS)


def list_archive(path: str | Path, limits: Limits | None = None) -> Listing:
    """The entries of the tar (plain, gzip, bzip2, xz, Zstandard) or zip at ``path``.

    Raises NotAnArchive for another file, InvalidInput for one that cannot be read. A damaged or a hostile archive is
    listed as far as it can be; ``Listing.stopped`` and ``notes`` say what is the matter.
    """
    budget = Budget(limits or Limits())
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with io.FileIO(descriptor) as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotAnArchive(f"{path} is no regular file. Choose a file.")
            return _list(stream, Path(path).name, status.st_size, budget)
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error


def _list(stream: io.FileIO, name: str, size: int, budget: Budget) -> Listing:
    head = stream.read(tar.BLOCK) or b""
    stream.seek(0)
    facts = zip.ZipFacts()
    packing = compression_of(head)
    notes: list[str] = []
    if head.startswith((b"PK\3\4", b"PK\5\6")) or (not packing and name.lower().endswith(".zip")):
        found, stopped = _gather(zip.entries(stream, size, budget, facts), notes)
        kind = "zip"
    elif packing:
        source = Unpacked(stream, packing, budget)
        found, stopped = _gather(tar.entries(source, budget), notes)
        kind = f"tar.{packing}"
        if not found and stopped == "damaged":
            _require_tar(stream, name, packing, budget)
    elif tar.is_header(head):
        found, stopped = _gather(tar.entries(Plain(stream, size, budget), budget), notes)
        kind = "tar"
    else:
        raise NotAnArchive(
            f"{name} is no tar and no zip that can be listed. Look at it with its own program."
        )
    found = _with_twins(found)
    if stopped in _STOPS:
        notes.append(_STOPS[stopped])
    return Listing(kind, size, tuple(found), stopped, (*notes, *_notes(found, size, facts)))


def _gather(entries: Iterator[Entry], notes: list[str]) -> tuple[list[Entry], Stop | None]:
    found: list[Entry] = []
    try:
        found.extend(entries)  # what came before an exception is kept
    except Enough as enough:
        return found, enough.stop
    except Damaged as damaged:
        notes.append(f"The archive is damaged. {damaged} Make it again, or send it again.")
        return found, "damaged"
    return found, None


def _require_tar(stream: io.FileIO, name: str, packing: str, budget: Budget) -> None:
    """Raises NotAnArchive when what is packed is one file, and not a damaged tar."""
    stream.seek(0)
    try:
        first = Unpacked(stream, packing, budget).read(tar.BLOCK)
    except (Damaged, Enough):
        return
    if not tar.is_header(first):
        raise NotAnArchive(f"{name} holds one packed file, no archive. There is nothing to list.")


def _with_twins(found: list[Entry]) -> list[Entry]:
    names: set[str] = set()
    result = []
    for entry in found:
        if entry.name in names and entry.kind != "directory" and entry.trouble is None:
            entry = Entry(entry.name, entry.kind, entry.size, entry.target, "twice")
        names.add(entry.name)
        result.append(entry)
    return result


def _notes(found: list[Entry], size: int, facts: zip.ZipFacts) -> Iterator[str]:
    unpacked = sum(entry.size for entry in found)
    if facts.shared:
        yield "Several entries use the same bytes, as a zip bomb does. Do not unpack it."
    if unpacked > MOST:
        yield "It says that it unpacks to more than any disk holds, so its sizes are not true. Do not unpack it."
    elif unpacked > _BOMB_SIZE and unpacked > _BOMB * max(size, 1):
        yield f"It says that it unpacks to {size_text(unpacked)}, {unpacked // max(size, 1)} times its size."
    if facts.encrypted:
        yield f"{facts.encrypted} entries are encrypted."
    for trouble, text in _TROUBLES.items():
        some = [entry.name for entry in found if entry.trouble == trouble]
        if some:
            others = f" (and {len(some) - 1} more)" if len(some) > 1 else ""
            yield f"“{some[0][:80]}”{others} {text}."
