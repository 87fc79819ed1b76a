"""The image: is it on the nodes, made for their processors, and the one that worked last time?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import a_file, a_plan, an_image

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.images.model import SHARED, SifFacts
from jupyter_slurmdash.jobs import imagechecks
from jupyter_slurmdash.jobs.checkcontext import CheckContext
from jupyter_slurmdash.slurm.base import Node, Partition
from jupyter_slurmdash.slurm.limits import SiteLimits

GPU = Partition("gpu", False, "up", ("gpu001",), max_time=8 * 3600)


def a_context(plan: object, **changes: object) -> CheckContext:
    values = {
        "plan": plan,
        "script": "",
        "partition": GPU,
        "nodes": (),
        "free_bytes": 0,
        "events": EventBus(),
        "limits": SiteLimits(),
    }
    return CheckContext(**{**values, **changes})  # type: ignore[arg-type]


def names(found: object) -> list[tuple[str, str, str]]:
    return [(check.name, check.level, check.pointer) for check in found]  # type: ignore[attr-defined]


def test_an_image_that_is_not_on_the_partition() -> None:
    image = an_image(nodes=("node001",))
    two = replace(GPU, nodes=("gpu001", "node001"))
    assert names(imagechecks.check_image_on_nodes(a_context(a_plan(image=image)))) == [
        ("image-elsewhere", "error", "/image_id")
    ]
    assert names(imagechecks.check_image_on_nodes(a_context(a_plan(image=image), partition=two))) == [
        ("image-partly", "warning", "/image_id")
    ]


def test_a_shared_image_is_on_every_node() -> None:
    assert names(imagechecks.check_image_on_nodes(a_context(a_plan(image=an_image(nodes=(SHARED,)))))) == []


def test_an_image_that_cannot_be_used() -> None:
    broken = an_image(facts=SifFacts(problem="it is truncated"), is_active=False)
    assert names(imagechecks.check_image(a_plan(image=broken))) == [
        ("image-unusable", "error", "/image_id"),
        ("image-gone", "error", "/image_id"),
    ]
    colon = a_file("a", "dataset", path="/data/a:b", origin="path")
    assert names(imagechecks.check_image(a_plan(image=an_image(), files=(colon,)))) == [
        ("file-not-bound", "warning", "/files/dataset")
    ]


BUILT_FOR = {"facts": SifFacts(arch="amd64"), "nodes": (SHARED,)}


@pytest.mark.parametrize(
    ("machines", "level"),
    [
        (("x86_64",), None),
        (("aarch64",), "error"),
        (("x86_64", "aarch64"), "warning"),
        (("", "aarch64"), "error"),  # a node that has never answered says nothing
        (("",), None),
        (("vax",), None),  # unknown to us: not ours to judge
    ],
)
def test_an_image_for_other_processors(machines: tuple[str, ...], level: str | None) -> None:
    nodes = tuple(Node(f"n{at}", ("gpu",), "idle", arch=arch) for at, arch in enumerate(machines))
    context = a_context(a_plan(image=an_image(**BUILT_FOR)), nodes=nodes)
    found = list(imagechecks.check_image_on_nodes(context))
    assert [(check.name, check.level) for check in found] == ([("image-arch", level)] if level else [])


def test_an_image_that_does_not_say_what_it_is_for() -> None:
    nodes = (Node("gpu001", ("gpu",), "idle", arch="aarch64"),)
    image = an_image(facts=SifFacts(arch=""), nodes=(SHARED,))
    assert list(imagechecks.check_image_on_nodes(a_context(a_plan(image=image), nodes=nodes))) == []
