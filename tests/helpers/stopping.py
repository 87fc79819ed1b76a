"""Servers of tests and benchmarks that end with the block they are for, whatever becomes of it."""

from __future__ import annotations

from typing import Self


class Stopping:
    """A context of what has ``stop``."""

    def stop(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
