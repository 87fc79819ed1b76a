"""The embedded scheduler: what the contract of all schedulers does not say. Real processes throughout."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_slurmdash.errors import JobNotFound, SchedulerRefused
from jupyter_slurmdash.slurm.base import JobStatus, Submission
from jupyter_slurmdash.slurm.local import LocalScheduler
from jupyter_slurmdash.slurm.local_accept import Capacity
from jupyter_slurmdash.slurm.local_files import LocalFiles, read_json

MACHINE = Capacity("laptop", 2, 0, 8 * 2**30)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work dir 한글"
    path.mkdir()
    return path


@pytest.fixture
def local(state: Path) -> LocalScheduler:
    return LocalScheduler(state, capacity=MACHINE)


def job(body: str, work: Path, *directives: str, **options: str) -> Submission:
    lines = ["#!/bin/bash", *(f"#SBATCH {line}" for line in directives), body, ""]
    return Submission("\n".join(lines), str(work), options)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def status(local: LocalScheduler, job_id: str) -> JobStatus:
    return next(each for each in local.history([job_id], 0) if each.job_id == job_id)


def ended(local: LocalScheduler, job_id: str) -> JobStatus:
    until(lambda: all(each.final for each in local.history([job_id], 0)))
    return local.history([job_id], 0)[0]


def test_a_time_limit_ends_the_job_and_all_its_processes(local: LocalScheduler, work: Path) -> None:
    body = "(setsid sleep 300 & echo $! > away); sleep 300 & echo $! > child; wait"
    number = local.submit(job(body, work, "--time=0:01"))
    end = ended(local, number)
    assert (end.state, end.time_limit, end.reason) == ("TIMEOUT", 1, "TimeLimit")
    assert end.elapsed is not None
    assert end.elapsed < 5
    for name in ("away", "child"):
        with pytest.raises(ProcessLookupError):
            os.kill(int((work / name).read_text()), 0)


def test_what_the_script_left_running_is_ended_with_it(local: LocalScheduler, work: Path) -> None:
    number = local.submit(job("setsid sleep 300 & echo $! > left; exit 0", work))
    assert ended(local, number).state == "COMPLETED"
    with pytest.raises(ProcessLookupError):
        os.kill(int((work / "left").read_text()), 0)


def test_cpus_are_never_overbooked_and_order_is_kept(local: LocalScheduler, work: Path) -> None:
    until_told = "until [ -e go ]; do sleep 0.02; done"
    one = local.submit(job(until_told, work))
    two = local.submit(job(until_told, work, "--cpus-per-task=2"))
    three = local.submit(job("true", work))
    by_id = {each.job_id: each for each in local.queue()}
    assert by_id[one].state == "RUNNING"
    assert (by_id[two].state, by_id[two].reason) == ("PENDING", "Resources")
    assert (by_id[three].state, by_id[three].reason) == ("PENDING", "Priority")
    (node,) = local.nodes()
    assert (node.state, node.cpus_used) == ("mixed", 1)
    (work / "go").touch()
    # The runner that ends starts the next one: nobody looks but the files are there.
    files = LocalFiles(local._files.root)
    until(lambda: (files.live / three / "tasks/_/end.json").exists())
    starts = [status(local, each).started_at for each in (one, two, three)]
    assert starts == sorted(starts, key=lambda at: at or 0)


def test_jobs_outlive_the_server_and_others_see_them(state: Path, work: Path) -> None:
    code = (
        "import sys; from jupyter_slurmdash.slurm.local import LocalScheduler\n"
        "from jupyter_slurmdash.slurm.base import Submission\n"
        "print(LocalScheduler(sys.argv[1]).submit(Submission(sys.argv[3], sys.argv[2], {'comment': 'k'})))\n"
    )
    script = "#!/bin/bash\nuntil [ -e go ]; do sleep 0.02; done\nexit 5\n"
    done = subprocess.run(
        [sys.executable, "-c", code, str(state), str(work), script],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    number = done.stdout.strip()
    here = LocalScheduler(state, capacity=MACHINE)
    assert [each.job_id for each in here.queue() if each.state == "RUNNING"] == [number]
    (work / "go").touch()
    assert ended(here, number).exit_code == 5


def test_a_killed_runner_is_noticed(local: LocalScheduler, state: Path, work: Path) -> None:
    number = local.submit(job("echo $$ > pid; exec sleep 300", work))
    runner = state / "live" / number / "tasks/_/runner.json"
    until(lambda: runner.exists() and (work / "pid").exists() and (work / "pid").read_text().strip() != "")
    record = read_json(runner)
    assert record is not None
    os.kill(record["pid"], signal.SIGKILL)
    end = ended(local, number)
    assert (end.state, end.reason[:11]) == ("NODE_FAIL", "The machine")
    os.kill(int((work / "pid").read_text()), signal.SIGKILL)  # nobody was left to end it


def test_ids_rise_over_restarts_and_many_submit_at_once(state: Path, work: Path) -> None:
    idle = Capacity("laptop", 1, 0, 2**30)
    blocker = LocalScheduler(state, capacity=idle).submit(job("sleep 300", work))
    with ThreadPoolExecutor(8) as pool:
        others = [LocalScheduler(state, capacity=idle) for _ in range(8)]
        numbers = list(pool.map(lambda other: other.submit(job("true", work)), others))
    assert len(set(numbers)) == 8
    assert min(map(int, numbers)) > int(blocker)
    local = LocalScheduler(state, capacity=idle)
    array = local.submit(job("true", work, "--array=1-4"))
    assert int(local.submit(job("true", work))) == int(array) + 4
    for number in [*numbers, array, str(int(array) + 4), blocker]:
        local.cancel(number)
    assert ended(local, blocker).raw_state == f"CANCELLED by {os.getuid()}"


def test_old_jobs_leave_the_queue_but_not_the_history(state: Path, work: Path) -> None:
    class Clock:
        ahead = 0.0

        def __call__(self) -> float:
            return time.time() + self.ahead

    clock = Clock()
    local = LocalScheduler(state, clock, MACHINE)
    number = local.submit(job("exit 2", work, comment="k"))
    ended(local, number)
    assert [each.job_id for each in local.queue()] == [number]
    clock.ahead = 301
    assert local.queue() == []
    assert status(local, number).exit_code == 2
    found = local.find("k", 0)
    assert found is not None
    assert found.job_id == number
    assert local.find("k", clock()) is None
    local.cancel(number)
    assert local.submit(job("true", work, "--dependency=afternotok:" + number)) == str(int(number) + 1)


def test_environment_and_patterns(local: LocalScheduler, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "999")
    monkeypatch.setenv("JUPYTER_TOKEN", "secret")
    monkeypatch.setenv("MINE", "yes")
    local._environ = dict(os.environ)
    number = local.submit(
        job("env > env; echo out; echo err >&2", work, "-J 'my job' -c2", "-o '%x %%-%5j.out' -e err-%u")
    )
    ended(local, number)
    assert (work / f"my job %-{number:0>5}.out").read_text() == "out\n"
    (error,) = work.glob("err-*")
    assert error.read_text() == "err\n"
    env = dict(line.split("=", 1) for line in (work / "env").read_text().splitlines() if "=" in line)
    assert env["SLURM_JOB_ID"] == number
    assert env["SLURM_JOB_NAME"] == "my job"
    assert env["SLURM_SUBMIT_DIR"] == str(work)
    assert (env["SLURM_NTASKS"], env["SLURM_CPUS_PER_TASK"], env["SLURM_LOCALID"]) == ("1", "2", "0")
    assert env["MINE"] == "yes"
    assert "JUPYTER_TOKEN" not in env
    assert "SLURM_ARRAY_TASK_ID" not in env


def test_what_it_keeps_is_for_the_user_alone(local: LocalScheduler, state: Path, work: Path) -> None:
    number = local.submit(job("true", work))
    ended(local, number)
    assert stat.S_IMODE((state / "live").stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "live" / number / "environment.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["--output=/nonexistent/x.out"], "No such file"),
        (["--chdir=/nonexistent"], "No such file"),
    ],
)
def test_a_job_that_cannot_start_says_why(
    local: LocalScheduler, work: Path, lines: list[str], reason: str
) -> None:
    end = ended(local, local.submit(job("true", work, *lines)))
    assert (end.state, end.exit_code) == ("FAILED", 1)
    assert reason in end.reason


def test_a_missing_interpreter(local: LocalScheduler, work: Path) -> None:
    end = ended(local, local.submit(Submission("#!/no/such/shell -x\n", str(work))))
    assert end.state == "FAILED"
    assert "/no/such/shell" in end.reason


def test_an_interpreter_with_an_argument(local: LocalScheduler, work: Path) -> None:
    ended(local, local.submit(Submission("#! /usr/bin/env python3\nprint('hi')\n", str(work))))
    (out,) = work.glob("slurm-*.out")
    assert out.read_text() == "hi\n"


def test_output_is_appended_where_asked(local: LocalScheduler, work: Path) -> None:
    for _ in range(2):
        ended(local, local.submit(job("echo x", work, "--open-mode=append", "-o log")))
    assert (work / "log").read_text() == "x\nx\n"


def test_a_part_of_an_array_is_cancelled(local: LocalScheduler, work: Path) -> None:
    array = local.submit(job("until [ -e go ]; do sleep 0.02; done", work, "--array=1-9:2%1"))
    assert [each.job_id for each in local.queue()] == [f"{array}_1", f"{array}_[3,5,7,9%1]"]
    local.cancel(f"{array}_[5-7%1]")
    assert {each.job_id: each.state for each in local.queue()} == {
        f"{array}_1": "RUNNING",
        f"{array}_5": "CANCELLED",
        f"{array}_7": "CANCELLED",
        f"{array}_[3,9%1]": "PENDING",
    }
    for absent in (f"{array}_2", f"{array}_[9-1]", f"{array}+1", "4711"):
        with pytest.raises(JobNotFound):
            local.cancel(absent)
    (work / "go").touch()
    until(lambda: all(each.final for each in local.queue()))


@pytest.mark.parametrize(
    ("condition", "first", "expected", "reason"),
    [
        ("afterok:{}", "exit 1", "PENDING", "DependencyNeverSatisfied"),
        ("afterok:{}", "exit 0", "COMPLETED", ""),
        ("afternotok:{}", "exit 0", "PENDING", "DependencyNeverSatisfied"),
        ("afternotok:{}", "exit 1", "COMPLETED", ""),
        ("afterany:{}", "exit 1", "COMPLETED", ""),
        ("after:{}", "exit 1", "COMPLETED", ""),
        ("afterok:{0}?afterany:{0}", "exit 1", "COMPLETED", ""),
        ("afterany:{0},afterok:{0}", "exit 1", "PENDING", "DependencyNeverSatisfied"),
    ],
)
def test_dependencies(
    local: LocalScheduler, work: Path, condition: str, first: str, expected: str, reason: str
) -> None:
    before = local.submit(job(f"until [ -e go ]; do sleep 0.02; done; {first}", work))
    after = local.submit(job("true", work, dependency=condition.format(before)))
    if not condition.startswith("after:"):
        (waiting,) = (each for each in local.queue() if each.job_id == after)
        assert (waiting.state, waiting.reason) == ("PENDING", "Dependency")
    (work / "go").touch()
    ended(local, before)
    if expected == "COMPLETED":
        assert ended(local, after).state == "COMPLETED"
    else:
        (waiting,) = (each for each in local.queue() if each.job_id == after)
        assert (waiting.state, waiting.reason) == (expected, reason)


REFUSED = [
    ("--partition=gpu", "local"),
    ("--nodes=2", "one node"),
    ("--ntasks=3", "2"),
    ("--ntasks=x", "whole number"),
    ("--gres=gpu:1", "gres"),
    ("--mem=64T", "8192 MB"),
    ("--mem=lots", "Memory"),
    ("--mem-per-cpu=5G -n2", "Memory"),
    ("--time=soon", "time"),
    ("--array=5-1", "array"),
    ("--array=1-2000", "1000"),
    ("--dependency=afterok:4711", "4711"),
    ("--dependency=singleton", "dependency"),
    ("--dependency=afterok:x", "job id"),
    ("--begin=now+1hour", "begin"),
    ("--hold", "held"),
    ("--gpus=1", "gres"),
    ("--nodelist=other", "laptop"),
    ("hetjob", "heterogeneous"),
    ("--nonsense", "nonsense"),
]


@pytest.mark.parametrize(("line", "word"), REFUSED)
def test_refusals(local: LocalScheduler, work: Path, line: str, word: str) -> None:
    for ask in (local.submit, local.test):
        with pytest.raises(SchedulerRefused, match=word):
            ask(job("true", work, line))
    assert local.queue() == []


def test_what_does_not_matter_here_is_ignored(local: LocalScheduler, work: Path) -> None:
    lines = [
        "--account=x --qos=y --nice=3 --no-requeue --mail-type=END --exclusive",
        "--nodelist=laptop -p local -N1",
    ]
    assert "with 2 of 2 CPUs" in local.test(job("true", work, *lines))
    assert local.ping() == "local"
    (partition,) = local.partitions()
    assert (partition.name, partition.is_default, partition.max_time) == ("local", True, None)
