"""What a site has decided, on the real cluster: what keeps to it runs so, and no door lets through what does not."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from accounting import recorded

from .conftest import BIN, Person, leave, make_person

ID = "site-solver-v1"
# By its ids alone: whatever else is tested in this environment is not met.
POLICY = """\
rules:
  - templates: ["site-solver*"]
    reason: The solver's contract.
    slurm:
      partition: {fixed: compute, reason: The licence server is only reached from there.}
      account: {fixed: research, hidden: true}
      time: {maximum: "00:10:00"}
      cpus_per_task: {maximum: 2}
      qos: {hidden: true}
    parameters:
      cells: {maximum: 100}
      solver: {fixed: steady}
      debug: {hidden: true}
"""
TEMPLATE = f"""\
template: {{id: {ID}, name: site solver}}
slurm: {{partition: viz, time: "00:05:00", cpus_per_task: 1}}
parameters:
  properties:
    cells: {{type: integer, minimum: 1, default: 10}}
    solver: {{enum: [steady, transient], default: transient}}
    debug: {{type: boolean, default: false}}
script:
  main_exec: |
    echo "$CELLS $SOLVER $DEBUG on $SLURM_JOB_PARTITION for $SLURM_JOB_ACCOUNT with $SLURM_CPUS_PER_TASK"
