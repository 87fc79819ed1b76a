"""Locks hold for every job, whatever door it comes through and whoever wrote its script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from plans import a_plan, a_template
from settings import private_values

from jupyter_slurmdash.cli import main
from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.errors import ChecksFailed, InvalidInput
from jupyter_slurmdash.jobs.edits import final_script, read_back
from jupyter_slurmdash.jobs.lockchecks import check_locks
from jupyter_slurmdash.jobs.model import Check, JobSpec, Plan, ScriptEdit
from jupyter_slurmdash.jobs.script import generate_script
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.directives import numbered_directives, parse_directives
from jupyter_slurmdash.slurm.measures import amounts, same
from jupyter_slurmdash.templates.locks import Locks

LOCKED = """\
template: {id: locked-v1, name: locked}
slurm: {partition: local, time: "00:10:00", nodes: 1}
parameters:
  properties:
    cells: {type: integer, minimum: 1, maximum: 1000, default: 10}
    solver: {enum: [steady, transient], default: steady}
    debug: {type: boolean, default: false}
locks:
  slurm:
    partition: {fixed: local, reason: The licence server is only reached from there.}
    time: {maximum: "00:30:00", reason: Longer runs block the others.}
    account: {hidden: true}
    gres: {maximum: 0}
  parameters:
    cells: {maximum: 100, reason: The licence is for 100 cells.}
    solver: {fixed: transient, reason: Only this one is licensed.}
    debug: {hidden: true}
