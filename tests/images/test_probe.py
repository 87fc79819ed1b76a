"""Looking at one machine, when its files do not hold still."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sif_writer as writer

from jupyter_slurmdash.images.fanout import fan_out
from jupyter_slurmdash.images.probe import Probe, probe_node
from jupyter_slurmdash.transport.base import ReadSteps
from jupyter_slurmdash.transport.local import LocalTransport


class Unsteady(LocalTransport):
    """Fails at one of a file's steps, as a machine does whose files change or whose disk is bad."""

    def __init__(self, error: OSError | None = None, at: int = 0) -> None:
        super().__init__()
        self.error = error
        self.at = at

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[Any]]]) -> list[Any]:
        return super().read_steps((path, self._spoiled(steps)) for path, steps in files)

    def _spoiled(self, steps: ReadSteps[Any]) -> ReadSteps[Any]:
        ranges = next(steps)
        for number in count():
            if self.error is not None and number == self.at:
                raise self.error
            try:
                ranges = steps.send((yield ranges))
            except StopIteration as end:
                return end.value


def _problem(probe: Probe) -> str | None:
    [found] = probe.found
    assert found.facts is not None
    return found.facts.problem


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.sif").write_bytes(writer.image())
    for error, words in (
        (PermissionError(), "may not read"),
        (FileNotFoundError(), "gone"),
        (OSError("disk"), "reading it failed"),
    ):
        problem = _problem(probe_node(Unsteady(error), [str(tmp_path)], {}))
        assert problem is not None
        assert words in problem


def test_metadata_behind_the_head(tmp_path: Path) -> None:
    parts = [writer.definition("x" * 40_000), writer.metadata(labels={"a": "b"}), writer.partition()]
    (tmp_path / "a.sif").write_bytes(writer.sif(parts))
    [found] = probe_node(Unsteady(), [str(tmp_path)], {}).found
    assert found.facts is not None
    assert found.facts.labels == {"a": "b"}
    assert _problem(probe_node(Unsteady(OSError("disk"), at=1), [str(tmp_path)], {}))


def test_many_files_are_read_in_batches(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number:03}.sif").write_bytes(writer.image(labels={"n": str(number)}))
    probe = probe_node(LocalTransport(), [str(tmp_path), f"{tmp_path}"], {})
    labels = [found.facts.labels["n"] for found in probe.found if found.facts is not None]
    assert labels == [str(number) for number in range(150)]


@pytest.mark.parametrize(("workers", "bound"), [(4, 4), (32, 12)])
def test_fan_out_keeps_to_its_bound_and_hands_on_errors(workers: int, bound: int) -> None:
    running: list[str] = []
    most = 0

    def work(name: str) -> str:
        nonlocal most
        running.append(name)
        most = max(most, len(running))
        time.sleep(0.01)  # the work
        running.remove(name)
        if name == "3":
            raise ValueError(name)
        return name

    names = [str(number) for number in range(3 * bound)]
    results = dict(pair for some in fan_out(names, work, workers=workers, timeout=10) for pair in some)
    assert most <= bound
    assert isinstance(results.pop("3"), ValueError)
    assert results == {name: name for name in names if name != "3"}
    assert list(fan_out([], work, workers=4, timeout=10)) == []


def test_fan_out_does_not_wait_for_the_silent() -> None:
    """Few work at the same time, but those that are silent are not counted for long, and each has its time."""
    silent = [f"silent{number}" for number in range(20)]
    over = threading.Event()

    def work(name: str) -> str:
        if name in silent:
            over.wait(30)
        return name

    outcomes = fan_out([*silent, "a", "b"], work, workers=21, timeout=3)
    came = [outcome for some in outcomes for outcome in some]
    over.set()
    assert came[:2] == [("a", "a"), ("b", "b")]
    assert sorted(came[2:]) == sorted((name, None) for name in silent)


def test_fan_out_fills_places_that_became_free_while_its_caller_was_busy() -> None:
    over = threading.Event()

    def work(name: str) -> str:
        if name.startswith("silent"):
            over.wait(30)
        return name

    names = ["first", *(f"silent{number}" for number in range(12)), "a", "b"]
    start = time.monotonic()
    came = []
    for some in fan_out(names, work, workers=32, timeout=20):
        came += [name for name, _ in some]
        if came == ["first"]:
            time.sleep(1.3)  # writes, while all others have become silent
        if {"a", "b"} <= set(came):
            break
    over.set()
    assert time.monotonic() - start < 10
