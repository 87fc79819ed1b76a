"""Whatever fails in the middle of a save: the old file or the new one, never half of one, and a clear word."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fault_injector import FaultInjector
from template_place import ME, TEXT, Shelves

from jupyter_slurmdash.errors import NoSpace, SlurmDashError, StorageFailed
from jupyter_slurmdash.templates import history, shelfwriter

OLD = TEXT + "# old\n" + "#" * 50_000 + "\n"
NEW = TEXT + "# new\n" + "#" * 60_000 + "\n"
LAST_CALL = 200


def prepared(root: Path) -> Shelves:
    shelves = Shelves(root)
    if not (root / f"private/{ME}/mine.yaml").exists():
        shelves.editor.create(OLD)
    return shelves


def whole(shelves: Shelves) -> str:
    """The text that is there now, which must be one of the two; so must every version."""
    found = shelves.file(f"private/{ME}/mine.yaml")
    assert found in (OLD, NEW)
    for name in shelves.names(f"private/{ME}/.versions/mine"):
        with suppress(FileNotFoundError):  # a saver in another process keeps only so many
            assert name.startswith(".") or shelves.file(f"private/{ME}/.versions/mine/{name}") in (OLD, NEW)
    return found


def refusal(shelves: Shelves, text: str) -> SlurmDashError | None:
    try:
        shelves.editor.save("mine", text, if_match="*")
    except SlurmDashError as error:
        return error
    return None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES])
def test_every_call_fails_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    failed: list[str] = []
    for n in range(1, LAST_CALL):
        shelves = prepared(tmp_path / f"t{n}")
        with monkeypatch.context() as patch:
            injector = FaultInjector(n, number).into(patch, shelfwriter, history)
            error = refusal(shelves, NEW)
        found = whole(shelves)
        assert error or found == NEW
        if number in (errno.ENOSPC, errno.EDQUOT) and injector.failed_at == "write":
            assert isinstance(error, NoSpace)
        assert number != errno.EIO or error is None or isinstance(error, StorageFailed)
        if not injector.failed_at:
            break
        failed.append(injector.failed_at)
        # And then it goes on as if nothing had been.
        shelves.editor.save("mine", NEW, if_match="*")
        assert whole(shelves) == NEW
    assert {"open", "write", "fsync", "link", "rename"} <= set(failed)
    print(f"{os.strerror(number)}: failed at each of {len(failed)} calls, 0 wrong files")


def test_dead_at_every_call(tmp_path: Path) -> None:
    """As by ``kill -9`` before the n-th call: a child that ends there, without any cleaning up."""
    texts = []
    for n in range(1, LAST_CALL):
        shelves = prepared(tmp_path / f"t{n}")
        child = os.fork()
        if child == 0:
            try:
                shelfwriter.os = history.os = FaultInjector(n, None)  # type: ignore[attr-defined]
                Shelves(shelves.root).editor.save("mine", NEW, if_match="*")
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        texts.append(whole(shelves))
        shelves.editor.save("mine", NEW, if_match="*")
        assert whole(shelves) == NEW
        if os.waitstatus_to_exitcode(status) == 0:
            break
        assert os.waitstatus_to_exitcode(status) == 9
    assert OLD in texts
    assert texts[-1] == NEW
    print(
        f"dead before each of {len(texts) - 1} calls: {texts.count(OLD)} old, {texts.count(NEW)} new, 0 half"
    )


KILLS = 200


def test_killed_at_random(tmp_path: Path) -> None:
    """A process that saves all the time, killed by the system at any moment, again and again."""
    shelves = prepared(tmp_path / "templates")
    chance = random.Random(7)
    found = []
    for _ in range(KILLS):
        ready, begun = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                saver = Shelves(shelves.root)
                os.write(begun, b"x")
                while True:
                    for text in (NEW, OLD):
                        saver.editor.save("mine", text, if_match="*")
            finally:
                os._exit(1)
        os.close(begun)
        assert os.read(ready, 1) == b"x"
        os.close(ready)
        deadline = time.monotonic() + chance.uniform(0, 0.06)
        try:
            while time.monotonic() < deadline:
                whole(shelves)
        finally:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        found.append(whole(shelves))
    assert shelves.library.scan()[1] == 0
    assert OLD in found
    assert NEW in found
    # The lock of the dead is nobody's.
    shelves.editor.save("mine", NEW, if_match="*")
    print(
        f"killed by SIGKILL while saving, {KILLS} times: {found.count(OLD)} old, {found.count(NEW)} new, 0 half"
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("this container may not mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    shelves = Shelves(small_disk / "templates")
    shelves.editor.create(OLD)
    (small_disk / "filler").write_bytes(b"x" * 130_000)
    refused = [error for text in (NEW, OLD) * 3 if (error := refusal(shelves, text))]
    assert refused
    assert all(isinstance(error, NoSpace) and error.status == 507 for error in refused)
    whole(shelves)
    assert not list(small_disk.rglob("*.tmp"))
    print(f"full disk, {len(refused)} saves: {refused[0].status} {refused[0].detail}")
    (small_disk / "filler").unlink()
    shelves.editor.save("mine", NEW, if_match="*")
    assert whole(shelves) == NEW