script: {main_exec: 'echo "$CELLS $SOLVER $DEBUG"'}
"""


@pytest.fixture
def locked(dash: NotebookDash) -> NotebookDash:
    dash.save_template(LOCKED)
    return dash


def refused(dash: NotebookDash, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises((ChecksFailed, InvalidInput)) as caught:
        dash.submit("locked-v1", **values)
    assert dash.list_jobs()._items == []
    return [(error.pointer, error.message) for error in caught.value.errors]


def test_fixed_values_are_there_by_themselves(locked: NotebookDash) -> None:
    script = locked.script("locked-v1")
    assert "#SBATCH --partition=local\n" in script
    assert "export SOLVER=transient\n" in script
    assert "export DEBUG=false\n" in script
    # To ask for what is fixed is no fault.
    assert locked.script("locked-v1", solver="transient", partition="local", time=20) != script


@pytest.mark.parametrize(
    ("values", "pointer", "words"),
    [
        (
            {"partition": "gpu"},
            "/options/partition",
            "Partition is gpu, but it is fixed here at local. The licence",
        ),
        ({"time": "01:00:00"}, "/options/time", "at most 00:30:00. Longer runs block the others."),
        ({"time": "unlimited"}, "/options/time", "at most 00:30:00"),
        ({"account": "mine"}, "/options/account", "Account cannot be set here."),
        ({"gres": "gpu:1"}, "/options/gres", "Gres is gpu:1; here it is at most 0"),
        ({"gres": "shard:8"}, "/options/gres", "at most 0"),
        (
            {"cells": 200},
            "/parameters/cells",
            "cells is 200, at most 100 here. The licence is for 100 cells.",
        ),
        ({"solver": "steady"}, "/parameters/solver", "fixed here at 'transient'. Only this one is licensed."),
        ({"debug": True}, "/parameters/debug", "debug cannot be set here."),
    ],
)
def test_a_value_against_a_lock_is_refused_at_its_field(
    locked: NotebookDash, values: dict[str, Any], pointer: str, words: str
) -> None:
    found = refused(locked, **values)
    assert {at for at, _ in found} == {pointer}
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (
            "--partition=local",
            "--partition=gpu",
            3,
            "partition is gpu, but it is fixed here at local. The licence",
        ),
        ("#SBATCH --partition=local\n", "", 0, "partition is missing; it is fixed here at local"),
        ("--time=00:10:00", "--time=2-0", 5, "time is 2-0; here it is at most 00:30:00. Longer runs"),
        ("--time=00:10:00", "-t 90", 5, "time is 90; here it is at most 00:30:00"),
        ("#SBATCH --time=00:10:00\n", "", 0, "time must be given here: at most 00:30:00"),
        ("#SBATCH --nodes=1\n", "#SBATCH --nodes=1\n#SBATCH --qos=x -p gpu\n", 5, "partition is gpu"),
        ("#SBATCH --nodes=1\n", "#SBATCH --nodes=1\n#SBATCH -A other\n", 4, "account cannot be set here"),
        (
            "#SBATCH --nodes=1\n",
            "#SBATCH --nodes=1\n#SBATCH --gpus=4\n",
            5,
            "--gpus cannot be given, because gres",
        ),
        (
            "#SBATCH --nodes=1\n",
            "#SBATCH --nodes=1\n#SBATCH --gpus-per-n 4\n",
            5,
            "--gpus-per-node cannot be given",
        ),
        ("export CELLS=10", "export CELLS=1000", 17, "CELLS is decided here"),
        ("export CELLS=10\n", "", 0, "the line 'export CELLS=10' is missing"),
        ("# --- main_exec ---\n", "# --- main_exec ---\nSOLVER=steady\n", 22, "Only this one is licensed."),
        (
            "# --- main_exec ---\n",
            "# --- main_exec ---\nunset DEBUG\n",
            22,
            "a script may only read it, as $DEBUG",
        ),
    ],
)
def test_a_script_edited_by_hand_may_not_undo_a_lock(
    locked: NotebookDash, old: str, new: str, line: int, words: str
) -> None:
    base = locked.script("locked-v1")
    assert old in base
    found = refused(locked, edited=base.replace(old, new, 1))
    pointer, message = next(each for each in found if words in each[1])
    assert pointer == "/edit/text"
    assert message.startswith(f"Line {line} of the script: " if line else "The script: ")


@pytest.mark.parametrize("lock", ["gres: {maximum: 0}", "cpus_per_task: {maximum: 4}"])
def test_whole_nodes_are_all_of_what_is_bounded(dash: NotebookDash, lock: str) -> None:
    text = "template: {id: whole, name: whole}\nscript: {main_exec: echo}\n"
    dash.save_template(f"{text}locks: {{slurm: {{{lock}}}}}\n")
    base = dash.script("whole")
    for words in ("--exclusive", "--oversubscribe --exclusive=exclusive"):
        edited = base.replace("#SBATCH", f"#SBATCH {words}\n#SBATCH", 1)
        with pytest.raises(ChecksFailed, match="--exclusive cannot be given, because"):
            dash.submit("whole", edited=edited)
    with pytest.raises(ChecksFailed) as caught:
        dash.submit("whole", exclusive=True)
    assert [error.pointer for error in caught.value.errors] == ["/options/exclusive"]
    edited = base.replace("#SBATCH", "#SBATCH --exclusive=user\n#SBATCH", 1)
    assert "locked" not in [
        check.name for check in dash.jobs.preview(dash.spec("whole", edited=edited)).checks
    ]
    # Who wants it so in the template, or decides it, knows that.
    for id, own in (
        ("decided", f"locks: {{slurm: {{{lock}, exclusive: {{fixed: true}}}}}}"),
        ("wanted", f"slurm: {{exclusive: true}}\nlocks: {{slurm: {{{lock}}}}}"),
    ):
        dash.save_template(f"{text.replace('whole', id)}{own}\n")
        preview = dash.jobs.preview(dash.spec(id))
        assert "#SBATCH --exclusive" in preview.script
        assert preview.ready, preview.checks


@pytest.mark.parametrize(
    ("fixed", "words", "good"),
    [
        ("true", "--exclusive", True),
        ("true", "--exclusive --oversubscribe", False),
        ("true", "--exclusive=user", False),
        ("false", "--oversubscribe", True),
        ("false", "--exclusive", False),
        ("false", "--exclusive=mcs", False),
    ],
)
def test_of_exclusive_and_oversubscribe_the_later_counts(
    dash: NotebookDash, fixed: str, words: str, good: bool
) -> None:
    dash.save_template(
        "template: {id: alone, name: alone}\nscript: {main_exec: echo}\n"
        f"locks: {{slurm: {{exclusive: {{fixed: {fixed}}}}}}}\n"
    )
    lines = [line for line in dash.script("alone").splitlines() if line != "#SBATCH --exclusive"]
    preview = dash.jobs.preview(
        dash.spec("alone", edited="\n".join([lines[0], f"#SBATCH {words}", *lines[1:], ""]))
    )
    assert ("locked" not in [check.name for check in preview.checks]) is good, preview.checks


def test_what_no_lock_is_about_may_be_edited(locked: NotebookDash) -> None:
    base = locked.script("locked-v1")
    edited = base.replace(
        "# --- main_exec ---\n", '# --- main_exec ---\necho "${SOLVER} $CELLS" # SOLVER\n', 1
    )
    edited = edited.replace("#SBATCH --time=00:10:00", "#SBATCH --time=00:20:00", 1)
    preview = locked.jobs.preview(locked.spec("locked-v1", edited=edited))
    # The comment behind the command names the variable; that alone is told.
    assert [check.message[:8] for check in preview.checks] == ["Line 22 "]
    preview = locked.jobs.preview(locked.spec("locked-v1", edited=edited.replace(" # SOLVER", "")))
    assert preview.ready
    assert 'echo "${SOLVER} $CELLS"' in preview.script


def test_a_script_of_ones_own_in_a_locked_template_cannot_set_what_is_locked(locked: NotebookDash) -> None:
    found = refused(locked, script="SOLVER=steady run\n")
    assert found[0][0] == "/script"
    assert locked.jobs.preview(locked.spec("locked-v1", script='run "$SOLVER"\n')).ready


def test_what_is_decided_is_told_in_a_cell_and_in_the_terminal(
    locked: NotebookDash, capsys: pytest.CaptureFixture[str]
) -> None:
    table = repr(locked.template_locks("locked-v1"))
    assert "partition          fixed at 'local'" in table
    assert "parameters.debug   hidden" in table
    assert len(locked.template_locks()) == 0
    place = private_values(Path(locked.settings.data_dir).parent)
    settings = [word for name in ("data_dir", "template_root") for word in ("--set", f"{name}={place[name]}")]
    assert main([*settings, "template", "locks", "locked-v1"]) == 0
    assert capsys.readouterr().out.strip() == table


def test_a_clone_carries_the_locks(locked: NotebookDash) -> None:
    locked.clone_template("locked-v1", "copy")
    assert locked.library.usable("copy").locks == locked.library.usable("locked-v1").locks


def test_the_sites_policy_holds_for_copies_and_for_jobs_without_a_template(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{reason: The site's limit., slurm: {time: {maximum: 5}}}]\n")
    dash = NotebookDash(SlurmDash(**private_values(tmp_path), policy_file=str(rules)))
    try:
        dash.save_template(LOCKED)
        copy = dash.library.text(dash.clone_template("locked-v1", "copy").id).decode()
        dash.save_template(copy[: copy.index("locks:")] + copy[copy.index("script:") :])
        assert not dash.library.usable("copy").locks.parameters
        with pytest.raises(ChecksFailed, match=r"at most 5\. The site's limit\."):
            dash.submit("copy")
        with pytest.raises(ChecksFailed, match=r"at most 5\. The site's limit\."):
            dash.submit(script="echo one", time=6)
        with pytest.raises(ChecksFailed, match="Time must be given here: at most 5"):
            dash.submit(script="echo one")
        assert dash.submit(script="echo one", time=5).state
        assert dash.jobs.preview(JobSpec(script="echo one")).locks.slurm["time"][0].maximum == 5
    finally:
        dash.close()


def test_every_official_template_is_as_it_was(dash: NotebookDash) -> None:
    for template in dash.templates(source="official"):
        assert not dash.library.usable(template.id).locks
        preview = dash.jobs.preview(JobSpec(template_id=template.id))
        assert [check for check in preview.checks if check.name in ("locked", "left-out")] == []


# -- no submission that is accepted violates a lock -------------------------------------------------------------------

VALUES: dict[str, list[Any]] = {
    "partition": ["cpu", "gpu", "cpu,gpu"],
    "time": ["10", "00:30:00", "1-0", "unlimited", "0"],
    "mem": ["1G", "2048", "64G", "0"],
    "nodes": [1, 3, "1-4"],
    "ntasks": [1, 8],
    "cpus_per_task": [1, 16],
    "gres": ["gpu:1", "gpu:a100:4", "shard:2"],
    "account": ["chem", "phys"],
    "exclusive": [True, False],
    "requeue": [True, False],
    "array": ["1-3", "0-99"],
}
BOUNDS: dict[str, list[Any]] = {
    "time": ["00:20:00", 60],
    "mem": ["2G", "8G"],
    "nodes": [1, 2],
    "ntasks": [1, 4],
    "cpus_per_task": [4],
    "gres": [0, 2],
    "array": [3, 10],
}


@st.composite
def _lock(draw: st.DrawFn, option: str) -> dict[str, Any]:
    kinds = ["fixed", "hidden"] + (["maximum"] if option in BOUNDS else [])
    kinds += [] if option in ("exclusive", "requeue") else ["enum"]
    kind = draw(st.sampled_from(kinds))
    if kind == "hidden":
        return {"hidden": True}
    if kind == "maximum":
        return {"maximum": draw(st.sampled_from(BOUNDS[option]))}
    value = st.sampled_from(VALUES[option])
    return (
        {"fixed": draw(value)}
        if kind == "fixed"
        else {"enum": draw(st.lists(value, min_size=1, unique=True))}
    )


_chosen = st.sampled_from(sorted(VALUES))
_options = st.dictionaries(_chosen, st.none()).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(VALUES[name]) for name in names})
)
_locks = st.dictionaries(_chosen, st.none(), min_size=1, max_size=4).flatmap(
    lambda names: st.fixed_dictionaries({name: _lock(name) for name in names})
)
_lines = st.lists(
    st.sampled_from(
        [
            *(
                f"#SBATCH --{name.replace('_', '-')}={value}"
                for name, each in VALUES.items()
                for value in each[:4]
            ),
            *("#SBATCH -p gpu", "#SBATCH -t 999", "#SBATCH --exclusive", "#SBATCH -N 4", "#SBATCH -n8 -c 9"),
            *(
                "#SBATCH --gpus=2",
                "#SBATCH --mem-per-cpu=99G",
                "#SBATCH --time",
                "#SBATCH 500",
                "#SBATCH --no-requeue",
            ),
        ]
    ),
    max_size=3,
)


@st.composite
def _edited(draw: st.DrawFn, base: str) -> str:
    """The script with lines put in and taken out, as a person might."""
    lines = base.split("\n")
    for line in draw(_lines):
        lines.insert(draw(st.integers(1, 8)), line)
    for _ in range(draw(st.integers(0, 2))):
        del lines[draw(st.integers(1, min(6, len(lines) - 2)))]
    return "\n".join(lines)


@given(data=st.data(), own=_options, asked=_options, locks=_locks)
def test_no_script_that_passes_violates_a_lock(
    data: st.DataObject, own: dict[str, Any], asked: dict[str, Any], locks: dict[str, Any]
) -> None:
    template = a_template(slots=(), slurm=own, locks=Locks.from_data({"slurm": locks}))
    fixed = {name: lock["fixed"] for name, lock in locks.items() if "fixed" in lock}
    plan = a_plan(template=template, options={**own, **fixed, **asked}, locks=template.locks)
    script = generate_script(plan)
    if data.draw(st.booleans(), label="edited by hand"):
        edit = ScriptEdit(script, data.draw(_edited(script)))
        try:
            read = read_back(edit)
            plan = replace(
                plan, spec=JobSpec(edit=edit), read_back=read, options={**plan.options, **_no_name(read)}
            )
            script = final_script(plan).text
        except InvalidInput:
            assume(False)
    if list(check_locks(plan, script)):
        return
    said = dict(parse_directives(script))
    for option, lock in locks.items():
        assert _is_kept(option, lock, said, own), (option, lock, said)


def _no_name(read: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in read.items() if name != "job_name"}


def _is_kept(option: str, lock: dict[str, Any], said: dict[str, str], own: dict[str, Any]) -> bool:
    """Said again, in other words than the code under test: what of the job's directives keeps this lock?"""
    value = said.get(option.replace("_", "-"))
    if option == "exclusive":
        return lock.get("fixed") in (None, value is not None) and not ("hidden" in lock and value is not None)
    if option == "requeue":
        wanted = {True: "requeue" in said, False: "no-requeue" in said}
        return lock["fixed"] is None or wanted[lock["fixed"]] if "fixed" in lock else not any(wanted.values())
    if "fixed" in lock:
        return value is not None and same(option, value, lock["fixed"])
    if "hidden" in lock:
        return value is None if option not in own else value is not None and same(option, value, own[option])
    if "enum" in lock and value is not None:
        parts = value.split(",") if option == "partition" else [value]
        return all(any(same(option, part, each) for each in lock["enum"]) for part in parts)
    if "enum" in lock:
        return any(str(each) == "1" for each in lock["enum"])
    if option == "gres" and value is None:
        return "gpus" not in said
    if value is None:
        return option in ("nodes", "ntasks", "cpus_per_task", "array")
    bound = {"gres": f"gpu:{lock['maximum']}", "array": f"1-{lock['maximum']}"}.get(
        option, str(lock["maximum"])
    )
    most, limit = amounts(option, value), amounts(option, bound)
    return most is not None and limit is not None and most[1] <= limit[1]


def test_directives_know_their_lines() -> None:
    script = "#!/bin/bash\n#SBATCH -N 2 --time=5\n# x\n#SBATCH --mem=1G\n:\n#SBATCH --mem=2G\n"
    assert numbered_directives(script) == [(2, "nodes", "2"), (2, "time", "5"), (4, "mem", "1G")]
    assert numbered_directives("#SBATCH --time\n#SBATCH 5\n") == [(0, "time", "5")]


def test_a_plan_without_locks_costs_nothing() -> None:
    plan: Plan = a_plan()
    assert list(check_locks(plan, "not even a script\n#SBATCH --nonsense")) == []
    locked = replace(plan, locks=Locks.from_data({"slurm": {"time": {"maximum": 5}}}))
    found: list[Check] = list(check_locks(locked, "#SBATCH --nonsense\n"))
    assert [check.name for check in found] == ["locked"]
