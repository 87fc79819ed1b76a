"""What holds threads, and so must be made anew in a forked child: threads do not come along."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def anew_after_fork(factory: Callable[[], T]) -> Callable[[], T]:
    """A function that answers with what ``factory`` made, always the same in one process. For modules, not for objects
    that come and go: what is made here stays as long as the process.
    """
    made = factory()

    def make_anew() -> None:
        nonlocal made
        made = factory()

    os.register_at_fork(after_in_child=make_anew)
    return lambda: made
