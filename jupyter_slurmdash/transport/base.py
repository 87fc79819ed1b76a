"""The port to a machine: run a command, look at files. One implementation here, one over SSH.

A command is an argv list with no shell behind it; quoting for a remote shell happens in ``ssh.py`` and
nowhere else. Paths are absolute POSIX paths of that machine.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

# (offset, length) in bytes.
Ranges = Sequence[tuple[int, int]]
# Reads a file in steps: yields ranges, is sent their bytes (shorter at the end of the file), returns what it made
# of them.
ReadSteps = Generator[Ranges, list[bytes], T]


@dataclass(frozen=True)
class Completed:
    """What a command left behind. ``code`` is its exit status."""

    stdout: bytes
    stderr: bytes
    code: int


@dataclass(frozen=True)
class FileStat:
    """A file as ``stat`` sees it. ``size`` bytes, ``mtime_ns`` nanoseconds since the epoch.

    ``inode`` is 0 where the transport cannot tell it (SFTP version 3 does not carry it), and ``mtime_ns``
    has a resolution of a second there.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int = 0
    is_dir: bool = False


class Transport(Protocol):
    """A connection to one machine. Raises TransportError (with ``reason``) when the machine is the trouble,
    FileNotFoundError / PermissionError when the file is. Safe to use from one thread at a time."""

    name: str

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run ``argv``; ``env`` replaces the environment where the machine allows it.

        Raises TransportError with reason ``timeout`` after ``timeout`` seconds (the command is ended), or
        ``no-command`` when there is no such program.
        """
        ...

    def list_files(
        self, directory: str, suffix: str, *, depth: int = 3, limit: int = 10_000
    ) -> list[FileStat]:
        """Regular files below ``directory`` whose name ends with ``suffix``, links followed, sorted by path.

        ``depth`` levels of directories are looked into (1: only ``directory`` itself), hidden ones (a leading
        dot: snapshots, trash) and those that may not be read are passed over, and none is entered twice. At
        most ``limit`` files. Raises FileNotFoundError or NotADirectoryError when the directory is not there,
        PermissionError when it may not be read.
        """
        ...

    def read_ranges(self, path: str, ranges: Ranges) -> list[bytes]:
        """The bytes of each ``(offset, length)`` range, pipelined; shorter at the end of the file."""
        ...

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[T]]]) -> list[T | OSError]:
        """What each file's reader returns, in their order; an error in its file's place.

        Many files are read side by side, so that all their steps together cost about as many round trips as those
        of the file with the most.
        """
        ...

    def close(self) -> None: ...
