"""Uploads as the other parts of the product see them: sessions, transfers, and the files that a job takes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..errors import UploadNotFound
from ..events import EventBus
from ..store.uploads import UploadTable
from . import classify
from .archives.listing import list_archive
from .archives.model import Listing
from .chunks import Chunks
from .classify import TYPE_RULES
from .external import External
from .fetch import Fetcher
from .local import LocalFiles
from .model import FileValidation, JobFile, SessionFile, Slot
from .paths import look_at_path
from .preflight import Preflight
from .records import DAY, QuotaSource, Records, Settings, SlotSource, no_quota, no_slots
from .sessions import Sessions, require_complete
from .small import SmallFiles
from .transfers import Transfers
from .validate import validate

F = TypeVar("F", SessionFile, JobFile, SessionFile | JobFile)


class Uploads:
    """The service. ``sessions`` keeps the sessions, ``transfers`` moves the bytes, ``chunks`` those that come in any
    order (``chunk_size`` bytes each).

    ``slots(user, template_id)`` gives a template's slots, so that files find their slot and a wrong one
    stops early. ``root`` is where the bytes wait; ``max_size`` (bytes, 0: no limit) is that of one
    file, ``ttl`` (seconds) the life of a session that nobody touches, ``quota(path)`` what this user may take of a
    file system.
    """

    def __init__(
        self,
        table: UploadTable,
        events: EventBus,
        root: str | Path,
        *,
        max_size: int = 0,
        ttl: float = 7 * DAY,
        chunk_size: int = 10 * 1024 * 1024,
        fetcher: Fetcher | None = None,
        slots: SlotSource = no_slots,
        quota: QuotaSource = no_quota,
        type_rules: Mapping[str, str] = TYPE_RULES,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], object] = uuid.uuid4,
    ) -> None:
        self.settings = Settings(Path(root), max_size, ttl, type_rules, quota)
        records = Records(table, self.settings, slots, clock, new_id)
        self.transfers = Transfers(records, events)
        self.small = SmallFiles(records, self.transfers.space, events)
        self.space = self.transfers.space
        self.preflight = Preflight(records, self.space)
        self.local = LocalFiles(records, self.transfers, self.small, events)
        self.chunks = Chunks(records, self.transfers, chunk_size)
        self.sessions = Sessions(records, self.transfers, events)
        self.external = External(self.sessions, self.transfers, self.small, fetcher or Fetcher())

    def session_files(self, session_id: str, user: str) -> list[SessionFile]:
        """The files of a session as they stand now. Raises SessionNotFound or SessionExpired."""
        return list(self.sessions.get(session_id, user).files)

    def contents(self, session_id: str, user: str, file_id: str) -> Listing:
        """What an archive of the session holds. Raises Conflict while it is under way, NotAnArchive for another file,
        UploadNotFound, Session*.
        """
        files = self.session_files(session_id, user)
        file = next((file for file in files if file.id == file_id), None)
        if file is None:
            raise UploadNotFound("There is no such file in this session. Look at the session again.")
        require_complete([file])
        return list_archive(file.path)

    def job_files(self, session_id: str, user: str) -> list[JobFile]:
        """The session's files as a job takes them. Raises Conflict while some are under way or have
        failed.
        """
        files = self.session_files(session_id, user)
        require_complete(files)
        return [_job_file(file) for file in files]

    def at_path(self, path: str, slot: str = "") -> JobFile:
        """A file of the cluster by its path. Raises InvalidInput when it cannot be read."""
        return look_at_path(path, slot, self.settings.type_rules)

    def assign(self, files: Sequence[F], slots: Sequence[Slot]) -> list[F]:
        """The files with a slot given to each that has none and fits one."""
        return classify.assign(files, slots, self.settings.type_rules)

    def validate(self, files: Sequence[SessionFile | JobFile], slots: Sequence[Slot]) -> FileValidation:
        """What of the files fits the slots, and what does not."""
        return validate(files, slots)


def _job_file(file: SessionFile) -> JobFile:
    if file.origin == "path":
        # It may have changed since it was named.
        now = look_at_path(file.path)
        return replace(now, name=file.name, type=file.type, slot=file.slot, pinned=file.pinned)
    return JobFile(
        file.name,
        file.path,
        file.size or 0,
        file.type,
        file.slot,
        file.sha256,
        file.origin,
        file.pinned,
    )
