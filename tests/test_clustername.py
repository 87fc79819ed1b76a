"""The cluster's name: learnt once, remembered, and never waited for where it is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_slurmdash.clustername import ClusterName


class Controller:
    name = "slurm"
    is_cluster = True

    def __init__(self, tells: str = "slurm") -> None:
        self.tells = tells
        self.asked = 0

    @property
    def cluster(self) -> str:
        self.asked += 1
        return self.tells


def made(controller: Any, place: Path) -> ClusterName:
    return ClusterName(controller, place / "slurm-cluster")


def test_it_is_remembered(tmp_path: Path) -> None:
    controller = Controller()
    name = made(controller, tmp_path)
    assert (name.known(), name.get()) == ("slurm", "slurm"), "it never answered"
    controller.tells = "hal"
    assert (name.known(), name.get(), name.known()) == ("slurm", "hal", "hal")
    silent = Controller()
    later = made(silent, tmp_path)
    assert (later.known(), later.get(), silent.asked) == ("hal", "hal", 0)
    assert (later.learn(), silent.asked) == ("hal", 1)


def test_another_clusters_memory_is_corrected(tmp_path: Path) -> None:
    (tmp_path / "slurm-cluster").write_text("old")
    controller = Controller("new")
    name = made(controller, tmp_path)
    assert name.get() == "old"
    assert (name.learn(), name.get(), name.learn()) == ("new", "new", "new")
    assert controller.asked == 1
    assert made(Controller(), tmp_path).get() == "new"


def test_the_embedded_scheduler_has_a_fixed_name(tmp_path: Path) -> None:
    controller = Controller("local")
    controller.name, controller.is_cluster = "local", False
    name = made(controller, tmp_path)
    assert (name.known(), name.get(), name.learn()) == ("local", "local", "local")
    assert list(tmp_path.iterdir()) == []
