"""The bytes of one image: read from where it lies, and digested there. Nothing large crosses the network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import InvalidInput, TransportError
from ..transport.base import FileStat, Transport
from .signatures import new_hash

# What is no larger is read, which costs less than starting programs on the node.
_SMALL = 1024 * 1024
_CHUNK = 4 * 1024 * 1024

# The file is opened by the shell, so that no program has to understand its name, and a file that cannot be opened has
# no digest. `head` comes first, so that nobody closes a pipe early; who fails on the way says so.
_WHOLE = 'exec <"$1" && exec "$2"'
_RANGE = (
    'exec 3>&1 <"$1" && { head -c "$3" || echo failed >&3; } | { tail -c "+$4" || echo failed >&3; } | "$2"'
)
_PRINTED = re.compile(rb"([0-9a-f]+)(?: [ *]?-)?\s*")


def stat_file(transport: Transport, path: str) -> FileStat:
    """The file's size and time, as a scan sees them. Raises FileNotFoundError and what a listing raises."""
    folder, _, name = path.rpartition("/")
    for file in transport.list_files(folder or "/", name, depth=1):
        if file.path == path:
            return file
    raise FileNotFoundError(f"{path} is gone from {transport.name}.")


class FileHere:
    """A file of this machine. ``check`` is called now and then, and may raise."""

    def __init__(self, path: str, size: int, check: Callable[[], None]) -> None:
        self._path = Path(path)
        self.size = size
        self._check = check

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        found: list[bytes] = []
        with self._path.open("rb", buffering=0) as file:
            for offset, length in ranges:
                file.seek(offset)
                found.append(file.read(length) or b"")
        return found

    def digest(self, algorithm: str, offset: int, length: int) -> str:
        made = new_hash(algorithm)
        with self._path.open("rb", buffering=0) as file:
            file.seek(offset)
            while length > 0:
                self._check()
                data = file.read(min(_CHUNK, length))
                if not data:
                    break
                made.update(data)
                length -= len(data)
        return str(made.hexdigest())


class FileOnNode:
    """A file behind a transport; a program of the node's digests what is large, in at most ``timeout`` seconds."""

    def __init__(self, transport: Transport, path: str, size: int, timeout: float) -> None:
        self._transport = transport
        self._path = path
        self.size = size
        self._timeout = timeout

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        return self._transport.read_ranges(self._path, ranges)

    def digest(self, algorithm: str, offset: int, length: int) -> str:
        if length <= _SMALL:
            made = new_hash(algorithm)
            made.update(self.read([(offset, length)])[0])
            return str(made.hexdigest())
        program = f"{algorithm}sum"
        argv = ["sh", "-c", _WHOLE, "sh", self._path, program]
        if (offset, length) != (0, self.size):
            argv = ["sh", "-c", _RANGE, "sh", self._path, program, str(offset + length), str(offset + 1)]
        done = self._transport.run(argv, timeout=self._timeout)
        printed = _PRINTED.fullmatch(done.stdout)
        if done.code == 0 and printed and len(printed[1]) == hashlib.new(algorithm).digest_size * 2:
            return printed[1].decode("ascii")
        node = self._transport.name
        if done.code == 127:
            raise TransportError(
                f"There is no program {program} on {node}. Check that it is installed.", "no-command"
            )
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason was given"])[-1]
        raise InvalidInput(f"{self._path} could not be read on {node}: {said[:300]}. Check the file.")
