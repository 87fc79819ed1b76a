"""The routes of how templates do, asked of a real Jupyter server; every answer must fit the contract."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from live import Live
from settings import private_values

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.handlers.contract import contract
from jupyter_slurmdash.notebook.api import NotebookDash

ONE, ALL, LIST = "/api/v2/templates/{id}/health", "/api/v2/templates/health", "/api/v2/templates"


def ask(live: Live, method: str, path: str, status: int, id: str = "", body: Any = None) -> Any:
    """The answer, which must fit the contract."""
    answer = live.call(method, path.format(id=id), body)
    assert answer.status == status, answer.body
    described = contract().document["paths"][path][method.lower()]["responses"][str(status)]
    [media] = described["content"].values()
    assert contract().schema(media["schema"]).errors(answer.json()) == []
    return answer.json()


@contextmanager
def told(live: Live, *ids: str) -> Iterator[None]:
    """Ends when the checks of all these were told of."""
    missing, all_told = set(ids), threading.Event()

    def listen(event: Any) -> None:
        if event.type == "template_health":
            missing.difference_update(event.data["ids"])
            if not missing:
                all_told.set()

    unsubscribe = live.dash.events.subscribe(listen)
    yield
    assert all_told.wait(60), missing
    unsubscribe()


def listed(live: Live, id: str) -> Any:
    return next(each for each in ask(live, "GET", LIST, 200)["templates"] if each["id"] == id)


def test_one_template_in_the_background(live: Live) -> None:
    id = "python-script-v1"
    assert ask(live, "GET", ONE, 200, id)["state"] == "none"
    assert (listed(live, id)["check"], listed(live, id)["runs"]) == (None, None)
    with told(live, id):
        assert ask(live, "POST", ONE, 202, id)["state"] in ("running", "finished")
    health = ask(live, "GET", ONE, 200, id)
    assert (health["state"], health["report"]["level"]) == ("finished", "ok")
    assert [step["name"] for step in health["report"]["steps"]] == [
        "schema",
        "image",
        "script",
        "resources",
        "slurm",
    ]
    assert listed(live, id)["check"] == health["check"]
    found = live.get("/api/v2/templates/search?q=python_script")
    assert found["templates"][0]["check"] == health["check"]


def test_the_official_set(live: Live) -> None:
    ids = live.dash.checkups.official()
    with told(live, *ids):
        assert ask(live, "POST", ALL, 202)["running"]
    reports = ask(live, "GET", ALL, 200)
    assert (reports["running"], reports["total"]) == ([], len(ids))
    assert sorted(report["template_id"] for report in reports["reports"]) == sorted(ids)


def test_some_by_id(live: Live) -> None:
    with told(live, "shell-script-v1"):
        ask(live, "POST", ALL, 202, body={"ids": ["shell-script-v1"]})
    assert live.call("POST", ALL, {"ids": ["nothing-v1"]}).status == 404
    assert live.call("POST", ALL, {"ids": []}).status == 400
    assert live.call("POST", ALL, {"ids": "shell-script-v1"}).status == 400
    for method in ("GET", "POST"):
        assert live.call(method, "/api/v2/templates/nothing-v1/health").status == 404


def test_what_another_process_found_is_there(live: Live) -> None:
    """A check in the terminal, with this server's settings: told here, and in the list."""
    place = Path(live.dash.settings.data_dir).parent
    with told(live, "notebook-run-v1"):
        other = NotebookDash(SlurmDash(**private_values(place)))
        try:
            other.check_templates("notebook-run-v1")
        finally:
            other.close()
    assert listed(live, "notebook-run-v1")["check"]["level"] == "ok"


def test_a_page_asks_the_database_a_fixed_number_of_times(live: Live) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # The watcher's own look at the jobs may come between.
        if "template_checks" in statement or "ranked" in statement:
            statements.append(statement)

    sa.event.listen(live.dash.database.engine, "before_cursor_execute", note)
    try:
        for query in ("limit=1", "limit=100"):
            live.dash.checkups._runs = None
            statements.clear()
            live.get(f"{LIST}?{query}")
            assert len(statements) == 2, statements
    finally:
        sa.event.remove(live.dash.database.engine, "before_cursor_execute", note)
