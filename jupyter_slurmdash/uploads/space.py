"""How much may come: the site's bound, the slot's, and what is free beside all that was promised already."""

from __future__ import annotations

from pathlib import Path

from ..errors import FieldError, NoSpace, TooLarge
from .files import free_space
from .model import Session, SessionFile, Slot
from .records import Records
from .units import size_text
from .validate import slot_pointer, too_large


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

    def check(self, user: str, needed: int, own: str = "") -> None:
        """Raises NoSpace unless ``needed`` bytes fit beside all that was promised to the user's other uploads.
        ``own`` is the id of the file that needs them.
        """
        free, promised = self.free(), self.promised(user, own)
        if needed > free - promised:
            kept = f", and {size_text(promised)} of it are kept for other uploads" if promised else ""
            raise NoSpace(
                f"{size_text(needed)} are needed, but only {size_text(free)} are free{kept}."
                " Free some space, or give another upload up; what has arrived is kept."
            )

    def free(self) -> int:
        """Bytes that are free where uploads wait."""
        return free_space(self.root())

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
        session = self._records.table.session(file.session_id)
        slots = self._records.slots(Session(**session)) if session is not None and file.slot else ()
        return next((slot for slot in slots if slot.name == file.slot), None)
