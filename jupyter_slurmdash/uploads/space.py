"""How much may come: the site's bound, the slot's, and what is free beside all that was promised already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FieldError, NoSpace, TooLarge
from ..times import written
from .files import free_space
from .model import Session, SessionFile, Slot
from .quota import Quota
from .records import Records
from .units import size_text
from .validate import slot_pointer, too_large

# An upload is a file in a directory of its own.
_INODES = 2


@dataclass(frozen=True)
class Room:
    """What is there for some files. ``needed``, ``disk`` (free on it) and ``promised`` (to uploads under way) are
    bytes, ``files`` counts the new ones.
    """

    needed: int
    files: int
    disk: int
    promised: int
    quota: Quota | None = None

    @property
    def free(self) -> int:
        """Bytes that the user may still write: what the disk has, or less by the quota."""
        left = self.quota.space.left if self.quota is not None else None
        return self.disk if left is None else min(self.disk, left)

    @property
    def problem(self) -> str | None:
        """Why it is not enough; None when it is."""
        if self.needed > self.free - self.promised:
            kept = (
                f", and {size_text(self.promised)} of it are kept for other uploads" if self.promised else ""
            )
            return (
                f"{size_text(self.needed)} are needed, but only {size_text(self.free)} {self._where()}{kept}."
            )
        left = self.quota.files.left if self.quota is not None else None
        if self.quota is not None and left is not None and self.files * _INODES > left:
            where = self.quota.mount
            return (
                f"{self.files * _INODES} files and folders are needed, but your quota on {where} leaves {left}."
                " Pack small files into an archive."
            )
        return None

    @property
    def note(self) -> str | None:
        """What is allowed, but not for ever: above the soft limit."""
        space = self.quota.space if self.quota is not None else None
        if self.quota is None or space is None or space.soft is None or self.problem is not None:
            return None
        if space.used + self.promised + self.needed <= space.soft:
            return None
        until = f" until {written(space.grace)}" if space.grace is not None else " for a time"
        return f"This is above your soft quota of {size_text(space.soft)} on {self.quota.mount}, which is borne{until}."

    def _where(self) -> str:
        if self.quota is None or self.free == self.disk:
            return "are free"
        limit = self.quota.space.hard or self.quota.space.soft or 0
        return f"are left of your quota of {size_text(limit)} on {self.quota.mount}"

    def to_json(self) -> dict[str, Any]:
        """The contract's ``UploadSpace``."""
        return {
            "needed": self.needed,
            "free": self.free,
            "promised": self.promised,
            "enough": self.problem is None,
            "message": self.problem,
            "note": self.note,
            "quota": self.quota.to_json() if self.quota is not None else None,
        }


class Space:
    """Looks before the first byte; what it lets through has its place kept until it is there."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def check_size(self, size: int) -> None:
        """Raises TooLarge when no file of ``size`` bytes is taken here."""
        limit = self._records.settings.max_size
        if limit and size > limit:
            raise TooLarge(f"The file has {size_text(size)}; this server takes at most {size_text(limit)}.")

    def check_slot(self, file: SessionFile, size: int | None = None) -> None:
        """Raises TooLarge when the slot that ``file`` is in takes no file of ``size`` bytes (default: its own)."""
        size = (file.size or 0) if size is None else size
        slot = self.slot_of(file)
        if slot is None or slot.max_size is None or size <= slot.max_size:
            return
        message = too_large(file.name, size, slot)
        raise TooLarge(message, [FieldError(slot_pointer(slot.name), message)])

    def check(self, user: str, needed: int, own: str = "", files: int = 0) -> None:
        """Raises NoSpace unless ``needed`` bytes and ``files`` new files fit beside all that was promised to the user's
        other uploads. ``own`` is the id of the file that needs them.
        """
        room = self.look(user, needed, files, own)
        if room.problem is not None:
            raise NoSpace(
                f"{room.problem} Free some space, or give another upload up; what has arrived is kept."
            )

    def look(self, user: str, needed: int = 0, files: int = 0, own: str = "") -> Room:
        """What there is for ``needed`` bytes in ``files`` new files."""
        return Room(needed, files, free_space(self.root()), self.promised(user, own), self.quota())

    def quota(self) -> Quota | None:
        """What the user's quota says of the place where uploads wait; None: there is none."""
        return self._records.settings.quota(self.root())

    def free(self) -> int:
        """Bytes that this user may still write where uploads wait."""
        return Room(0, 0, free_space(self.root()), 0, self.quota()).free

    def root(self) -> Path:
        root = self._records.settings.root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return root

    def promised(self, user: str, own: str = "") -> int:
        """Bytes that the user's uploads under way still need, without the file ``own``."""
        promised = 0
        for row in self._records.table.under_way(user):
            if row["id"] != own:
                other = SessionFile(**row)
                promised += max(0, (other.size or 0) - self._records.place(other).acknowledged())
        return promised

    def room(self, file: SessionFile) -> int:
        """How many bytes ``file`` may still take."""
        limit = self._records.settings.max_size
        if file.size is not None:
            return file.size - file.offset
        return limit - file.offset if limit else 2**62

    def slot_of(self, file: SessionFile) -> Slot | None:
        if not file.slot:
            return None
        session = self._records.table.session(file.session_id)
        slots = self._records.slots(Session(**session)) if session is not None else ()
        return next((slot for slot in slots if slot.name == file.slot), None)
