"""The files that a template asks for, in both spellings: ``files`` in YAML and the older JSON file schema.

``input_schema`` = ``input_file_schema``, ``config_schema`` = ``option_file_schema``, ``required`` =
``required_files``, ``optional`` = ``optional_files``, ``output_pattern`` = ``output_file_pattern``; the
three long names may also stand at the top of the file, where there is no ``files``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..errors import FieldError
from ..formats.schemasize import pointer_of
from .model import FileSlot
from .rules import bad_pattern, size_in_bytes

Path = tuple[str | int, ...]
_KINDS: Final[tuple[tuple[Literal["input", "config"], tuple[str, str]], ...]] = (
    ("input", ("input_schema", "input_file_schema")),
    ("config", ("config_schema", "option_file_schema")),
)
_LISTS: Final = ((True, ("required", "required_files")), (False, ("optional", "optional_files")))
_OUTPUT: Final = ("output_pattern", "output_file_pattern")


@dataclass(frozen=True)
class Files:
    """The slots in the order of the form, each with its place in the file, and the pattern of the results."""

    slots: tuple[FileSlot, ...]
    places: tuple[Path, ...]
    output_pattern: str
    output_place: Path
    errors: tuple[FieldError, ...]


def read_files(data: Mapping[str, Any]) -> Files:
    """The files of a template that fits its schema, or of a bare file schema in the JSON spelling.

    ``errors`` tells of spellings that are both there, of slots with the same name, and of bad patterns.
    """
    reader = _Reader(data)
    slots: list[FileSlot] = []
    places: list[Path] = []
    for kind, names in _KINDS:
        section, place = reader.one_of(names)
        for required, lists in _LISTS:
            entries, list_place = reader.within(section or {}, place, lists)
            for index, entry in enumerate(entries or ()):
                slots.append(_slot(entry, kind, required))
                places.append((*list_place, index))
    output, output_place = reader.one_of(_OUTPUT)
    errors = (*reader.errors, *_faults(slots, places, output or "", output_place))
    return Files(tuple(slots), tuple(places), output or "", output_place, errors)


class _Reader:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.errors: list[FieldError] = []

    def one_of(self, names: tuple[str, str]) -> tuple[Any, Path]:
        """A member of ``files`` or, by its long name, of the top."""
        value, place = self.within(self._data.get("files") or {}, ("files",), names)
        at_top = self._data.get(names[1])
        if at_top is None:
            return value, place
        if value is not None:
            self._twice(names[1], (names[1],))
        return at_top, (names[1],)

    def within(self, section: Mapping[str, Any], place: Path, names: tuple[str, str]) -> tuple[Any, Path]:
        short, long = names
        if long not in section:
            return section.get(short), (*place, short)
        if short in section:
            self._twice(long, (*place, long))
            return section[short], (*place, short)
        return section[long], (*place, long)

    def _twice(self, name: str, place: Path) -> None:
        self.errors.append(
            FieldError(pointer_of(place), f"{name} is here in both spellings; keep one of them")
        )


def _slot(entry: Mapping[str, Any], kind: Literal["input", "config"], required: bool) -> FileSlot:
    return FileSlot(
        name=entry["name"],
        pattern=entry["pattern"],
        kind=kind,
        required=required,
        description=entry.get("description", ""),
        type=entry.get("type", "config" if kind == "config" else ""),
        max_size=size_in_bytes(entry.get("max_size")),
        format=entry.get("format", ""),
        schema=entry.get("schema"),
        validation=entry.get("validation", ""),
    )


def _faults(
    slots: Sequence[FileSlot], places: Sequence[Path], output_pattern: str, output_place: Path
) -> Iterator[FieldError]:
    seen: set[str] = set()
    for slot, place in zip(slots, places, strict=True):
        # Two names that differ only in case would become one variable.
        if slot.name.upper() in seen:
            yield FieldError(pointer_of((*place, "name")), f"Two files have the name {slot.name!r}")
        seen.add(slot.name.upper())
        reason = bad_pattern(slot.pattern)
        if reason:
            yield FieldError(pointer_of((*place, "pattern")), reason)
    reason = bad_pattern(output_pattern, folders=True)
    if reason:
        yield FieldError(pointer_of(output_place), reason)
