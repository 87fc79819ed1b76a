"""Finding a slot by its name."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InvalidInput
from .model import Slot


def require_slot(name: str, slots: Sequence[Slot]) -> Slot | None:
    """The slot of that name. Without any slots known (no template) every name goes, and the answer is None.

    Raises InvalidInput, with the names there are.
    """
    if not slots:
        return None
    for slot in slots:
        if slot.name == name:
            return slot
    known = ", ".join(slot.name for slot in slots)
    raise InvalidInput(f"The template has no slot named {name[:100]!r}. It has {known}.")
