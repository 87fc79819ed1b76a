"""Limits: what is asked for beyond them is an error at its field, with the name of whose limit it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plans import a_plan

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.jobs.checkcontext import CheckContext
from jupyter_slurmdash.jobs.limitchecks import asked, check_limits, memory_of
from jupyter_slurmdash.slurm.base import Partition
from jupyter_slurmdash.slurm.limits import Allowance, SiteLimits

GPU = Partition(
    "gpu",
    False,
    "up",
    ("gpu001", "gpu002"),
    8 * 3600,
    cpus_per_node=16,
    memory_per_node=64 * 2**30,
    gpus_per_node=2,
)
NOTHING = SiteLimits()
ENFORCED = SiteLimits(
    associations=(
        Allowance("research", qos=("normal", "short"), default_qos="normal", tres={"gres/gpu": 1}),
    ),
    qos={"normal": Allowance("normal"), "short": Allowance("short", max_wall=1800)},
    default_account="research",
    enforced=frozenset(("associations", "limits", "qos")),
)


def found(options: dict[str, Any], limits: SiteLimits = NOTHING) -> list[tuple[str, str]]:
    context = CheckContext(a_plan(options=options), "", GPU, (), 0, EventBus(), limits)
    checks = list(check_limits(context))
    assert all(check.level == "error" for check in checks)
    return [(check.pointer, check.message) for check in checks]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": "08:00:01"}, "Partition gpu allows at most 480 min."),
        ({"time": "08:00:00"}, None),
        ({"nodes": 3}, "Partition gpu has at most 2 nodes."),
        ({"nodes": "2-4"}, None),
        ({"nodes": "3-4"}, "Partition gpu has at most 2 nodes."),
        ({"cpus_per_task": "17"}, "Partition gpu has at most 16 CPUs."),
        ({"mem": "65G"}, "Partition gpu has at most 65536 MiB of memory."),
        ({"mem": "64G"}, None),
        ({"mem": "0"}, None),
        ({"mem": 65537}, "Partition gpu has at most 65536 MiB of memory."),
        ({"gres": "gpu:a100:3"}, "Partition gpu has at most 2 GPUs on a node."),
        ({"gres": "gpu:2"}, None),
        ({"account": "anyone", "qos": "any"}, None),  # nobody enforces them here
    ],
)
def test_the_partition_and_its_nodes(options: dict[str, Any], message: str | None) -> None:
    (name,) = set(options) - {"qos"}
    assert found(options) == ([(f"/options/{name}", message)] if message else [])


# The panel says the same while one types, before it has asked: its own test reads this file too.
PANEL = Path(__file__).resolve().parents[2] / "labextension/src/sections/newjob/__tests__"
WORDS = json.loads((PANEL / "limit_words.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("group", WORDS, ids=lambda group: group["qos"] or "partition")
def test_the_words_that_the_panel_has_too(group: dict[str, Any]) -> None:
    limits = ENFORCED if group["enforced"] else NOTHING
    chosen = {"account": group["account"], "qos": group["qos"]}
    assert limits.choice(GPU, **chosen).to_json() == group["limits"]
    for option, value, message in group["cases"]:
        expected = [(f"/options/{option}", message)] if message else []
        assert found({**chosen, option: value}, limits) == expected, value


def test_the_account_and_the_qos() -> None:
    assert found({"time": "00:31:00"}, ENFORCED) == []
    assert found({"time": "00:31:00", "qos": "short"}, ENFORCED) == [
        ("/options/time", "QOS short allows at most 30 min.")
    ]
    assert found({"gres": "gpu:2"}, ENFORCED) == [
        ("/options/gres", "Account research allows at most 1 GPUs on a node.")
    ]
    assert found({"account": "other"}, ENFORCED) == [
        ("/options/account", "You cannot use the account other on partition gpu. Yours there: research.")
    ]
    assert found({"qos": "other"}, ENFORCED) == [
        ("/options/qos", "You cannot use the QOS other on partition gpu. Yours there: normal, short.")
    ]


def test_what_is_asked_for() -> None:
    options = {
        "time": "1-0",
        "nodes": "2",
        "mem": "1G",
        "gres": "gpu:2,shard:1",
        "cpus_per_task": 4,
        "ntasks": 9,
    }
    assert asked(a_plan(options=options)) == {
        "time": ("time", 86400),
        "nodes": ("nodes", 2),
        "mem": ("mem", 2**30),
        "gpus": ("gres", 2),
        "cpus_per_task": ("cpus_per_task", 4),
    }
    assert asked(a_plan(options={"time": "UNLIMITED", "mem": "much", "nodes": "x"})) == {}
    assert (memory_of("512"), memory_of("512K"), memory_of("2GB")) == (512 * 2**20, 512 * 1024, 2 * 2**30)
