"""The generator: readable, and whatever the values are, nothing runs and no directive is gained."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import Bind, FileSlot, a_file, a_plan, a_template, an_image

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.jobs.model import JobSpec
from jupyter_slurmdash.jobs.script import generate_script, main_text, one_line, shell_quote, slot_alias
from jupyter_slurmdash.slurm.directives import check_options, parse_directives

# Text that a field may hold: anything but NUL, which no environment variable can carry.
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=300)
PRINT = "python3 -c 'import os,sys; sys.stdout.buffer.write(os.environb[b\"%s\"])'"


def run(script: str, directory: Path) -> bytes:
    done = subprocess.run(
        ["bash"], input=script.encode(), cwd=directory, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_reads_well() -> None:
    plan = a_plan(
        job_name="train",
        template=a_template(
            pre_exec="#!/bin/bash\nmkdir -p data\n",
            main_exec="#!/bin/bash\npython train.py\n",
            post_exec="cp a b",
            binds=(Bind("/shared", "/data", "ro"),),
        ),
        image=an_image("/opt/apptainers/한글 v2.sif"),
        files=(a_file("d.tar.gz", "dataset"),),
        options={"partition": "gpu", "cpus_per_task": 8, "time": "04:00:00"},
        parameters={"learning_rate": 0.001, "shuffle": True, "note": None},
    )
    assert generate_script(plan) == (
        "#!/bin/bash\n"
        "#SBATCH --job-name=train\n"
        "#SBATCH --partition=gpu\n"
        "#SBATCH --cpus-per-task=8\n"
        "#SBATCH --time=04:00:00\n"
        "#SBATCH --output=slurm-%j.out\n"
        "#SBATCH --error=slurm-%j.err\n"
        "#\n"
        f"# template: t-v1 1.0.0 sha256:{'0' * 64}\n"
        "# image: /opt/apptainers/한글 v2.sif sif:5af0\n"
        "# A failing command ends the job; post_exec runs on success only.\n"
        ":\n"
        "set -e\n"
        'SLURMDASH_DIR="$PWD/.slurmdash"\n'
        'mkdir -p "$SLURMDASH_DIR" 2>/dev/null || :\n'
        'trap \'printf "%s\\n" "$?" 2>/dev/null >'
        ' "$SLURMDASH_DIR/exit_code${SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}" || :\' EXIT\n'
        "\n"
        "export CONTAINER='/opt/apptainers/한글 v2.sif'\n"
        'export APPTAINER_IMAGE="$CONTAINER"\n'
        "export DATASET=d.tar.gz\n"
        "export LEARNING_RATE=0.001\n"
        "export SHUFFLE=true\n"
        'export APPTAINER_BIND="${APPTAINER_BIND:+$APPTAINER_BIND,}"/shared:/data:ro\n'
        "if [ -s .slurmdash/binds ]; then\n"
        '  export APPTAINER_BIND="${APPTAINER_BIND:+$APPTAINER_BIND,}$(cat .slurmdash/binds)"\n'
        "fi\n"
        "\n"
        "# --- pre_exec ---\n"
        "mkdir -p data\n"
        "\n"
        "# --- main_exec ---\n"
        "python train.py\n"
        "\n"
        "# --- post_exec ---\n"
        "cp a b\n"
    )


@pytest.mark.parametrize(
    ("app", "apps", "gres", "expected"),
    [
        ("", (), None, 'apptainer run "$CONTAINER" "$@"'),
        ("", (), "gpu:1", 'apptainer run --nv "$CONTAINER" "$@"'),
        ("python", (), None, 'apptainer exec "$CONTAINER" python "$@"'),
        ("solve", ("solve",), "gpu:a100:2", 'apptainer run --nv --app solve "$CONTAINER" "$@"'),
        ("a'; echo foo", (), None, 'apptainer exec "$CONTAINER" \'a\'"\'"\'; echo foo\' "$@"'),
    ],
)
def test_an_image_runs_by_itself(app: str, apps: tuple[str, ...], gres: str | None, expected: str) -> None:
    plan = a_plan(
        template=None, image=an_image("/i.sif", *apps), app=app, options={"gres": gres} if gres else {}
    )
    assert main_text(plan) == expected


def test_the_users_own_script_comes_first() -> None:
    assert main_text(a_plan(spec=JobSpec(script="echo a\r\necho b"))) == "echo a\necho b"
    assert main_text(a_plan(template=None)) == ""


def test_a_parameter_reaches_the_job_exactly(awkward: str, tmp_path: Path) -> None:
    plan = a_plan(template=a_template(main_exec=PRINT % "NOTE"), parameters={"note": awkward})
    assert run(generate_script(plan), tmp_path) == awkward.encode()


@settings(max_examples=150, deadline=None)
@given(value=texts)
def test_no_value_runs_or_becomes_a_directive(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    plan = a_plan(
        template=a_template(
            main_exec=PRINT % "NOTE",
            id=value,
            version=value,
            slots=(FileSlot("dataset", "*", "input", True),),
            binds=(Bind(value, value),),
        ),
        image=an_image("/" + value),
        files=(a_file(value, "dataset"),),
        parameters={"note": value},
        results_root=value,
    )
    script = generate_script(plan)
    expected = [("job-name", "job"), ("output", "slurm-%j.out"), ("error", "slurm-%j.err")]
    assert parse_directives(script) == expected
    assert run(script, tmp_path_factory.mktemp("run")) == value.encode()


@settings(max_examples=200, deadline=None)
@given(name=texts)
def test_a_job_name_is_itself_or_refused(name: str) -> None:
    try:
        script = generate_script(a_plan(job_name=name))
    except InvalidInput as error:
        assert error.errors[0].pointer == "/job_name"  # noqa: PT017
        return
    expected = [("job-name", name)] if name else []
    assert parse_directives(script)[: len(expected)] == expected
    assert len(parse_directives(script)) == len(expected) + 2


@pytest.mark.parametrize("code", [0, 3])
def test_a_script_may_change_its_directory(tmp_path: Path, code: int) -> None:
    script = generate_script(a_plan(template=None, spec=JobSpec(script=f"mkdir d; cd d; exit {code}")))
    done = subprocess.run(["bash"], input=script.encode(), cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")
    assert (tmp_path / ".slurmdash" / "exit_code").read_text() == f"{code}\n"


def test_a_record_that_cannot_be_written_fails_no_job(tmp_path: Path) -> None:
    (tmp_path / ".slurmdash").write_text("in the way")
    script = generate_script(a_plan(template=None, spec=JobSpec(script="echo fine")))
    done = subprocess.run(["bash"], input=script.encode(), cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"fine\n", b"")


@settings(max_examples=150, deadline=None)
@given(
    slot=texts | st.just("A=1; echo INJECTED >&2; B") | texts.map(lambda text: f"a=1; echo {text}; b"),
    with_template=st.booleans(),
)
def test_a_slots_name_is_never_shell_text(slot: str, with_template: bool) -> None:
    template = a_template(slots=(FileSlot("dataset", "*", "input", True),)) if with_template else None
    plan = a_plan(template=template, spec=JobSpec(script="true"))
    expected = generate_script(replace(plan, files=(a_file("f"),)))
    assert generate_script(replace(plan, files=(a_file("f", slot),))) == expected


def accepted(name: str, strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The texts that an option takes."""

    def takes(text: str) -> bool:
        try:
            return bool(check_options({name: text}))
        except InvalidInput:
            return False

    return strategy.filter(takes)


free = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\"'\\$`;#|&<>()%=- "), max_size=60
)
names = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)
hosts = st.sampled_from(["node001", "node[001-004]", "a1,b[2,4-6]"])
options = st.fixed_dictionaries(
    {},
    optional={
        "partition": st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
        "nodes": st.integers(1, 1000) | st.from_regex(r"[1-9]-[1-9]0", fullmatch=True),
        "ntasks": st.integers(1, 10_000),
        "cpus_per_task": st.integers(1, 512),
        "mem": st.from_regex(r"[1-9][0-9]{0,3}[KMGT]?", fullmatch=True),
        "time": st.from_regex(r"[0-9]{1,2}:[0-5][0-9]:[0-5][0-9]", fullmatch=True),
        "gres": st.sampled_from(["gpu:1", "gpu:a100:2", "gpu:1,shard:3"]),
        "constraint": st.sampled_from(["gpu_v100|gpu_a100", "a&b", "[rack1|rack2]"]),
        "account": st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
        "array": st.sampled_from(["1-10", "0-9%2", "1,3,5-7"]),
        "exclusive": st.booleans(),
        "mail_type": st.sampled_from(["END", "BEGIN,END,FAIL"]),
        "comment": accepted("comment", free),
        "qos": names,
        "reservation": names | st.builds("{},{}".format, names, names),
        "ntasks_per_node": st.integers(1, 1000),
        "nodelist": hosts,
        "exclude": hosts,
        "dependency": st.sampled_from(["afterok:123", "afterany:1:2,afterok:3", "singleton"]),
        "nice": st.integers(-10_000, 10_000),
        "requeue": st.booleans(),
        "mail_user": accepted("mail_user", free),
        "begin": st.sampled_from(["now+1hour", "2030-01-01T08:00", "16:00"]),
        "output": accepted("output", free),
        "error": accepted("error", free),
    },
)


@settings(deadline=None, max_examples=300)
@given(chosen=options)
def test_directives_parse_back_to_the_options(chosen: dict[str, object]) -> None:
    script = generate_script(a_plan(options=chosen))
    stem = "slurm-%A_%a" if chosen.get("array") else "slurm-%j"
    whole = {"job_name": "job", "output": f"{stem}.out", "error": f"{stem}.err", **chosen}
    assert dict(parse_directives(script)) == check_options(whole)


@pytest.mark.parametrize(
    ("slot", "pattern", "file", "alias"),
    [
        ("training_script", "*.py", "train.py", "training_script.py"),
        ("dataset", "*.tar.gz", "d.tar.gz", "dataset.tar.gz"),
        ("config", "config.yaml", "config.yaml", "config.yaml"),
        ("data", "*", "x.csv", "data.csv"),
        ("data", "*", "plain", "data"),
        ("init", "init_[0-9].dat", "init_1.dat", "init.dat"),
    ],
)
def test_a_slot_gives_its_file_a_second_name(slot: str, pattern: str, file: str, alias: str) -> None:
    assert slot_alias(FileSlot(slot, pattern, "input", True), file) == alias


def test_quoting_keeps_a_value_on_one_line(awkward: str) -> None:
    assert "\n" not in shell_quote(awkward)
    assert "\r" not in shell_quote(awkward)
    assert "\n" not in one_line(awkward)


def test_the_order_of_the_files_does_not_matter() -> None:
    template = a_template(slots=(FileSlot("a", "*", "input", True), FileSlot("b", "*", "input", True)))
    files = (a_file("1", "a"), a_file("2", "b"))
    scripts = {generate_script(a_plan(template=template, files=order)) for order in (files, files[::-1])}
    assert len(scripts) == 1
