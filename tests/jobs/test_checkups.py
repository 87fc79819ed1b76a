"""How templates do: results are kept with the text they are of, checks run in the background, jobs are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from settings import private_values
from shells import add_template

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.jobs.templatecheck import TemplateChecker
from jupyter_slurmdash.jobs.templatereport import CheckBrief, TemplateRuns, checked_text, duration
from jupyter_slurmdash.notebook.api import NotebookDash

OFFICIAL = 11


@contextmanager
def told(events: EventBus, count: int) -> Iterator[list[str]]:
    """The ids that are told of inside the block, which ends when there are so many."""
    found: list[str] = []
    enough = threading.Event()

    def listen(event: object) -> None:
        if getattr(event, "type", "") == "template_health":
            found.extend(event.data["ids"])  # type: ignore[attr-defined]
            if len(found) >= count:
                enough.set()

    unsubscribe = events.subscribe(listen)
    yield found
    assert enough.wait(60), found
    unsubscribe()


def test_a_result_is_kept_with_the_text_it_is_of(dash: NotebookDash, tmp_path: Path) -> None:
    id = add_template(tmp_path)
    before = time.time()
    assert dash.template_health(id).state == "none"
    [report] = dash.check_templates(id)
    health = dash.template_health(id)
    assert health.report == report
    assert (health.state, report.hash) == ("finished", dash.library.get(id).hash)
    assert health.brief is not None
    assert before <= health.brief.checked_at <= time.time()
    assert health.brief.current
    add_template(tmp_path, script={"main_exec": "if"})
    dash.library.scan()
    assert dash.template_health(id).brief == CheckBrief("ok", report.checked_at, False)
    assert dash.check_templates(id)[0].level == "error"
    assert dash.template_health(id).brief.current  # type: ignore[union-attr]
    # Another process of the same user sees it.
    other = NotebookDash(SlurmDash(**private_values(tmp_path)))
    try:
        assert other.template_health(id).report == dash.template_health(id).report
        assert [each.template_id for each in other.checkups.reports()] == [id]
    finally:
        other.close()


def test_a_check_that_ends_while_it_is_asked_for(
    dash: NotebookDash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = add_template(tmp_path)
    dash.library.scan()
    row, check, release = dash.checkups._results.row, TemplateChecker.check, threading.Event()

    def ends_meanwhile(template_id: str) -> object:
        found = row(template_id)
        if not release.is_set():
            with told(dash.events, 1):
                release.set()
        return found

    monkeypatch.setattr(TemplateChecker, "check", lambda *given: release.wait(30) and check(*given))
    monkeypatch.setattr(dash.checkups._results, "row", ends_meanwhile)
    dash.checkups.start([id])
    assert dash.template_health(id).state == "running"
    assert dash.template_health(id).state == "finished"


def test_the_official_set_in_the_background(dash: NotebookDash) -> None:
    with told(dash.events, OFFICIAL) as ids:
        running = dash.checkups.start()
        assert len(running) == OFFICIAL
    assert sorted(ids) == sorted(running) == sorted(dash.checkups.official())
    assert dash.checkups.under_way() == []
    assert {report.template_id for report in dash.checkups.reports()} == set(ids)


def test_one_that_waits_is_running_and_not_checked_twice(
    dash: NotebookDash, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, at_work = threading.Event(), threading.Event()
    original, checked = TemplateChecker.check, []

    def check(self: TemplateChecker, template: object) -> object:
        checked.append(template.id)  # type: ignore[attr-defined]
        at_work.set()
        assert go.wait(30)
        return original(self, template)  # type: ignore[arg-type]

    monkeypatch.setattr(TemplateChecker, "check", check)
    with told(dash.events, 2):
        dash.checkups.start(["python-script-v1"])
        assert at_work.wait(30)
        assert dash.checkups.start(["shell-script-v1", "python-script-v1"]) == [
            "python-script-v1",
            "shell-script-v1",
        ]
        assert dash.template_health("shell-script-v1").state == "running"
        go.set()
    assert checked == ["python-script-v1", "shell-script-v1"]


def test_what_could_not_be_checked_says_why(dash: NotebookDash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TemplateChecker, "check", lambda self, template: 1 / 0)
    with told(dash.events, 1):
        dash.checkups.start(["python-script-v1"])
    health = dash.template_health("python-script-v1")
    assert (health.state, health.report) == ("failed", None)
    assert "fault in the program" in health.message
    monkeypatch.undo()
    with told(dash.events, 1):
        dash.checkups.start(["python-script-v1"])
    assert dash.template_health("python-script-v1").state == "finished"


def test_closing_ends_what_waits(tmp_path: Path) -> None:
    dash = NotebookDash(SlurmDash(**private_values(tmp_path)))
    dash.checkups.start()
    dash.close()
    assert dash.checkups.start(["python-script-v1"])
    assert len(dash.checkups.under_way()) >= 1


# -- jobs ------------------------------------------------------------------------------------------------------


def test_jobs_are_counted_by_template(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, script={"main_exec": "exit $CODE"}, parameters=CODE)
    add_template(tmp_path, "other-v1")
    add_template(tmp_path, "sleeper-v1", script={"main_exec": "sleep 600"})
    assert dash.checkups.runs() == {}
    assert str(dash.template_health("test-v1").runs or "") == ""
    for code in (0, 0, 3):
        dash.submit("test-v1", code=code).wait(timeout=60)
    dash.submit("sleeper-v1").cancel().wait(timeout=60)
    runs = dash.template_health("test-v1").runs
    assert runs is not None
    assert (runs.good, runs.ended, runs.cancelled) == (2, 3, 0)
    assert runs.wait is not None
    assert runs.run is not None
    assert str(runs).startswith("2 of 3 ended well; median wait ")
    assert dash.template_health("other-v1").runs is None
    # Cancelled by somebody: says nothing of the template.
    assert str(dash.template_health("sleeper-v1").runs).startswith("1 cancelled")
    assert "2 of 3 ended well" in repr(dash.templates("test-v1"))


CODE = {"type": "object", "properties": {"code": {"type": "integer", "default": 0}}}


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (TemplateRuns(3, 1, 0, 12.0, 180.0), "3 of 4 ended well; median wait 12 s, run 3 min"),
        (TemplateRuns(1, 0, 0, 0.2, 5.0), "1 of 1 ended well; median wait 0 s, run 5 s"),
        (TemplateRuns(0, 2, 1, 3.0, None), "0 of 2 ended well, 1 cancelled; median wait 3 s"),
        (TemplateRuns(0, 0, 2, None, None), "2 cancelled"),
    ],
)
def test_small_numbers_are_said_as_they_are(runs: TemplateRuns, text: str) -> None:
    assert str(runs) == text


def test_ages_in_words() -> None:
    assert checked_text(None, 100.0) == ""
    assert checked_text(CheckBrief("ok", 100.0, False), 200.0) == "not checked since it was changed"
    assert checked_text(CheckBrief("ok", 100.0, True), 99.0) == "ok, checked just now"
    assert checked_text(CheckBrief("error", 0.0, True), 7300.0) == "error, checked 2 h ago"
    assert [duration(seconds) for seconds in (0, 59, 60, 3599, 3600, 86_400, 172_800)] == [
        "0 s",
        "59 s",
        "1 min",
        "60 min",
        "1 h",
        "24 h",
        "2 days",
    ]
