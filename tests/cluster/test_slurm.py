"""What the real Slurm does with what is hard for it: hostile names, silence, directives, accounting."""

from __future__ import annotations

import itertools
import os
import platform
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from as_user import AsUser

from jupyter_slurmdash.errors import InvalidInput, SchedulerUnavailable
from jupyter_slurmdash.slurm.base import Submission
from jupyter_slurmdash.slurm.cli import SlurmCli
from jupyter_slurmdash.slurm.directives import parse_directives, render_directive

USER = "hpcuser2"
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = [
    "evil|name\nx|y\tz",
    "7|alice|RUNNING|\n8|alice|RUNNING|",
    "<tag></tag>,:%j%i",
    "'\"\\`$(id)",
    "#SBATCH --hold",
    "한글 이름 😀",
    "x" * 1024,
    " leading and trailing ",
    "\x1e\x1f",
    "(null)",
]


@pytest.fixture
def work(cluster: dict[str, Any]) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="slurmdash-cluster-"))
    owner = pwd.getpwnam(USER)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def slurm(cluster: dict[str, Any]) -> SlurmCli:
    # A clock that jumps, so that each look is a fresh one.
    clock = itertools.count(0.0, 1000.0).__next__
    return SlurmCli(
        AsUser(USER), USER, clock, environ={"PATH": os.environ["PATH"], "HOME": pwd.getpwnam(USER).pw_dir}
    )


@pytest.fixture
def made(slurm: SlurmCli) -> Iterator[list[str]]:
    """Jobs to be cancelled at the end."""
    numbers: list[str] = []
    yield numbers
    for number in numbers:
        slurm.cancel(number)


