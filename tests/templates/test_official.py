"""The official set: it reads, bash reads its scripts, and what runs anywhere really runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from jupyter_slurmdash.templates.library import Library
from jupyter_slurmdash.templates.model import Template

CHECKS = (
    "check_gpu_availability",
    "validate_dataset_size",
    "validate_dat_format",
    "notify_user",
    "log_submission",
)
LIBRARY = Library("/nonexistent", "me", True, CHECKS)
TEMPLATES = {summary.id: LIBRARY.whole(summary) for summary in LIBRARY.templates()}
PLAN = {
    "ml/pytorch_training",
    "ml/tensorflow_training",
    "ml/jupyter_notebook",
    "cfd/openfoam_simulation",
    "cfd/fluent_simulation",
    "structural/abaqus_analysis",
    "structural/ansys_mechanical",
    "molecular/gromacs_simulation",
    "data/python_script",
    "custom/shell_script",
    "ml/notebook_run",
}


def test_all_are_there() -> None:
    assert {template.path for template in TEMPLATES.values()} == {f"package:{name}.yaml" for name in PLAN}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_each_is_sound(template: Template) -> None:
    assert template.problem is None
    assert f"package:{template.category}/{template.name}.yaml" == template.path
    assert template.description
    assert template.tags
    for name, parameter in (template.parameters or {}).get("properties", {}).items():
        assert parameter["title"], name
        assert "default" in parameter, name


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_bash_reads_each_and_values_are_quoted(template: Template) -> None:
    script = "\n".join(("set -e", template.pre_exec, template.main_exec, template.post_exec))
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    names = [slot.name.upper() for slot in template.slots]
    names += [name.upper() for name in (template.parameters or {}).get("properties", {})]
    for name in [*names, "CONTAINER", "APPTAINER_IMAGE"]:
        for line in script.splitlines():
            if re.search(rf"\$\{{?{name}\b", line) and not line.lstrip().startswith("#"):
                # Inside double quotes, in a [[ ]]/case word or in arithmetic; never bare.
                assert re.search(rf"\"[^\"]*\$\{{?{name}\b[^\"]*\"|\$\(\([^)]*{name}", line), line


def test_what_runs_anywhere_asks_for_little() -> None:
    for template_id in ("python-script-v1", "shell-script-v1", "notebook-run-v1"):
        assert TEMPLATES[template_id].slurm == {
            "nodes": 1,
            "ntasks": 1,
            "cpus_per_task": 1,
            "mem": "1G",
            "time": "00:10:00",
        }


def run(template_id: str, place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The template's sections as a job runs them: in its directory, with its variables."""
    template = TEMPLATES[template_id]
    (place / ".slurmdash").mkdir(exist_ok=True)
    script = "\n".join(("set -e", template.pre_exec, template.main_exec, template.post_exec))
    venv = str(Path(__import__("sys").executable).parent)
    env = {"PATH": f"{venv}:/usr/bin:/bin", "HOME": str(place), **variables}
    return subprocess.run(
        ["bash", "-c", script], cwd=place, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_python_script(tmp_path: Path) -> None:
    (tmp_path / "my script.py").write_text("import sys, os; print(sys.argv[1:], os.environ.get('DATA'))")
    arguments = """one "two three" 'f"o' $(id) * ;x --n=1 한글"""
    done = run("python-script-v1", tmp_path, SCRIPT="my script.py", ARGUMENTS=arguments, DATA="d x.csv")
    assert (
        done.stdout
        == f"{['one', 'two three', 'f' + chr(34) + 'o', '$(id)', '*', ';x', '--n=1', '한글']} d x.csv\n"
    )
    assert run("python-script-v1", tmp_path, SCRIPT="my script.py", ARGUMENTS="").stdout == "[] None\n"
    unbalanced = run("python-script-v1", tmp_path, SCRIPT="my script.py", ARGUMENTS="'a")
    (tmp_path / "fails.py").write_text("raise SystemExit(7)")
    assert run("python-script-v1", tmp_path, SCRIPT="fails.py").returncode == 7
    assert "unmatched single quote" in unbalanced.stderr
    assert (unbalanced.returncode, unbalanced.stdout) == (1, "")


def test_scripts_in_a_container(tmp_path: Path) -> None:
    """Without Apptainer here: a stand-in that shows its arguments."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/apptainer").write_text("#!/bin/bash\nprintf '[%s]' \"$@\"\n")
    (tmp_path / "bin/apptainer").chmod(0o755)
    variables = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "CONTAINER": "/images/a b.sif", "SCRIPT": "s 1.py"}
    done = run("python-script-v1", tmp_path, ARGUMENTS="x 'y z'", **variables)
    assert done.stdout == "[exec][/images/a b.sif][python3][s 1.py][x][y z]"
    assert run("shell-script-v1", tmp_path, **variables).stdout == "[exec][/images/a b.sif][bash][./s 1.py]"
    done = run(
        "notebook-run-v1", tmp_path, NOTEBOOK="n.ipynb", CELL_TIMEOUT="0", KEEP_GOING="false", **variables
    )
    assert done.stdout == "[exec][/images/a b.sif][python3][.slurmdash/run_notebook.py]"


def test_shell_script(tmp_path: Path) -> None:
    (tmp_path / "-my script.sh").write_text("echo here; exit 3")
    done = run("shell-script-v1", tmp_path, SCRIPT="-my script.sh")
    assert (done.stdout, done.returncode) == ("here\n", 3)


def test_notebook_run(tmp_path: Path) -> None:
    cells = ["import os; print('argument', os.environ['ARGUMENTS'])", "1/0", "print('after')"]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": s,
            }
            for n, s in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "my notes.ipynb").write_text(json.dumps(notebook))
    variables = {"NOTEBOOK": "my notes.ipynb", "ARGUMENTS": "7 한글", "CELL_TIMEOUT": "0"}
    stopped = run("notebook-run-v1", tmp_path, KEEP_GOING="false", **variables)
    result = json.loads((tmp_path / "my notes.result.ipynb").read_text())
    assert stopped.returncode == 1
    assert "ZeroDivisionError" in stopped.stderr
    assert result["cells"][0]["outputs"][0]["text"] == ["argument 7 한글\n"]
    assert result["cells"][2]["outputs"] == []
    whole = run("notebook-run-v1", tmp_path, KEEP_GOING="true", **variables)
    result = json.loads((tmp_path / "my notes.result.ipynb").read_text())
    assert whole.returncode == 0, whole.stderr
    assert result["cells"][2]["outputs"][0]["text"] == ["after\n"]
