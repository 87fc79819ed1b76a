"""Templates on the real cluster: all official ones pass their check, those whose program is here run, and so do the
plan's examples."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import BIN, Person, leave, make_person

DATA = Path(__file__).parents[1] / "templates" / "data"
# Programs that are not on this cluster: an image of that name is, so that all but the run itself can be shown.
STAND_INS = ("openfoam.sif", "tensorflow.sif", "gromacs.sif")


@pytest.fixture(scope="module")
def person(cluster: dict[str, Any]) -> Iterator[Person]:
    """hpcuser1, at whose site a directory that every node sees holds the images that the official set names."""
    made = make_person("hpcuser1")
    shared = made.place / "images"
    shared.mkdir()
    source = Path(cluster["nodes"]["node001"]["images"]) / "openfoam-v2406.sif"
    for name in STAND_INS:
        shutil.copy(source, shared / name)
    made.configure(shared_image_dirs=[str(shared)])
    made.start_server()
    yield made
    leave(made)


def reports(person: Person, *what: str, status: int = 0) -> dict[str, dict[str, Any]]:
    done = person.slurmdash("templates", "check", *what, "--json", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return {report["template_id"]: report for report in json.loads(done.stdout)}


def step(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(each) for each in report["steps"] if each["name"] == name)


def test_every_official_template_passes(person: Person) -> None:
    found = reports(person)
    assert len(found) == 11
    for id, report in found.items():
        wrong = [each for each in report["steps"] if each["level"] != "ok"]
        assert (report["level"], wrong) == ("ok", []), id
        said = step(report, "slurm")["message"]
        assert said.startswith("sbatch --test-only: Job "), said
        print(f"{id}: {said}")
    text = person.slurmdash("templates", "check").stdout
    assert text.splitlines()[-1] == "11 ok, 0 with a warning, 0 with an error"
    # The server, another process, has them in its list.
    listed = {each["id"]: each for each in person.get("/api/v2/templates?source=official")["templates"]}
    assert {id: listed[id]["check"]["level"] for id in found} == dict.fromkeys(found, "ok")


def test_what_is_wrong_is_found(person: Person) -> None:
    """Each by its own step, with what to do; Slurm is asked whatever the other steps found."""
    cases = {
        "away.yaml": ("apptainer: {image_name: nothing-like-it.sif}", "image", "No scanned node has"),
        "elsewhere.yaml": (
            "apptainer: {image_name: vnc_gnome.sif}\nslurm: {partition: compute}",
            "image",
            "vnc_gnome.sif is on viz-node001, but on no node of partition compute. Copy it there",
        ),
        "default.yaml": (
            "apptainer: {image_name: vnc_gnome.sif}",
            "image",
            "No node of partition compute has vnc_gnome.sif; it is on viz-node001. Copy it",
        ),
        "long.yaml": ("slurm: {partition: viz, time: '05:00:00'}", "resources", "allows at most 240 min"),
        "feature.yaml": ("slurm: {constraint: no_such_feature}", "slurm", "Choose a constraint"),
        "account.yaml": ("slurm: {account: nobodys}", "resources", "You cannot use the account nobodys"),
    }
    for name, (sections, where, said) in cases.items():
        file = person.place / name
        file.write_text(
            f"template: {{id: {file.stem}, name: x}}\n{sections}\nscript: {{main_exec: 'true'}}\n"
        )
        person.own(file)
        [report] = reports(person, str(file), status=1).values()
        found = step(report, where)
        assert found["level"] == "error", report
        assert said in found["message"], found
        assert any(each["name"] == "slurm" for each in report["steps"])
    partly = person.place / "partly.yaml"
    partly.write_text(
        "template: {id: partly, name: x}\napptainer: {image_name: openfoam-v2406.sif}\n"
        "script: {main_exec: 'true'}\n"
    )
    person.own(partly)
    [report] = reports(person, str(partly)).values()
    assert step(report, "image")["level"] == "warning"
    assert "missing on node002, node004" in step(report, "image")["message"]


def test_the_check_over_http_ends_by_an_event(person: Person) -> None:
    assert person.call("POST", "/api/v2/templates/pytorch-training-v1/health").status == 202
    deadline = time.monotonic() + 60
    while (health := person.get("/api/v2/templates/pytorch-training-v1/health"))["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (health["state"], health["report"]["level"]) == ("finished", "ok")
    assert step(health["report"], "image")["message"] == "pytorch_cuda.sif is where the job would run."


# -- for real --------------------------------------------------------------------------------------------------


def submit(person: Person, template: str, *words: str, **files: str) -> str:
    """Submit from the terminal, wait, and give the job's log; its id is the first line."""
    named = [word for slot, path in files.items() for word in ("--file", f"{slot}={path}")]
    return person.slurmdash("submit", template, *named, *words, "--wait").stdout


def write(person: Person, name: str, text: str) -> str:
    file = person.place / "inputs" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    person.own(file.parent)
    return str(file)


