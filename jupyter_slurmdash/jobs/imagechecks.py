"""Checks of the image: is it there, on every node, for these processors, and still the one that worked last time?"""

from __future__ import annotations

from collections.abc import Iterator

from ..images.model import SHARED, Image
from ..slurm.base import Partition
from .checkcontext import CheckContext
from .model import Check, Plan
from .pinning import ImageRuns
from .script import bindable

# What machines call their processors, in the words of images (Go's GOARCH).
_GO_ARCH = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv7l": "arm",
    "ppc64": "ppc64",
    "ppc64le": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}


def check_image(plan: Plan) -> Iterator[Check]:
    template, image = plan.template, plan.image
    if image is None:
        if template is not None and template.image_name:
            yield Check(
                "image-missing",
                "error",
                f"The template wants the image {template.image_name}, which no scanned node has."
                " Choose another image, or scan again.",
                "/image_id",
            )
        return
    if image.facts.problem:
        yield Check("image-unusable", "error", f"{image.name}: {image.facts.problem}", "/image_id")
    if not image.is_active:
        yield Check("image-gone", "error", f"{image.name} is no longer there. Choose another.", "/image_id")
    for file in plan.files:
        if file.origin == "path" and not bindable(file.path):
            yield Check(
                "file-not-bound",
                "warning",
                f"{file.name}: its path has a colon, a comma or a newline, so the container may not see it.",
                f"/files/{file.slot}",
            )


def check_image_on_nodes(context: CheckContext) -> Iterator[Check]:
    """Is the image on the partition's nodes, and made for their processors?"""
    image, partition = context.plan.image, context.partition
    if image is not None and partition is not None:
        yield from _everywhere(image, partition)
        yield from _architecture(context, image, partition)


def _everywhere(image: Image, partition: Partition) -> Iterator[Check]:
    if SHARED in image.nodes:
        return
    missing = [node for node in partition.nodes if node not in image.nodes]
    if len(missing) == len(partition.nodes) and missing:
        yield Check(
            "image-elsewhere",
            "error",
            f"No node of partition {partition.name} has {image.name}; it is on {', '.join(image.nodes)}.",
            "/image_id",
        )
    elif missing:
        yield Check(
            "image-partly",
            "warning",
            f"{image.name} is missing on {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
            f" of partition {partition.name}.",
            "/image_id",
        )


def _architecture(context: CheckContext, image: Image, partition: Partition) -> Iterator[Check]:
    arch = image.facts.arch
    known = [node for node in context.nodes if node.arch in _GO_ARCH]
    others = [node for node in known if _GO_ARCH[node.arch] != arch]
    if not arch or not others:
        return
    if len(others) == len(known):
        yield Check(
            "image-arch",
            "error",
            f"{image.name} is built for {arch}, but the nodes of partition {partition.name} are {others[0].arch}."
            " Choose another partition, or an image built for them.",
            "/image_id",
        )
    else:
        names = ", ".join(node.name for node in others[:5])
        yield Check(
            "image-arch",
            "warning",
            f"{image.name} is built for {arch} and cannot run on {names}{' …' if len(others) > 5 else ''}"
            f" of partition {partition.name}. Ask for a node that can run it (constraint).",
            "/image_id",
        )


def check_image_changed(runs: ImageRuns | None) -> Iterator[Check]:
    """Is it still the file that the last good run used?"""
    if runs is not None and runs.changed:
        yield Check("image-changed", "warning", runs.message, "/image_id")
