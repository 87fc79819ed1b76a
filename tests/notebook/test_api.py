"""The notebook's door: connect, find, look, submit."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
import sif_writer
from settings import private_values
from shells import add_template, write
from traitlets import TraitError

import jupyter_slurmdash as sd
from jupyter_slurmdash.errors import ChecksFailed, InvalidInput
from jupyter_slurmdash.images.scanner import SHARED
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.notebook.api import NotebookDash, typed_value

PARAMETERS = {
    "type": "object",
    "properties": {
        "epochs": {"type": "integer"},
        "rate": {"type": "number"},
        "fast": {"type": "boolean"},
        "note": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", "integer", 3),
        ("-1", "integer", -1),
        ("3.5", "integer", "3.5"),
        ("1e-3", "number", 0.001),
        ("quick", "number", "quick"),
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("yes", "boolean", "yes"),
        ("3", "string", "3"),
        ("3", None, "3"),
    ],
)
def test_a_text_becomes_what_the_schema_says(text: str, kind: str | None, value: object) -> None:
    typed = typed_value(text, {"type": kind} if kind else {})
    assert (typed, type(typed)) == (value, type(value))


def test_options_and_parameters_are_told_apart(
    dash: NotebookDash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    spec = dash.spec("t", files={"a": "x.py", "b": "~/y.py"}, job_name="n", time="1:00", mem="1G", epochs=3)
    assert spec == JobSpec(
        job_name="n",
        template_id="t",
        files={"a": f"{tmp_path}/x.py", "b": f"{tmp_path}/home/y.py"},
        options={"time": "1:00", "mem": "1G"},
        parameters={"epochs": 3},
    )


def test_texts_become_values(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, parameters=PARAMETERS)
    dash.library.refresh()
    spec = dash.with_texts(
        dash.spec("test-v1", time="1:00"),
        {"mem": "1G", "exclusive": "true", "requeue": "false", "nice": "true"},
        {"epochs": "3", "rate": "0.5", "fast": "true", "note": "7"},
    )
    assert spec.options == {
        "time": "1:00",
        "mem": "1G",
        "nice": "true",
        "exclusive": True,
        "requeue": False,
    }
    assert spec.parameters == {"epochs": 3, "rate": 0.5, "fast": True, "note": "7"}
    assert dash.with_texts(JobSpec(script="true"), {}, {"x": "1"}).parameters == {"x": "1"}


def test_the_script_is_the_submitted_one(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, parameters=PARAMETERS, script={"main_exec": 'echo "$EPOCHS $NOTE"'})
    dash.library.refresh()
    values = {"epochs": 3, "note": "it's", "job_name": "a name"}
    job = dash.submit("test-v1", **values)
    assert job.script == dash.script("test-v1", **values)
    job.wait(timeout=30)


def test_a_script_that_cannot_be_says_why(dash: NotebookDash) -> None:
    with pytest.raises(InvalidInput, match=r"^/parameters/nonsense Unknown parameter"):
        dash.script(script="true", nonsense=1)
    with pytest.raises(ChecksFailed, match="template"):
        dash.submit()


def test_templates_are_found_as_they_are_on_disk(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path)
    assert [template.id for template in dash.templates(source="community")] == ["test-v1"]
    assert {template.category for template in dash.templates(category="data")} == {"data"}
    assert "python-script-v1" in repr(dash.templates("python"))
    assert len(dash.templates("no such words anywhere")) == 0


def test_images_are_scanned_when_first_asked_for(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "tools.sif").write_bytes(sif_writer.image())
    values = {**private_values(tmp_path), "image_dirs": [], "shared_image_dirs": [str(tmp_path / "shared")]}
    with closing(sd.connect(**values)) as dash:
        images = dash.images()
        assert [image.name for image in images] == ["tools.sif"]
        assert images[0].nodes == (SHARED,)
        (tmp_path / "shared" / "tools.sif").unlink()
        assert len(dash.images(q="tools")) == 1, "it is not scanned each time"
        assert dash.spec(image="tools", script="true").image_id == images[0].id
        assert dash.spec(image="other.sif", script="true").image_id == "other.sif"


def test_connect_takes_settings_by_name(tmp_path: Path) -> None:
    with closing(sd.connect(**private_values(tmp_path))) as dash:
        assert isinstance(dash, NotebookDash)
        assert dash.settings.work_root == str(tmp_path / "jobs")
    with pytest.raises(InvalidInput, match="Unknown setting 'shceduler'"):
        sd.connect(shceduler="local")
    with pytest.raises(TraitError):
        sd.connect(**{**private_values(tmp_path), "scheduler": "pbs"})


def test_connect_reads_jupyters_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"c.SlurmDash.{name} = {value!r}" for name, value in private_values(tmp_path).items()]
    write(
        tmp_path / "config" / "jupyter_slurmdash_config.py", "\n".join([*lines, "c.SlurmDash.image_ttl = 3"])
    )
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    with closing(sd.connect(image_ttl=4)) as dash:
        assert (dash.settings.data_dir, dash.settings.image_ttl) == (str(tmp_path / "data"), 4)
    with closing(sd.connect()) as dash:
        assert dash.settings.image_ttl == 3


def test_jobs_are_listed_newest_first(dash: NotebookDash) -> None:
    first = dash.submit(script="true", job_name="one").wait(timeout=30)
    second = dash.submit(script="false", job_name="two").wait(timeout=30)
    assert [job.id for job in dash.list_jobs()] == [second.id, first.id]
    assert [job.id for job in dash.list_jobs("completed")] == [first.id]
    assert [job.id for job in dash.list_jobs(q="two")] == [second.id]
    assert len(dash.list_jobs(limit=1)) == 1
    assert dash.job(int(first.id)).workdir == first.workdir  # type: ignore[arg-type]


def test_the_same_key_is_the_same_job(dash: NotebookDash) -> None:
    first = dash.submit(script="true", idempotency_key="a-key-of-mine")
    assert dash.submit(script="true", idempotency_key="a-key-of-mine").id == first.id
    for key in ("", "short", "with space", "a" * 101, "new\nline-----"):
        with pytest.raises(InvalidInput) as caught:
            dash.submit(script="true", idempotency_key=key)
        assert caught.value.errors[0].pointer == "/headers/Idempotency-Key"
    first.wait(timeout=30)


def test_finding_a_job_is_quick(dash: NotebookDash) -> None:
    job = dash.submit(script="true").wait(timeout=30)
    begin = time.perf_counter()
    dash.job(job.id)
    assert time.perf_counter() - begin < 1
