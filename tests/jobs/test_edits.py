"""Scripts edited by hand: what the form knows goes back to it, the rest is kept, and nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import a_plan, a_template

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.jobs.edits import (
    BY_HAND,
    check_conflicts,
    final_script,
    read_back,
    require_submittable,
)
from jupyter_slurmdash.jobs.model import JobSpec, Plan, ScriptEdit
from jupyter_slurmdash.jobs.script import generate_script
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.slurm.directives import OPTIONS, check_options, parse_directives, render_directive


def plan_of(text_of: Any, **options: Any) -> tuple[Plan, str]:
    """A plan with an edit; ``text_of`` makes the edited text from the generated one."""
    plan = a_plan(template=a_template(slots=()), options={"time": "01:00:00", **options})
    base = generate_script(plan)
    edit = ScriptEdit(base, text_of(base))
    read = read_back(edit)
    changed = {**plan.options, **{name: value for name, value in read.items() if name != "job_name"}}
    return replace(plan, spec=JobSpec(edit=edit), options=changed, read_back=read), base


def test_a_changed_directive_goes_back_to_the_form() -> None:
    plan, base = plan_of(lambda text: text.replace("--time=01:00:00", "--time=02:00:00"))
    assert plan.read_back == {"time": "02:00:00"}
    edited = final_script(plan)
    assert edited.text == base.replace("--time=01:00:00", "--time=02:00:00")
    assert BY_HAND not in edited.origins


@pytest.mark.parametrize("line", ["#SBATCH --mem=4G", "#SBATCH --mem 4G", '#SBATCH --mem="4G"  # enough'])
def test_an_added_directive_is_the_forms_wherever_it_was_written(line: str) -> None:
    plan, _ = plan_of(lambda text: text.replace("#SBATCH", f"{line}\n#SBATCH", 1))
    assert plan.read_back == {"mem": "4G"}
    edited = final_script(plan)
    assert edited.text.count("--mem") == 1
    assert dict(parse_directives(edited.text))["mem"] == "4G"
    assert edited.origins[edited.text.split("\n").index("#SBATCH --mem=4G")] == "/options/mem"


def test_what_the_form_does_not_know_is_kept_and_marked() -> None:
    lines = "#SBATCH --signal=B:USR1@60\n#SBATCH --licenses=abaqus:2 --hold\n"
    plan, _ = plan_of(lambda text: text.replace("#\n", lines + "#\n", 1).replace("cat ", "nice cat "))
    assert plan.read_back == {}
    edited = final_script(plan)
    assert lines in edited.text
    by_hand = [
        text
        for text, origin in zip(edited.text.split("\n"), edited.origins, strict=False)
        if origin == BY_HAND
    ]
    assert by_hand == [*lines.splitlines(), 'nice cat "$DATASET"']


def test_a_line_beside_one_that_was_read_back_stands_in_nobodys_way() -> None:
    plan, _ = plan_of(lambda text: text.replace("--mem=1G", "--mem=2G\n#SBATCH --signal=USR1@60"), mem="1G")
    first = final_script(plan)
    assert "--mem=2G\n#SBATCH --signal=USR1@60\n" in first.text
    # The form goes on from there: what was generated last is the base, what is in sight the text.
    edit = ScriptEdit(first.generated, first.text)
    later = replace(plan, spec=JobSpec(edit=edit), options={**plan.options, "mem": "64M"}, read_back={})
    edited = final_script(later)
    assert "--mem=64M\n#SBATCH --signal=USR1@60\n" in edited.text
    assert edited.conflicts == ()


def test_a_later_change_of_the_form_is_laid_under_the_edit() -> None:
    plan, _ = plan_of(lambda text: text.replace("cat ", "nice cat "))
    later = replace(plan, options={**plan.options, "time": "03:00:00", "mem": "1G"}, parameters={"rate": 0.1})
    edited = final_script(later)
    assert 'nice cat "$DATASET"' in edited.text
    assert "--time=03:00:00" in edited.text
    assert "export RATE=0.1" in edited.text
    assert edited.conflicts == ()


def test_where_both_changed_a_line_the_hand_wins_and_it_is_said() -> None:
    plan, _ = plan_of(lambda text: text.replace("cat ", "nice cat "))
    other = replace(plan, template=replace(a_template(slots=()), main_exec='sort "$DATASET"'))
    edited = final_script(other)
    assert 'nice cat "$DATASET"' in edited.text
    (check,) = check_conflicts(edited)
    assert (check.level, check.pointer) == ("warning", "/edit/text")
    assert 'sort "$DATASET"' in check.message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("#SBATCH --chdir=/", "--chdir"),
        ("#SBATCH --comment=x", "--comment"),
        ("#SBATCH --test-only", "--test-only"),
        ("#SBATCH --wrap=true", "--wrap"),
        ("#SBATCH hetjob", "Heterogeneous"),
        ('#SBATCH --job-name="open', "not closed"),
        ("#SBATCH --nosuch=1", "nosuch"),
    ],
)
def test_directives_that_cannot_be_submitted(line: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        require_submittable(f"#!/bin/bash\n{line}\ntrue\n")
    assert caught.value.errors[0].pointer == "/edit/text"


def test_an_edit_has_a_size() -> None:
    with pytest.raises(InvalidInput, match="at most 256 KiB"):
        read_back(ScriptEdit("", "x" * 300_000))
    with pytest.raises(InvalidInput, match="5000 lines"):
        read_back(ScriptEdit("", "\n" * 6000))


VALUES = {
    "time": "10:00",
    "mem": "3G",
    "partition": "gpu",
    "job_name": 'it\'s a # "name"',
    "constraint": "a100&ib",
    "array": "1-9%3",
    "gres": "gpu:a100:2",
    "output": "logs/%j out.txt",
}


@given(st.sets(st.sampled_from(sorted(VALUES)), min_size=1))
def test_every_option_that_is_written_is_read(names: set[str]) -> None:
    assert names <= OPTIONS.keys()
    chosen = {name: VALUES[name] for name in names}
    text = "\n".join(render_directive(name, value) for name, value in check_options(chosen).items())
    assert read_back(ScriptEdit("", text + "\n:\n")) == chosen


def test_the_whole_way(dash: NotebookDash) -> None:
    spec = dash.spec(script="echo $HELLO")
    generated = dash.jobs.preview(spec).script
    text = generated.replace("echo", "export HELLO=edited\necho").replace(":\n", "#SBATCH --mem=100M\n:\n", 1)
    edited = replace(spec, edit=ScriptEdit(generated, text))
    preview = dash.jobs.preview(edited)
    assert (preview.read_back, preview.ready) == ({"mem": "100M"}, True)
    assert preview.origins[preview.script.split("\n").index("export HELLO=edited")] == BY_HAND
    assert "HELLO=" not in preview.generated
    job = dash.submit_spec(edited).wait()
    assert (job.state, job.tail()) == ("COMPLETED", "edited")
    assert job.record.script == preview.script


def test_a_script_that_bash_cannot_read_is_said(dash: NotebookDash) -> None:
    spec = dash.spec(script="true")
    generated = dash.jobs.preview(spec).script
    preview = dash.jobs.preview(replace(spec, edit=ScriptEdit(generated, generated + "if true; then\n")))
    assert [check.name for check in preview.checks] == ["syntax"]