def raw_sbatch(work: Path, *options: str, script: str = "#!/bin/bash\ntrue\n") -> str:
    """sbatch without us, as a hostile colleague would use it."""
    done = AsUser(USER).run(["sbatch", "--parsable", *options], input=script.encode(), cwd=str(work))
    assert done.code == 0, done.stderr
    return done.stdout.decode().strip()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def shown(number: str, field: str) -> str:
    """A field as ``scontrol show job`` prints it, each on a line of its own at its end."""
    text = subprocess.run(
        ["scontrol", "show", "job", number], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(rf"(?:^|\s){field}=(.*?)$", text, re.MULTILINE)
    assert match is not None, text
    return match[1]


def test_hostile_names_neither_drop_nor_forge_a_row(slurm: SlurmCli, made: list[str], work: Path) -> None:
    before = {job.job_id for job in slurm.queue()}
    for text in HOSTILE:
        made.append(raw_sbatch(work, "--hold", f"--job-name={text}", f"--comment={text}"))
    mine = {job.job_id: job for job in slurm.queue() if job.job_id not in before}
    assert sorted(mine) == sorted(made)
    for number, text in zip(made, HOSTILE, strict=True):
        assert mine[number].name == text
        assert mine[number].comment == ("" if text == "(null)" else text)
        assert (mine[number].state, mine[number].user, mine[number].workdir) == ("PENDING", USER, str(work))
    found = slurm.history(made, time.time() - 600)
    until(lambda: {job.job_id for job in slurm.history(made, time.time() - 600)} == set(made))
    assert {job.job_id for job in found} <= set(made)


def test_a_naive_reader_would_be_fooled(made: list[str], work: Path) -> None:
    """The baseline: the format that others use shows more rows than there are jobs."""
    made.append(raw_sbatch(work, "--hold", "--job-name=evil|name\n99|alice|RUNNING"))
    done = AsUser(USER).run(["squeue", "--noheader", f"--jobs={made[0]}", "--format=%i|%j|%T"])
    assert len(done.stdout.decode().splitlines()) == 2


DIRECTIVES = [
    "it's",
    'say "hi"',
    "back\\slash",
    "$(touch /tmp/x) `id` $HOME",
    "#SBATCH --comment=injected",
    "a # b",
    "한글 이름 (버전 2)",
    "가" * 100,
    "hetjob",
    "packjob",
    ": -N2",
    "--comment=x",
]


@pytest.mark.parametrize("text", DIRECTIVES)
def test_a_directive_is_what_slurm_stores(slurm: SlurmCli, made: list[str], work: Path, text: str) -> None:
    lines = [
        "#!/bin/bash",
        render_directive("job_name", text),
        render_directive("comment", text),
        ":",
        "true",
        "",
    ]
    script = "\n".join(lines)
    made.append(slurm.submit(Submission(script, str(work), {"hold": ""})))
    (job,) = (each for each in slurm.queue() if each.job_id == made[0])
    assert (job.name, job.comment, job.reason) == (text, text, "JobHeldUser")
    assert shown(made[0], "JobName") == text
    assert parse_directives(script) == [("job-name", text), ("comment", text)]


def test_lines_of_other_batch_systems_are_no_way_in(slurm: SlurmCli, made: list[str], work: Path) -> None:
    body = ":\n#PBS -N injected\n#BSUB -J injected\n#SBATCH --job-name=injected\ntrue\n"
    script = "#!/bin/bash\n#SBATCH --job-name=mine\n" + body
    naive = raw_sbatch(work, "--hold", script=script)
    made += [slurm.submit(Submission(script, str(work), {"hold": ""})), naive]
    names = {job.job_id: job.name for job in slurm.queue()}
    assert names[made[0]] == "mine"
    assert names[naive] == "injected"  # without --ignore-pbs sbatch obeys them, even after a command


@pytest.mark.parametrize("name", ["a\nb", "a\n#SBATCH --hold", "a\rb", "a\0b", "a\x1bb"])
def test_a_name_with_a_newline_is_refused_by_us(slurm: SlurmCli, work: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        slurm.submit(Submission("#!/bin/bash\ntrue\n", str(work), {"job_name": name}))
    with pytest.raises(InvalidInput):
        render_directive("job_name", name)


def test_accounting_has_times_and_comments(slurm: SlurmCli, work: Path) -> None:
    key, before = f"slurmdash:{uuid.uuid4()}", time.time()
    number = slurm.submit(
        Submission("#!/bin/bash\nexit 4\n", str(work), {"comment": key, "job_name": "facts"})
    )
    # The record is made first and filled a moment later.
    until(lambda: [job.workdir for job in slurm.history([number], before - 60) if job.final] == [str(work)])
    (job,) = slurm.history([number], before - 60)
    assert (job.job_id, job.name, job.comment, job.user) == (number, "facts", key, USER)
    assert (job.state, job.exit_code, job.workdir, job.reason) == ("FAILED", 4, str(work), "")
    for moment in (job.submitted_at, job.started_at, job.ended_at):
        assert moment is not None
        assert abs(moment - before) < 60


def test_parts_of_a_heterogeneous_job(slurm: SlurmCli, made: list[str], work: Path) -> None:
    script = "#!/bin/bash\n#SBATCH --job-name=one\n#SBATCH hetjob\n#SBATCH --job-name=two\ntrue\n"
    made.append(slurm.submit(Submission(script, str(work), {"hold": ""})))
    number = made[0]
    assert parse_directives(script) == [("job-name", "one"), ("hetjob", ""), ("job-name", "two")]
    parts = {job.job_id: job.name for job in slurm.queue() if job.job_id.startswith(f"{number}+")}
    assert parts == {f"{number}+0": "one", f"{number}+1": "two"}


def test_a_long_array_is_one_whole_row(slurm: SlurmCli, made: list[str], work: Path) -> None:
    squares = ",".join(str(number * number) for number in range(2, 30))
    made.append(raw_sbatch(work, "--hold", f"--array={squares}%7"))
    (row,) = (job for job in slurm.queue() if job.job_id.startswith(f"{made[0]}_"))
    assert row.job_id == f"{made[0]}_[{squares}%7]"  # not cut at 64 characters


def test_gpus_are_counted(slurm: SlurmCli, made: list[str], work: Path) -> None:
    before = {node.name: node.gpus_used for node in slurm.nodes()}["gpu001"]
    made.append(raw_sbatch(work, "-p", "gpu", "--gres=gpu:1", script="#!/bin/bash\nsleep 60\n"))
    until(lambda: {node.name: node.gpus_used for node in slurm.nodes()}["gpu001"] > before)
    (node,) = (node for node in slurm.nodes() if node.name == "gpu001")
    assert node.arch == platform.machine()
    assert node.gpus == 2
    assert node.state in ("mixed", "allocated")


def test_a_silent_controller(slurm: SlurmCli, made: list[str], work: Path) -> None:
    """The controller is stopped for the time of a few calls: others use the cluster too."""
    submission = Submission("#!/bin/bash\ntrue\n", str(work))
    nobody = work / "slurm.conf"
    real = Path("/etc/slurm/slurm.conf").read_text()
    # The same configuration with a port where nobody listens: silence for us, and for nobody else.
    nobody.write_text(re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", real) + "MessageTimeout=1\n")
    environ = {"PATH": os.environ["PATH"], "SLURM_CONF": str(nobody)}
    away = SlurmCli(AsUser(USER), USER, environ=environ)
    for ask in (
        lambda: away.submit(submission),
        away.queue,
        away.nodes,
        away.ping,
        lambda: away.test(submission),
    ):
        with pytest.raises(SchedulerUnavailable):
            ask()
    assert away.cluster == "slurm"


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="stops the controller for everyone; set CI=true")
def test_the_controller_stops_and_comes_back(slurm: SlurmCli, made: list[str], work: Path) -> None:
    control = str(ROOT / "dev/cluster")
    made.append(slurm.submit(Submission("#!/bin/bash\nsleep 60\n", str(work), {"comment": "key:stop"})))
    subprocess.run([control, "stop-slurmctld"], check=True, capture_output=True)
    try:
        with pytest.raises(SchedulerUnavailable):
            slurm.queue()
    finally:
        subprocess.run([control, "start-slurmctld"], check=True, capture_output=True)
    found = slurm.find("key:stop", time.time() - 600)
    assert found is not None
    assert found.job_id == made[0]
