"""What became of the jobs of each template: the same as counted by hand, in one statement."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import asked, check_by_hand, fill
from stopwatch import fastest

from jupyter_slurmdash.store import jobs as jobs_module
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.jobs import JobTable

STATES = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "RUNNING", "UNKNOWN")

RUN = st.fixed_dictionaries(
    {
        "template_id": st.sampled_from(("a-v1", "b-v1", None)),
        "state": st.sampled_from(STATES),
        "started_at": st.one_of(st.none(), st.integers(100, 200).map(float)),
        "elapsed": st.one_of(st.none(), st.integers(0, 50)),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(RUN, max_size=12))
def test_as_counted_by_hand(database: Database, runs: list[dict[str, Any]]) -> None:
    check_by_hand(database, runs)


def test_only_ones_own_on_this_cluster(database: Database) -> None:
    table = fill(database, [{"template_id": "a-v1", "state": "COMPLETED"}])
    assert set(asked(table)) == {"a-v1"}
    assert asked(JobTable(database, "other", lambda: "local")) == {}
    assert asked(JobTable(database, "user", lambda: "elsewhere")) == {}


def test_the_newest_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "NEWEST", 3)
    states = ["FAILED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    found = asked(fill(database, [{"template_id": "a-v1", "state": state} for state in states]))
    assert (found["a-v1"]["good"], found["a-v1"]["bad"]) == (3, 0)


def test_one_statement_from_one_index(database: Database) -> None:
    table = fill(database, [{"template_id": f"t{n % 50}", "state": "COMPLETED"} for n in range(200)])
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        assert len(asked(table)) == 50
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    [(statement, parameters)] = [each for each in statements if "SELECT" in each[0]]
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    [line] = [row[-1] for row in plan if " jobs " in row[-1]]
    assert "USING COVERING INDEX idx_jobs_history" in line


def test_20_000_jobs_cost_no_more_than_the_newest(database: Database) -> None:
    runs = [
        {
            "template_id": f"t{number % 200}",
            "state": STATES[number % 4],
            "started_at": 100.0 + number % 977,
            "elapsed": number % 1009,
            "script": "#!/bin/bash\n" + "echo\n" * 500,
        }
        for number in range(20_000)
    ]
    table = fill(database, runs)
    seconds = fastest(lambda: asked(table), runs=5)
    print(f"history of 200 templates from 20,000 jobs: {seconds * 1000:.1f} ms")
    assert seconds < 0.06
