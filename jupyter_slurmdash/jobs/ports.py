"""What ``jobs/`` needs of the other columns, so that it imports none of them: ``dash.py`` hands in the living ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..errors import FieldError
from ..images.model import Image
from ..templates.model import FileSlot, Template
from ..uploads.model import JobFile


class TemplateSource(Protocol):
    def usable(self, id: str) -> Template:
        """Raises TemplateNotFound or TemplateBroken."""
        ...

    def get(self, id: str) -> Template:
        """Raises TemplateNotFound."""
        ...


class ImageSource(Protocol):
    def image(self, image_id: str) -> Image:
        """Raises ImageNotFound."""
        ...

    def find_by_name(self, name: str, partition: str | None = None) -> Image | None: ...


class FileVerdict(Protocol):
    """What a check of files against slots found."""

    @property
    def errors(self) -> Sequence[FieldError]: ...

    def to_json(self) -> dict[str, Any]: ...


class FileSource(Protocol):
    def job_files(self, session_id: str, user: str) -> list[JobFile]:
        """The complete files of a session. Raises SessionNotFound, Conflict while some are under way."""
        ...

    def at_path(self, path: str, slot: str) -> JobFile:
        """A file of the cluster by its path. Raises InvalidInput when it cannot be read."""
        ...

    def assign(self, files: Sequence[JobFile], slots: Sequence[FileSlot]) -> list[JobFile]:
        """The files with a slot given to each that has none and fits one."""
        ...

    def validate(self, files: Sequence[JobFile], slots: Sequence[FileSlot]) -> FileVerdict: ...
