"""Templates in a cell and in the terminal: the same core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from template_place import TEXT

from jupyter_slurmdash.cli import main
from jupyter_slurmdash.errors import PreconditionFailed, TemplateBroken, TemplateNotFound


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


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    sets = [
        f"--set={name}={value}"
        for name, value in {
            "scheduler": "local",
            "data_dir": tmp_path / "data",
            "work_root": tmp_path / "jobs",
            "template_root": tmp_path / "templates",
        }.items()
    ]

    def run(*arguments: str, status: int = 0) -> str:
        assert main([*sets, "template", *arguments]) == status
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
