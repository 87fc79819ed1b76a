"""A partition of a file through range reads: each page once, none outside, and not without end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

# Reads (offset, length) ranges of a file, pipelined where that helps; shorter at the end of the file.
ReadRanges = Callable[[Sequence[tuple[int, int]]], Sequence[bytes]]

PAGE = 16 * 1024

# Four times what an ordinary image needs. An image that asks for more is strange or hostile.
_MAX_READS = 64
_MAX_BYTES = 1024 * 1024
_MAX_UNPACKED = 4 * 1024 * 1024
_MAX_ENTRIES = 20_000


class SquashfsProblem(Exception):
    """Why a file system could not be read, in words for a user.

    ``unusable`` when the container runtime could not use it either.
    """

    def __init__(self, reason: str, unusable: bool = False) -> None:
        super().__init__(reason)
        self.unusable = unusable


class Window:
    """The ``size`` bytes at ``start``. ``reads`` and ``bytes_read`` count what was asked for.

    All that costs time or memory is counted here, and raises SquashfsProblem when it grows out of bounds.
    """

    def __init__(self, read: ReadRanges, start: int, size: int) -> None:
        self._read = read
        self._start = start
        self._size = size
        self._pages: dict[int, bytes] = {}
        self._unpacked = 0
        self._entries = 0
        self.reads = 0
        self.bytes_read = 0

    def fetch(self, spans: Iterable[tuple[int, int]]) -> None:
        """Read the missing pages below the (offset, length) spans, as far as they lie in the partition."""
        wanted: set[int] = set()
        for offset, length in spans:
            first, end = max(0, offset), min(self._size, offset + length)
            wanted.update(range(first // PAGE, -(-end // PAGE)))
        runs = _runs(sorted(wanted - self._pages.keys()))
        if not runs:
            return
        ranges = [(first * PAGE, min(end * PAGE, self._size) - first * PAGE) for first, end in runs]
        self.reads += len(ranges)
        self.bytes_read += sum(length for _, length in ranges)
        if self.reads > _MAX_READS or self.bytes_read > _MAX_BYTES:
            raise SquashfsProblem("The image's files are scattered too widely to look into it from here.")
        answers = self._read([(self._start + offset, length) for offset, length in ranges])
        for (offset, length), data in zip(ranges, answers, strict=True):
            if len(data) < length:
                raise SquashfsProblem("The file became shorter while it was read. Scan again.")
            for at in range(0, length, PAGE):
                self._pages[(offset + at) // PAGE] = data[at : at + PAGE]

    def bytes(self, offset: int, length: int) -> bytes:
        """Raises SquashfsProblem when they do not lie in the partition."""
        if not 0 <= offset <= offset + length <= self._size:
            raise SquashfsProblem("The image's file system points outside itself. It is damaged.")
        self.fetch([(offset, length)])
        first, last = offset // PAGE, (offset + length - 1) // PAGE
        data = b"".join(self._pages[page] for page in range(first, last + 1))
        return data[offset - first * PAGE :][:length]

    def count_unpacked(self, amount: int) -> None:
        """Before ``amount`` bytes are unpacked."""
        self._unpacked += amount
        if self._unpacked > _MAX_UNPACKED:
            raise SquashfsProblem("The image's file system unpacks to far more than it should.")

    def count_entry(self) -> None:
        """At each entry of a directory or its index."""
        self._entries += 1
        if self._entries > _MAX_ENTRIES:
            raise SquashfsProblem("The image's directories are too long to look into them from here.")


def _runs(pages: Sequence[int]) -> list[tuple[int, int]]:
    """Adjacent pages as (first, end) with the end left out."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and runs[-1][1] == page:
            runs[-1] = (runs[-1][0], page + 1)
        else:
            runs.append((page, page + 1))
    return runs
