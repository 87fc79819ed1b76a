"""Threads that work for a long time let those come first who wait for an answer."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

_NICE = 5


def stand_back() -> None:
    """Make the calling thread a nice one: on Linux each has a niceness of its own. A sandbox may forbid to set it, and
    work that is never done would be worse than work that is in the way.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
