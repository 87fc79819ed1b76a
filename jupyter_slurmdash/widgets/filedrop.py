"""A field for files in a cell: the browser sends them to the server itself, by the panel's own engine.

The kernel never sees a byte of them. It makes the session, and is told of the files as they come.
"""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..dash import Dash
from ..errors import SessionExpired, SessionNotFound
from ..uploads.model import Session, SessionFile
from ..uploads.units import size_text
from .front import FrontWidget

# Rows of the plain form, for where no widget can be shown.
_PLAIN = 20


class FileDrop(FrontWidget):
    """Files for a job. ``session_id`` is where they go; ``files`` are rows with ``name``, ``slot``, ``size`` (bytes),
    ``state``, ``progress`` (per cent) and ``sha256``, as the browser or ``refresh()`` saw them last.

    ``template`` (an id, "" for none) says which slots they are checked against; ``ready`` that all of them are there.
    """

    _model_name = t.Unicode("FileDropModel").tag(sync=True)
    _view_name = t.Unicode("FileDropView").tag(sync=True)

    session_id = t.Unicode("").tag(sync=True)
    template = t.Unicode("").tag(sync=True)
    files = t.List(t.Dict()).tag(sync=True)
    description = t.Unicode("").tag(sync=True)

    def __init__(self, dash: Dash, template: str | None = None, **traits: Any) -> None:
        """Raises TemplateNotFound."""
        self._dash = dash
        session = dash.uploads.sessions.create(dash.user, template)
        super().__init__(session_id=session.id, template=template or "", **traits)
        self.observe(self._on_template, "template")

    @property
    def session(self) -> Session:
        """The session with its files as they stand now. Raises SessionNotFound, SessionExpired."""
        try:
            return self._dash.uploads.sessions.get(self.session_id, self._dash.user)
        except SessionNotFound as error:
            raise SessionNotFound(
                "This kernel does not know the session that the browser sends to: the server keeps its uploads"
                " elsewhere. Call connect() with the server's settings (database_url, upload_root), or without any."
            ) from error

    @property
    def ready(self) -> bool:
        """There are files, and all of them are complete."""
        files = self.session.files
        return bool(files) and all(file.state == "complete" for file in files)

    def refresh(self) -> None:
        """Look at the session, for where no browser does."""
        self.files = [_row(file) for file in self.session.files]

    def add(self, paths: Sequence[str | os.PathLike[str]], **options: Any) -> None:
        """Add files that the kernel sees; ``options`` as ``slots``, ``copy`` and ``clash`` of ``dash.upload``."""
        given = [os.fspath(path) for path in paths]
        self._dash.uploads.local.add(self.session_id, self._dash.user, given, **options)
        self.refresh()

    def _on_template(self, change: t.Bunch) -> None:
        sessions, old = self._dash.uploads.sessions, self.session_id
        is_there = True
        try:
            # A session's own template decides what is refused at its first bytes; one that has files stays.
            if self.session.files or self.files:
                return
        except (SessionExpired, SessionNotFound):
            self.files = []
            is_there = False
        self.session_id = sessions.create(self._dash.user, change["new"] or None).id
        if is_there:
            sessions.delete(old, self._dash.user)

    # -- where there is no such widget ----------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"FileDrop({len(self.files)} files, session {self.session_id})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options) or {}
        lines = self._lines()
        rows = "".join(f"<li>{html.escape(line)}</li>" for line in lines[1:])
        return {
            **bundle,
            "text/plain": "\n".join(lines),
            "text/html": f"<p>{html.escape(lines[0])}</p><ul>{rows}</ul>",
        }

    def _lines(self) -> list[str]:
        shown = [_line(row) for row in self.files[:_PLAIN]]
        more = len(self.files) - len(shown)
        return [
            repr(self),
            *shown,
            *([f"… and {more} more"] if more > 0 else []),
            "To drop files here, the page needs the extension jupyter-slurmdash. Without it:"
            " drop.add([path, …]) for files of this cluster, or the upload address of the API with this session.",
        ]


def _row(file: SessionFile) -> dict[str, Any]:
    told: Mapping[str, Any] = file.to_json()
    return {name: told[name] for name in ("name", "slot", "size", "state", "progress", "sha256")}


def _line(row: Mapping[str, Any]) -> str:
    size = size_text(row["size"]) if row["size"] is not None else ""
    return "  ".join(part for part in (row["name"], row["slot"] or "", size, row["state"]) if part)
