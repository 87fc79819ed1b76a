"""The form as a widget on the embedded scheduler, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sif_writer
from settings import private_values
from shells import add_template, write

import jupyter_slurmdash as sd
from jupyter_slurmdash.errors import SchedulerRefused, SchedulerUnavailable, TemplateBroken, TemplateNotFound
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import FINAL_STATES, Submission
from jupyter_slurmdash.widgets.form import JobForm

SECTIONS: dict[str, Any] = {
    "files": {
        "input_schema": {
            "required": [{"name": "dataset", "pattern": "*.csv"}],
            "optional": [{"name": "config", "pattern": "*.yaml"}],
        }
    },
    "parameters": {
        "type": "object",
        "properties": {
            "epochs": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
            "mode": {"enum": ["fast", "slow"], "default": "slow"},
            "note": {"type": "string"},
            "offset": {"type": "number"},
        },
    },
    "slurm": {"ntasks": 1, "time": "00:10:00"},
    "script": {"main_exec": 'cat "$DATASET"; echo "$EPOCHS $MODE"'},
}


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write(tmp_path / "in" / "d.csv", "1,2\n")


@pytest.fixture
def form(dash: NotebookDash, tmp_path: Path) -> Iterator[JobForm]:
    add_template(tmp_path, **SECTIONS)
    made = dash.form("test-v1")
    yield made
    made.close_all()
    end_followers()


def end_followers(timeout: float = 30) -> None:
    """Join the threads that follow a job to its end."""
    for thread in threading.enumerate():
        if "_follow" in thread.name:
            thread.join(timeout)
            assert not thread.is_alive()


def finished(form: JobForm) -> str:
    end_followers()
    assert form.job is not None
    assert form.job.state in FINAL_STATES, form.status.value
    return form.job.state


def test_everything_is_offered(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, "broken-v1", script={"main_exec": 3})
    form = dash.form()
    offered = dict(form.template.options)
    assert offered["Choose a template"] == ""
    assert "python-script-v1" in offered.values()
    assert "broken-v1" not in offered.values()
    assert (form.image.images, form.image.value) == ([], "")
    assert list(form.options["partition"].options) == ["local"]
    assert form.submit_button.disabled
    assert form.files == form.parameters == {}
    with pytest.raises(TemplateNotFound):
        dash.form("no-such-template")
    with pytest.raises(TemplateBroken):
        dash.form("broken-v1")


def test_a_template_makes_its_fields(form: JobForm) -> None:
    assert list(form.files) == ["dataset", "config"]
    assert "required" in form.files["dataset"].placeholder
    assert "optional" in form.files["config"].placeholder
    assert {name: field.value for name, field in form.parameters.items()} == {
        "epochs": 3,
        "mode": "slow",
        "note": "",
        "offset": 0.0,
    }
    assert (form.options["ntasks"].value, form.options["time"].value) == (1, "00:10:00")
    form.set(template="shell-script-v1")
    assert "dataset" not in form.files
    assert "epochs" not in form.parameters
    form.set(template="")
    assert form.files == form.parameters == {}
    assert form.options["ntasks"].value == 0


def test_the_preview_follows_each_change(form: JobForm, data: str) -> None:
    assert form.submit_button.disabled
    assert "dataset" in form.findings.value
    form.set(files={"dataset": data})
    assert not form.submit_button.disabled
    assert form.findings.value == ""
    assert "EPOCHS=3" in form.script.value
    form.parameters["epochs"].value = 7
    assert "EPOCHS=7" in form.script.value
    form.options["mem"].value = "1G"
    assert "--mem=1G" in form.script.value
    form.options["mem"].value = ""
    assert "--mem" not in form.script.value
    form.set(job_name="night run")
    assert "--job-name" in form.script.value
    form.options["time"].value = "soon"
    assert form.submit_button.disabled
    assert form.script.value == ""
    assert "✗" in form.findings.value


def test_a_value_that_is_chosen_counts_though_it_was_shown_before(form: JobForm, data: str) -> None:
    form.set(files={"dataset": data})
    form.set(parameters={"offset": 0.0})
    assert "OFFSET=0.0" in form.script.value


def test_the_same_values_make_the_same_script(dash: NotebookDash, form: JobForm, data: str) -> None:
    form.set(files={"dataset": data}, parameters={"epochs": 5}, options={"mem": "1G"}, job_name="one")
    assert "OFFSET" not in form.script.value
    assert form.script.value == dash.script(
        "test-v1", files={"dataset": data}, epochs=5, mem="1G", job_name="one"
    )
    form.set(template="python-script-v1", files={"script": write(Path(data).parent / "s.py", "print(1)\n")})
    assert form.script.value == dash.script(
        "python-script-v1", files={"script": str(Path(data).parent / "s.py")}, job_name="one"
    )


@pytest.mark.parametrize("name", ["python-script-v1", "pytorch-training-v1", "gromacs-simulation-v1"])
def test_official_templates_fill_the_form_as_they_are(dash: NotebookDash, name: str) -> None:
    form = dash.form(name)
    assert form.template.value == name
    plan = dash.jobs._planner.plan(form.spec())
    assert dict(plan.options) == dict(dash.jobs._planner.plan(dash.spec(name)).options)


def test_what_is_found_is_no_markup(form: JobForm) -> None:
    form.set(files={"dataset": "/nowhere/<img src=x onerror=alert(1)>.csv"})
    assert "<img" not in form.findings.value
    assert "&lt;img" in form.findings.value


def test_a_job_from_the_form_to_its_end(form: JobForm, data: str, tmp_path: Path) -> None:
    form.set(files={"dataset": data}, job_name="from the form")
    form.submit_button.click()
    assert finished(form) == "COMPLETED"
    assert form.job is not None
    assert form.output.value == "1,2\n3 slow\n"
    assert form.output.layout.display == ""
    assert form.status.value == f"Job {form.job.job_id}: <b>COMPLETED</b>"
    assert form.files["dataset"].value == data, "the form keeps its values"
    assert not form.submit_button.disabled
    first = form.job.job_id
    form.submit()
    assert finished(form) == "COMPLETED"
    assert form.job.job_id != first, "submitting again makes another job"


def test_a_refusal_keeps_the_values(
    dash: NotebookDash, form: JobForm, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(submission: Submission) -> str:
        raise SchedulerRefused("Slurm said: <b>no</b>.")

    monkeypatch.setattr(dash.scheduler, "submit", refuse)
    form.set(files={"dataset": data}, parameters={"epochs": 9})
    assert form.submit() is None
    assert "Slurm said: &lt;b&gt;no&lt;/b&gt;." in form.findings.value
    assert (form.files["dataset"].value, form.parameters["epochs"].value) == (data, 9)
    assert form.job is None
    assert not form.submit_button.disabled
    monkeypatch.undo()
    assert form.submit() is not None
    assert finished(form) == "COMPLETED"


def test_a_lost_answer_does_not_make_two_jobs(
    dash: NotebookDash, form: JobForm, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = dash.scheduler.submit

    def lose(submission: Submission) -> str:
        original(submission)
        raise SchedulerUnavailable("The answer was lost.")

    monkeypatch.setattr(dash.scheduler, "submit", lose)
    form.set(files={"dataset": data})
    assert form.submit() is None
    assert "will not be submitted twice" in form.findings.value
    monkeypatch.undo()
    assert form.submit() is not None
    assert finished(form) == "COMPLETED"
    assert len(dash.list_jobs()) == 1


def test_an_older_follower_leaves_the_newer_job_alone(
    dash: NotebookDash, form: JobForm, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form.set(files={"dataset": data})
    first = form.submit()
    assert first is not None
    finished(form)
    asked, go = threading.Event(), threading.Event()
    original = dash.jobs.refresh

    def slow(job_id: str) -> Any:
        record = original(job_id)
        if job_id == first.run_id:
            asked.set()
            assert go.wait(30)
        return record

    monkeypatch.setattr(dash.jobs, "refresh", slow)
    form._followed = first.run_id
    older = threading.Thread(target=form._follow, args=(first.run_id,))
    older.start()
    assert asked.wait(30)
    second = form.submit()
    assert second is not None
    go.set()
    older.join(30)
    assert not older.is_alive()
    assert form.job is not None
    assert form.job.run_id == second.run_id
    finished(form)


def test_a_job_is_looked_at_until_it_ends(dash: NotebookDash, form: JobForm, data: str) -> None:
    gate = Path(data).parent / "gate"
    add_template(
        Path(dash.settings.template_root).parent,
        "waits-v1",
        script={"main_exec": f"until [ -e {gate} ]; do sleep 0.05; done; echo open"},
    )
    dash.library.refresh()
    record, _ = dash.jobs.submit(dash.spec("waits-v1"))
    form._followed = record.run_id
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        gate.touch()
        threading.Event().wait(0.1)

    form._follow(record.run_id, pause)
    assert looks
    assert form.output.value == "open\n"


def test_a_template_that_went_away_is_said(dash: NotebookDash, form: JobForm, tmp_path: Path) -> None:
    form.set(template="")
    (tmp_path / "templates" / "community" / "test-v1.yaml").unlink()
    dash.library.refresh()
    form.set(template="test-v1")
    assert "There is no template" in form.findings.value
    assert form.submit_button.disabled


def test_an_option_that_a_field_cannot_hold_stays_the_templates(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, "range-v1", slurm={"nodes": "1-1"})
    form = dash.form("range-v1")
    assert form.options["nodes"].value == 0
    assert "--nodes=1-1" in form.script.value


def test_images_and_their_apps(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    add_template(tmp_path, "image-v1", apptainer={"image_name": "tools.sif", "app": "python"})
    values = {**private_values(tmp_path), "image_dirs": [], "shared_image_dirs": [str(shared)]}
    with closing(sd.connect(**values)) as dash:
        form = dash.form()
        (shared / "tools.sif").write_bytes(sif_writer.image(apps={"python": {}, "bash": {}}))
        dash.catalog.scan()
        form.set(template="image-v1")
        assert form.image.value == dash.catalog.images()[0].id, "scanned since the form was made"
        assert form.app.value == "python"
        form.set(image="")
        assert list(form.app.options) == []
        form.set(image=dash.catalog.images()[0].id, app="bash")
        assert form.spec().app == "bash"
        form.set(template="")
        assert form.spec().template_id is None


def test_files_that_the_browser_sends(form: JobForm, dash: NotebookDash, data: str) -> None:
    assert form.drop.session.template_id == form.drop.template == "test-v1"
    assert form.spec().session_id is None
    assert form.submit_button.disabled
    previews: list[str] = []
    form.findings.observe(lambda change: previews.append(change["new"]), "value")
    form.drop.add([data])
    assert form.spec().session_id == form.drop.session_id
    assert not form.submit_button.disabled
    # What the browser tells a few times a second while a file is on its way.
    count = len(previews)
    form.drop.files = [{**row, "progress": 50.0} for row in form.drop.files]
    assert len(previews) == count
    record = form.submit()
    assert record is not None
    assert finished(form) == "COMPLETED"
    assert form.output.value.startswith("1,2\n3 slow")
