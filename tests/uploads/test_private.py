"""What waits for a job is its user's alone, whatever came first into the session."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from upload_place import ME, Place

from jupyter_slurmdash.uploads import joins, journal, small
from jupyter_slurmdash.uploads.chunks import Chunk
from jupyter_slurmdash.uploads.records import NewFile
from jupyter_slurmdash.uploads.small import SmallFile


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in [root, *root.rglob("*")] if mode(path) & 0o077]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("module", [small, journal, joins])
def test_nobody_else_reads_what_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    session, root = place.session(), place.root / "uploads"
    seen: list[str] = []
    rename = os.rename

    def look(source: Any, target: Any) -> None:
        seen.append(str(source))
        assert open_to_others(root) == []
        rename(source, target)

    monkeypatch.setattr(module.os, "rename", look)
    if module is small:
        place.uploads.small.add(session, ME, [SmallFile("d/a.py", b"1")])
    elif module is journal:
        place.uploads.chunks.open(session, ME, Chunk("a.dat", 0, 1, body=5)).close()
    else:
        parts = [place.begin(session, "", 3, origin="partial") for _ in range(2)]
        for part in parts:
            place.send(part, 0, b"abc")
        place.transfers.joins.create(
            session, ME, NewFile("ab.dat", None), [part.id for part in parts], "", "m"
        )
    assert seen
    assert open_to_others(root) == []
