"""Files against the slots of a template: what fits, what does not, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

from ..errors import FieldError
from .classify import assign, matches
from .content import MAX_BYTES, format_of, problems_in
from .magic import HEAD, wrong_beginning
from .model import FileValidation, JobFile, SessionFile, Slot, SlotResult
from .units import size_text

AnyFile: TypeAlias = SessionFile | JobFile


def validate(files: Sequence[AnyFile], slots: Sequence[Slot]) -> FileValidation:
    """Look at every file and every slot. A file in no slot goes with the job all the same; a note says so."""
    placed = assign(files, slots)
    classes: dict[str, list[str]] = {"data": [], "config": []}
    for file in placed:
        classes.setdefault(file.type or "data", []).append(file.name)
    results, errors = [], []
    for slot in slots:
        result, found = _look_at_slot(slot, [file for file in placed if file.slot == slot.name])
        results.append(result)
        errors += found
    known = {slot.name for slot in slots}
    extra = [file for file in placed if file.slot not in known]
    errors += [error for file in extra for error in _look_at_extra(file)]
    notes = [_extra_note(file.name, slots) for file in extra] if slots else []
    return FileValidation(classes, errors, results, notes)


def _look_at_slot(slot: Slot, files: Sequence[AnyFile]) -> tuple[SlotResult, list[FieldError]]:
    pointer = slot_pointer(slot.name)
    if not files:
        if not slot.required:
            return SlotResult(slot.name, "empty"), []
        wanted = f" matching {slot.pattern}" if slot.pattern else ""
        message = f"“{slot.name}” has no file yet. Add one{wanted}."
        return SlotResult(slot.name, "empty", None, message), [FieldError(pointer, message)]
    file = files[0]
    if not _is_complete(file) and not _problem(file):
        message = f"{file.name} is still being uploaded."
        return SlotResult(slot.name, "uploading", file.name, message), [FieldError(pointer, message)]
    messages = check_file(file, slot)
    if len(files) > 1:
        others = ", ".join(other.name for other in files[1:])
        messages.append(f"“{slot.name}” takes one file, but {others} stand in it too. Take them out of it.")
    errors = [FieldError(pointer, message) for message in messages]
    state: SlotResult = SlotResult(
        slot.name, "error" if messages else "ok", file.name, messages[0] if messages else None
    )
    return state, errors


def _look_at_extra(file: AnyFile) -> list[FieldError]:
    problem = _problem(file)
    if problem:
        return [FieldError(f"/files/{_escape(file.name)}", problem)]
    if not _is_complete(file):
        return [FieldError(f"/files/{_escape(file.name)}", f"{file.name} is still being uploaded.")]
    return []


def _extra_note(name: str, slots: Sequence[Slot]) -> FieldError:
    patterns = ", ".join(f"{slot.pattern or '*'} ({slot.name})" for slot in slots)
    return FieldError(
        f"/files/{_escape(name)}",
        f"{name} fills no slot of the template and goes along as it is. The template asks for {patterns}.",
    )


def check_file(file: AnyFile, slot: Slot) -> list[str]:
    """What is wrong with a complete file in ``slot``: name, size, first bytes, content; [] when nothing
    is.
    """
    problem = _problem(file)
    if problem:
        return [problem]
    messages = []
    if not matches(file.name, slot):
        messages.append(
            f"{file.name} does not match {slot.pattern}, which “{slot.name}” asks for. Rename the file."
        )
    if slot.max_size is not None and (file.size or 0) > slot.max_size:
        messages.append(too_large(file.name, file.size or 0, slot))
    return messages + _look_inside(file, slot)


def _look_inside(file: AnyFile, slot: Slot) -> list[str]:
    try:
        with open(file.path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(HEAD)
            wrong = wrong_beginning(file.name, head)
            if wrong:
                return [wrong]
            if not format_of(file.name, slot.format):
                return []
            if size <= MAX_BYTES:
                return problems_in(file.name, head + stream.read(), wanted=slot.format, schema=slot.schema)
    except OSError as error:
        return [f"{file.path} cannot be read: {error.strerror}. Check that it is still there."]
    if slot.schema is None:
        return []  # data that happens to be JSON; too large to be looked at, and nothing was promised
    return [f"{file.name} is larger than {size_text(MAX_BYTES)}, too large to be checked by its schema."]


def validate_first_bytes(name: str, head: bytes, slot: Slot | None = None) -> FieldError | None:
    """What the first bytes tell, while the rest is still on its way; None when nothing is wrong."""
    wrong = wrong_beginning(name, head)
    if wrong is None:
        return None
    return FieldError(slot_pointer(slot.name) if slot is not None else f"/files/{_escape(name)}", wrong)


def too_large(name: str, size: int, slot: Slot) -> str:
    return f"{name} has {size_text(size)}; “{slot.name}” takes at most {size_text(slot.max_size or 0)}."


def slot_pointer(slot: str) -> str:
    return f"/files/{_escape(slot)}"


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _is_complete(file: AnyFile) -> bool:
    return isinstance(file, JobFile) or file.state == "complete"


def _problem(file: AnyFile) -> str | None:
    return file.problem if isinstance(file, SessionFile) and file.state == "failed" else None
