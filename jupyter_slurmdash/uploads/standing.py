"""Where a new file stands among a template's slots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .classify import find_slot
from .model import SessionFile, Slot
from .slots import require_slot


class Stand(NamedTuple):
    """The slot's ``name`` ("" for none), whether the user chose it, and the ``slot`` itself where it is known."""

    name: str
    pinned: bool
    slot: Slot | None


NOWHERE = Stand("", False, None)


def stand_of(
    name: str, wanted: str, old: SessionFile | None, slots: Sequence[Slot], taken: Iterable[str]
) -> Stand:
    """Where the file ``name`` stands, which comes for ``old`` if that is one: in the slot ``wanted`` by the user, else
    where they put the old one, else in the slot that it fits best of those not ``taken`` by others.

    Raises InvalidInput for a slot that is not there.
    """
    if wanted:
        return Stand(wanted, True, require_slot(wanted, slots))
    if old is not None and old.pinned:
        return Stand(old.slot, True, next((slot for slot in slots if slot.name == old.slot), None))
    found = find_slot(name, slots, set(taken) - {old.slot if old is not None else ""})
    return Stand(found.name, False, found) if found is not None else NOWHERE
