"""A finished job becomes a template, and a job of that template has the same script."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from records import a_record
from shells import add_template, run, write

from jupyter_slurmdash.errors import JobNotFound
from jupyter_slurmdash.formats.fields import FormSchema
from jupyter_slurmdash.jobs.jobdraft import request_draft
from jupyter_slurmdash.jobs.model import JobSpec, ScriptEdit
from jupyter_slurmdash.jobs.personal import Owner
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.base import Submission
from jupyter_slurmdash.templates.texts import TemplateDraft

PARAMETERS = {
    "type": "object",
    "properties": {
        "epochs": {"type": "integer", "default": 1, "maximum": 100},
        "note": {"type": "string", "default": ""},
        "fast": {"type": "boolean", "default": False},
    },
}


def differences(one: str, other: str) -> list[str]:
    """The lines that only one of the scripts has."""
    return [line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] in "+-"]


def again(dash: NotebookDash, draft: TemplateDraft, **spec: Any) -> str:
    """The script of a job of the saved draft, without another word."""
    dash.save_template(draft)
    preview = dash.jobs.preview(JobSpec(template_id=draft.template.id, **spec))
    assert preview.ready, preview.checks
    return preview.script


def test_the_same_script_again(dash: NotebookDash, tmp_path: Path, awkward: str) -> None:
    add_template(
        tmp_path,
        slurm={"ntasks": 1, "time": 5, "account": "theirs", "other": {"open-mode": "append"}},
        parameters=PARAMETERS,
        script={"pre_exec": "true", "main_exec": 'echo "$EPOCHS $NOTE"'},
    )
    job = dash.submit("test-v1", job_name="my run", epochs=7, note=awkward, time="00:02:00", fast=True)
    draft = dash.template_from_job(job)
    assert (draft.template.name, draft.template.id, draft.template.source) == ("my run", "my-run", "private")
    assert (draft.template.author, draft.template.cloned_from) == (dash.user, ("test-v1",))
    assert "theirs" not in draft.text
    assert any("--account is left out" in str(note) for note in draft.notes)
    told = differences(job.script, again(dash, draft))
    assert [line for line in told if "# template: " not in line] == ["- #SBATCH --account=theirs"]
    assert len(told) == 3


def test_comments_of_the_template_stay(dash: NotebookDash, tmp_path: Path) -> None:
    write(
        tmp_path / "templates" / "community" / "t.yaml",
        "# Of the group.\ntemplate: {id: t, name: t}\nslurm:\n  ntasks: 1  # more is no use\n"
        "script: {main_exec: 'true'}\n",
    )
    job = dash.submit("t", ntasks=2).wait(timeout=30)
    text = dash.template_from_job(job).text
    assert text.startswith("# Of the group.\n")
    assert "ntasks: 2  # more is no use" in text


def test_a_former_version_is_found(dash: NotebookDash) -> None:
    dash.save_template("template: {id: t, name: t}\nscript: {main_exec: echo one}\n")
    job = dash.submit("t").wait(timeout=30)
    dash.save_template("template: {id: t, name: t}\nscript: {main_exec: echo two}\n")
    draft = dash.template_from_job(job)
    assert draft.template.main_exec == "echo one"
    assert str(list(draft.notes)) == "[]"
    assert all("# template: " in line for line in differences(job.script, again(dash, draft)))


def test_a_template_that_is_gone_gives_the_script(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        parameters=PARAMETERS,
        script={"main_exec": 'false || echo "$EPOCHS"', "post_exec": "echo end"},
    )
    job = dash.submit("test-v1", epochs=3).wait(timeout=30)
    (tmp_path / "templates" / "community" / "test-v1.yaml").unlink()
    dash.library.refresh()
    draft = dash.template_from_job(job)
    assert "no longer what it was" in str(draft.notes[0])
    assert (draft.template.parameters, draft.template.cloned_from) == (None, ("test-v1",))
    dash.save_template(draft)
    second = dash.submit(draft.template.id).wait(timeout=30)
    assert (second.tail(), job.tail()) == ("3\nend", "3\nend")
    assert second.script.count("SLURMDASH_DIR=") == 1


def test_a_script_edited_by_hand_is_taken_as_it_was(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, parameters=PARAMETERS, script={"main_exec": "echo one"})
    base = dash.jobs.preview(JobSpec(template_id="test-v1")).script
    edit = ScriptEdit(
        base,
        base.replace("echo one", "echo two\necho $EPOCHS").replace("--error=", "--open-mode=append --error="),
    )
    record, _ = dash.jobs.submit(JobSpec(template_id="test-v1", edit=edit))
    draft = dash.template_from_job(record.run_id)
    assert "edited by hand" in str(draft.notes[0])
    assert draft.template.other == {"open-mode": "append"}
    assert draft.template.cloned_from == ("test-v1",)
    dash.save_template(draft)
    assert dash.submit(draft.template.id).wait(timeout=30).tail() == "two\n1"


def test_a_plain_script_of_ours(dash: NotebookDash) -> None:
    job = run(dash, "#!/bin/bash -l\necho $-", job_name="plain", time="3")
    draft = dash.template_from_job(job)
    assert draft.template.main_exec == "#!/bin/bash -l\necho $-"
    assert draft.template.slurm == {"time": "3"}
    assert all("# template: " in line for line in differences(job.script, again(dash, draft)))


def test_a_job_from_elsewhere(dash: NotebookDash, tmp_path: Path) -> None:
    script = "#!/bin/bash\n#SBATCH --ntasks=1 --account=mine\n# says hello\nfalse\necho hello\n"
    job_id = dash.scheduler.submit(Submission(script, str(tmp_path), {"time": "90", "job-name": "outside"}))
    draft = dash.template_from_job(job_id)
    assert dash.jobs.script(job_id) == script
    assert draft.template.name == "outside"
    assert draft.template.slurm == {"ntasks": 1, "partition": "local", "time": "01:30:00"}
    assert "mine" not in draft.text
    said = "\n".join(map(str, draft.notes))
    assert "--time is not in the script: 01:30:00 is what the job had." in said
    dash.save_template(draft)
    assert dash.submit(draft.template.id).wait(timeout=30).tail() == "hello"


def test_a_job_that_nobody_knows(dash: NotebookDash) -> None:
    with pytest.raises(JobNotFound):
        dash.template_from_job("4711")


def test_values_of_fields_that_come_and_go(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"mode": {"enum": ["a", "b"], "default": "a"}, "n": {"type": "integer", "default": 1}},
        "if": {"properties": {"mode": {"const": "b"}}},
        "then": {"properties": {"k": {"type": "integer", "default": 1}, "n": {"default": 2, "maximum": 9}}},
        "else": {"properties": {"n": {"maximum": 3}}, "allOf": [{"$ref": "#/$defs/more"}]},
        "$defs": {"more": {"properties": {"m": {"type": "integer", "default": 1}}}},
    }
    template = {"template": {"id": "t", "name": "t"}, "parameters": schema}

    def drafted(**values: Any) -> tuple[dict[str, Any], str]:
        record = a_record(tmp_path, template_id="t", request={"parameters": values})
        made = request_draft(record, template, Owner("alice", "/home/alice"))
        return made.document["parameters"], "\n".join(map(str, made.notes))

    made, said = drafted(mode="b", k=7, n=5, m=4)
    assert FormSchema(made).resolve({}).values == {"mode": "b", "n": 5, "k": 7}
    assert said == ""  # m was not asked for, so it was not the job's
    made, said = drafted(m=4)
    assert FormSchema(made).resolve({}).values == {"mode": "a", "n": 1, "m": 1}
    assert "The job had m = 4. It could not be made the default." in said


def test_an_image_its_app_and_files(tmp_path: Path) -> None:
    record = a_record(
        tmp_path,
        name="solve",
        image_path="/opt/apptainers/tools.sif",
        template_id="t",
        request={
            "image_id": "x",
            "app": "mesh",
            "files": {"grid": "/home/alice/grid.msh"},
            "session_id": "s",
            "options": {"account": "a", "requeue": False, "nodes": "2", "job_name": "x", "qos": None},
            "parameters": {"n": 3, "gone": 1, "empty": None},
        },
    )
    template = {
        "template": {"id": "t", "name": "t", "tags": ["mesh"], "version": "7.0.0"},
        "apptainer": {"image_name": "other.sif", "bind": ["/a:/b:ro"]},
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}, "empty": {"default": "e"}}},
    }
    made = request_draft(record, template, Owner("alice", "/home/alice"))
    assert made.document["apptainer"] == {"image_name": "tools.sif", "app": "mesh", "bind": ["/a:/b:ro"]}
    assert made.document["slurm"] == {"requeue": False, "nodes": 2}
    assert made.document["parameters"]["properties"] == {
        "n": {"type": "integer", "default": 3},
        "empty": {"default": "e"},
    }
    assert made.document["template"]["tags"] == ["mesh"]
    assert made.document["template"]["version"] == "1.0.0"
    said = "\n".join(map(str, made.notes))
    assert "The file for grid was /home/alice/grid.msh" in said
    assert "uploaded files" in said
    assert "--account is left out" in said
    assert template["apptainer"]["image_name"] == "other.sif"
