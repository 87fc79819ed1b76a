"""Our limits against what the real Slurm takes and refuses: at each bound it says yes, one above it says no."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from as_user import AsUser
from bounded_account import ACCOUNT, QOS, bounded_account
from plans import a_plan, a_template

from jupyter_slurmdash.errors import SchedulerRefused
from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.jobs.checkcontext import CheckContext
from jupyter_slurmdash.jobs.limitchecks import check_limits
from jupyter_slurmdash.jobs.script import generate_script
from jupyter_slurmdash.slurm.base import Submission
from jupyter_slurmdash.slurm.cli import SlurmCli
from jupyter_slurmdash.slurm.limits import Choice

USER = "hpcuser1"


@pytest.fixture(scope="module")
def slurm(cluster: dict[str, object]) -> Iterator[SlurmCli]:
    with bounded_account(USER):
        yield SlurmCli(AsUser(USER), USER)


def choice(slurm: SlurmCli, partition: str, account: str = "", qos: str = "") -> Choice:
    (found,) = (each for each in slurm.partitions() if each.name == partition)
    return slurm.limits().choice(found, account, qos)


def test_what_she_may_choose(slurm: SlurmCli) -> None:
    found = choice(slurm, "gpu")
    assert {ACCOUNT, "research", "teaching"} <= set(found.accounts)
    assert found.default_account == "research"
    assert choice(slurm, "gpu", ACCOUNT).qos == ("normal", QOS)
    assert {name: bound.source for name, bound in choice(slurm, "gpu", ACCOUNT, QOS).bounds.items()} == {
        "time": f"QOS {QOS}",
        "nodes": "nodes",
        "cpus_per_task": f"QOS {QOS}",
        "mem": "nodes",
        "gpus": f"account {ACCOUNT}",
    }


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ({"time": "08:00:00"}, True),
        ({"time": "08:00:01"}, False),
        ({"cpus_per_task": "16"}, True),
        ({"cpus_per_task": "17"}, False),
        ({"mem": "64G"}, True),
        ({"mem": "65G"}, False),
        ({"nodes": "2"}, False),
        ({"gres": "gpu:2"}, True),
        ({"gres": "gpu:3"}, False),
        ({"account": ACCOUNT, "qos": QOS, "time": "00:30:00"}, True),
        ({"account": ACCOUNT, "qos": QOS, "time": "00:31:00"}, False),
        ({"account": ACCOUNT, "qos": QOS, "time": "00:30:00", "cpus_per_task": "2"}, True),
        ({"account": ACCOUNT, "qos": QOS, "time": "00:30:00", "cpus_per_task": "3"}, False),
        ({"account": "research", "qos": QOS}, False),
        ({"account": "nobody"}, False),
    ],
)
def test_slurm_agrees(slurm: SlurmCli, options: dict[str, str], right: bool) -> None:
    plan = a_plan(template=a_template(slots=()), options={"partition": "gpu", **options})
    (partition,) = (each for each in slurm.partitions() if each.name == "gpu")
    context = CheckContext(plan, "", partition, (), 0, EventBus(), slurm.limits())
    assert (not list(check_limits(context))) == right
    submission = Submission(generate_script(plan), "/tmp")
    if right:
        slurm.test(submission)
    else:
        with pytest.raises(SchedulerRefused):
            slurm.test(submission)
