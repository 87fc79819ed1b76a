"""A script becomes a template, and a job of that template runs the same script."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plans import a_plan
from stopwatch import fastest
from template_place import CHECKS

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.jobs.edits import NOT_IN_A_SCRIPT
from jupyter_slurmdash.jobs.personal import OWN_OPTIONS, Owner
from jupyter_slurmdash.jobs.script import generate_script
from jupyter_slurmdash.jobs.scriptdraft import Drafted, option_of, script_draft
from jupyter_slurmdash.slurm.directives import parse_directives, render_other
from jupyter_slurmdash.templates import texts
from jupyter_slurmdash.templates.model import Template
from jupyter_slurmdash.templates.reader import template_schema

ALICE = Owner("alice", "/home/alice")
GO_ON = "set +e  # as sbatch runs it: a failing command does not end the job"


def drafted(script: str, name: str = "") -> Drafted:
    return script_draft(script, name, ALICE)


def template_of(draft: Drafted) -> Template:
    """As it would be read from the file that the draft becomes."""
    head = {**draft.document["template"], "id": "x"}
    found = texts.accept(texts.with_comments({**draft.document, "template": head}, {}), CHECKS).template
    assert found.problem is None
    return found


def generated(draft: Drafted) -> str:
    template = template_of(draft)
    return generate_script(a_plan(template=template, options=template.slurm, job_name=template.name))


def messages(draft: Drafted) -> str:
    return "\n".join(map(str, draft.notes))


# -- any script ---------------------------------------------------------------------------------------------------

KNOWN = {
    "partition": ["gpu", "a,b", "한글"],
    "nodes": ["2", "1-4", "2-4,7"],
    "ntasks": ["4", "007", "0"],
    "cpus-per-task": ["8", "x"],
    "mem": ["4G", "500", "lots"],
    "gres": ["gpu:2", "gpu:a100:1,shard:4", "gpu:a100:2(S:0)"],
    "time": ["10", "1-02:03:04", "soon"],
    "array": ["1-10%2", "0-9"],
    "output": ["logs/%x-%j.out", "o" * 300],
    "mail-type": ["end,fail", "ALL"],
    "nice": ["5", ""],
    "exclusive": ["", "user"],
    "requeue": [""],
    "no-requeue": [""],
    "job-name": ["my job", "train"],
    "dependency": ["afterok:12"],
    # without a field
    "gpus-per-node": ["2", "a100:4"],
    "open-mode": ["append"],
    "signal": ["B:USR1@60"],
    "licenses": ['matlab:1,"x"'],
    "contiguous": [""],
    "container-image": ["nvcr.io/nvidia/pytorch:24.01-py3"],
    "hint": ["nomultithread"],
    # its author's own, and what no template has
    "account": ["secret-project"],
    "mail-user": ["alice@example.org"],
    "qos": ["night"],
    "comment": ["a b"],
    "wait": [""],
}
options = st.sampled_from(sorted(KNOWN)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(KNOWN[name]))
)
directives = st.lists(options, min_size=1, max_size=3).map(
    lambda found: "#SBATCH " + " ".join(render_other(*each).removeprefix("#SBATCH ") for each in found)
)
letters = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\n")
comments = st.text(letters, max_size=40).map(lambda text: f"# {text}") | st.just("") | st.just("  ")
commands = st.text(letters, min_size=1, max_size=40)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["#!/bin/bash", "#!/bin/bash -l", "#!/usr/bin/env bash", "#! /usr/local/bin/bash -x"]),
    st.lists(directives | comments, max_size=8),
    st.lists(commands | comments, max_size=8),
)
@example("#!/bin/bash", ["#SBATCH -n 2"], ["#SBATCH -N 7", "cat <<E", "#!/bin/sh", "E", " \t"])
def test_the_job_has_the_same_options_and_the_same_body(first: str, top: list[str], body: list[str]) -> None:
    script = "\n".join([first, *top, "true", *body, ""])
    asked = dict(parse_directives(script, strict=False))
    made = generated(drafted(script))
    expected: dict[str, str] = {}
    for name, value in parse_directives(script, strict=False):
        if name in OWN_OPTIONS or name in NOT_IN_A_SCRIPT:
            continue
        # As the form writes it: "end" as END, 007 as 7.
        own = option_of(name, value)
        expected[name] = str(own[1]) if own is not None and not isinstance(own[1], bool) else value
        if name in ("requeue", "no-requeue"):
            expected.pop({"requeue": "no-requeue"}.get(name, "requeue"), None)
    found = dict(parse_directives(made, strict=False))
    for name, default in (("job-name", "script"), ("output", None), ("error", None)):
        if name not in asked:
            assert found.pop(name, default) == default or name in ("output", "error")
    assert found == expected
    assert made.startswith(f"{first}\n")
    rest = made.split("# --- main_exec ---\n", 1)[1].split("\n")
    rest.remove(GO_ON)
    kept = [line for line in [*top, "true", *body] if not line.startswith("#SBATCH") or line in body]
    remarks = [line for line in rest if line.startswith("# not an option here: --")]
    for remark in remarks:
        if remark not in kept:
            rest.remove(remark)
    assert "\n".join(rest).strip("\n") == "\n".join(kept).strip("\n")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=200), st.booleans())
def test_any_text_is_a_good_template_or_refused_with_a_reason(text: str, is_script: bool) -> None:
    try:
        draft = drafted(f"#!/bin/bash\n#SBATCH {text}" if is_script else text)
    except InvalidInput:
        return
    generated(draft)


# -- its parts ----------------------------------------------------------------------------------------------------


def test_everything_has_its_place() -> None:
    draft = drafted(
        "#!/bin/bash -l\n"
        "# Trains the net\n"
        "#SBATCH -J train -p gpu --time 1:00:00  # an hour is enough\n"
        "#SBATCH --gpus-per-node=2\n"
        "#SBATCH --container-image=tools:1\n"
        "#SBATCH --clusters=other\n"
        "\n"
        "module load cuda\n"
    )
    assert draft.document["template"]["name"] == "train"
    assert draft.document["slurm"] == {
        "partition": "gpu",
        "time": "1:00:00",
        "other": {"gpus-per-node": 2, "container-image": "tools:1"},
    }
    assert draft.document["script"]["main_exec"] == (
        "#!/bin/bash -l\n"
        "# Trains the net\n"
        "# an hour is enough\n"
        "# not an option here: --clusters=other\n"
        "\n"
        f"{GO_ON}\n"
        "module load cuda\n"
    )
    said = messages(draft)
    assert "Line 4: --gpus-per-node has no field in the form" in said
    assert "Line 5: --container-image" in said
    assert "a plugin of the site may" in said
    assert "Line 6: --clusters cannot stand in a template" in said


def test_nothing_of_the_author_is_carried_along() -> None:
    draft = drafted(
        "#!/bin/bash\n"
        "#SBATCH -A secret-project --mail-user=alice@example.org -q night --reservation=r1 --wckey=key-7\n"
        "##SBATCH --account=older-project\n"
        "# SBATCH -p cpu\n"
        "#SBATCH --chdir=/home/alice/run\n"
        "export API_TOKEN=abcdef OTHER=$API_TOKEN\n"
        "srun --account=secret-project python /scratch/alice/x.py ~alice/y /home/alicebob/z\n"
    )
    text = texts.with_comments(draft.document, {}).decode()
    for word in ("night", "r1", "key-7", "alice@example.org", "older-project"):
        assert word not in text
        assert word not in messages(draft)
    said = messages(draft)
    for option in ("account", "mail-user", "qos", "reservation", "wckey"):
        assert f"Line 2: --{option} is left out" in said
    assert "Line 3: --account is left out" in said
    assert "# SBATCH -p cpu" in text
    assert "/home/alice/run is a path of your own" in said
    assert "/scratch/alice/x.py is a path of your own" in said
    assert "~alice/y is a path of your own" in said
    assert "alicebob" not in said
    assert "API_TOKEN looks like a secret" in said
    assert "OTHER" not in said
    assert "still names an account" in said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("#SBATCH hetjob", "another part of a heterogeneous"),
        ("#SBATCH packjob", "another part of a heterogeneous"),
        ("#SBATCH --time='1", "the quote ' is not closed"),
        ("#SBATCH -Z", "does not know: -Z"),
        ("#SBATCH foo", "Invalid directive found in batch script: foo"),
        ("#SBATCH --time", "--time needs a value"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Line 4 of the script: ") as caught:
        drafted(f"#!/bin/bash\n#SBATCH -n 1\n\n{line}\ntrue\n")
    assert why in caught.value.detail
    assert caught.value.extra["line"] == 4
    assert caught.value.errors[0].pointer == "/script"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (" \n", "empty"),
        ("#!/bin/bash\necho a\0b\n", "no text"),
        ("#!/bin/bash\n" + "x" * 140_000, "128 KiB"),
    ],
)
def test_what_is_no_script_is_refused(script: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        drafted(script)


def test_what_a_human_should_look_at() -> None:
    draft = drafted(
        "\ufeff#!/bin/bash\r\n"
        "#PBS -l walltime=1\r\n"
        "#SBATCH --dependency=afterok:7\r\n"
        "#SBATCH --mem=4G\r\n#SBATCH --mem-per-cpu=1G\r\n"
        "awk '{print $1}' table\r\n"
        "#SBATCH --nodes=2\r\n"
        'run "$1"\r\n'
    )
    said = messages(draft)
    assert "Line 2: #PBS lines mean nothing here" in said
    assert "Line 3: --dependency was of one run" in said
    assert "Line 5: Memory is given per node and per CPU" in said
    assert "Line 6" not in said
    assert "Line 7: This #SBATCH comes after the first command" in said
    assert "Line 8: It takes an argument of the command line" in said
    assert "\r" not in draft.document["script"]["main_exec"]
    assert "nodes" not in draft.document["slurm"]
    assert "# not beside the other: --mem=4G" in draft.document["script"]["main_exec"]


def test_a_name_from_the_script_the_file_or_none() -> None:
    assert drafted("#!/bin/bash\n#SBATCH -J 'a b'\n", "file").document["template"]["name"] == "a b"
    assert drafted("#!/bin/bash\ntrue\n", "my-run").document["template"]["name"] == "my-run"
    assert drafted("true\n").document["template"]["name"] == "script"


# -- what it does -------------------------------------------------------------------------------------------------


def run(script: str, place: Path) -> subprocess.CompletedProcess[bytes]:
    """As the node's daemon does: the system reads the first line."""
    place.mkdir()
    (place / "slurm_script").write_text(script)
    (place / "slurm_script").chmod(0o700)
    environment = {"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "7", "HOME": str(place)}
    return subprocess.run(
        [place / "slurm_script"], cwd=place, env=environment, capture_output=True, timeout=20, check=False
    )


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/bash\nfalse\necho on; (exit 3)\n",
        "#!/bin/bash -e\nfalse\necho never\n",
        "#!/bin/bash\nset -e\nfalse\necho never\n",
        "#!/bin/bash\n# set -e\nfalse; echo $- | tr -d hB\n",
        "#!/bin/bash -u\necho first; echo $nothing; echo never\n",
        "#!/usr/bin/env bash\ncat <<'E'\n#!/bin/sh\n  $x 'y' \\\nE\n",
        "#!/bin/sh\nprintf '%s\\n' \"$0\" | wc -l; echo 'a\\tb'; false\necho END_OF_SCRIPT\n",
        "#!/usr/bin/env python3\nEND_OF_SCRIPT = 1\nprint('x $HOME `y` \\\\n')\nraise SystemExit(5)\n",
        "#!/usr/bin/python3 -B\nimport sys\nprint(sys.flags.dont_write_bytecode, '''\nEND_OF_SCRIPT\n''')\n",
        "#!/bin/bash\n#SBATCH --chdir=/usr/bin\npwd\n",
    ],
)
def test_it_runs_as_the_script_did(script: str, tmp_path: Path) -> None:
    plain = script.replace("#SBATCH --chdir=/usr/bin\n", "cd /usr/bin\n")
    theirs, ours = run(plain, tmp_path / "theirs"), run(generated(drafted(script)), tmp_path / "ours")
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), ours.stderr


