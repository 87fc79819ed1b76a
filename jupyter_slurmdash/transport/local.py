"""The machine that this process runs on."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import TransportError
from .base import Completed, FileStat, Ranges, ReadSteps

T = TypeVar("T")


class LocalTransport:
    """Commands as child processes, files through the operating system. Needs no closing."""

    def __init__(self, name: str = "localhost") -> None:
        self.name = name

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """See ``Transport.run``. On a time-out the command is ended with all it started."""
        if cwd is not None and not Path(cwd).is_dir():
            raise FileNotFoundError(f"There is no directory {cwd} on {self.name}.")
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=None if env is None else dict(env),
                start_new_session=True,
            )
        except OSError as error:
            raise TransportError(
                f"{argv[0]} cannot be run on {self.name}: {error.strerror}. Check that it is installed.",
                "no-command",
            ) from error
        with process:
            try:
                stdout, stderr = process.communicate(input, timeout)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise TransportError(
                    f"{argv[0]} did not end within {timeout:g} seconds on {self.name}.", "timeout"
                ) from error
        return Completed(stdout, stderr, process.returncode)

    def list_files(
        self, directory: str, suffix: str, *, depth: int = 3, limit: int = 10_000
    ) -> list[FileStat]:
        """See ``Transport.list_files``."""
        found: list[FileStat] = []
        entered: set[tuple[int, int]] = set()
        level = [directory]
        for number in range(depth):
            below: list[str] = []
            for folder in level:
                try:
                    entries = _entries(folder, entered)
                except OSError:
                    if number == 0:
                        raise
                    continue
                for path, facts in entries:
                    if stat.S_ISDIR(facts.st_mode):
                        below.append(path)
                    elif stat.S_ISREG(facts.st_mode) and path.endswith(suffix):
                        found.append(FileStat(path, facts.st_size, facts.st_mtime_ns, facts.st_ino))
                if len(found) >= limit:
                    return sorted(found[:limit], key=lambda file: file.path)
            level = below
        return sorted(found, key=lambda file: file.path)

    def read_ranges(self, path: str, ranges: Ranges) -> list[bytes]:
        """See ``Transport.read_ranges``."""
        with Path(path).open("rb", buffering=0) as file:
            return [_read_at(file.fileno(), offset, length) for offset, length in ranges]

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[T]]]) -> list[T | OSError]:
        """See ``Transport.read_steps``."""
        return [_read_in_steps(path, steps) for path, steps in files]

    def close(self) -> None:
        """Nothing is held open."""


def _read_in_steps(path: str, steps: ReadSteps[T]) -> T | OSError:
    try:
        with Path(path).open("rb", buffering=0) as file:
            ranges = next(steps)
            while True:
                ranges = steps.send([_read_at(file.fileno(), offset, length) for offset, length in ranges])
    except StopIteration as end:
        result: T = end.value
        return result
    except OSError as error:
        return error


def _entries(folder: str, entered: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result]]:
    """What the folder holds, sorted, with links followed; nothing when it was entered before."""
    own = Path(folder).stat()
    identity = (own.st_dev, own.st_ino)
    names = sorted(entry.name for entry in Path(folder).iterdir())
    if identity in entered:
        return iter(())
    entered.add(identity)
    return _stats(folder, names)


def _stats(folder: str, names: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    for name in names:
        path = os.path.join(folder, name)
        try:
            facts = Path(path).stat()
        except OSError:
            continue  # a dangling link, or gone since the folder was read
        if not (name.startswith(".") and stat.S_ISDIR(facts.st_mode)):
            yield path, facts


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    pieces: list[bytes] = []
    while length > 0:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)
