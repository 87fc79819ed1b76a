"""The user's disk quota as the tools of the machine tell it: which command to run, and what its answer means.

Both functions of each tool are pure. Sources of the formats: quota(1) and ``quota.c`` of quota-tools 4.x (``heading``,
``showquotas``); lfs-quota(1) and ``print_quota`` in ``lustre/utils/lfs.c``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..times import written

_BLOCK = 1024  # both tools count space in KiB unless they are asked for something else
_GRACE_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_END_OF_TIME = 253_402_300_799  # the year 9999
_GRACE = re.compile(r"(?:[0-9]+[wdhms])+")
# usage* soft hard grace, for space and then for files; the mount point before them may have spaces.
_AMOUNT = r"(\[?[0-9]+\]?\*?)\s*(\*?)\s+(\[?[0-9]+\]?)\s+(\[?[0-9]+\]?)\s+([0-9a-z-]+)"
_ROW = re.compile(rf"\s*(.*?)\s+{_AMOUNT}\s+{_AMOUNT}\s*")


@dataclass(frozen=True)
class Limit:
    """One thing that is counted: bytes, or files. ``soft`` and ``hard`` are None where there is no such limit.

    ``grace`` is when (seconds since the epoch, UTC) being above the soft limit is no longer borne; None while it is
    not exceeded or the time is not told. ``expired`` says that this moment has passed.
    """

    used: int
    soft: int | None = None
    hard: int | None = None
    grace: float | None = None
    expired: bool = False

    @property
    def left(self) -> int | None:
        """How much more may be written; None: no limit."""
        if self.expired:
            return 0
        return None if self.hard is None else max(0, self.hard - self.used)

    def to_json(self) -> dict[str, Any]:
        grace = written(self.grace) if self.grace is not None else None
        return {
            "used": self.used,
            "soft": self.soft,
            "hard": self.hard,
            "left": self.left,
            "grace": grace,
            "expired": self.expired,
        }


@dataclass(frozen=True)
class Quota:
    """What the user may take of one file system. ``exact`` is False when a part of it did not answer."""

    mount: str
    space: Limit
    files: Limit
    exact: bool = True

    @property
    def limited(self) -> bool:
        """Whether there is any limit at all."""
        limits = (self.space.soft, self.space.hard, self.files.soft, self.files.hard)
        return any(limit is not None for limit in limits)

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Quota``."""
        return {
            "mount": self.mount,
            "exact": self.exact,
            "space": self.space.to_json(),
            "files": self.files.to_json(),
        }


def quota_argv(mount: str) -> list[str]:
    """quota(1) for the user who runs it on the file system at ``mount``, one line, no units, grace as a time."""
    flags = ["--user", "--verbose", "--no-wrap", "--raw-grace", "--show-mntpoint", "--hide-device"]
    return ["quota", *flags, "--filesystem-list", mount]


def lfs_argv(mount: str, uid: int) -> list[str]:
    """``lfs quota`` for the user ``uid`` on the Lustre file system at ``mount``, without its headings."""
    return ["lfs", "quota", "-q", "-u", str(uid), mount]


def parse_quota(text: str, now: float) -> list[Quota]:
    """The rows of quota(1) with the flags of ``quota_argv``; ``now`` is seconds since the epoch.

    A line that is no row (a heading, "none", a warning) is passed over.
    """
    rows = (_ROW.fullmatch(line) for line in text.splitlines())
    return [_quota(row[1], row.groups()[1:], now, _raw_grace) for row in rows if row]


def parse_lfs(text: str, mount: str, now: float) -> Quota | None:
    """What ``lfs quota`` says of ``mount``: a name of more than 15 letters has a line of its own. None when it says
    nothing that can be read.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for index, line in enumerate(lines):
        row = _ROW.fullmatch(line)
        if row is None and line.strip() == mount and index + 1 < len(lines):
            row = _ROW.fullmatch(f"{mount} {lines[index + 1]}")
        if row is not None and row[1] == mount:
            return _quota(mount, row.groups()[1:], now, _told_grace)
    return None


def _quota(mount: str, cells: tuple[str, ...], now: float, grace: Any) -> Quota:
    space, files = _limit(cells[:5], now, grace, _BLOCK), _limit(cells[5:], now, grace, 1)
    return Quota(mount, space, files, exact="[" not in "".join(cells))


def _limit(cells: tuple[str, ...], now: float, grace: Any, unit: int) -> Limit:
    used, over, soft, hard = (
        cells[0],
        cells[1] or cells[0].endswith("*"),
        _number(cells[2]),
        _number(cells[3]),
    )
    amount = _number(used)
    # Above the soft limit alone: at the hard one, the star says nothing about a grace period.
    above = bool(over) and 0 < soft < amount
    until, expired = grace(cells[4], now) if above else (None, False)
    return Limit(amount * unit, soft * unit or None, hard * unit or None, until, expired)


def _number(cell: str) -> int:
    return int(cell.strip("[]*"))


def _raw_grace(cell: str, now: float) -> tuple[float | None, bool]:
    """Seconds since the epoch. quota(1) calls a time of 0 passed as well."""
    if not cell.isdigit() or int(cell) > _END_OF_TIME:
        return None, False
    return float(cell), int(cell) <= now


def _told_grace(cell: str, now: float) -> tuple[float | None, bool]:
    """``6d23h59m50s`` from now, ``none`` when it is over, ``-`` when it is not told."""
    if cell == "none":
        return None, True
    if not _GRACE.fullmatch(cell):
        return None, False
    parts: Mapping[str, str] = {unit: count for count, unit in re.findall(r"([0-9]+)([wdhms])", cell)}
    until = now + sum(int(count) * _GRACE_UNITS[unit] for unit, count in parts.items())
    return (until, False) if until <= _END_OF_TIME else (None, False)
