"""Templates in a cell and in the terminal: the same core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from template_place import TEXT

from jupyter_slurmdash.cli import main
from jupyter_slurmdash.errors import InvalidInput, PreconditionFailed, TemplateBroken, TemplateNotFound


def test_in_a_cell(dash: Any) -> None:
    first = dash.save_template(TEXT)
    second = dash.save_template(TEXT.replace("echo one", "echo two"), based_on=first.hash)
    with pytest.raises(PreconditionFailed):
        dash.save_template(TEXT, based_on=first.hash)
    with pytest.raises(TemplateBroken, match="Line 1"):
        dash.save_template("nothing: here\n")
    assert dash.template_text("mine") == TEXT.replace("echo one", "echo two")
    versions = dash.template_versions("mine")
    assert [version.hash for version in versions] == [first.hash]
    assert repr(versions).startswith("version")
    assert "+    echo two" in dash.template_diff("mine", versions[0].version)
    assert dash.restore_template("mine", versions[0].version).hash == first.hash
    assert dash.clone_template("mine", "copy").id == "copy"
    assert dash.share_template("mine").source == "community"
    assert dash.unshare_template("mine").source == "private"
    assert dash.delete_template("mine").source == "archived"
    with pytest.raises(TemplateNotFound):
        dash.library.usable("mine")
    assert dash.restore_template("mine").source == "private"
    assert dash.import_template(TEXT).id == "mine-2"
    assert dash.save_template(TEXT.replace("id: mine", "id: ours"), shelf="community").source == "community"
    assert second.id == "mine"


def sets(tmp_path: Path) -> list[str]:
    return [
        f"--set={name}={value}"
        for name, value in {
            "scheduler": "local",
            "data_dir": tmp_path / "data",
            "work_root": tmp_path / "jobs",
            "template_root": tmp_path / "templates",
            "image_dirs": "[]",
        }.items()
    ]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str, status: int = 0) -> str:
        assert main([*sets(tmp_path), "template", *arguments]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return run


def test_in_the_terminal(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    saved = shell("save", str(file)).split("\t")
    assert saved[:2] == ["mine", "private"]
    assert shell("show", "mine") == TEXT
    assert "mine" in shell("list", "--source", "private")
    assert '"id": "mine"' in shell("list", "mine", "--json")
    file.write_text(TEXT.replace("echo one", "echo two"))
    shell("save", str(file), "--based-on", saved[2].strip())
    assert "Changed by someone else" in shell("save", str(file), "--based-on", "0" * 64, status=1)
    file.write_text("template: [\n")
    assert f"{file}:2:1: " in shell("check", str(file), status=1)
    assert "Nothing was saved" in shell("save", str(file), status=1)
    version = shell("versions", "mine").splitlines()[1].split()[0]
    assert '"version"' in shell("versions", "mine", "--json")
    assert "+    echo two" in shell("diff", "mine", version)
    shell("restore", "mine", version)
    assert shell("show", "mine") == TEXT
    assert shell("clone", "mine", "Another one").startswith("another-one\tprivate")
    assert "\tcommunity\t" in shell("share", "mine")
    assert "\tprivate\t" in shell("unshare", "mine")
    assert "\tarchived\t" in shell("delete", "mine")
    assert "\tprivate\t" in shell("restore", "mine")
    shell("export", "mine", "-o", str(file))
    assert "echo one" in file.read_text()
    assert shell("import", str(file)).startswith("mine-2\tprivate")
    assert "Official templates" in shell("delete", "python-script-v1", status=1)
    file.write_bytes(b"\xff")
    assert "UTF-8" in shell("save", str(file), status=1)
    assert "image" in shell("draft", "nothing.sif", status=1).lower()


def test_checks_in_the_terminal(shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By id and by file, in words and as JSON; the exit status says whether there was an error."""
    assert shell("check", "python-script-v1", "shell-script-v1").splitlines() == [
        "ok       python-script-v1",
        "ok       shell-script-v1",
        "2 ok, 0 with a warning, 0 with an error",
    ]
    assert "slurm: The embedded scheduler" in shell("check", "-v", "python-script-v1")
    [report] = json.loads(shell("check", "python-script-v1", "--json"))
    assert (report["level"], report["steps"][0]["name"]) == ("ok", "schema")
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT.replace("nodes: 1", "partition: nowhere"))
    assert main([*sets(tmp_path), "template", "check", str(file)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "error    mine"
    assert said[1].startswith("         resources: error: The cluster has no partition nowhere.")
    assert said[-1] == "0 ok, 0 with a warning, 1 with an error"
    # What a file would be is on no shelf, so nothing of it is kept.
    assert "Template not found" in shell("show", "mine", status=1)
    assert "Template not found" in shell("check", "nothing-v1", status=1)
    # The official set asks for more than this machine has.
    assert main([*sets(tmp_path), "templates", "check", "--json"]) == 1
    reports = json.loads(capsys.readouterr().out)
    assert len(reports) == 11
    assert {report["template_id"] for report in reports if report["level"] == "ok"} >= {"python-script-v1"}


def test_how_it_does_stands_beside_the_yaml(
    shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    shell("save", str(file))
    shell("check", "mine")
    assert main([*sets(tmp_path), "submit", "mine", "--wait"]) == 0
    capsys.readouterr()
    assert main([*sets(tmp_path), "templates", "show", "mine"]) == 0
    said = capsys.readouterr()
    assert said.out == TEXT
    checked, runs = said.err.splitlines()
    assert checked.startswith("ok, checked ")
    assert runs.startswith("1 of 1 ended well; median wait ")
    health = json.loads(shell("show", "mine", "--json"))
    assert (health["runs"]["good"], health["check"]["current"]) == (1, True)
    assert "ok, checked " in shell("list", "mine")
    [listed] = json.loads(shell("list", "mine", "--json"))
    assert listed["runs"] == health["runs"]
    file.write_text(TEXT.replace("echo one", "echo two"))
    shell("save", str(file))
    assert "not checked since it was changed" in shell("list", "mine")


def test_checks_in_a_cell(dash: Any) -> None:
    table = dash.check_templates("python-script-v1", "openfoam-simulation-v1")
    assert [report.template_id for report in table] == ["python-script-v1", "openfoam-simulation-v1"]
    assert not table.ok
    shown = repr(table).splitlines()
    assert shown[0].split()[:3] == ["template", "level", "step"]
    assert shown[1].startswith("python-script-v1        ok")
    assert "No scanned node has openfoam.sif." in shown[2]
    assert "No scanned node has openfoam.sif." in table._repr_html_()


SCRIPT = "#!/bin/bash\n#SBATCH -n 2 --account=mine --gpus-per-task=1\necho $SLURM_NTASKS\n"


def test_from_a_script_and_a_job_in_a_cell(dash: Any, tmp_path: Path) -> None:
    (tmp_path / "my run.sbatch").write_text(SCRIPT)
    draft = dash.template_from_script(tmp_path / "my run.sbatch")
    assert (draft.template.id, draft.template.name) == ("my-run", "my run")
    assert dash.template_from_script(SCRIPT, "other").template.name == "other"
    assert [str(note)[:26] for note in draft.notes[:2]] == [
        "Line 2: --account is left ",
        "Line 2: --gpus-per-task ha",
    ]
    with pytest.raises(InvalidInput, match="Line 2"):
        dash.template_from_script("#!/bin/bash\n#SBATCH hetjob\n")
    (tmp_path / "bad.sh").write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match="UTF-8"):
        dash.template_from_script(tmp_path / "bad.sh")
    job = dash.submit(script="echo hi", job_name="hi").wait(timeout=30)
    assert dash.template_from_job(job).text == dash.template_from_job(job.id).text
    assert dash.save_template(dash.template_from_job(job)).main_exec == "echo hi"


def test_from_a_script_in_the_terminal(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_text(SCRIPT)
    text = shell("from-script", str(file))
    assert "ntasks: 2" in text
    assert "name: run\n" in text
    assert "mine" not in text
    assert shell("from-script", str(file), "--name", "other", "--save").startswith("other\tprivate\t")
    file.write_text("#!/bin/bash\n#SBATCH hetjob\n")
    assert "Line 2 of the script" in shell("from-script", str(file), status=1)
    assert "There is no job 4711" in shell("from-job", "4711", status=1)
