"""A file that is sent again although it is there: its bytes are compared, and nothing is written."""

from __future__ import annotations

import os

from ..errors import Conflict
from .model import SessionFile


class Same:
    """Takes the bytes of ``file``, which is complete, as a ``Writer`` would."""

    def __init__(self, file: SessionFile) -> None:
        self.file = file
        self._fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        self._offset = 0

    def write(self, data: bytes) -> None:
        """Raises Conflict when the file has other bytes."""
        if os.pread(self._fd, len(data), self._offset) != data:
            raise self._other()
        self._offset += len(data)

    def finish(self) -> SessionFile:
        """The file as it is. Raises Conflict when it goes on."""
        self.close()
        if self._offset != self.file.size:
            raise self._other()
        return self.file

    def close(self) -> None:
        """Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _other(self) -> Conflict:
        return Conflict(
            f"The session has a file named “{self.file.name}” already, with other bytes. Choose to keep both, to"
            " replace it or to skip it.",
            file_id=self.file.id,
        )
