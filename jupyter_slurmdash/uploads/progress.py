"""How fast an upload goes and when it will be there: the numbers of the event ``upload_progress``."""

from __future__ import annotations

from collections import deque

from .units import duration_text, speed_text

INTERVAL = 0.25  # seconds between two events of one file
_WINDOW = 5.0  # seconds over which the speed is taken


class Progress:
    """Speed and time left of one upload that stands at ``offset`` at the time ``now`` (seconds, any
    clock).
    """

    def __init__(self, offset: int, now: float) -> None:
        self._points = deque([(now, offset)])
        self._told = now

    def due(self, now: float) -> bool:
        """Whether it is time to tell again."""
        return now - self._told >= INTERVAL

    def report(self, offset: int, total: int | None, now: float) -> dict[str, object]:
        """The event's numbers: per cent, bytes, and the plan's texts for speed (``10 MB/s``) and eta
        (``00:05:30``).
        """
        self._told = now
        self._points.append((now, offset))
        while len(self._points) > 2 and now - self._points[1][0] >= _WINDOW:
            self._points.popleft()
        since, start = self._points[0]
        speed = (offset - start) / (now - since) if now > since else 0.0
        left = total - offset if total is not None else None
        eta = (
            "00:00:00" if left == 0 else duration_text(left / speed) if left is not None and speed > 0 else ""
        )
        return {
            "progress": round(100.0 * offset / total, 1) if total else (100.0 if total == 0 else 0.0),
            "uploaded_bytes": offset,
            "total_bytes": total,
            "speed": speed_text(speed),
            "eta": eta,
        }
