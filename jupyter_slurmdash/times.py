"""Moments as the contract writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float | None) -> str | None:
    """As ``written``, for a time that there may not be yet: None for None, and for 0, which stands for it."""
    return written(seconds) if seconds else None


def written(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC, to the second: ``2026-01-31T12:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
