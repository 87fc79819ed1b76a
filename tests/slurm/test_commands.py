"""Argument lists: every value is one argument, and nothing strange becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.slurm import commands
from jupyter_slurmdash.slurm.commands import Marks

MARKS = Marks("0123abcd")


def test_sbatch_gets_each_option_as_one_argument() -> None:
    argv = commands.submit_argv("/work/my dir", {"comment": "a 'b' $(c)", "job_name": "x", "exclusive": ""})
    assert argv == [
        "sbatch",
        "--parsable",
        "--ignore-pbs",
        "--chdir=/work/my dir",
        "--comment=a 'b' $(c)",
        "--job-name=x",
        "--exclusive",
    ]
    assert "--test-only" in commands.submit_argv("/w", {}, test=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("comment", "a\nb"),
        ("comment", "a\0"),
        ("x y", "1"),
        ("-x", "1"),
        ("", "1"),
        ("comment=1 --hold", "1"),
    ],
)
def test_sbatch_gets_no_strange_option(name: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        commands.submit_argv("/w", {name: value})


def test_a_job_sees_no_secret_of_the_server() -> None:
    kept = {"PATH": "/bin", "HOME": "/h", "SLURM_CONF": "/etc/slurm/slurm.conf", "OMP_NUM_THREADS": "2"}
    secrets = ("github_token", "MY_SECRET", "DB_PASSWORD", "AWS_CREDENTIALS", "CONFIGPROXY_AUTH_TOKEN")
    jupyters = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "JUPYTER_SERVER_ROOT")
    slurms = ("SBATCH_PARTITION", "SLURM_JOB_ID", "SLURM_MEM_PER_CPU")
    dropped = dict.fromkeys((*secrets, *jupyters, *slurms), "x")
    assert commands.submit_environment({**kept, **dropped}) == kept


@pytest.mark.parametrize(
    "name",
    [
        *(
            "OPENAI_API_KEY",
            "APIKEY",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "WANDB_KEY",
            "API_KEYS",
            "KEY",
        ),
        *("PGPASS", "PGPASSWORD", "MYSQL_PWD", "DB_PASS", "DB_PASSWD", "PASS", "KEY_PASSPHRASE", "PASS_DB"),
        *("SESSION_COOKIE", "COOKIES", "NPM_CONFIG__AUTH", "AUTH", "DOCKER_AUTH_CONFIG", "SSH_AUTH_SOCK"),
        *("github_token", "Client_Secret", "GOOGLE_APPLICATION_CREDENTIALS"),
    ],
)
def test_a_jobs_environment_has_no_secrets(name: str) -> None:
    assert commands.submit_environment({name: "x", "HOME": "/h"}) == {"HOME": "/h"}


@pytest.mark.parametrize(
    "name",
    [
        *("PWD", "OLDPWD", "PATH", "HOME", "KEYBOARD", "MONKEY", "AUTHOR", "GIT_AUTHOR_NAME", "XAUTHORITY"),
        *(
            "PASSAGE",
            "BYPASSED",
            "KEYTIMEOUT",
            "CONDA_PREFIX",
            "OMP_NUM_THREADS",
            "MODULEPATH",
            "LD_LIBRARY_PATH",
        ),
    ],
)
def test_harmless_names_stay(name: str) -> None:
    assert commands.submit_environment({name: "x"}) == {name: "x"}


def test_nothing_of_the_users_environment_changes_what_is_printed() -> None:
    env = commands.query_environment(
        {
            "SQUEUE_FORMAT": "%i",
            "SLURM_TIME_FORMAT": "relative",
            "LANG": "ko_KR.UTF-8",
            "SLURM_CONF": "/c",
            "PATH": "/b",
        }
    )
    assert env == {
        "SLURM_CONF": "/c",
        "PATH": "/b",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SLURM_TIME_FORMAT": "%s",
        "SLURM_BITSTR_LEN": "0",
    }


def test_squeue_prints_whole_values_of_one_user() -> None:
    argv = commands.queue_argv("alice", MARKS)
    assert argv[:4] == ["squeue", "--noheader", "--states=all", "--user=alice"]
    fields = argv[4].removeprefix("--Format=").split(",")
    assert len(fields) == len(commands.QUEUE_COLUMNS)
    assert fields[0] == "JobArrayID:<0123abcd>"
    assert fields[-1] == "WorkDir:</0123abcd>"


def test_sacct_is_always_bounded_and_asked_once_per_job() -> None:
    argv = commands.history_argv(["12_3", "12_[4-5]", "7+1", "9"], 1_700_000_000.7, MARKS)
    assert argv[-1] == "--jobs=12,7,9"
    assert "--starttime=2023-11-14T22:13:20" in argv
    assert "--allocations" in argv
    assert "--starttime=1970-01-01T00:00:00" in commands.history_of_user_argv("alice", -5, MARKS)


@pytest.mark.parametrize(
    ("job_id", "argument"),
    [
        ("12", "12"),
        ("12_3", "12_3"),
        ("12_[3-5,9%2]", "12_[3-5,9]"),
        ("12_[1-9:2]", "12_[1-9:2]"),
        ("12+1", "12+1"),
    ],
)
def test_scancel_takes_every_form_of_id(job_id: str, argument: str) -> None:
    assert commands.cancel_argv(job_id) == ["scancel", argument]
    assert commands.job_base(job_id) == "12"


@pytest.mark.parametrize(
    "job_id", ["", "x", "-u", "--user=bob", "12 13", "12\n", "12_", "12_[", "\uff11\uff12", "12;x", "1" * 11]
)
def test_what_is_no_id_reaches_no_command(job_id: str) -> None:
    for build in (commands.cancel_argv, commands.job_base):
        with pytest.raises(InvalidInput):
            build(job_id)
    with pytest.raises(InvalidInput):
        commands.history_argv([job_id], 0, MARKS)


@given(st.text())
def test_ids_are_taken_or_refused_and_never_options(job_id: str) -> None:
    try:
        argument = commands.cancel_argv(job_id)[1]
    except InvalidInput:
        return
    assert argument[0].isdigit()
    assert argument.isascii()


def test_sinfo_marks_the_end_of_a_row() -> None:
    assert commands.nodes_argv(MARKS)[-1].endswith("Reason:</0123abcd>")
    assert commands.config_argv() == ["scontrol", "show", "config"]
