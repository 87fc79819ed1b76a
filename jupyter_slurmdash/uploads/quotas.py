"""What the user's quota leaves where uploads wait. Who has none, or no tool that tells of it, has no limit here."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import TransportError
from ..store.filesystems import mount_of
from ..transport.base import Transport
from .quota import Quota, lfs_argv, parse_lfs, parse_quota, quota_argv

KEPT = 5.0  # seconds; what is written meanwhile is in nobody's answer, and the disk itself has the last word
RESTING = 300.0  # after a tool that is not there, does not answer or makes no sense
TIMEOUT = 2.0

# On these the kernel keeps no quota that the tools could tell.
_WITHOUT = frozenset(("tmpfs", "ramfs", "overlay", "squashfs", "proc", "sysfs"))
# The tools' words as their sources have them, whatever the user's language is.
_LANGUAGE = {"LC_ALL": "C", "LANGUAGE": ""}


class Quotas:
    """Asks the machine that ``transport`` leads to, seldom and never for long. Thread safe.

    ``clock`` is seconds since the epoch, UTC.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float] = time.time,
        mount: Callable[[Path], tuple[str, str]] = mount_of,
    ) -> None:
        self._transport, self._clock, self._mount = transport, clock, mount
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Quota | None]] = {}

    def of(self, path: Path) -> Quota | None:
        """The user's quota on the file system of ``path``; None when there is none or nobody tells.

        Several who ask at the same time wait for one answer, at most ``TIMEOUT`` seconds.
        """
        mount, kind = self._mount(path)
        if not mount or kind in _WITHOUT:
            return None
        with self._lock:
            until, quota = self._known.get(mount, (0.0, None))
            now = self._clock()
            # A clock that was set back must not keep an old answer for ever.
            if not now < until <= now + RESTING:
                quota, good_for = self._ask(mount, kind)
                self._known[mount] = (self._clock() + good_for, quota)
        return quota

    def _ask(self, mount: str, kind: str) -> tuple[Quota | None, float]:
        """The quota, and for how many seconds that answer holds."""
        argv = lfs_argv(mount, os.geteuid()) if kind == "lustre" else quota_argv(mount)
        environment = {**os.environ, **_LANGUAGE}
        try:
            done = self._transport.run(argv, timeout=TIMEOUT, env=environment)
        except TransportError:
            return None, RESTING
        # The exit status is no help: quota(1) leaves with 1 when a limit is exceeded, and when it failed.
        text, now = done.stdout.decode(errors="replace"), self._clock()
        found = parse_lfs(text, mount, now) if kind == "lustre" else _only(parse_quota(text, now), mount)
        if found is None or not found.limited:
            return None, RESTING
        return found, KEPT


def _only(found: list[Quota], mount: str) -> Quota | None:
    """The row of ``mount``. A file system that is mounted twice is told of under the first of its names."""
    named = next((quota for quota in found if quota.mount == mount), None)
    return found[0] if named is None and len(found) == 1 else named
