"""Files of sessions in the database: one of each name, and all or none of what comes together."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_slurmdash.errors import Conflict
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.uploads import UploadTable


@pytest.fixture
def table(database: Database) -> UploadTable:
    made = UploadTable(database)
    for session in ("s", "t"):
        made.insert_session(
            {"id": session, "user": "ada", "state": "active", "created_at": 0.0, "expires_at": 1.0}
        )
    made.insert_files([row("old"), row("other")])
    return made


def row(file_id: str, name: str = "", session: str = "s") -> dict[str, Any]:
    texts = dict.fromkeys(("type", "slot", "state", "origin", "path"), "")
    numbers = dict.fromkeys(("size", "offset", "created_at", "updated_at"), 0)
    return {
        "id": file_id,
        "session_id": session,
        "name": name or file_id,
        "pinned": False,
        "sha256": None,
        "problem": None,
        **texts,
        **numbers,
    }


def names(table: UploadTable) -> dict[str, str]:
    return {one["id"]: one["name"] for one in table.files("s")}


def test_files_in_the_place_of_others(table: UploadTable) -> None:
    table.insert_files([row("new", "old"), row("more")], ["old"])
    assert names(table) == {"new": "old", "more": "more", "other": "other"}
    table.insert_files([row("there", "old", "t")])  # another session's names are its own


@pytest.mark.parametrize(
    "rows", [[row("new", "old"), row("twin", "other")], [row("new"), row("twin", "new")]]
)
def test_a_name_that_is_there_changes_nothing(table: UploadTable, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(Conflict, match=rows[1]["name"]):
        table.insert_files(rows, ["old"])
    assert names(table) == {"old": "old", "other": "other"}


def test_one_file_in_the_place_of_another(table: UploadTable) -> None:
    assert table.insert_file(row("new", "other"), "old") == {**row("other"), "pinned": False}
    assert names(table) == {"old": "old", "other": "other"}
    assert table.insert_file(row("new", "old"), "old") is None
    assert names(table) == {"new": "old", "other": "other"}
