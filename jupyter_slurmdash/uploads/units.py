"""Sizes, speeds and times as people read them. Decimal units, as disks and networks use them."""

from __future__ import annotations

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def size_text(size: float) -> str:
    """``size`` bytes as text: ``999 bytes``, ``10 MB``, ``1.5 GB``."""
    step = 0
    while size >= 999.5 and step < len(_UNITS) - 1:
        size /= 1000
        step += 1
    digits = f"{size:.1f}" if step and size < 9.95 else f"{size:.0f}"
    return f"{digits.removesuffix('.0')} {_UNITS[step]}"


def speed_text(bytes_per_second: float) -> str:
    return f"{size_text(bytes_per_second)}/s"


def duration_text(seconds: float) -> str:
    """Seconds as ``HH:MM:SS``, rounded up: an estimate of 0.2 s is not yet nothing."""
    whole = int(-(-seconds // 1))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
