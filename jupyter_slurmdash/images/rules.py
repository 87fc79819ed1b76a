"""What an image is for, which version it is, and the order of versions: from labels, else from names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast, get_args

from .model import ImageType

TYPE_LABEL = "slurmdash.type"
VERSION_LABELS = ("org.label-schema.version", "version", "org.opencontainers.image.version")
DESCRIPTION_LABELS = (
    "description",
    "org.label-schema.description",
    "org.opencontainers.image.description",
    "summary",
)

# Names of what people look at rather than compute with.
_VIZ_NAME = re.compile(r"vnc|gnome|xfce|desktop|paraview|visit|vmd|viz", re.IGNORECASE)
_VERSION_IN_NAME = re.compile(r"^(.+?)[-_ ]v?(\d[\w.+]*)$", re.IGNORECASE)


def image_type(labels: Mapping[str, str], name: str, partitions: Sequence[str]) -> ImageType:
    """The label ``slurmdash.type`` decides, then partitions named for visualisation, then the name."""
    label = labels.get(TYPE_LABEL, "").strip().lower()
    if label in get_args(ImageType):
        return cast("ImageType", label)
    if partitions and all("viz" in partition.lower() for partition in partitions):
        return "viz"
    return "viz" if _VIZ_NAME.search(name) else "compute"


def image_version(labels: Mapping[str, str], name: str) -> str:
    """The version of the labels, else the one at the end of the file's name; "" when there is none."""
    for label in VERSION_LABELS:
        if version := labels.get(label, "").strip():
            return version
    match = _VERSION_IN_NAME.match(stem(name))
    return match[2] if match else ""


def image_description(labels: Mapping[str, str]) -> str:
    """The first description among the labels, or ""."""
    return next((text for label in DESCRIPTION_LABELS if (text := labels.get(label, "").strip())), "")


def stem(name: str) -> str:
    """The file name without ``.sif``."""
    return name.removesuffix(".sif")


def family(name: str) -> str:
    """What the versions of one image have in common: the file name without its version."""
    match = _VERSION_IN_NAME.match(stem(name))
    return (match[1] if match else stem(name)).casefold()


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts 2.10 behind 2.9, and words before numbers."""
    pieces = re.findall(r"\d+|[^\W\d_]+", version.casefold())
    return tuple((int(piece[:18]), "") if piece.isdecimal() else (-1, piece) for piece in pieces)
