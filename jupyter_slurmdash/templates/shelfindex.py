"""What was read of the shelves, kept in a file of the user's own for the next start.

Only an index: the files are the truth. A line of it counts while its file's stamp is the same, broken files are not in
it, and all of it is forgotten when the rules by which files are read may be others. So it can be removed at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from .ids import Claim
from .model import Source, TemplateSummary
from .shelves import Stamp

# What depends on who looks, and on the file's stamp, is found out anew.
_KEPT: Final = tuple(
    each.name for each in fields(TemplateSummary) if each.name not in ("path", "problem", "owner", "can_edit")
)
_FORMAT: Final = 1

log = logging.getLogger(__name__)


class ShelfIndex:
    """The file at ``path``, for shelves below ``root`` that are read with these checks."""

    def __init__(self, path: Path, root: Path, known_checks: Collection[str]) -> None:
        self._path = path
        schema = files("jupyter_slurmdash.templates").joinpath("template.schema.json").read_bytes()
        rules = [_FORMAT, version("jupyter-slurmdash"), str(root), sorted(known_checks), list(_KEPT)]
        self._key = hashlib.sha256(json.dumps(rules).encode() + schema).hexdigest()

    def load(self, rights: Callable[[Source, Stamp], Mapping[str, Any]]) -> dict[str, tuple[Stamp, Claim]]:
        """Claims by path, each with the stamp of its file; nothing when there is no index that can be used.

        ``rights`` answers with ``owner`` and ``can_edit`` of a file.
        """
        try:
            found = json.loads(self._path.read_bytes())
            if found["key"] != self._key:
                return {}
            return {path: _known(path, Stamp(*stamp), row, rights) for path, stamp, row in found["files"]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError):
            log.info("The index of templates in %s cannot be used; the shelves are read anew", self._path)
            return {}

    def save(self, known: Mapping[str, tuple[Stamp, Claim]]) -> None:
        """Write it all. What stands in the way is no matter but for the time of the next start."""
        rows = [
            [path, stamp, [getattr(claim.template, name) for name in _KEPT]]
            for path, (stamp, claim) in known.items()
            if claim.template.problem is None
        ]
        body = json.dumps({"key": self._key, "files": rows}, separators=(",", ":"))
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(body)
            os.replace(draft, self._path)
        except OSError as error:
            log.info("The index of templates was not written: %s", error)
            with suppress(OSError):
                os.unlink(draft)


def _known(
    path: str, stamp: Stamp, row: list[Any], rights: Callable[[Source, Stamp], Mapping[str, Any]]
) -> tuple[Stamp, Claim]:
    values = dict(zip(_KEPT, row, strict=True))
    values["tags"] = tuple(values["tags"])
    return stamp, Claim(TemplateSummary(path=path, **values, **rights(values["source"], stamp)), True)