def test_what_no_template_may_ask_of_sbatch() -> None:
    """The schema's words are those of the code."""
    schema: dict[str, Any] = texts._schema()["properties"]["slurm"]["properties"]["other"]
    assert set(schema["propertyNames"]["not"]["enum"]) == {*OWN_OPTIONS, *NOT_IN_A_SCRIPT, "job-name"}
    for name in ("account", "wrap", "a b", "-p"):
        assert template_schema().errors(
            {"template": {"id": "x", "name": "x"}, "slurm": {"other": {name: "1"}}}
        )


def test_a_shortened_name_is_not_a_way_round() -> None:
    draft = drafted("#!/bin/bash\n#SBATCH --accou=secret --mail-u=alice --wra=x\ntrue\n")
    assert "secret" not in str(draft.document)
    assert "other" not in draft.document["slurm"]
    template = template_of(drafted("#!/bin/bash\ntrue\n"))
    for name in ("acc", "wra"):
        with pytest.raises(InvalidInput, match="whole name"):
            generate_script(a_plan(template=Template(**{**vars(template), "other": {name: "1"}})))


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/bash\n" + "token" * 25_000,
        "#!/bin/bash\n" + "a" * 125_000,
        "#!" + "/" * 125_000 + "bash x",
        "#!/bin/bash\n" + "#SBATCH -n1\n" * 4_990,
        "#!/bin/bash\n" + "#" * 125_000,
        "#!/bin/bash\n" + "'$" * 60_000,
    ],
    ids=["token", "word", "slashes", "directives", "hashes", "quotes"],
)
def test_a_long_script_takes_no_longer_than_it_is_long(script: str) -> None:
    assert fastest(lambda: drafted(script), runs=2) < 2.0


def test_what_is_too_long() -> None:
    with pytest.raises(InvalidInput, match="5000 lines"):
        drafted("#!/bin/bash\n" * 5_002)
    draft = drafted("#!/bin/bash\n#SBATCH -J " + "n" * 120 + "\ntrue\n")
    assert draft.document["template"]["name"] == "n" * 100
    assert "at most 100 characters" in messages(draft)
