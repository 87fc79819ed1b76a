"""Files that another front end hands in: their text, or where to fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SlurmDashError
from .fetch import Fetcher
from .names import clean_path
from .records import NewFile
from .sessions import Sessions
from .small import SmallFile, SmallFiles
from .transfers import Append, Transfers
from .writer import Writer


@dataclass(frozen=True)
class ExternalFile:
    """Either ``content`` (text) or ``url`` is set."""

    name: str
    content: str | None = None
    url: str = ""
    slot: str = ""


class External:
    """Makes a session of such files."""

    def __init__(self, sessions: Sessions, transfers: Transfers, small: SmallFiles, fetcher: Fetcher) -> None:
        self._sessions, self._transfers, self._small, self._fetcher = sessions, transfers, small, fetcher

    def gather(self, user: str, template_id: str, files: Sequence[ExternalFile]) -> str:
        """The id of a new session with all of ``files``; nothing stays when one of them cannot be had.

        Raises what creating, fetching (``fetch.Fetcher.open``) and writing raise. Nothing is fetched before every
        name and URL was looked at.
        """
        for file in files:
            clean_path(file.name)
            if file.content is None:
                self._fetcher.check(file.url)
        session_id = self._sessions.create(user, template_id).id
        try:
            texts = [
                SmallFile(file.name, file.content.encode("utf-8", "surrogatepass"), slot=file.slot)
                for file in files
                if file.content is not None
            ]
            self._small.add(session_id, user, texts)
            for file in files:
                if file.content is None:
                    self._fetch(session_id, user, file)
        except SlurmDashError:
            self._sessions.delete(session_id, user)
            raise
        return session_id

    def _fetch(self, session_id: str, user: str, file: ExternalFile) -> None:
        limit = self._transfers.space.free()
        bound = self._transfers.max_size
        with self._fetcher.open(file.url, min(limit, bound) if bound else limit) as (size, pieces):
            new = self._transfers.create(session_id, user, NewFile(file.name, size, file.slot))
            if new.state == "complete":
                return
            writer = self._transfers.open(session_id, user, new.id, Append(0))
            assert isinstance(writer, Writer)
            try:
                for piece in pieces:
                    writer.write(piece)
                _ = writer.finish_here() if size is None else writer.finish()
            finally:
                writer.close()
