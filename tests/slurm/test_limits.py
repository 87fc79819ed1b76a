"""Limits: which of several holds, and reading what Slurm says of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.slurm import limits_parse
from jupyter_slurmdash.slurm.base import Partition
from jupyter_slurmdash.slurm.limits import Allowance, Bound, PartitionRules, SiteLimits

GPU = Partition(
    "gpu", True, "up", ("g1", "g2"), 3600, cpus_per_node=8, memory_per_node=2**30, gpus_per_node=2
)


def a_site(**changes: Any) -> SiteLimits:
    values: dict[str, Any] = {
        "associations": (Allowance("lab", qos=("normal", "long"), max_wall=1200),),
        "qos": {"normal": Allowance("normal"), "long": Allowance("long", max_wall=7200)},
        "default_account": "lab",
        "enforced": frozenset(("associations", "limits")),
    }
    return SiteLimits(**{**values, **changes})


def test_the_jobs_qos_comes_before_the_account() -> None:
    assert a_site().choice(GPU).bounds["time"] == Bound(1200, "account lab")
    # The QOS allows two hours, the partition still one.
    assert a_site().choice(GPU, qos="long").bounds["time"] == Bound(3600, "partition gpu")


def test_a_qos_may_lift_the_partitions_limit() -> None:
    lifted = {"long": Allowance("long", max_wall=7200, flags=frozenset(("partitiontimelimit",)))}
    assert a_site(qos=lifted).choice(GPU, qos="long").bounds["time"] == Bound(7200, "QOS long")


def test_the_partitions_qos_comes_first_unless_the_jobs_says_otherwise() -> None:
    rules = {"gpu": PartitionRules("gpu", qos="part")}
    qos = {"part": Allowance("part", max_wall=60), "long": Allowance("long", max_wall=120)}
    assert a_site(rules=rules, qos=qos).choice(GPU, qos="long").bounds["time"] == Bound(60, "QOS part")
    qos["long"] = Allowance("long", max_wall=120, flags=frozenset(("overpartqos",)))
    assert a_site(rules=rules, qos=qos).choice(GPU, qos="long").bounds["time"] == Bound(120, "QOS long")


def test_what_nobody_enforces_bounds_nothing() -> None:
    choice = a_site(enforced=frozenset()).choice(GPU)
    assert choice.bounds["time"] == Bound(3600, "partition gpu")
    assert (choice.accounts, choice.default_account) == (("lab",), "lab")


def test_who_may_use_a_partition() -> None:
    two = (Allowance("a", qos=("x", "y")), Allowance("b"), Allowance("c", partition="other"))
    rules = {"gpu": PartitionRules("gpu", deny_accounts=("b",), allow_qos=("y",))}
    choice = a_site(rules=rules, associations=two, default_account="b").choice(GPU)
    assert (choice.accounts, choice.default_account, choice.qos) == (("a",), "a", ("y",))


def test_an_association_for_the_partition_wins() -> None:
    two = (Allowance("lab", tres={"node": 2}), Allowance("lab", partition="gpu", tres={"node": 1}))
    assert a_site(associations=two).choice(GPU).bounds["nodes"] == Bound(1, "account lab")


PARTITIONS = """\
PartitionName=gpu AllowGroups=ALL AllowAccounts=lab,teaching AllowQos=ALL Default=YES QoS=N/A DefaultTime=01:00:00 \
MaxNodes=2 MaxTime=1-00:00:00 MinNodes=0 MaxCPUsPerNode=UNLIMITED Nodes=g[1-2] MaxMemPerNode=1024 TRES=cpu=32
PartitionName=free DenyAccounts=x DenyQos=y AllowQos=a QoS=part DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=UNLIMITED \
MaxCPUsPerNode=4 MaxMemPerNode=UNLIMITED
"""


def test_partitions_as_scontrol_shows_them() -> None:
    found = limits_parse.partition_rules(PARTITIONS)
    assert found["gpu"] == PartitionRules(
        "gpu",
        allow_accounts=("lab", "teaching"),
        default_time=3600,
        max_time=86400,
        max_nodes=2,
        max_mem_per_node=2**30,
    )
    assert found["free"] == PartitionRules(
        "free", deny_accounts=("x",), allow_qos=("a",), deny_qos=("y",), qos="part", max_cpus_per_node=4
    )


def test_accounts_and_qos_as_sacctmgr_shows_them() -> None:
    text = "teaching||normal||||\n"
    text += "research|gpu|normal,long|long|02:00:00|cpu=4,gres/gpu=1,gres/gpu:a100=2,mem=10G|mem=512\n"
    teaching, research = limits_parse.associations(text)
    assert teaching == Allowance("teaching", qos=("normal",))
    assert research == Allowance(
        "research",
        "gpu",
        ("normal", "long"),
        "long",
        7200,
        {"cpu": 4, "gres/gpu": 1, "mem": 10 * 2**30},
        {"mem": 512 * 2**20},
    )
    (short,) = limits_parse.qos("short|00:30:00|node=1||DenyOnLimit,OverPartQOS\n").values()
    assert short == Allowance(
        "short", max_wall=1800, tres={"node": 1}, flags=frozenset(("denyonlimit", "overpartqos"))
    )


@pytest.mark.parametrize(
    ("words", "all_of_it"),
    [
        ("none", set()),
        ("", set()),
        ("associations", {"associations"}),
        ("limits", {"limits", "associations"}),
        ("associations,limits,qos,safe", {"associations", "limits", "qos", "safe"}),
        ("all", {"all", "associations", "limits", "qos"}),
    ],
)
def test_what_is_enforced(words: str, all_of_it: set[str]) -> None:
    assert limits_parse.enforced(words) == all_of_it


@given(st.text(alphabet=st.sampled_from("aA=,|/: 0123456789GMKN\nPartitionName-"), max_size=300))
def test_whatever_slurm_says_is_read(text: str) -> None:
    limits_parse.partition_rules("PartitionName=" + text)
    limits_parse.associations(text)
    limits_parse.qos(text)
    limits_parse.tres(text)
    limits_parse.enforced(text)
