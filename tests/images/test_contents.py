"""Digests of files here and by a node's own programs, of whole files and of parts, with awkward names."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_slurmdash.errors import InvalidInput, TransportError
from jupyter_slurmdash.images.contents import FileHere, FileOnNode, stat_file
from jupyter_slurmdash.transport.base import Completed
from jupyter_slurmdash.transport.local import LocalTransport

DATA = random.Random(1).randbytes(3 * 1024 * 1024 + 17)


def on_node(path: Path, size: int | None = None) -> FileOnNode:
    return FileOnNode(LocalTransport("node001"), str(path), path.stat().st_size if size is None else size, 60)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "image.sif"
    made.write_bytes(DATA)
    return made


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, len(DATA)), (0, 0), (5, 1000), (4096, 2 * 1024 * 1024), (1, len(DATA) - 1), (0, len(DATA) - 1)],
)
def test_here_and_on_a_node(file: Path, algorithm: str, offset: int, length: int) -> None:
    wanted = hashlib.new(algorithm, DATA[offset : offset + length]).hexdigest()
    checks: list[int] = []
    here = FileHere(str(file), len(DATA), lambda: checks.append(1))
    assert here.digest(algorithm, offset, length) == wanted
    assert on_node(file).digest(algorithm, offset, length) == wanted
    assert here.read([(offset, 9), (0, 3)]) == on_node(file).read([(offset, 9), (0, 3)])
    assert bool(checks) == bool(length)


def test_awkward_names(tmp_path: Path, awkward: str) -> None:
    if "/" in awkward or len(os.fsencode(awkward)) > 250:
        awkward = awkward.replace("/", "_")[:60]
    file = tmp_path / f"{awkward}.sif"
    file.write_bytes(DATA)
    wanted = hashlib.sha256(DATA).hexdigest()
    assert on_node(file).digest("sha256", 0, len(DATA)) == wanted
    assert on_node(file).digest("sha256", 1, 2 * 1024 * 1024) != wanted
    assert stat_file(LocalTransport(), str(file)).size == len(DATA)
    assert not Path("/tmp/slurmdash-was-here").exists()


@pytest.mark.parametrize("offset", [0, 1])
def test_a_file_that_is_gone_has_no_digest(tmp_path: Path, offset: int) -> None:
    gone = on_node(tmp_path / "gone.sif", len(DATA))
    with pytest.raises(InvalidInput, match=r"gone\.sif could not be read on node001"):
        gone.digest("sha256", offset, 2 * 1024 * 1024)
    with pytest.raises(FileNotFoundError):
        stat_file(LocalTransport(), str(tmp_path / "gone.sif"))


@pytest.mark.parametrize("offset", [0, 1])
def test_what_cannot_be_read_to_its_end_has_no_digest(tmp_path: Path, offset: int) -> None:
    """A directory can be opened, but not read: as a file on a disk that fails."""
    with pytest.raises(InvalidInput, match="could not be read"):
        on_node(tmp_path, 9 * 1024 * 1024).digest("sha256", offset, 2 * 1024 * 1024)


class Answering(LocalTransport):
    """A node whose shell gives this answer."""

    def __init__(self, answer: Completed) -> None:
        super().__init__("node001")
        self.answer = answer

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (Completed(b"", b"sh: sha256sum: not found\n", 127), TransportError, "no program sha256sum"),
        (Completed(b"", b"sh: Input/output error\n", 1), InvalidInput, "Input/output error"),
        (Completed(b"", b"", 0), InvalidInput, "no reason"),
        (Completed(b"00 -\n", b"", 0), InvalidInput, "no reason"),
        (Completed(b"failed\n" + b"0" * 64 + b"  -\n", b"head: bad\n", 0), InvalidInput, "head: bad"),
    ],
)
def test_odd_answers(answer: Completed, kind: type[Exception], says: str) -> None:
    file = FileOnNode(Answering(answer), "/x.sif", len(DATA), 5)
    with pytest.raises(kind, match=says):
        file.digest("sha256", 0, len(DATA))


def test_a_digest_here_can_be_ended(file: Path) -> None:
    def stop() -> None:
        raise TransportError("ended")

    checks: Callable[[], None] = stop
    with pytest.raises(TransportError):
        FileHere(str(file), len(DATA), checks).digest("sha256", 0, len(DATA))
