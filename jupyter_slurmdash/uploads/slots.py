"""Finding a slot by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import InvalidInput
from .model import Slot

# A slot becomes a variable of the job's script and a directory; the contract has the same pattern.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def require_slot(name: str, slots: Sequence[Slot]) -> Slot | None:
    """The slot of that name. Without any slots known (no template) every good name goes, and the answer is None.

    Raises InvalidInput for what cannot be a name, and for an unknown one with the names there are.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:100]!r} is no name of a slot. Use up to 100 letters A-Z, digits and _, no digit first."
        )
    if not slots:
        return None
    for slot in slots:
        if slot.name == name:
            return slot
    known = ", ".join(slot.name for slot in slots)
    raise InvalidInput(f"The template has no slot named {name[:100]!r}. It has {known}.")
