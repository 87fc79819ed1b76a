"""#SBATCH lines: what we write is what sbatch reads, and what we read is what sbatch reads.

Where sbatch is installed it is asked itself: with ``-vvv`` it prints each argument it finds in a script, before it
looks for a controller (there is none behind the configuration used here).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput, SchedulerRefused
from jupyter_slurmdash.slurm.directives import (
    OPTIONS,
    check_options,
    parse_directives,
    quote_value,
    render_directive,
    seconds_of,
)

PRINTABLE = st.text(
    st.characters(exclude_categories=("Cc", "Zl", "Zp", "Cs")), min_size=1, max_size=60
) | st.text(alphabet="\"'\\# :$`ab한\u3000", min_size=1, max_size=30)
needs_sbatch = pytest.mark.skipif(shutil.which("sbatch") is None, reason="sbatch is not installed")


@pytest.fixture(scope="session")
def slurm_conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration behind which nobody answers."""
    path = tmp_path_factory.mktemp("slurm") / "slurm.conf"
    path.write_text(
        "ClusterName=nobody\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=1\nAuthType=auth/munge\n"
        "NodeName=n1 NodeAddr=127.0.0.1\nPartitionName=p Nodes=n1 Default=YES\n"
    )
    return path


def ask_sbatch(script: str, conf: Path) -> list[str] | None:
    """The arguments that sbatch finds in the script, None when it refuses to read it."""
    process = subprocess.Popen(
        ["sbatch", "-vvv", "--test-only", "--ignore-pbs"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "SLURM_CONF": str(conf)},
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process:
        process.stdin.write(script.encode())
        process.stdin.close()
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line.decode(errors="replace"))
            if "end of defined options" in lines[-1]:
                process.kill()  # the script is read; it would now look for the controller for a long while
                break
        else:
            return None
    return re.findall(
        r'^sbatch: debug2: Found in script, argument "(.*?)"$', "".join(lines), re.MULTILINE | re.DOTALL
    )


def script_of(*lines: str) -> str:
    return "\n".join(["#!/bin/bash", *lines, "true", ""])


@given(PRINTABLE)
def test_a_value_is_read_back_as_it_was(value: str) -> None:
    script = script_of(render_directive("job_name", value), render_directive("comment", value))
    assert parse_directives(script) == [("job-name", value), ("comment", value)]


@needs_sbatch
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PRINTABLE, min_size=1, max_size=12))
def test_sbatch_reads_back_what_is_written(slurm_conf: Path, values: list[str]) -> None:
    script = script_of(*(render_directive("comment", value) for value in values))
    assert ask_sbatch(script, slurm_conf) == [f"--comment={value}" for value in values]


@needs_sbatch
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(alphabet="ab\"'\\# :\t=\x0b$한", max_size=16),
    st.sampled_from(["", " ", "\t", "\n", "#\n", "x\n"]),
)
def test_any_line_is_read_as_sbatch_reads_it(slurm_conf: Path, junk: str, before: str) -> None:
    script = f"#!/bin/bash\n{before}#SBATCH --comment=a{junk}\n#SBATCH --job-name=end\ntrue\n"
    theirs = ask_sbatch(script, slurm_conf)
    try:
        ours = [f"--{name}={value}" for name, value in parse_directives(script)]
    except SchedulerRefused:
        ours = None
    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#SBATCH --comment=a#b", [("comment", "a")]),
        ("#SBATCH --comment='a#b' # note", [("comment", "a#b")]),
        (r"#SBATCH --comment=a\#b", [("comment", "a#b")]),
        (r"#SBATCH --comment='a\'b'", [("comment", "a'b")]),
        ("#SBATCH --comment=\"a\"'b c'", [("comment", "ab c")]),
        ("#SBATCH --comment=", [("comment", "")]),
        ("#SBATCH -J x -N2 -n 4", [("job-name", "x"), ("nodes", "2"), ("ntasks", "4")]),
        ("#SBATCH --comm=x --hold", [("comment", "x"), ("hold", "")]),
        ("#SBATCH -HQ --nice --nice=5 --exclusive", None),
        ("#SBATCH--comment=x", [("comment", "x")]),
        (" #SBATCH --comment=x", []),
        ("# SBATCH --comment=x", []),
        ("##SBATCH --comment=x", []),
        ("#PBS -N x", []),
        (":\n#SBATCH --comment=x", []),
        ("echo\n#SBATCH --comment=x", []),
        ("\n \t\n # note\n#SBATCH --comment=x", [("comment", "x")]),
        ("#SBATCH --comment\n#SBATCH x", [("comment", "x")]),
        ("#SBATCH -n1\n#SBATCH hetjob\n#SBATCH -n2", [("ntasks", "1"), ("hetjob", ""), ("ntasks", "2")]),
    ],
)
def test_lines(line: str, expected: list[tuple[str, str]] | None) -> None:
    if expected is None:
        expected = [("hold", ""), ("quiet", ""), ("nice", ""), ("nice", "5"), ("exclusive", "")]
    assert parse_directives(script_of(line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "#SBATCH --comment='x",
        "#SBATCH : -N2",
        "#SBATCH foo",
        "#SBATCH --nonsense=1",
        "#SBATCH --n=1",
        "#SBATCH -Z",
        "#SBATCH --comment",
        "#SBATCH -J",
        "#SBATCH --hold=1",
        "#SBATCH --",
    ],
)
def test_lines_that_sbatch_refuses(line: str) -> None:
    with pytest.raises(SchedulerRefused):
        parse_directives(script_of(line))


