"""Looking at one machine, when its files do not hold still."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import sif_writer as writer

from jupyter_slurmdash.images.fanout import fan_out
from jupyter_slurmdash.images.probe import Probe, probe_node
from jupyter_slurmdash.transport.local import LocalTransport


class Unsteady(LocalTransport):
    """Fails to read, in one of two places, as a machine does whose files change or whose disk is bad."""

    def __init__(self, head: OSError | None = None, later: OSError | None = None) -> None:
        super().__init__()
        self.head = head
        self.later = later

    def read_heads(self, paths: Sequence[str], length: int) -> list[bytes | OSError]:
        if self.head is not None:
            return [self.head for _ in paths]
        return [Path(path).read_bytes()[:length] for path in paths]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        if self.later is not None:
            raise self.later
        return super().read_ranges(path, ranges)


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
        problem = _problem(probe_node(Unsteady(head=error), [str(tmp_path)], {}))
        assert problem is not None
        assert words in problem


def test_metadata_behind_the_head(tmp_path: Path) -> None:
    parts = [writer.definition("x" * 40_000), writer.metadata(labels={"a": "b"}), writer.partition()]
    (tmp_path / "a.sif").write_bytes(writer.sif(parts))
    [found] = probe_node(Unsteady(), [str(tmp_path)], {}).found
    assert found.facts is not None
    assert found.facts.labels == {"a": "b"}
    assert _problem(probe_node(Unsteady(later=OSError("disk")), [str(tmp_path)], {}))


def test_many_files_are_read_in_batches(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number:03}.sif").write_bytes(writer.image(labels={"n": str(number)}))
    probe = probe_node(LocalTransport(), [str(tmp_path), f"{tmp_path}"], {})
    labels = [found.facts.labels["n"] for found in probe.found if found.facts is not None]
    assert labels == [str(number) for number in range(150)]


def test_fan_out_keeps_to_its_bound_and_hands_on_errors() -> None:
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

    names = [str(number) for number in range(12)]
    results = dict(fan_out(names, work, workers=4, timeout=10))
    assert most <= 4
    assert isinstance(results.pop("3"), ValueError)
    assert results == {name: name for name in names if name != "3"}
    assert list(fan_out([], work, workers=4, timeout=10)) == []
