"""What a body handler needs of whatever takes its bytes."""

from __future__ import annotations

from typing import Any, Protocol


class Sink(Protocol):
    """Where the bytes of one body go; see ``uploads/writer.py``."""

    def write(self, data: bytes) -> None: ...
    def finish(self) -> Any: ...
    def close(self) -> None: ...


class BorrowingSink(Sink, Protocol):
    """A sink that reads pieces after ``write`` only while it ``is_behind``, and of those the last ``AHEAD``.

    ``has_time``: whether what comes next had to be waited for, so that work which is handed over gains nothing.
    """

    has_time: bool

    @property
    def is_behind(self) -> bool: ...
    def write(self, data: bytes | memoryview) -> None: ...
    def keep_up(self) -> None:
        """Wait for a disk that is far behind. Called in a thread."""