def test_awkward_values_are_read_back_or_refused(awkward: str) -> None:
    if "\n" in awkward or "\t" in awkward:
        with pytest.raises(InvalidInput):
            quote_value(awkward)
    else:
        assert parse_directives(script_of(render_directive("comment", awkward))) == [("comment", awkward)]


@pytest.mark.parametrize(
    "value", ["a\nb", "a\rb", "a\0b", "\x1b[0m", "a\x7f", "a\u2028b", "a\x85b", "\ud800"]
)
def test_what_no_line_can_hold_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput):
        quote_value(value)
    with pytest.raises(InvalidInput):
        check_options({"comment": value})


def test_plain_values_stay_readable() -> None:
    assert render_directive("time", "01:00:00") == "#SBATCH --time=01:00:00"
    assert render_directive("cpus_per_task", "4") == "#SBATCH --cpus-per-task=4"
    assert render_directive("array", "1-4%2") == "#SBATCH --array=1-4%2"
    assert render_directive("exclusive", "") == "#SBATCH --exclusive"
    assert render_directive("job-name", "my job") == '#SBATCH --job-name="my job"'
    with pytest.raises(InvalidInput):
        render_directive("comment=x --hold", "1")


def test_options_come_in_a_fixed_order_and_form() -> None:
    given_options = {
        "error": "e.err",
        "requeue": False,
        "exclusive": True,
        "mail_type": "end, fail",
        "nice": -5,
        "array": "1-10%2",
        "time": 30,
        "gres": "gpu:a100:2,shard:4",
        "mem": "16G",
        "cpus_per_task": "04",
        "ntasks": 2,
        "nodes": "2-4",
        "partition": "gpu,compute",
        "job_name": "이름 'x'",
        "qos": None,
        "account": "",
    }
    assert list(check_options(given_options).items()) == [
        ("job-name", "이름 'x'"),
        ("partition", "gpu,compute"),
        ("nodes", "2-4"),
        ("ntasks", "2"),
        ("cpus-per-task", "4"),
        ("mem", "16G"),
        ("gres", "gpu:a100:2,shard:4"),
        ("exclusive", ""),
        ("time", "30"),
        ("array", "1-10%2"),
        ("nice", "-5"),
        ("no-requeue", ""),
        ("mail-type", "END,FAIL"),
        ("error", "e.err"),
    ]