"""

# Options, parameters, the field that is named, and what is said of it.
FORMS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (
        {"partition": "viz"},
        {},
        "/options/partition",
        "Partition is viz, but it is fixed here at compute. The lic",
    ),
    (
        {"account": "teaching"},
        {},
        "/options/account",
        "Account is teaching, but it is fixed here at research.",
    ),
    (
        {"time": "00:20:00"},
        {},
        "/options/time",
        "Time is 00:20:00; here it is at most 00:10:00. The solver's",
    ),
    (
        {"cpus_per_task": 4},
        {},
        "/options/cpus_per_task",
        "Cpus_per_task is 4; here it is at most 2. The solver's",
    ),
    ({"qos": "normal"}, {}, "/options/qos", "Qos cannot be set here. The solver's contract."),
    ({}, {"cells": 101}, "/parameters/cells", "cells is 101, at most 100 here. The solver's contract."),
    (
        {},
        {"solver": "transient"},
        "/parameters/solver",
        "solver is 'transient', but it is fixed here at 'steady'.",
    ),
    ({}, {"debug": True}, "/parameters/debug", "debug cannot be set here. The solver's contract."),
]
# In the generated script: this, replaced by that, and what is said of it.
EDITS: list[tuple[str, str, str]] = [
    (
        "--partition=compute",
        "--partition=viz",
        "partition is viz, but it is fixed here at compute. The licence",
    ),
    ("--account=research", "--account=teaching", "account is teaching, but it is fixed here at research"),
    ("#SBATCH --account=research\n", "", "account is missing; it is fixed here at research"),
    ("--time=00:05:00", "--time=20", "time is 20; here it is at most 00:10:00. The solver's contract."),
    ("--cpus-per-task=1", "-c 4", "cpus_per_task is 4; here it is at most 2. The solver's contract."),
    (
        "#SBATCH --time",
        "#SBATCH --qos=normal\n#SBATCH --time",
        "qos cannot be set here. The solver's contract.",
    ),
    ("export CELLS=10", "export CELLS=1000", "CELLS is decided here; a script may only read it, as $CELLS"),
    (
        "# --- main_exec ---\n",
        "# --- main_exec ---\nDEBUG=true\n",
        "DEBUG is decided here; a script may only",
    ),
]


@pytest.fixture(scope="module")
def policy(cluster: dict[str, Any]) -> Iterator[None]:
    """As an administrator writes it: root's, beside Jupyter's settings of the environment that users share."""
    place = BIN.parent / "etc/jupyter"
    place.mkdir(parents=True, exist_ok=True)
    path = place / "slurmdash_policy.yaml"
    assert not path.exists()
    path.write_text(POLICY)
    yield
    path.unlink()


@pytest.fixture(scope="module")
def person(policy: None) -> Iterator[Person]:
    made = make_person("hpcuser1")
    made.start_server()
    saved = made.call("POST", "/api/v2/templates", {"text": TEMPLATE})
    assert saved.status == 201, saved.body
    yield made
    leave(made)


@pytest.fixture(autouse=True)
def counted(request: pytest.FixtureRequest, person: Person) -> Iterator[None]:
    """What is refused never gets as far as Slurm, or into the list of jobs."""
    refusing = request.node.name.startswith("test_no_")
    before = (jobs_of(person), person.get("/api/jobs")["total"])
    yield
    assert not refusing or (jobs_of(person), person.get("/api/jobs")["total"]) == before


def jobs_of(person: Person) -> list[str]:
    """All that Slurm has recorded of hers."""
    return person.run("sacct", "-nPX", "-S", "now-1days", "-o", "jobid").stdout.split()


def submit(person: Person, template: str = ID, **values: Any) -> Any:
    return person.call("POST", "/api/jobs/submit", {"template_id": template, "job_name": "locked", **values})


def generated(person: Person) -> str:
    return str(person.call("POST", f"/api/v2/templates/{ID}/generate", {}).json()["script"])


def edited(person: Person, old: str, new: str) -> dict[str, str]:
    base = generated(person)
    assert old in base
    return {"base": base, "text": base.replace(old, new, 1)}


def shown_by_slurm(person: Person, job_id: str) -> dict[str, str]:
    text = person.run("scontrol", "show", "job", job_id).stdout
    wanted = ("Partition", "Account", "TimeLimit", "NumCPUs", "CPUs/Task", "JobState")
    return {name: re.search(rf"\b{name}=(\S+)", text)[1] for name in wanted}  # type: ignore[index]


def ran(person: Person, answer: Any, *, cells: int, cpus: int, time: str) -> None:
    """The job ran as it was decided: as Slurm has it, as its own record says, as we tell it."""
    assert answer.status == 201, answer.body
    job = person.wait_for_job(answer.json()["job_id"])
    id = job["job_id"]
    log = person.get(f"/api/jobs/{id}/log")["text"].splitlines()
    assert (job["state"], job["exit_code"], job["partition"]) == ("COMPLETED", 0, "compute"), log
    assert log[-1] == f"{cells} steady false on compute for research with {cpus}"
    found = shown_by_slurm(person, id)
    kept = {"Partition": "compute", "Account": "research", "TimeLimit": time, "CPUs/Task": str(cpus)}
    assert kept.items() <= found.items()
    record = recorded(id, "partition,account,timelimit,state")
    assert record == f"compute|research|{time}|COMPLETED"
    seconds = sum(int(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1), strict=True))
    assert job["time_limit"] == seconds
    shown = " ".join(f"{name}={value}" for name, value in found.items())
    print(
        f"job {id}: scontrol {shown}; sacct {record}; API {job['partition']} {seconds} s; it said {log[-1]!r}"
    )


def test_what_keeps_to_the_locks_runs_with_what_was_decided(person: Person) -> None:
    # The template's own partition is viz, and its own default another solver.
    ran(person, submit(person), cells=10, cpus=1, time="00:05:00")
    at_the_bounds = {"options": {"time": "00:10:00", "cpus_per_task": 2}, "parameters": {"cells": 100}}
    ran(person, submit(person, **at_the_bounds), cells=100, cpus=2, time="00:10:00")


def test_a_script_edited_by_hand_that_keeps_to_them_runs(person: Person) -> None:
    edit = edited(person, "--time=00:05:00", "--time=3 # is enough")
    edit["text"] = edit["text"].replace(
        "# --- main_exec ---\n", '# --- main_exec ---\necho "of ${CELLS}"\n', 1
    )
    ran(person, submit(person, edit=edit), cells=10, cpus=1, time="00:03:00")


def test_slurm_itself_would_take_every_option_that_is_refused(person: Person) -> None:
    """It is the lock that refuses, and nothing else."""
    for options in (each for each, *_ in FORMS if each):
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        done = person.run("sbatch", "--test-only", *given, "--wrap=:", check=False)
        assert done.returncode == 0, done.stderr


def test_no_value_over_http_undoes_a_lock(person: Person) -> None:
    for options, parameters, pointer, words in FORMS:
        answer = submit(person, options=options, parameters=parameters)
        assert answer.status == (422 if options else 400), answer.body
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert error["message"].startswith(words)
        print(f"HTTP {answer.status} {error['pointer']}: {error['message']}")


def test_no_script_edited_by_hand_undoes_a_lock_over_http(person: Person) -> None:
    for old, new, words in EDITS:
        answer = submit(person, edit=edited(person, old, new))
        assert answer.status == 422, answer.body
        errors = {each["pointer"]: each["message"] for each in answer.json()["errors"]}
        assert re.match(rf"(Line \d+ of the|The) script: {re.escape(words)}", errors["/edit/text"]), errors
        print(f"HTTP {answer.status} {errors['/edit/text']}")


NOTEBOOK = """\
import json
import jupyter_slurmdash as sd
from jupyter_slurmdash.errors import SlurmDashError

dash = sd.connect()
base = dash.script(ID)
tries = [{**options, **parameters} for options, parameters, *_ in FORMS]
tries += [{"edited": base.replace(old, new, 1)} for old, new, _ in EDITS]
said = []
for values in tries:
    try:
        said.append(["", dash.submit(ID, **values).id])
    except SlurmDashError as error:
        found = [[each.pointer, each.message] for each in error.errors if each.pointer != "/options/other"]
        said.append([type(error).__name__, found])
