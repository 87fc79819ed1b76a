"""Former versions of a template: ``.versions/<id>/<when>-<hash>.yaml`` beside it, the newest fifty.

On the community shelf it is ``.versions/<user>/<id>``, so that nobody writes where another user's history is. A
version's name tells when it was replaced, its file's time when it was saved.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..errors import NotFound
from ..times import written
from . import shelfwriter

KEEP: Final = 50
FOLDER: Final = ".versions"
_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6}Z-([0-9a-f]{16}))\.yaml")
# Comparing takes time by the square of the lines in the worst case.
_MAX_LINES: Final = 4_000


@dataclass(frozen=True)
class Version:
    """A former version. ``size`` in bytes, ``saved_at`` seconds since the epoch; ``parts`` lead to its folder."""

    version: str
    hash: str
    size: int
    saved_at: float
    parts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's ``TemplateVersion``."""
        return {
            "version": self.version,
            "hash": self.hash,
            "size": self.size,
            "saved_at": written(self.saved_at),
        }


@dataclass(frozen=True)
class VersionText:
    """A former version's text, and what was changed since (a unified diff; empty when it is too long to compare)."""

    version: Version
    text: str
    diff: str

    def to_json(self) -> dict[str, Any]:
        return {**self.version.to_json(), "text": self.text, "diff": self.diff}


def folders(source: str, user: str, template_id: str) -> list[tuple[tuple[str, ...], int]]:
    """Where the versions of a template are kept, the place for new ones first, each with the mode of its folders."""
    private = (("private", user, FOLDER, template_id), shelfwriter.PRIVATE_FOLDER)
    if source != "community":
        return [private]
    return [(("community", FOLDER, user, template_id), shelfwriter.PUBLIC_FOLDER), private]


def keep(
    root: Path,
    parts: Sequence[str],
    folder_mode: int,
    former: bytes,
    info: os.stat_result,
    clock: Callable[[], float],
) -> None:
    """Keep ``former`` (the file's bytes, ``info`` what the system says of it). Raises OSError."""
    file_mode = shelfwriter.PRIVATE_FILE if folder_mode & 0o077 == 0 else shelfwriter.PUBLIC_FILE
    digest = hashlib.sha256(former).hexdigest()
    with shelfwriter.folder(root, parts, folder_mode) as handle:
        if os.fstat(handle).st_uid not in (os.geteuid(), info.st_uid):
            raise PermissionError(1, "The folder of versions belongs to another user")
        names = _names(handle)
        if not names or _hash_of(names[-1]) != digest[:16]:
            name = _new_name(names, digest, clock())
            shelfwriter.create(handle, name, former, file_mode)
            os.utime(name, ns=(info.st_mtime_ns, info.st_mtime_ns), dir_fd=handle, follow_symlinks=False)
            names.append(name)
        for old in names[:-KEEP]:
            with suppress(FileNotFoundError):
                shelfwriter.remove(handle, old)


def _new_name(names: Sequence[str], digest: str, now: float) -> str:
    """Behind all that are there, also when the clock was set back or stands still."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    last = names[-1].partition("-")[0] if names else ""
    if stamp <= last:
        before = datetime.strptime(last, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        stamp = datetime.fromtimestamp(before.timestamp() + 2e-6, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{stamp}-{digest[:16]}.yaml"


def versions(root: Path, places: Sequence[Sequence[str]], owner: int) -> list[Version]:
    """The versions in these folders, the newest first. Folders of others than ``owner`` (a user's number) do not
    count."""
    found: list[Version] = []
    for parts in places:
        with suppress(OSError), shelfwriter.folder(root, parts) as handle:
            if os.fstat(handle).st_uid != owner:
                continue
            for name in _names(handle):
                with suppress(OSError):
                    data, info = shelfwriter.read_whole(handle, name)
                    digest = hashlib.sha256(data).hexdigest()
                    found.append(Version(name[:-5], digest, len(data), info.st_mtime, tuple(parts)))
    return sorted(found, key=lambda version: version.version, reverse=True)


def text_of(root: Path, found: Sequence[Version], version: str) -> tuple[Version, bytes]:
    """One of the versions with its bytes. Raises NotFound."""
    chosen = next((each for each in found if each.version == version), None)
    if chosen is not None:
        with suppress(OSError), shelfwriter.folder(root, chosen.parts) as handle:
            return chosen, shelfwriter.read_whole(handle, f"{chosen.version}.yaml")[0]
    raise NotFound(f"There is no version {version[:60]!r}. The list shows those that are kept.")


def diff(former: str, current: str, former_name: str, current_name: str) -> str:
    """What leads from ``former`` to ``current``."""
    one, other = former.splitlines(), current.splitlines()
    if max(len(one), len(other)) > _MAX_LINES:
        return ""
    return "".join(
        line + "\n" for line in difflib.unified_diff(one, other, former_name, current_name, lineterm="")
    )


def _names(handle: int) -> list[str]:
    return sorted(name for name in os.listdir(handle) if _NAME.fullmatch(name))


def _hash_of(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match[2] if match else ""
