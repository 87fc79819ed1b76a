"""What every scheduler must do: the embedded one, and Slurm by its commands on the real cluster."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_slurmdash.errors import InvalidInput, JobNotFound, SchedulerRefused
from jupyter_slurmdash.slurm.base import JobStatus, Scheduler, Submission
from jupyter_slurmdash.slurm.cli import SlurmCli
from jupyter_slurmdash.slurm.local import LocalScheduler
from jupyter_slurmdash.slurm.local_accept import Capacity
from jupyter_slurmdash.transport.base import Completed
from jupyter_slurmdash.transport.local import LocalTransport

USER = "hpcuser1"
SECONDS = 60.0
WAIT = "until [ -e go ]; do sleep 0.05; done"


class AsUser(LocalTransport):
    """This machine, as another user: what a login of hers would be."""

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        as_her = ["runuser", "--user", USER, "--", *argv]
        return super().run(as_her, input=input, timeout=timeout, cwd=cwd, env=env)


@dataclass
class Place:
    """A scheduler and a directory that its jobs can write to. ``made`` are the jobs to be cancelled at the end."""

    scheduler: Scheduler
    work: Path
    made: list[str]

    def submit(self, body: str, *directives: str, **options: str) -> str:
        number = self.scheduler.submit(self.submission(body, *directives, **options))
        self.made.append(number)
        return number

    def submission(self, body: str, *directives: str, **options: str) -> Submission:
        lines = ["#!/bin/bash", *(f"#SBATCH {line}" for line in directives), body, ""]
        return Submission("\n".join(lines), str(self.work), options)

    def seen(self, job_id: str) -> list[JobStatus]:
        """The rows of the job (of all its tasks) in the queue."""
        return [job for job in self.scheduler.queue() if job.job_id.split("_")[0].split("+")[0] == job_id]

    def ended(self, job_id: str) -> JobStatus:
        """Wait until the job has ended, by the queue."""
        until(lambda: bool(rows := self.seen(job_id)) and all(job.final for job in rows))
        return self.seen(job_id)[0]

    def read(self, name: str) -> str:
        """A file that a job has written; the node may be slower than the controller."""
        until((self.work / name).exists)
        return (self.work / name).read_text()

    def go(self) -> None:
        (self.work / "go").touch()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(params=["local", pytest.param("slurm", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "local":
        work = tmp_path / "work"
        work.mkdir()
        here = LocalScheduler(tmp_path / "state", capacity=Capacity("laptop", 4, 0, 8 * 2**30))
        yield from cleaned(Place(here, work, []))
        return
    request.getfixturevalue("cluster")
    folder = Path(tempfile.mkdtemp(prefix="slurmdash-contract-"))
    owner = pwd.getpwnam(USER)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    environ = {"PATH": os.environ["PATH"], "HOME": owner.pw_dir, "MY_TOKEN": "secret", "MINE": "yes"}
    # A clock that jumps, so that each look is a fresh one.
    clock = itertools.count(0.0, 1000.0).__next__
    yield from cleaned(Place(SlurmCli(AsUser(), USER, clock, environ=environ), folder, []))
    shutil.rmtree(folder)


def cleaned(place: Place) -> Iterator[Place]:
    yield place
    for number in place.made:
        place.scheduler.cancel(number)
    until(lambda: all(job.final for number in place.made for job in place.seen(number)))


def test_who_it_is(place: Place) -> None:
    scheduler = place.scheduler
    assert scheduler.name in ("slurm", "local")
    assert scheduler.is_cluster == (scheduler.name == "slurm")
    assert scheduler.ping().startswith(scheduler.name)
    assert scheduler.cluster
    assert [partition.name for partition in scheduler.partitions() if partition.is_default]
    nodes = {node.name: node for node in scheduler.nodes()}
    for partition in scheduler.partitions():
        assert partition.state == "up"
        assert set(partition.nodes) <= set(nodes)
        assert partition.cpus_per_node == max(nodes[name].cpus for name in partition.nodes)
        assert all(partition.name in nodes[name].partitions for name in partition.nodes)
    assert all(
        node.cpus > 0 and node.memory > 2**20 and node.state == node.state.lower() for node in nodes.values()
    )


def test_a_job_from_submission_to_its_end(place: Place) -> None:
    before = time.time()
    number = place.submit(f"echo started; {WAIT}; exit 3", "--job-name=first", "--time=5")
    until(lambda: place.seen(number)[0].state == "RUNNING")
    (job,) = place.seen(number)
    assert (job.job_id, job.name, job.workdir, job.time_limit) == (number, "first", str(place.work), 300)
    assert (job.exit_code, job.ended_at, job.final) == (None, None, False)
    assert job.nodes
    assert job.cpus >= 1
    # The file is made before the script starts, and the script may be slower than this.
    until(lambda: place.read(f"slurm-{number}.out") == "started\n")
    place.go()
    end = place.ended(number)
    assert (end.state, end.raw_state, end.exit_code, end.signal) == ("FAILED", "FAILED", 3, None)
    assert None not in (end.submitted_at, end.started_at, end.ended_at, end.elapsed)
    assert (
        before - 2 <= float(end.submitted_at or 0) <= float(end.started_at or 0) <= float(end.ended_at or 0)
    )
    assert abs(float(end.ended_at or 0) - time.time()) < 120


def test_success_and_signal(place: Place) -> None:
    good, killed = place.submit("true"), place.submit("kill -9 $$")
    assert place.ended(good).exit_code == 0
    assert place.seen(good)[0].state == "COMPLETED"
    end = place.ended(killed)
    assert (end.state, end.exit_code, end.signal) == ("FAILED", 0, 9)


def test_history_remembers(place: Place) -> None:
    since = time.time() - 60
    good, held = place.submit("true"), place.submit("true", dependency=f"afterany:{place.submit(WAIT)}")
    place.scheduler.cancel(held)
    place.ended(good)

    def remembered() -> dict[str, str]:
        return {job.job_id: job.state for job in place.scheduler.history([good, held, "999999999"], since)}

    until(lambda: remembered() == {good: "COMPLETED", held: "CANCELLED"})
    place.go()


def test_a_job_knows_itself_and_no_secret(place: Place) -> None:
    number = place.submit("env > env", "--ntasks=2 --cpus-per-task=2")
    place.ended(number)
    env = dict(line.split("=", 1) for line in place.read("env").splitlines() if "=" in line)
    assert env["SLURM_JOB_ID"] == number
    assert env["SLURM_SUBMIT_DIR"] == env["PWD"] == str(place.work)
    assert (env["SLURM_NTASKS"], env["SLURM_CPUS_PER_TASK"], env["SLURM_LOCALID"]) == ("2", "2", "0")
    assert not any("TOKEN" in name for name in env)


def test_output_names(place: Place) -> None:
    number = place.submit("echo out; echo err >&2", "-J 'my job' -o '%x-%j 한글.out' --error=%u_%A.err")
    place.ended(number)
    assert place.read(f"my job-{number} 한글.out") == "out\n"
    user = USER if place.scheduler.name == "slurm" else pwd.getpwuid(os.getuid()).pw_name
    assert place.read(f"{user}_{number}.err") == "err\n"


def test_an_array(place: Place) -> None:
    key = f"key:{uuid.uuid4()}"
    body = f"{WAIT}; echo $SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID; exit $SLURM_ARRAY_TASK_ID"
    number = place.submit(body, "--array=1-5:2%1", comment=key)
    first, rest = f"{number}_1", f"{number}_[3,5%1]"
    until(
        lambda: {job.job_id: job.state for job in place.seen(number)} == {first: "RUNNING", rest: "PENDING"}
    )
    found = place.scheduler.find(key, time.time() - 60)
    assert found is not None
    assert found.job_id == number
    place.go()
    place.ended(number)
    assert {job.job_id: job.exit_code for job in place.seen(number)} == {
        first: 1,
        f"{number}_3": 3,
        f"{number}_5": 5,
    }
    assert place.read(f"slurm-{number}_3.out") == f"{number} 3\n"


def test_a_part_of_an_array_is_cancelled(place: Place) -> None:
    number = place.submit(WAIT, "--array=1-4%1")
    until(lambda: len(place.seen(number)) == 2)
    place.scheduler.cancel(f"{number}_[3-4%1]")
    # The cancelled ones vanish from Slurm's queue; the embedded scheduler shows them for a while.
    until(lambda: [job.job_id for job in place.seen(number) if job.state == "PENDING"] == [f"{number}_[2%1]"])
    place.scheduler.cancel(f"{number}_1")
    until(lambda: any(job.job_id == f"{number}_1" and job.final for job in place.seen(number)))
    place.go()
    until(lambda: all(job.final for job in place.seen(number)))
    states = {job.job_id: job.state for job in place.seen(number)}
    assert (states[f"{number}_1"], states[f"{number}_2"]) == ("CANCELLED", "COMPLETED")


def test_dependencies(place: Place) -> None:
    bad = place.submit(f"{WAIT}; exit 1")
    never = place.submit("true", dependency=f"afterok:{bad}")
    then = place.submit("true", dependency=f"afternotok:{bad}")
    last = place.submit("true", dependency=f"afterany:{then}")
    until(lambda: place.seen(then)[0].reason == "Dependency")
    place.go()
    assert place.ended(last).state == "COMPLETED"
    assert place.seen(then)[0].state == "COMPLETED"
    until(lambda: place.seen(never)[0].reason == "DependencyNeverSatisfied")
    assert place.seen(never)[0].state == "PENDING"


def test_the_script_of_a_job(place: Place) -> None:
    wanted = place.submission("echo '안녕'  \n\n", "--time=1")
    number = place.scheduler.submit(wanted)
    place.made.append(number)
    assert place.scheduler.script(number) == wanted.script
    place.ended(number)
    assert place.scheduler.script(number) == wanted.script
    array = place.submit("true", "--array=1-2")
    for job_id in (array, f"{array}_2"):
        assert "#SBATCH --array=1-2" in place.scheduler.script(job_id)
    with pytest.raises(JobNotFound):
        place.scheduler.script("999999999")
    with pytest.raises(InvalidInput):
        place.scheduler.script("1 --help")


class Forgetful(AsUser):
    """A machine whose controller has forgotten its jobs, as it does some minutes after their end."""

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        if list(argv[:2]) == ["scontrol", "write"]:
            argv = [*argv[:3], "999999999", *argv[4:]]
        return super().run(argv, input=input, timeout=timeout, cwd=cwd, env=env)


@pytest.mark.cluster
def test_accounting_remembers_a_script(place: Place) -> None:
    if place.scheduler.name == "local":
        return
    wanted = place.submission("echo one\n\necho two", "--time=1")
    number = place.scheduler.submit(wanted)
    place.made.append(number)
    forgetful = SlurmCli(Forgetful(), USER, time.time, environ={"PATH": os.environ["PATH"]})
    until(lambda: remembers(forgetful, number))
    assert forgetful.script(number) == wanted.script
    array = place.submit("true", "--array=1-3")
    until(lambda: remembers(forgetful, array))
    assert forgetful.script(array) == place.scheduler.script(array)
    with pytest.raises(JobNotFound, match="job_script"):
        forgetful.script("999999999")


def remembers(scheduler: SlurmCli, number: str) -> bool:
    try:
        return bool(scheduler.script(number))
    except JobNotFound:
        return False


def test_cancel(place: Place) -> None:
    running = place.submit("sleep 300")
    waiting = place.submit("true", dependency=f"afterany:{running}")
    until(lambda: place.seen(running)[0].state == "RUNNING")
    place.scheduler.cancel(waiting)
    place.scheduler.cancel(running)
    for number in (waiting, running):
        assert place.ended(number).state == "CANCELLED"
        place.scheduler.cancel(number)  # once more: it is what was wanted
    with pytest.raises(JobNotFound):
        place.scheduler.cancel("999999999")
    for nonsense in ("", "x", "--user=root", f"{running} {waiting}", f"{running};id"):
        with pytest.raises(InvalidInput):
            place.scheduler.cancel(nonsense)


REFUSALS = [
    ("echo no interpreter\n", {}, "script"),
    ("", {}, "empty"),
    ("#!/bin/bash\r\ntrue\r\n", {}, "DOS line breaks"),
    ("#!/bin/bash\ntrue\n", {"partition": "no-such"}, "[Pp]artition"),
    ("#!/bin/bash\ntrue\n", {"time": "soon"}, "time"),
    ("#!/bin/bash\ntrue\n", {"array": "9-1"}, "array"),
    ("#!/bin/bash\ntrue\n", {"array": "1-100000"}, "array"),
    ("#!/bin/bash\ntrue\n", {"cpus_per_task": "100000"}, "CPUs"),
    ("#!/bin/bash\ntrue\n", {"gres": "unicorn:1"}, "gres"),
    ("#!/bin/bash\ntrue\n", {"dependency": "nonsense"}, "dependency"),
    ("#!/bin/bash\n#SBATCH --nonsense=1\ntrue\n", {}, "nonsense"),
    ("#!/bin/bash\n#SBATCH --comment='open\ntrue\n", {}, "[Uu]nmatched|not closed"),
]


@pytest.mark.parametrize(("script", "options", "word"), REFUSALS)
def test_refusals(place: Place, script: str, options: dict[str, str], word: str) -> None:
    if place.scheduler.name == "local" and options.get("gres"):
        pytest.skip("only GPUs are counted here")
    with pytest.raises(SchedulerRefused, match=word):
        place.made.append(place.scheduler.submit(Submission(script, str(place.work), options)))


def test_test_only_leaves_no_job(place: Place) -> None:
    key = f"key:{uuid.uuid4()}"
    assert "Job" in place.scheduler.test(place.submission("true", comment=key))
    with pytest.raises(SchedulerRefused):
        place.scheduler.test(place.submission("true", partition="no-such"))
    assert place.scheduler.find(key, time.time() - 60) is None


def test_a_comment_is_found_exactly(place: Place) -> None:
    key, since = f"slurmdash:{uuid.uuid4()}", time.time() - 60
    assert place.scheduler.find(key, since) is None
    number = place.submit("true", comment=key)
    found = place.scheduler.find(key, since)
    assert found is not None
    assert (found.job_id, found.comment) == (number, key)
    assert place.scheduler.find(key[:-1], since) is None
    place.ended(number)
    found = place.scheduler.find(key, since)
    assert found is not None
    assert found.job_id == number


def test_awkward_names_and_comments_survive(place: Place, awkward: str) -> None:
    if "\n" in awkward or "\t" in awkward:
        # A tab or a newline never gets so far: no directive holds it, and no argument of ours.
        if place.scheduler.name == "slurm":
            with pytest.raises(InvalidInput):
                place.submit("true", comment=awkward)
        return
    number = place.submit(WAIT, job_name=awkward, comment=awkward)
    (job,) = place.seen(number)
    assert (job.name, job.comment) == (awkward, awkward)
    place.scheduler.cancel(number)
