"""The table of jobs: whose, on which cluster, in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from records import a_record

from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.jobs import JobTable


@pytest.fixture
def table(database: Database) -> JobTable:
    return JobTable(database, "user", lambda: "local")


def row(number: int, **changes: Any) -> dict[str, Any]:
    record = a_record(Path("/work"), run_id=f"{number:036}", job_id=str(number), created_at=float(number))
    return {**vars(record), **changes}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [each["job_id"] for each in rows]


def test_a_row_comes_back_as_it_went(table: JobTable) -> None:
    given = row(1, name="한글 'x' \n", request={"a": [1, None, "é"]}, elapsed=3, exit_code=0)
    table.insert(given)
    assert table.by_run_id(given["run_id"]) == given
    assert table.by_job_id("1") == given
    table.update(given["run_id"], {"state": "COMPLETED"})
    assert table.by_job_id("1") == {**given, "state": "COMPLETED"}
    table.delete(given["run_id"])
    assert table.by_run_id(given["run_id"]) is None


def test_a_key_is_used_once_by_a_user(table: JobTable) -> None:
    table.insert(row(1, idempotency_key="k"))
    table.insert(row(2, idempotency_key="k", user="other"))
    table.insert(row(3))
    table.insert(row(4))
    assert (table.by_key("k") or {})["job_id"] == "1"
    assert table.by_key("none") is None
    with pytest.raises(sa.exc.IntegrityError):
        table.insert(row(5, idempotency_key="k"))


def test_an_id_used_again_is_the_newest_job(table: JobTable) -> None:
    table.insert(row(1, job_id="7"))
    table.insert(row(2, job_id="7"))
    assert (table.by_job_id("7") or {})["created_at"] == 2.0


def test_only_ones_own_on_this_cluster(database: Database, table: JobTable) -> None:
    table.insert(row(1))
    table.insert(row(2, user="other"))
    table.insert(row(3, cluster="elsewhere"))
    assert ids(table.page()[0]) == ["1"]
    assert table.page()[1] == 1
    assert ids(table.in_states(["RUNNING"])) == ["1"]
    assert table.by_job_id("2") is None
    assert table.by_job_id("3") is None
    assert table.by_run_id(row(2)["run_id"]) is None
    assert ids(JobTable(database, "user", lambda: "elsewhere").page()[0]) == ["3"]


def test_states(table: JobTable) -> None:
    table.insert(row(1, state="RUNNING"))
    table.insert(row(2, state="COMPLETED"))
    table.insert(row(3, state="FAILED"))
    assert ids(table.in_states(["COMPLETED", "FAILED"], negate=True)) == ["1"]
    assert ids(table.page(states=["COMPLETED", "FAILED"])[0]) == ["3", "2"]
    assert ids(table.page(not_states=["COMPLETED"])[0]) == ["3", "1"]
    assert table.page(states=[]) == ([], 0)


def test_a_submission_without_an_id_is_in_no_list(table: JobTable) -> None:
    table.insert(row(1, job_id=None, state="SUBMITTING"))
    assert table.page() == ([], 0)
    assert len(table.in_states(["SUBMITTING"])) == 1


def test_words_are_taken_literally(table: JobTable) -> None:
    for number, name in enumerate(
        ["100% sure", "100 percent", "a_b", "aXb", "c\\d", "Training", "한글 작업"], 1
    ):
        table.insert(row(number, name=name))
    for words, found in {
        "100%": ["1"],
        "a_b": ["3"],
        "\\": ["5"],
        "trAIN": ["6"],
        "작업 한글": ["7"],
        "7": ["7"],
        "percent 100": ["2"],
        "'; DROP TABLE jobs": [],
        "   ": ["7", "6", "5", "4", "3", "2", "1"],
    }.items():
        assert ids(table.page(q=words)[0]) == found, words


def test_pages_hold_still_while_jobs_arrive(table: JobTable) -> None:
    for number in range(1, 6):
        table.insert(row(number, created_at=float(number // 2)))
    first, total = table.page(limit=2)
    assert (ids(first), total) == (["5", "4"], 5)
    table.insert(row(9, created_at=9.0))
    last = first[-1]
    second, total = table.page(limit=10, before=(last["created_at"], last["run_id"]))
    assert (ids(second), total) == (["3", "2", "1"], 6)


def test_since(table: JobTable) -> None:
    table.insert(row(1))
    table.insert(row(2))
    assert ids(table.page(since=2.0)[0]) == ["2"]