open("said.json", "w").write(json.dumps(said))
"""


def test_no_cell_of_a_notebook_undoes_a_lock(person: Person) -> None:
    names = f"ID, FORMS, EDITS = {ID!r}, {FORMS!r}, {EDITS!r}\n"
    path = person.place / "locks.ipynb"
    cell = nbformat.v4.new_code_cell(names + NOTEBOOK, id="c0")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    person.own(path)
    person.run(str(BIN / "jupyter"), "execute", str(path))
    said = json.loads((person.place / "said.json").read_text())
    wanted = [(pointer, words) for *_, pointer, words in FORMS] + [
        ("/edit/text", words) for *_, words in EDITS
    ]
    for (kind, found), (pointer, words) in zip(said, wanted, strict=True):
        assert kind in ("ChecksFailed", "InvalidInput"), (found, words)
        assert any(at == pointer and words in message for at, message in found), (found, words)
    print(f"notebook: {len(said)} of {len(wanted)} refused; the last: {said[-1][0]}: {said[-1][1][0][1]}")


def refused(person: Person, *argv: str, environment: tuple[str, ...] = (), input: str | None = None) -> str:
    command = ["env", *environment, str(BIN / "jupyter"), "slurmdash", *argv]
    done = person.run(*command, check=False, input=input)
    assert done.returncode == 1, done.stdout
    return str(done.stderr)


def test_no_command_in_the_terminal_undoes_a_lock(person: Person) -> None:
    for options, parameters, pointer, words in FORMS:
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        given += [
            part for name, value in parameters.items() for part in ("-p", f"{name}={json.dumps(value)}")
        ]
        given = [part.replace('"', "") for part in given]
        said = refused(person, "submit", ID, *given)
        assert words in said
        print(f"terminal, {pointer}: {said.strip()}")
    for old, new, words in EDITS:
        said = refused(person, "submit", ID, "--edited", "-", input=edited(person, old, new)["text"])
        assert words in said
    print(f"terminal, --edited: {said.strip()}")


def test_no_way_round_by_settings_a_copy_or_a_script_of_ones_own(person: Person) -> None:
    """What a clever user tries next."""
    other = person.place / "mine.yaml"
    other.write_text("rules: []\n")
    person.own(other)
    said = refused(person, "--set", f"policy_file={other}", "submit", ID, "-o", "partition=viz")
    assert "fixed here at compute" in said
    said = refused(
        person, "submit", ID, "-o", "time=20", environment=(f"JUPYTER_CONFIG_PATH={person.place}",)
    )
    assert "here it is at most 00:10:00" in said
    answer = submit(person, script='SOLVER=transient\necho "$SOLVER"\n')
    assert answer.status == 422
    assert "SOLVER is decided here" in answer.json()["errors"][0]["message"]
    # A copy under another name is still one, and cannot forget it.
    made = person.call("POST", f"/api/v2/templates/{ID}/clone", {"new_name": "free"})
    assert made.status == 201, made.body
    answer = submit(person, made.json()["id"], options={"partition": "viz"})
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/options/partition")
    text = person.call("GET", f"/api/v2/templates/export/{made.json()['id']}").body.decode()
    without = text.replace(f", cloned_from: [{ID}]", "")
    assert without != text
    saved = person.call("PUT", f"/api/v2/templates/{made.json()['id']}", {"text": without}, {"If-Match": "*"})
    assert saved.status == 403, saved.body
    print(f"HTTP {saved.status}: {saved.json()['detail']}")


def test_variables_of_sbatch_and_of_the_job_do_not_come_in_by_the_environment(person: Person) -> None:
    environment = ("SBATCH_PARTITION=viz", "SBATCH_ACCOUNT=teaching", "SBATCH_TIMELIMIT=60", "CELLS=1000")
    job_id = person.run("env", *environment, str(BIN / "jupyter"), "slurmdash", "submit", ID).stdout.strip()
    person.wait_for_job(job_id)
    found = shown_by_slurm(person, job_id)
    assert (found["Partition"], found["Account"], found["TimeLimit"]) == ("compute", "research", "00:05:00")
    assert person.get(f"/api/jobs/{job_id}/log")["text"].startswith("10 steady false on compute for research")
    print(f"job {job_id} with {' '.join(environment)}: scontrol {found}")


def test_nobody_but_the_administrator_writes_the_policy(person: Person) -> None:
    path = BIN.parent / "etc/jupyter/slurmdash_policy.yaml"
    done = person.run("cp", "/etc/hostname", str(path), check=False)
    assert "Permission denied" in done.stderr
    assert (
        subprocess.run(["stat", "-c%U", path], check=True, capture_output=True, text=True).stdout == "root\n"
    )
