"""A shelf of many different images, for tests of lists: ``python sif_shelf.py DIRECTORY COUNT``."""

from __future__ import annotations

import sys
from pathlib import Path

import sif_writer

_KINDS = (
    (
        "pytorch-cuda",
        "PyTorch with CUDA, for training on one node or many",
        {"gpu": "cuda"},
        ("python", "tensorboard"),
    ),
    ("openfoam-openmpi", "OpenFOAM with Open MPI", {"mpi": "openmpi 4.1"}, ("simpleFoam", "blockMesh")),
    ("paraview", "ParaView, also as a server", {"slurmdash.type": "viz"}, ("paraview", "pvserver")),
    ("gromacs-mpi-cuda", "GROMACS for GPUs", {"gpu": "cuda", "mpi": "mpich"}, ("gmx",)),
    ("r-tidyverse", "R 4 and its packages", {}, ()),
    ("분자동역학", "분자동역학 계산 환경", {"slurmdash.type": "compute"}, ("namd",)),
    (
        "a-rather-long-name-for-the-weather-model-of-the-institute",
        "WRF with all its inputs",
        {},
        ("wrf", "real"),
    ),
    ("jupyter-datascience", "JupyterLab and the usual packages", {}, ("lab", "python")),
)
_VERSIONS = 4
# Every one of so many is signed, or no image at all.
_SIGNED, _BROKEN = 3, 97


def image(number: int) -> tuple[str, bytes]:
    """The name and the bytes of one of them."""
    stem, about, labels, apps = _KINDS[number // _VERSIONS % len(_KINDS)]
    lab, version = number // (_VERSIONS * len(_KINDS)), f"{1 + number % _VERSIONS}.{number % 10}.0"
    name = f"{stem}-lab{lab:02}_{version}.sif"
    if number % _BROKEN == _BROKEN - 1:
        return name, sif_writer.image()[:2000]
    about = f"{about} (group {lab})"
    labels = {**labels, "org.opencontainers.image.description": about, "maintainer": f"group {lab}"}
    parts = [
        sif_writer.definition(),
        sif_writer.metadata(
            labels=labels, apps={app: {"help": f"Runs {app}"} for app in apps}, help=f"{about}."
        ),
        sif_writer.partition(),
    ]
    return name, sif_writer.sif(parts + [sif_writer.signature()] * (number % _SIGNED == 0))


def fill(place: Path, count: int) -> None:
    """Write ``count`` images into an existing directory."""
    for number in range(count):
        name, data = image(number)
        (place / name).write_bytes(data)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
