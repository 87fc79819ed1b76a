"""Quotas: what the tools say, and what an upload makes of it.

quota(1) is the real one; since the kernel may have no quotas, a file server tells it some (``helpers/rquotad.py``).
There is no Lustre to ask: the answers of ``lfs`` are texts, in the format of the sources named in ``uploads/quota.py``.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upload_place import ME, Place

from jupyter_slurmdash.errors import NoSpace, TransportError
from jupyter_slurmdash.transport.base import Completed
from jupyter_slurmdash.transport.local import LocalTransport
from jupyter_slurmdash.uploads import quotas
from jupyter_slurmdash.uploads.quota import (
    Limit,
    Quota,
    lfs_argv,
    parse_lfs,
    parse_quota,
    quota_argv,
)
from jupyter_slurmdash.uploads.quotas import Quotas
from jupyter_slurmdash.uploads.small import SmallFile

HELPERS = Path(__file__).parent.parent / "helpers"
NOW = 1_700_000_000.0
MIB = 1024 * 1024

HEADING = """Disk quotas for user ada (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
"""
UNDER = HEADING + "          /home   20480   40960   51200       0     120    1000    2000       0\n"
ABOVE = HEADING + "          /home   45000*  40960   51200 1700086400     120    1000    2000       0\n"


def space(**values: Any) -> Limit:
    return Limit(**values)


def test_what_is_asked() -> None:
    assert quota_argv("/home") == [
        *("quota", "--user", "--verbose", "--no-wrap", "--raw-grace", "--show-mntpoint", "--hide-device"),
        *("--filesystem-list", "/home"),
    ]
    assert lfs_argv("/lustre", 1000) == ["lfs", "quota", "-q", "-u", "1000", "/lustre"]


def test_quota_below_its_limits() -> None:
    (quota,) = parse_quota(UNDER, NOW)
    assert quota == Quota("/home", Limit(20 * MIB, 40 * MIB, 50 * MIB), Limit(120, 1000, 2000))
    assert (quota.space.left, quota.files.left, quota.limited) == (30 * MIB, 1880, True)


def test_quota_above_the_soft_limit() -> None:
    (quota,) = parse_quota(ABOVE, NOW)
    assert quota.space == Limit(45_000 * 1024, 40 * MIB, 50 * MIB, grace=1_700_086_400.0)
    assert quota.space.left == 6200 * 1024
    (later,) = parse_quota(ABOVE, NOW + 100_000)
    assert (later.space.expired, later.space.left) == (True, 0)


@pytest.mark.parametrize(
    "text",
    [
        "Disk quotas for user ada (uid 1000): none\n",
        "Disk quotas for user ada (uid 1000): no limited resources used\n",
        "quota: error while getting quota from server:/export for ada (id 1000): Connection refused\n",
        "",
        HEADING,
    ],
)
def test_quota_that_says_nothing(text: str) -> None:
    assert parse_quota(text, NOW) == []


def test_mount_points_with_spaces_and_numbers() -> None:
    row = "  /net/group 7 1 2  20480   40960   51200       0     120       0       0       0\n"
    (quota,) = parse_quota(HEADING + row, NOW)
    assert (quota.mount, quota.files) == ("/net/group 7 1 2", Limit(120))


LFS = "    /mnt/lustre   20480   40960   51200       -     120    1000    2000       -\n"
LFS_OVER = "    /mnt/lustre   45000*  40960   51200 6d23h59m50s   2100*   1000    2000    none\n"
LFS_LONG = """/mnt/a-very-long-name
                  20480   40960   51200       -     120    1000    2000       -
uid 1000 is using default file quota setting
"""
LFS_UNSURE = (
    "    /mnt/lustre [20480]  [40960]  [51200]       -     120    1000    2000       -\n"
    "Some errors happened when getting quota info. Some devices may be not working or deactivated."
    ' The data in "[]" is inaccurate.\n'
)


def test_lustre() -> None:
    expected = (Limit(20 * MIB, 40 * MIB, 50 * MIB), Limit(120, 1000, 2000))
    assert parse_lfs(LFS, "/mnt/lustre", NOW) == Quota("/mnt/lustre", *expected)
    assert parse_lfs(LFS_LONG, "/mnt/a-very-long-name", NOW) == Quota("/mnt/a-very-long-name", *expected)
    assert parse_lfs(LFS_UNSURE, "/mnt/lustre", NOW) == Quota("/mnt/lustre", *expected, exact=False)
    assert parse_lfs(LFS, "/mnt/lustre2", NOW) is None
    assert parse_lfs("user quotas are not enabled.\n", "/mnt/lustre", NOW) is None
    over = parse_lfs(LFS_OVER, "/mnt/lustre", NOW)
    assert over is not None
    assert over.space == Limit(45_000 * 1024, 40 * MIB, 50 * MIB, grace=NOW + 604_790)
    assert over.files == Limit(2100, 1000, 2000, expired=True)
    assert over.files.left == 0


numbers = st.integers(0, 2**63)


@given(st.text("/ab 7[]*-:", max_size=20).map(lambda name: "/" + name.strip()), st.tuples(*[numbers] * 6))
def test_every_row_is_read_as_it_was_written(mount: str, row: tuple[int, ...]) -> None:
    used, soft, hard, files, files_soft, files_hard = row
    line = f"{mount:>15} {used:7}  {soft:6} {hard:7} {'0':>7} {files:7}  {files_soft:6} {files_hard:7} {'0':>7}\n"
    (quota,) = parse_quota(line, NOW)
    assert quota.mount == mount
    assert quota.space == Limit(used * 1024, soft * 1024 or None, hard * 1024 or None)
    assert quota.files == Limit(files, files_soft or None, files_hard or None)
    assert quota.to_json()["space"]["used"] == used * 1024


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    parse_quota(text, NOW)
    parse_lfs(text, "/mnt", NOW)


# -- asking -------------------------------------------------------------------------------------------------


class Machine(LocalTransport):
    """Answers ``quota`` and ``lfs`` from a table; every other command is an error of the test."""

    def __init__(self, answer: str | TransportError) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Sequence[str]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        assert argv[0] in ("quota", "lfs")
        assert timeout <= 2
        assert env is not None
        assert env["LC_ALL"] == "C"
        self.asked.append(argv)
        if isinstance(self.answer, TransportError):
            raise self.answer
        # As quota(1) leaves when a limit is exceeded.
        return Completed(self.answer.encode(), b"", 1)


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def asker(
    answer: str | TransportError, mount: str = "/home", kind: str = "ext4"
) -> tuple[Quotas, Machine, Clock]:
    machine, clock = Machine(answer), Clock()
    return Quotas(machine, clock, lambda path: (mount, kind)), machine, clock


def test_an_answer_is_kept_for_some_seconds() -> None:
    quota, machine, clock = asker(UNDER)
    assert quota.of(Path("/home/ada")) == quota.of(Path("/home/ada")) == parse_quota(UNDER, NOW)[0]
    assert len(machine.asked) == 1
    clock.now += quotas.KEPT
    machine.answer = ABOVE
    assert quota.of(Path("/home/ada")) == parse_quota(ABOVE, clock.now)[0]
    clock.now -= 10_000  # a clock that was set back
    quota.of(Path("/home/ada"))
    assert len(machine.asked) == 3


def test_lustre_is_asked_with_its_own_tool() -> None:
    quota, machine, _ = asker(LFS, "/mnt/lustre", "lustre")
    found = quota.of(Path("/mnt/lustre/ada"))
    assert found is not None
    assert found.space.hard == 50 * MIB
    assert machine.asked == [["lfs", "quota", "-q", "-u", str(os.geteuid()), "/mnt/lustre"]]


@pytest.mark.parametrize(
    "answer",
    [
        TransportError("quota cannot be run", "no-command"),
        TransportError("quota did not end", "timeout"),
        "quota: Cannot find mountpoint\n",
        HEADING + "          /home   20480       0       0       0     120       0       0       0\n",
        HEADING + "  /one 1 2 3 0 1 2 3 0\n  /two 1 2 3 0 1 2 3 0\n",
    ],
)
def test_whoever_says_nothing_is_left_alone_for_minutes(answer: str | TransportError) -> None:
    quota, machine, clock = asker(answer)
    for _ in range(3):
        assert quota.of(Path("/home/ada")) is None
        clock.now += quotas.KEPT
    assert len(machine.asked) == 1
    clock.now += quotas.RESTING
    quota.of(Path("/home/ada"))
    assert len(machine.asked) == 2


def test_a_file_system_that_is_mounted_twice_is_told_of_under_its_other_name() -> None:
    quota, _, _ = asker(UNDER, "/export/home")
    assert quota.of(Path("/export/home/ada")) is not None


def test_nobody_is_asked_where_there_can_be_no_quota() -> None:
    for mount, kind in (("/run", "tmpfs"), ("", "")):
        quota, machine, _ = asker(UNDER, mount, kind)
        assert quota.of(Path("/run/user/1000")) is None
        assert machine.asked == []


def test_this_machine(tmp_path: Path) -> None:
    """Whatever it has, asking is no error."""
    assert Quotas(LocalTransport()).of(tmp_path) is None or os.geteuid() != 0


class FileServer(LocalTransport):
    """Runs the real quota(1) where ``mount`` is a file server's, whose quotas are the numbers of a ``struct rquota``:
    block size, 1, hard, soft and used blocks, hard, soft and used files, seconds of grace for both.
    """

    def __init__(self, mount: Path, numbers: Sequence[int]) -> None:
        super().__init__()
        self.world = ["unshare", "--mount", "--net", sys.executable, str(HELPERS / "rquotad.py"), str(mount)]
        self.world.append(",".join(map(str, numbers)))

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        # What the limit of time is for is quota(1), not the making of a world.
        return super().run([*self.world, *argv], **{**options, "timeout": 60})


@pytest.mark.skipif(os.geteuid() != 0, reason="a network and mounts of its own need root")
def test_the_real_quota(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("quota") is None and not os.environ.get("CI"):
        pytest.skip("quota(1) is not installed")
    for name in ("plain", "home"):
        (tmp_path / name).mkdir()
    under = FileServer(tmp_path / "home", (1024, 1, 51200, 40960, 20480, 2000, 1000, 120, 0, 0))
    found = Quotas(under, mount=lambda path: (str(tmp_path / "home"), "nfs")).of(tmp_path)
    assert found == Quota(str(tmp_path / "home"), Limit(20 * MIB, 40 * MIB, 50 * MIB), Limit(120, 1000, 2000))

    above = FileServer(tmp_path / "home", (1024, 1, 51200, 40960, 45000, 2000, 1000, 1500, 3600, 600))
    before = time.time()
    found = Quotas(above, mount=lambda path: (str(tmp_path / "home"), "nfs")).of(tmp_path)
    assert found is not None
    assert found.space.grace is not None
    assert found.files.grace is not None
    # The file server's clock and ours may differ by the seconds that the asking takes.
    assert before + 3595 < found.space.grace < time.time() + 3605
    assert before + 595 < found.files.grace < time.time() + 605
    assert (found.space.left, found.files.left) == (6200 * 1024, 500)

    none = FileServer(tmp_path / "plain", (1024, 1, 0, 0, 45000, 0, 0, 1500, 0, 0))
    assert Quotas(none, mount=lambda path: (str(tmp_path / "plain"), "nfs")).of(tmp_path) is None
    with capsys.disabled():
        print(f"\nquota(1), asked for real: {found.space}", end=" ")


# -- what an upload makes of it -----------------------------------------------------------------------------


@pytest.fixture
def limited(tmp_path: Path) -> Place:
    """1 MiB may still be written, in 10 files and folders."""
    place = Place(tmp_path, slots=())
    place.quota = Quota("/home", Limit(9 * MIB, None, 10 * MIB), Limit(90, None, 100))
    return place


def test_the_quota_counts_before_the_first_byte(limited: Place) -> None:
    session_id = limited.session()
    with pytest.raises(
        NoSpace, match=r"2\.1 MB are needed, but only 1 MB are left of your quota of 10 MB on /home"
    ):
        limited.begin(session_id, "large", 2 * MIB)
    limited.begin(session_id, "fits", MIB // 2)
    with pytest.raises(NoSpace, match="kept for other uploads"):
        limited.begin(session_id, "no longer", MIB * 3 // 4)


def test_files_count_too(limited: Place) -> None:
    session_id = limited.session()
    files = [SmallFile(f"{number}.txt", b"1") for number in range(6)]
    with pytest.raises(NoSpace, match="12 files and folders are needed, but your quota on /home leaves 10"):
        limited.uploads.small.add(session_id, ME, files)
    assert len(limited.uploads.small.add(session_id, ME, files[:5])) == 5


def test_the_preflight_knows(limited: Place) -> None:
    session_id = limited.session()
    look = limited.uploads.preflight.look
    told = look(session_id, ME, [("a", 1000)])
    assert told["ok"]
    assert (told["space"]["free"], told["space"]["note"]) == (MIB, None)
    assert told["space"]["quota"]["space"] == {
        "used": 9 * MIB,
        "soft": None,
        "hard": 10 * MIB,
        "left": MIB,
        "grace": None,
        "expired": False,
    }
    assert not look(session_id, ME, [("a", 2 * MIB)])["ok"]
    many = look(session_id, ME, [(f"{number}", 1) for number in range(6)])
    assert not many["ok"]
    assert "Pack small files into an archive" in many["space"]["message"]


def test_the_soft_limit_is_a_note(limited: Place) -> None:
    limited.quota = Quota("/home", Limit(9 * MIB, 9 * MIB + 500, 10 * MIB), Limit(90))
    session_id = limited.session()
    look = limited.uploads.preflight.look
    assert look(session_id, ME, [("a", 400)])["space"]["note"] is None
    told = look(session_id, ME, [("a", 1000)])
    assert told["ok"]
    assert told["space"]["note"].startswith("This is above your soft quota of 9.4 MB on /home")
    limited.quota = Quota("/home", Limit(9 * MIB, 8 * MIB, None, grace=NOW + 60), Limit(90))
    assert "2023-11-14T22:14:20Z" in look(session_id, ME, [("a", 1)])["space"]["note"]
    limited.quota = Quota("/home", Limit(9 * MIB, 8 * MIB, None, expired=True), Limit(90))
    told = look(session_id, ME, [("a", 1)])
    assert (told["ok"], told["space"]["free"]) == (False, 0)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EDQUOT, "Your quota is full"), (errno.ENOSPC, "The disk is full")]
)
@pytest.mark.parametrize("call", ["open", "pwrite", "fdatasync", "rename"])
def test_what_was_acknowledged_outlives_a_full_quota(
    place: Place, monkeypatch: pytest.MonkeyPatch, call: str, number: int, said: str
) -> None:
    """And what was synced outlives a failed sync: nobody knows which of the other bytes that was of."""
    monkeypatch.setattr("jupyter_slurmdash.uploads.flush.STEP", 1000)
    file = place.begin(place.session(), "a.bin", 2000)
    place.send(file, 0, b"1" * 1000)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(f"jupyter_slurmdash.uploads.files.os.{call}", full)
        with pytest.raises(NoSpace, match=said) as refused:
            place.send(file, 1000, b"2" * 1000)
    assert refused.value.status == 507
    there = place.look(file)
    assert there.offset >= 1000
    if there.state != "complete":
        there = place.send(there, there.offset, b"2" * (2000 - there.offset))
    assert there.state == "complete"
    assert Path(there.path).read_bytes() == b"1" * 1000 + b"2" * 1000