GOOD = [
    ("partition", "gpu-a100.2"),
    ("nodes", 3),
    ("ntasks_per_node", 8),
    ("mem", 4096),
    ("mem", "0"),
    ("mem_per_cpu", "2gb"),
    ("time", "1-02:03:04"),
    ("time", "1-2"),
    ("time", "UNLIMITED"),
    ("gres", "gpu"),
    ("gres", "gpu:2"),
    ("constraint", "[rack1*2&rack2*4]"),
    ("constraint", "(a100|h100)&ib"),
    ("account", "proj_1@site"),
    ("reservation", "weekend"),
    ("array", "0,5,9-20:2%3"),
    ("dependency", "afterok:1:2,afterany:3_4"),
    ("dependency", "after:5+10?singleton"),
    ("mail_user", "me+jobs@example.org"),
    ("nodelist", "node[001-004,9],gpu1"),
    ("exclude", "node7"),
    ("begin", "now+2hours"),
    ("begin", "2030-01-31T18:00"),
    ("begin", "18:00"),
    ("nice", 0),
    ("requeue", True),
    ("output", "logs/%x-%j 한글.out"),
    ("chdir", "/scratch/my dir"),
    ("comment", "any # text 'with' \"quotes\""),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_values(name: str, value: object) -> None:
    assert check_options({name: value})


BAD = [
    ("partition", "a b"),
    ("partition", "a\n#SBATCH --hold"),
    ("partition", True),
    ("partition", ["a"]),
    ("nodes", "4-2"),
    ("nodes", 0),
    ("nodes", "two"),
    ("ntasks", 0),
    ("ntasks", True),
    ("ntasks", 1.5),
    ("ntasks", "1; rm"),
    ("ntasks", 10**9),
    ("mem", "16 G"),
    ("mem", "1.5G"),
    ("mem", "-1"),
    ("mem", "\uff11\uff16G"),
    ("time", "soon"),
    ("time", "1:2:3:4"),
    ("time", "\u0661"),
    ("gres", "gpu:"),
    ("gres", "gpu:2; x"),
    ("constraint", "a & b"),
    ("constraint", "(a|b"),
    ("constraint", "a]"),
    ("account", "a,b"),
    ("array", "5-1"),
    ("array", "1-5:0"),
    ("array", "1-5%0"),
    ("array", "1-5%"),
    ("array", "x"),
    ("array", "0-999999999"),
    ("dependency", "afterok"),
    ("dependency", "afterok:1,afterany:2?afterany:3"),
    ("dependency", "expand:1"),
    ("mail_type", "SOMETIMES"),
    ("mail_type", ","),
    ("mail_user", "a b"),
    ("nodelist", "./hosts"),
    ("begin", "whenever"),
    ("nice", "x"),
    ("exclusive", "yes"),
    ("requeue", 1),
    ("output", "x" * 256),
    ("output", 3.5),
    ("output", "a\tb"),
    ("chdir", "relative"),
    ("job_name", "x" * 101),
    ("wrap", "rm -rf /"),
    ("uid", 0),
    ("a/b~c", 1),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: ascii(value)[:30])
def test_bad_values_say_where(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_options({name: value, "ntasks_per_node": 2})
    (error,) = caught.value.errors
    expected = {"job_name": "/job_name", "a/b~c": "/options/a~1b~0c"}.get(name, f"/options/{name}")
    assert error.pointer == expected
    assert error.message.endswith(".")


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_options({"nodes": 0, "time": "x", "mem": "1G", "mem_per_cpu": "1G"})
    assert [error.pointer for error in caught.value.errors] == [
        "/options/nodes",
        "/options/time",
        "/options/mem_per_cpu",
    ]


@given(st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.one_of(PRINTABLE, st.integers(), st.booleans())))
def test_options_become_directives_that_mean_them(options: dict[str, object]) -> None:
    try:
        checked = check_options(options)
    except InvalidInput:
        return
    script = script_of(*(render_directive(name, value) for name, value in checked.items()))
    assert parse_directives(script) == list(checked.items())


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.none(), st.floats(), st.lists(st.text())), min_size=1)
)
def test_any_json_is_refused_in_order(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_options({**options, "no such option": 1})
    assert len(caught.value.errors) >= len(set(options) - set(OPTIONS))


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("30", 1800),
        ("1:30", 90),
        ("1:00:00", 3600),
        ("1-0", 86400),
        ("2-03:04", 183840),
        ("1-02:03:04", 93784),
        ("0", None),
        ("infinite", None),
        ("-1", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_seconds_of(time: str, seconds: int | None) -> None:
    assert seconds_of(time) == seconds
