"""Files in a cell: bring them into a session, look into archives, ask for the room there is."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..dash import Dash
from ..uploads.archives.listing import list_archive
from ..uploads.archives.model import Entry, Listing
from ..uploads.local import Taken
from ..uploads.model import FileValidation, SessionFile
from ..uploads.space import Room
from ..uploads.units import size_text
from ..widgets.filedrop import FileDrop
from .progress import Progress
from .tables import Table

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class FileTable(Table[SessionFile]):
    """The files of a session; ``submit(…, files=table)`` takes them.

    ``session_id`` is the session; ``passed_over`` what was no file, with the reason; ``copied`` bytes that were
    written; ``validation`` what fits the template's slots, None without a template.
    """

    columns = ("name", "slot", "type", "size", "state", "where")

    def __init__(
        self, session_id: str, taken: Taken, files: Sequence[SessionFile], validation: FileValidation | None
    ) -> None:
        super().__init__(files)
        self.session_id = session_id
        self.passed_over, self.copied = list(taken.passed_over), taken.copied
        self.validation = validation

    def row(self, item: SessionFile) -> tuple[str, ...]:
        where = item.path if item.origin == "path" else "copied"
        return (item.name, item.slot, item.type, size_text(item.size or 0), item.state, where)

    def __repr__(self) -> str:
        return "\n".join([super().__repr__(), *self._said()])

    def _repr_html_(self) -> str:
        return super()._repr_html_() + "".join(f"<div>{html.escape(line)}</div>" for line in self._said())

    def _said(self) -> list[str]:
        problems = [error.message for error in self.validation.errors] if self.validation else []
        return [
            *(f"✗ {problem}" for problem in problems),
            *(f"passed over: {one}" for one in self.passed_over),
        ]


class ContentsTable(Table[Entry]):
    """What an archive holds; ``notes`` are what to know before unpacking it."""

    columns = ("name", "kind", "size", "target", "trouble")

    def __init__(self, listing: Listing) -> None:
        super().__init__(listing.entries)
        self.listing, self.notes = listing, list(listing.notes)

    def row(self, item: Entry) -> tuple[str, ...]:
        return (item.name, item.kind, size_text(item.size), item.target or "", item.trouble or "")

    def __repr__(self) -> str:
        return "\n".join([super().__repr__(), *(f"! {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return super()._repr_html_() + "".join(f"<div>! {html.escape(note)}</div>" for note in self.notes)


class UploadCells(Dash):
    """What ``NotebookDash`` knows of files."""

    def upload(
        self,
        paths: Paths = (),
        *,
        template: str | None = None,
        slots: Mapping[str, str] | None = None,
        session: str | FileTable | FileDrop | None = None,
        copy: bool = False,
        clash: str = "",
        progress: bool = True,
    ) -> FileTable:
        """Files and folders that this kernel sees, for ``submit(…, files=…)``; folders keep their structure.

        They are used where they lie, and nothing is copied; with ``copy`` the session keeps what they are now, and an
        interrupted call goes on from where it stood when it is given its ``session``. ``slots`` are slot → path.
        ``clash`` says what to do with a name that is there: ``keep`` both, ``replace`` it, or refuse ("").

        Raises TemplateNotFound, InvalidInput, Conflict, TooLarge, NoSpace, and Session* for a session that is gone.
        """
        given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        if template is not None:
            self.library.refresh()
        session_id = _session_id(session) or self.uploads.sessions.create(self.user, template).id
        add = self.uploads.local.add
        with Progress(progress) as tell:
            try:
                taken = add(
                    session_id,
                    self.user,
                    [Path(path) for path in given],
                    copy=copy,
                    slots=slots,
                    clash=clash,
                    tell=tell,
                )
            except KeyboardInterrupt as interrupt:
                interrupt.add_note(
                    f"What was copied is kept: upload(…, session={session_id!r}, copy=True) goes on."
                )
                raise
        return self._table(session_id, taken)

    def _table(self, session_id: str, taken: Taken) -> FileTable:
        session = self.uploads.sessions.get(session_id, self.user)
        verdict = None
        if session.template_id:
            slots = self.library.usable(session.template_id).slots
            verdict = self.uploads.validate(session.files, slots)
        return FileTable(session_id, taken, session.files, verdict)

    def contents(self, archive: str | os.PathLike[str] | SessionFile) -> ContentsTable:
        """What an archive (a path, or a file of a session) holds, as a table; nothing is unpacked.

        Raises NotAnArchive.
        """
        path = archive.path if isinstance(archive, SessionFile) else os.path.expanduser(archive)
        return ContentsTable(list_archive(path))

    def space(self) -> Room:
        """How many bytes you may still upload: ``.free``, ``.promised`` to uploads under way, ``.quota``."""
        return self.uploads.space.look(self.user)

    def file_drop(self, template: str | None = None) -> FileDrop:
        """A field for files as a widget: the browser sends them to the server itself. ``submit(…, files=drop)``."""
        if template is not None:
            self.library.refresh()
        return FileDrop(self, template)


def _session_id(session: str | FileTable | FileDrop | None) -> str:
    return session if isinstance(session, str) else session.session_id if session is not None else ""