def test_a_python_script_runs(person: Person) -> None:
    script = write(
        person,
        "mean.py",
        "import os, socket, sys\n"
        "numbers = [float(line) for line in open(os.environ['DATA'])]\n"
        "print(socket.gethostname(), sys.argv[1:], sum(numbers) / len(numbers))\n",
    )
    data = write(person, "numbers.txt", "1\n2\n6\n")
    out = submit(person, "python-script-v1", "-p", "arguments=one 'two three'", script=script, data=data)
    assert "['one', 'two three'] 3.0" in out, out
    assert "node00" in out
    print("python-script-v1:", out.split("\n", 1)[1].strip())
    inside = write(person, "inside.py", "import os\nprint('image', os.environ['APPTAINER_NAME'])\n")
    out = submit(person, "python-script-v1", "--image", "python-tools.sif", script=inside)
    assert "image python-tools.sif" in out, out


def test_a_shell_script_runs(person: Person) -> None:
    script = write(
        person, "here.sh", 'echo "$(hostname) has $SLURM_CPUS_ON_NODE CPUs for job $SLURM_JOB_ID"\n'
    )
    out = submit(person, "shell-script-v1", script=script)
    job = out.splitlines()[0]
    assert f"CPUs for job {job}" in out, out
    print("shell-script-v1:", out.split("\n", 1)[1].strip())


def test_a_notebook_runs(person: Person) -> None:
    """With the Python that has nbclient and a kernel: the one that the user's own JupyterLab runs with, which is the
    first on the PATH that sbatch takes along."""
    cells = [
        "import os, socket\nargument = int(os.environ['ARGUMENTS'])",
        "print(socket.gethostname(), argument ** 2)",
    ]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": text,
            }
            for n, text in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = write(person, "square.ipynb", json.dumps(notebook))
    out = submit(person, "notebook-run-v1", "-p", "arguments=12", notebook=path)
    assert "Written: square.result.ipynb" in out, out
    job = out.splitlines()[0]
    result = person.call("GET", f"/api/jobs/{job}/files/square.result.ipynb").json()
    [printed] = result["cells"][1]["outputs"]
    assert "".join(printed["text"]).split()[1] == "144"
    listed = person.get(f"/api/jobs/{job}/files")["files"]
    assert [each["path"] for each in listed if each["is_output"]] == ["square.result.ipynb"]
    print("notebook-run-v1:", "".join(printed["text"]).strip(), f"with {BIN}/python3")


def test_history_counts_these_runs(person: Person) -> None:
    for id in ("python-script-v1", "shell-script-v1", "notebook-run-v1"):
        health = person.get(f"/api/v2/templates/{id}/health")
        runs = health["runs"]
        assert (runs["good"], runs["ended"]) == ((2, 2) if id == "python-script-v1" else (1, 1)), health
        assert runs["median_wait"] >= 0
        said = person.slurmdash("templates", "show", id).stderr
        assert f"{runs['good']} of {runs['ended']} ended well; median wait " in said
        print(f"{id}: {said.splitlines()[-1]}")


# -- the plan's examples ---------------------------------------------------------------------------------------
# Its pytorch_training.yaml runs in test_trouble.py.


def test_the_plans_file_schema_runs(person: Person) -> None:
    """The plan's JSON as it stands, as the files of a template whose image and script are beside it."""
    schema = json.loads((DATA / "file_schema.json").read_text(encoding="utf-8"))
    template = {
        "template": {"id": "plan-files-v1", "name": "plan_files"},
        "slurm": {"partition": "compute", "ntasks": 1, "time": "00:05:00"},
        "apptainer": {"image_name": "python-tools.sif"},
        **schema,
        "script": {
            "main_exec": 'apptainer exec "$CONTAINER" python -c \'import json, os\n'
            'steps = json.load(open("config.json"))["iterations"]\n'
            'open("results_1.vtk", "w").write(open(os.environ["INPUT_DATA"]).read() * steps)\n'
            'print("mesh", os.environ["MESH_FILE"], "steps", steps)\''
        },
    }
    made = person.call("POST", "/api/v2/templates", {"text": json.dumps(template, ensure_ascii=False)})
    assert made.status == 201, made.body
    [report] = reports(person, "plan-files-v1").values()
    assert report["level"] == "ok", report
    files = {
        "input_data": write(person, "points.dat", "1 2\n3 4\n"),
        "mesh_file": write(person, "part.msh", "mesh\n"),
        "config": write(
            person, "config.json", json.dumps({"timestep": 0.1, "iterations": 3, "solver": "cg"})
        ),
    }
    out = submit(person, "plan-files-v1", **files)
    assert "mesh part.msh steps 3" in out, out
    job = out.splitlines()[0]
    listed = person.get(f"/api/jobs/{job}/files")["files"]
    assert [each["path"] for each in listed if each["is_output"]] == ["results_1.vtk"]
    assert person.call("GET", f"/api/jobs/{job}/files/results_1.vtk").body == b"1 2\n3 4\n" * 3
    print(f"the plan's file schema ran as job {job}: {out.splitlines()[-1]}")


def test_the_plans_yaml_is_checked_as_it_stands(person: Person) -> None:
    file = person.place / "plan.yaml"
    shutil.copy(DATA / "pytorch_training.yaml", file)
    person.own(file)
    [report] = reports(person, str(file)).values()
    assert report["level"] == "ok", report
    assert step(report, "slurm")["message"].startswith("sbatch --test-only: Job ")
