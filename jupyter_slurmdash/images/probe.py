"""Looks at one machine: which image files it has, and what the new and changed ones say of themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..transport.base import FileStat, Ranges, ReadSteps, Transport
from .inspect import inspected
from .model import SifFacts
from .sif import LIKELY, read_sif

SUFFIX = ".sif"

# Size in bytes, mtime in nanoseconds, inode (0 when the transport cannot tell): the same three, same file.
Stamp = tuple[int, int, int]

# Files held in memory at a time: some tens of KiB each, at most 1 MiB of a hostile one.
_BATCH = 128


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


def probe_node(
    transport: Transport, directories: Sequence[str], known: Mapping[str, Stamp], inspect: bool = False
) -> Probe:
    """Look into the directories; read only what ``known`` (path → stamp) does not have already.

    No process is started on the machine, unless ``inspect`` allows Apptainer for what cannot be read in full. Hidden
    files are passed over: they are copies under way. Raises TransportError when the machine is the trouble; what is
    wrong with a directory or a file is in the result.
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
    if inspect:
        facts.update(inspected(transport, facts))
    found = tuple(Found(file, facts.get(path)) for path, file in sorted(named.items()))
    return Probe(found, listed, tuple(notes), denied)


def _read(transport: Transport, files: Sequence[FileStat]) -> Iterator[tuple[str, SifFacts]]:
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        found = transport.read_steps([(file.path, _facts(file.size)) for file in batch])
        for file, facts in zip(batch, found, strict=True):
            yield file.path, _unreadable(facts) if isinstance(facts, OSError) else facts


class _Missing(Exception):
    """The reader asks for what has not been read yet."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self.ranges = ranges


class _Memory:
    """What came of reading which bytes. The same images lie on many nodes, and are worked out once.

    Keyed by a digest of all that was read of the file, so nobody gets the facts of another's file.
    """

    def __init__(self, entries: int, largest: int) -> None:
        self._entries = entries
        self._largest = largest
        self._outcomes: dict[bytes, SifFacts | _Missing] = {}

    def get(self, key: bytes) -> SifFacts | _Missing | None:
        return self._outcomes.get(key)

    def put(self, key: bytes, outcome: SifFacts | _Missing, bytes_read: int) -> None:
        """Keep it, unless it may be large."""
        if bytes_read <= self._largest:
            if len(self._outcomes) >= self._entries:
                self._outcomes.clear()
            self._outcomes[key] = outcome


# About three entries an image, of some KiB each.
_MEMORY = _Memory(entries=8192, largest=64 * 1024)


def _facts(size: int) -> ReadSteps[SifFacts]:
    """Reads a file of ``size`` bytes in as many steps as its reader asks questions.

    The reader is started anew with each answer: it is fast, and asks the same again. So many files are read side by
    side without a thread for each.
    """
    pieces: dict[tuple[int, int], bytes] = {}
    digest = hashlib.sha256(b"%d" % size)
    bytes_read = 0
    while True:
        key = digest.digest()
        outcome = _MEMORY.get(key)
        if outcome is None:
            outcome = _outcome(pieces, size)
            _MEMORY.put(key, outcome, bytes_read)
        if isinstance(outcome, SifFacts):
            return outcome
        ranges = outcome.ranges if pieces or size < sum(LIKELY) else [*outcome.ranges, LIKELY]
        answers = yield ranges
        for each, answer in zip(ranges, answers, strict=True):
            pieces[each] = answer
            bytes_read += len(answer)
            digest.update(b"%d %d %d " % (*each, len(answer)))
            digest.update(answer)


def _outcome(pieces: Mapping[tuple[int, int], bytes], size: int) -> SifFacts | _Missing:
    """The facts, or what must be read for them."""

    def read(ranges: Ranges) -> list[bytes]:
        found = [(each, _within(pieces, *each)) for each in ranges]
        missing = [each for each, piece in found if piece is None]
        if missing:
            raise _Missing(missing)
        return [piece for _, piece in found if piece is not None]

    try:
        return read_sif(read, size)
    except _Missing as question:
        return _Missing(question.ranges)  # without the traceback, which holds the pieces


def _within(pieces: Mapping[tuple[int, int], bytes], offset: int, length: int) -> bytes | None:
    """The bytes, when they are within one of the pieces."""
    for (start, size), data in pieces.items():
        if start <= offset and offset + length <= start + size:
            return data[offset - start : offset - start + length]
    return None


def _unreadable(error: OSError) -> SifFacts:
    reason = "you may not read it. Ask its owner." if isinstance(error, PermissionError) else "it is gone."
    if not isinstance(error, PermissionError | FileNotFoundError):
        reason = "reading it failed on its machine."
    return SifFacts(complete=False, problem=f"The file cannot be used: {reason}")


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def _is_text(path: str) -> bool:
    """Whether the name is UTF-8; other names cannot be written into JSON."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
