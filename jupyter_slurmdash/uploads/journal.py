"""Which chunks of a file have arrived, when they come in any order.

``<file id>.chunks`` lies beside the bytes: the first line has the size of a chunk and their number, each further
one the index of a chunk that is on the disk, and its length. A line is only added when the chunk's bytes are
there, and never changed, so whatever kills the server, what the journal says is true.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from .private import write_private


@dataclass
class Journal:
    """``chunk_size`` is bytes, of all chunks but the last; ``lengths`` is index → bytes of those that are there."""

    chunk_size: int
    total: int
    lengths: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Journal | None:
        """The journal at ``path``; None when there is none."""
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        # A line that was cut off by a full disk or a power loss is of a chunk that was never acknowledged.
        lines = [line.split() for line in text.split(b"\n")[:-1]]
        head, *rest = [(int(line[0]), int(line[1])) for line in lines if len(line) == 2]
        return cls(*head, dict(rest))

    def create(self, path: Path) -> None:
        """Write the first line."""
        temporary = path.with_suffix(".chunks~")
        write_private(temporary, f"{self.chunk_size} {self.total}\n".encode())
        os.rename(temporary, path)

    def add(self, path: Path, index: int, length: int) -> None:
        """The chunk's bytes are on the disk."""
        line = f"{index} {length}\n".encode()
        with path.open("r+b", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            if stream.write(line) != len(line):
                stream.truncate(end)
                raise OSError(28, "No space left on device", str(path))
        self.lengths[index] = length

    @property
    def received(self) -> int:
        """Bytes that have arrived."""
        return sum(self.lengths.values())

    @property
    def size(self) -> int | None:
        """Bytes of the whole file; None until its last chunk is there."""
        last = self.lengths.get(self.total - 1)
        return None if last is None else (self.total - 1) * self.chunk_size + last

    @property
    def complete(self) -> bool:
        return len(self.lengths) == self.total

    @property
    def contiguous(self) -> int:
        """Bytes from the beginning of the file up to the first gap."""
        count = next((index for index in range(self.total) if index not in self.lengths), self.total)
        return self.size or 0 if count == self.total else count * self.chunk_size
