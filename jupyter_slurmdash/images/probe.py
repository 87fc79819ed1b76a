"""Looks at one machine: which image files it has, and what the new and changed ones say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..transport.base import FileStat, Transport
from .model import SifFacts
from .sif import HEAD_SIZE, read_sif

SUFFIX = ".sif"

# Size in bytes, mtime in nanoseconds, inode (0 when the transport cannot tell): the same three, same file.
Stamp = tuple[int, int, int]

# Heads held in memory at a time, 48 KiB each.
_BATCH = 64


@dataclass(frozen=True)
class Found:
    """An image file; ``facts`` is None when it has not changed since it was last read."""

    file: FileStat
    facts: SifFacts | None


@dataclass(frozen=True)
class Probe:
    """What a machine has. ``listed`` counts the directories that were read, ``notes`` say what was not.

    ``denied`` when a directory may not be read."""

    found: tuple[Found, ...]
    listed: int
    notes: tuple[str, ...]
    denied: bool = False


def stamp(file: FileStat) -> Stamp:
    """What tells a changed file from an unchanged one without reading it."""
    return (file.size, file.mtime_ns, file.inode)


def probe_node(transport: Transport, directories: Sequence[str], known: Mapping[str, Stamp]) -> Probe:
    """Look into the directories; read only what ``known`` (path → stamp) does not have already.

    No process is started on the machine. Hidden files are passed over: they are copies under way. Raises
    TransportError when the machine is the trouble; what is wrong with a directory or a file is in the result.
    """
    files: dict[str, FileStat] = {}
    notes: list[str] = []
    listed = 0
    denied = False
    for directory in directories:
        try:
            listing = transport.list_files(directory, SUFFIX)
        except (FileNotFoundError, NotADirectoryError):
            notes.append(f"There is no directory {directory}.")
            continue
        except PermissionError:
            notes.append(f"The directory {directory} may not be read.")
            denied = True
            continue
        listed += 1
        files.update((file.path, file) for file in listing if not _is_hidden(file.path))
    named = {path: file for path, file in files.items() if _is_text(path)}
    if len(named) < len(files):
        notes.append(f"{len(files) - len(named)} images have names that are not UTF-8 and are left out.")
    changed = [file for path, file in named.items() if known.get(path) != stamp(file)]
    facts = dict(_read(transport, changed))
    found = tuple(Found(file, facts.get(path)) for path, file in sorted(named.items()))
    return Probe(found, listed, tuple(notes), denied)


def _read(transport: Transport, files: Sequence[FileStat]) -> Iterator[tuple[str, SifFacts]]:
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        heads = transport.read_heads([file.path for file in batch], HEAD_SIZE)
        for file, head in zip(batch, heads, strict=True):
            yield file.path, _facts(transport, file, head)


def _facts(transport: Transport, file: FileStat, head: bytes | OSError) -> SifFacts:
    if isinstance(head, OSError):
        return _unreadable(head)

    def read(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        behind = [(offset, length) for offset, length in ranges if offset + length > len(head)]
        further = iter(transport.read_ranges(file.path, behind) if behind else ())
        return [
            head[offset : offset + length] if offset + length <= len(head) else next(further)
            for offset, length in ranges
        ]

    try:
        return read_sif(read, file.size)
    except OSError as error:
        return _unreadable(error)


def _unreadable(error: OSError) -> SifFacts:
    reason = "you may not read it. Ask its owner." if isinstance(error, PermissionError) else "it is gone."
    if not isinstance(error, PermissionError | FileNotFoundError):
        reason = "reading it failed on its machine."
    return SifFacts(complete=False, problem=f"The file cannot be used: {reason}")


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def _is_text(path: str) -> bool:
    """Whether the name is UTF-8; other names cannot be written into JSON."""
    return not any("\ud800" <= char <= "\udfff" for char in path)
