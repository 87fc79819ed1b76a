"""What an administrator has decided about a field: its value, its bounds, whether it is shown, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import FieldError
from ..formats.findings import listed, shown
from ..formats.schemasize import pointer_of


@dataclass(frozen=True)
class Lock:
    """One decision about one field. ``fixed`` is its value (None: not fixed); ``minimum``, ``maximum`` and ``enum``
    bound it; a ``hidden`` field is not shown and stays as the template has it; ``reason`` is for the user."""

    fixed: Any = None
    hidden: bool = False
    minimum: Any = None
    maximum: Any = None
    enum: tuple[Any, ...] | None = None
    reason: str = ""

    @classmethod
    def from_data(cls, data: Mapping[str, Any], reason: str = "") -> Lock:
        enum = data.get("enum")
        return cls(
            fixed=data.get("fixed"),
            hidden=data.get("hidden", False),
            minimum=data.get("minimum"),
            maximum=data.get("maximum"),
            enum=tuple(enum) if enum is not None else None,
            reason=data.get("reason") or reason,
        )

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Lock``: only what is decided."""
        found: dict[str, Any] = {"reason": self.reason, "hidden": self.hidden}
        for name in ("fixed", "minimum", "maximum"):
            if (value := getattr(self, name)) is not None:
                found[name] = value
        return {**found, "enum": list(self.enum)} if self.enum is not None else found

    def words(self) -> str:
        """What is decided, such as ``fixed at gpu, hidden``."""
        parts = (
            f"fixed at {shown(self.fixed)}" if self.fixed is not None else "",
            f"one of {listed(self.enum)}" if self.enum is not None else "",
            f"at least {shown(self.minimum)}" if self.minimum is not None else "",
            f"at most {shown(self.maximum)}" if self.maximum is not None else "",
            "hidden" if self.hidden else "",
        )
        return ", ".join(part for part in parts if part)

    def because(self, words: str) -> str:
        """``words`` as a sentence, with the reason after it."""
        return f"{words}. {self.reason}".strip() if self.reason else f"{words}."


ByField = Mapping[str, tuple[Lock, ...]]


@dataclass(frozen=True)
class Locks:
    """All decisions about a template's fields; each of several about one field holds."""

    slurm: ByField = field(default_factory=dict)
    parameters: ByField = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], reason: str = "") -> Locks:
        """From the section ``locks`` of a template, or a rule of the site's policy."""
        return cls(
            *(
                {name: (Lock.from_data(lock, reason),) for name, lock in data.get(part, {}).items()}
                for part in ("slurm", "parameters")
            )
        )

    def __bool__(self) -> bool:
        return bool(self.slurm or self.parameters)

    def __or__(self, more: Locks) -> Locks:
        """Both together: what the one decides the other cannot undo."""
        return Locks(_both(self.slurm, more.slurm), _both(self.parameters, more.parameters))

    def to_json(self) -> dict[str, Any]:
        """The contract's ``Locks``."""
        return {
            part: {name: [lock.to_json() for lock in locks] for name, locks in fields.items()}
            for part, fields in (("slurm", self.slurm), ("parameters", self.parameters))
        }


def _both(one: ByField, other: ByField) -> ByField:
    found = dict(one)
    for name, locks in other.items():
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), *map(_hashable, locks))))
    return found


def _hashable(lock: Lock) -> Lock:
    return replace(lock, enum=tuple(lock.enum)) if lock.enum is not None else lock


# -- what locks make of a form's parameters ------------------------------------------------------------------------


def fixed_of(fields: ByField) -> dict[str, Any]:
    """The fixed values; of several the last, which is the site's."""
    return {name: lock.fixed for name, locks in fields.items() for lock in locks if lock.fixed is not None}


def narrowed_of(fields: ByField) -> dict[str, dict[str, Any]]:
    """The bounds as schemas by field."""
    found: dict[str, dict[str, Any]] = {}
    for name, locks in fields.items():
        for lock in locks:
            more = found.setdefault(name, {})
            if lock.minimum is not None:
                more["minimum"] = max(more.get("minimum", lock.minimum), lock.minimum)
            if lock.maximum is not None:
                more["maximum"] = min(more.get("maximum", lock.maximum), lock.maximum)
            if lock.enum is not None:
                more["enum"] = [each for each in more.get("enum", lock.enum) if each in lock.enum]
    return found


def refusals(
    fields: ByField, given: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[FieldError]:
    """What of the ``given`` parameters, and of the ``values`` that count, the locks do not allow."""
    for name, locks in fields.items():
        for lock in locks:
            words = _refusal(lock, name, given.get(name), values.get(name), defaults.get(name))
            if words:
                yield FieldError(pointer_of((name,)), lock.because(words))


def _refusal(lock: Lock, name: str, given: Any, value: Any, default: Any) -> str:
    asked = value if given is None else given
    if lock.fixed is not None and asked is not None and not same(asked, lock.fixed):
        return f"{name} is {shown(asked)}, but it is fixed here at {shown(lock.fixed)}"
    if lock.hidden and lock.fixed is None and given is not None and not same(given, default):
        return f"{name} cannot be set here"
    if value is None:
        return ""
    if lock.enum is not None and not any(same(value, each) for each in lock.enum):
        return f"{name} is {shown(value)}; here it is one of {listed(lock.enum)}"
    # Said this way round, so that what is no number, as a text of digits or NaN, is within no bound.
    if lock.maximum is not None and not (_number(value) and value <= lock.maximum):
        return f"{name} is {shown(value)}, at most {shown(lock.maximum)} here"
    if lock.minimum is not None and not (_number(value) and value >= lock.minimum):
        return f"{name} is {shown(value)}, at least {shown(lock.minimum)} here"
    return ""


def same(one: Any, other: Any) -> bool:
    """Equal as JSON has it: 1 is 1.0, but not true."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- what can be wrong with them -------------------------------------------------------------------------------------


def lock_faults(data: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[FieldError]:
    """What the schema cannot say of a ``locks`` section: decisions that decide nothing, or against themselves."""
    for part in ("slurm", "parameters"):
        for name, lock in data.get(part, {}).items():
            here = pointer_of((*place, part, name))
            if lock.keys() <= {"reason", "hidden"} and not lock.get("hidden"):
                yield FieldError(
                    here, f"This locks nothing of {name}; give fixed, hidden, minimum, maximum or enum"
                )
            if "fixed" in lock and len({"minimum", "maximum", "enum"} & lock.keys()):
                yield FieldError(here, f"{name} is fixed, so it has no bounds; leave either out")
            low, high = lock.get("minimum"), lock.get("maximum")
            if _number(low) and _number(high) and low > high:
                yield FieldError(here, f"The minimum of {name} is above its maximum")
