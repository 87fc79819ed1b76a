"""Which file a job really used as its image, and whether that has changed since the last good run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..images.model import Image
from ..store.jobs import JobTable
from ..times import moment, written
from .model import JobRecord


@dataclass(frozen=True)
class ImageRuns:
    """The user's last job that ended well with the image at this path; ``changed`` is None without one."""

    image_id: str
    last_good: JobRecord | None
    changed: bool | None
    message: str

    def to_json(self) -> dict[str, Any]:
        """The contract's ``ImageRuns``."""
        last = self.last_good
        return {
            "image_id": self.image_id,
            "last_good": {
                "job_id": last.job_id,
                "name": last.name,
                "ended_at": moment(last.ended_at),
                "image_digest": last.image_digest,
                "sif_id": last.sif_id,
            }
            if last
            else None,
            "changed": self.changed,
            "message": self.message,
        }


class GoodRuns:
    """Finds the last good run with an image among the user's jobs."""

    def __init__(self, table: JobTable) -> None:
        self._table = table

    def of(self, image: Image) -> ImageRuns:
        """The last good run with the image at this path, and whether the file has changed since."""
        row = self._table.last_good(image.path)
        return compare(image, JobRecord(**row) if row else None)


def compare(image: Image, last: JobRecord | None) -> ImageRuns:
    """The image against what its last good run recorded of it."""
    if last is None:
        return ImageRuns(image.id, None, None, "You have had no good run with it yet.")
    run = f"your last good run (job {last.job_id}{f', {day(last.ended_at)}' if last.ended_at else ''})"
    what = difference(image, last)
    if what is None:
        return ImageRuns(image.id, last, False, f"It is the same as in {run}.")
    return ImageRuns(image.id, last, True, f"{image.name} has changed since {run}: {what}.")


def difference(image: Image, last: JobRecord) -> str | None:
    """What tells that it is another file now; None when nothing does.

    The digest decides where both are known. Else the SIF id, which each build makes anew, with the size; a copy that
    only got a new time is the same image. For files without an id the time must do.
    """
    if image.digest and last.image_digest:
        return "its SHA-256 is another" if image.digest != last.image_digest else None
    if image.facts.sif_id != (last.sif_id or ""):
        built = image.facts.build_time
        return f"it was built again ({day(built)})" if built else "it was built again"
    if last.image_size is None:
        return None  # recorded by an older version
    if image.size != last.image_size:
        return f"its size was {last.image_size} bytes and is {image.size}"
    if not image.facts.sif_id and image.mtime_ns != last.image_mtime_ns:
        return f"it was written again ({day(image.mtime_ns / 1e9)})"
    return None


def day(seconds: float) -> str:
    """The day of a moment, in UTC: ``2026-01-31``."""
    return written(seconds)[:10]
