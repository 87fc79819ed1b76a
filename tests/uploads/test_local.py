"""Files that this process sees: named where they lie, or copied; folders, twins, interruptions."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from stopwatch import fastest
from upload_place import ME, Place

from jupyter_slurmdash.errors import Conflict, InvalidInput, NoSpace, TooLarge
from jupyter_slurmdash.uploads.local import SMALL, Taken
from jupyter_slurmdash.uploads.quota import Limit, Quota
from jupyter_slurmdash.uploads.walk import walk

BIG = os.urandom(3 * 1024 * 1024 + 7)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with one large file, small ones, a link to a file, and what is no file."""
    folder = tmp_path / "mesh"
    (folder / "fine").mkdir(parents=True)
    (folder / "fine/a.msh").write_bytes(b"1 2 3")
    (folder / "big.dat").write_bytes(BIG)
    (folder / ".hidden").write_bytes(b"")
    (folder / "link.msh").symlink_to("fine/a.msh")
    (folder / "gone").symlink_to("nowhere")
    (folder / "round").symlink_to(".")
    os.mkfifo(folder / "pipe")
    return folder


NAMES = ["mesh/.hidden", "mesh/big.dat", "mesh/link.msh", "mesh/fine/a.msh"]


def add(place: Place, session_id: str, *paths: Path, **options: object) -> Taken:
    return place.uploads.local.add(session_id, ME, list(paths), **options)  # type: ignore[arg-type]


def test_a_folder_keeps_its_structure_and_nothing_is_copied(place: Place, tree: Path) -> None:
    session_id = place.session()
    taken = add(place, session_id, tree)
    assert [file.name for file in taken.files] == NAMES
    assert [file.path for file in taken.files] == [str(tree.parent / name) for name in NAMES]
    assert {file.origin for file in taken.files} == {"path"}
    assert len(taken.passed_over) == 2
    assert any("pipe" in line for line in taken.passed_over)
    assert not place.uploads.settings.root.exists()
    assert {file.name for file in place.uploads.job_files(session_id, ME)} == set(NAMES)
    assert len(place.told("upload_complete")) == 1
    # Once more is no clash, and what changed is seen.
    (tree / "fine/a.msh").write_bytes(b"longer than before")
    again = add(place, session_id, tree)
    assert [file.size for file in again.files] == [0, len(BIG), 18, 18]
    assert len(place.sessions.get(session_id, ME).files) == 4


def test_a_copy_is_what_the_file_is_now(place: Place, tree: Path) -> None:
    session_id = place.session()
    told: list[tuple[int, int, str]] = []
    taken = add(place, session_id, tree, copy=True, tell=lambda *step: told.append(step))
    (tree / "big.dat").write_bytes(b"changed")
    assert [file.name for file in taken.files] == NAMES
    by_name = {file.name: file for file in place.uploads.job_files(session_id, ME)}
    assert Path(by_name["mesh/big.dat"].path).read_bytes() == BIG
    assert by_name["mesh/big.dat"].sha256 == hashlib.sha256(BIG).hexdigest()
    assert Path(by_name["mesh/link.msh"].path).read_bytes() == b"1 2 3"
    total = len(BIG) + 10
    assert taken.copied == told[-1][0] == told[-1][1] == total
    assert [step[0] for step in told] == sorted(step[0] for step in told)


class Stop(Exception):
    pass


def test_an_interrupted_copy_goes_on_from_where_it_stood(place: Place, tree: Path) -> None:
    session_id = place.session()

    def interrupt(done: int, total: int, name: str) -> None:
        if done > 1_500_000:
            raise Stop

    with pytest.raises(Stop):
        add(place, session_id, tree, copy=True, tell=interrupt)
    place = place.restarted()
    (begun,) = [file for file in place.sessions.get(session_id, ME).files if file.state == "uploading"]
    assert 1_000_000 < begun.offset < len(BIG)
    taken = add(place, session_id, tree, copy=True)
    assert taken.copied == len(BIG) - begun.offset
    assert [file.state for file in taken.files] == ["complete"] * 4
    assert Path(taken.files[1].path).read_bytes() == BIG
    assert add(place, session_id, tree, copy=True).copied == 0
    place.close()


def test_another_file_of_that_name_is_never_mixed_with_what_was_begun(place: Place, tree: Path) -> None:
    session_id = place.session()

    def interrupt(done: int, total: int, name: str) -> None:
        if done > 1_500_000:
            raise Stop

    with pytest.raises(Stop):
        add(place, session_id, tree / "big.dat", copy=True, tell=interrupt)
    other = os.urandom(len(BIG))
    (tree / "big.dat").write_bytes(other)
    (file,) = add(place, session_id, tree / "big.dat", copy=True).files
    assert Path(file.path).read_bytes() == other
    (tree / "big.dat").write_bytes(BIG)
    with pytest.raises(Conflict, match=r"big\.dat"):
        add(place, session_id, tree / "big.dat", copy=True)
    (file,) = add(place, session_id, tree / "big.dat", copy=True, clash="replace").files
    assert Path(file.path).read_bytes() == BIG


def test_what_the_session_has_already(place: Place, tree: Path, tmp_path: Path) -> None:
    session_id = place.session()
    place.upload(session_id, "a.msh", b"from the browser")
    with pytest.raises(Conflict, match=r"a\.msh"):
        add(place, session_id, tree / "fine/a.msh")
    (both,) = add(place, session_id, tree / "fine/a.msh", clash="keep").files
    assert both.name == "a (2).msh"
    (new,) = add(place, session_id, tree / "fine/a.msh", clash="replace").files
    assert (new.name, new.origin) == ("a.msh", "path")
    assert sorted(file.name for file in place.sessions.get(session_id, ME).files) == ["a (2).msh", "a.msh"]


def test_slots(place: Place, tmp_path: Path) -> None:
    for name in ("train.py", "set.tar.gz", "other.py"):
        (tmp_path / name).write_bytes(b"\x1f\x8b" if name.endswith("gz") else b"print()")
    session_id = place.session("training")
    taken = add(place, session_id, tmp_path / "set.tar.gz", slots={"training_script": tmp_path / "other.py"})
    assert {file.name: file.slot for file in taken.files} == {
        "set.tar.gz": "dataset",
        "other.py": "training_script",
    }
    with pytest.raises(InvalidInput, match="no slot named"):
        add(place, session_id, slots={"elsewhere": tmp_path / "train.py"})
    with pytest.raises(InvalidInput, match="is a folder"):
        add(place, session_id, slots={"training_script": tmp_path})
    (tmp_path / "large.py").write_bytes(b"#" * 20_000)
    for copy in (False, True):
        with pytest.raises(TooLarge):
            add(place, place.session("training"), tmp_path / "large.py", copy=copy)


@pytest.mark.parametrize("size", [SMALL, SMALL + 1])
@pytest.mark.parametrize("copy", [False, True])
def test_a_file_of_the_paths_that_a_slot_names_too(
    place: Place, tmp_path: Path, copy: bool, size: int
) -> None:
    path, link, twin = tmp_path / "a.dat", tmp_path / "b.dat", tmp_path / "twin" / "a.dat"
    path.write_bytes(os.urandom(size))
    link.symlink_to(path)
    twin.parent.mkdir()
    twin.write_bytes(b"another")
    session_id = place.session("training")
    taken = add(place, session_id, path, slots={"pretrained_model": path}, copy=copy)
    (file,) = place.sessions.get(session_id, ME).files
    assert [one.id for one in taken.files] == [file.id]
    assert (file.name, file.slot, file.pinned) == ("a.dat", "pretrained_model", True)
    # One name, one file, one slot; what is said otherwise is about these, not about the session.
    session_id = place.session("training")
    with pytest.raises(InvalidInput, match="both the slots dataset and pretrained_model"):
        add(place, session_id, slots={"dataset": path, "pretrained_model": path}, copy=copy)
    with pytest.raises(InvalidInput, match="same name in the job"):
        add(place, session_id, path, slots={"dataset": twin}, copy=copy)
    assert place.sessions.get(session_id, ME).files == ()
    # The same bytes under two names are two files.
    add(place, session_id, path, slots={"pretrained_model": link}, copy=copy)
    slots = {file.name: file.slot for file in place.sessions.get(session_id, ME).files}
    assert slots == {"a.dat": "", "b.dat": "pretrained_model"}


def test_paths_that_cannot_be_taken(place: Place, tree: Path, tmp_path: Path) -> None:
    session_id = place.session()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.msh").write_bytes(b"1")
    for paths in (
        [tree / "not-there"],
        [tree / "pipe"],
        [tree / "gone"],
        [tree / "fine/a.msh", tmp_path / "other/a.msh"],
    ):
        with pytest.raises(InvalidInput):
            add(place, session_id, *paths)
    assert place.sessions.get(session_id, ME).files == ()
    assert add(place, session_id, tree / "fine/a.msh", tree / "fine/a.msh").files[0].name == "a.msh"


def test_a_file_that_is_a_folder_too(place: Place, tree: Path, tmp_path: Path) -> None:
    session_id = place.session()
    place.upload(session_id, "mesh", b"a file of the folder's name")
    with pytest.raises(Conflict, match="a file and a folder"):
        add(place, session_id, tree)
    assert len(place.sessions.get(session_id, ME).files) == 1


def test_a_quota_is_asked_before_the_first_byte_is_copied(place: Place, tree: Path) -> None:
    place.quota = Quota("/home", Limit(0, None, SMALL), Limit(0))
    session_id = place.session()
    with pytest.raises(NoSpace, match="name the files where they lie"):
        add(place, session_id, tree, copy=True)
    with pytest.raises(NoSpace, match="name the files where they lie"):
        add(place, session_id, slots={"pretrained_model": tree / "big.dat"}, copy=True)
    assert place.sessions.get(session_id, ME).files == ()
    assert len(add(place, session_id, tree).files) == 4


@pytest.fixture
def ten_thousand(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    for number in range(10_000):
        if number % 1000 == 0:
            (folder / f"{number // 1000}").mkdir(parents=True)
        (folder / f"{number // 1000}/{number}.txt").write_bytes(b"%d" % number)
    return folder


def test_ten_thousand_files(place: Place, ten_thousand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session_id = place.session()
    named = fastest(lambda: add(place, session_id, ten_thousand), runs=1)
    copied = fastest(lambda: add(place, place.session(), ten_thousand, copy=True), runs=1)
    with capsys.disabled():
        print(f"\n10,000 files: named in {named:.1f} s, copied in {copied:.1f} s", end=" ")
    assert len(place.uploads.job_files(session_id, ME)) == 10_000
    assert named < 10
    assert copied < 20


def test_walk_in_the_order_of_the_names(tree: Path) -> None:
    found, _ = walk([tree, tree / "big.dat"])
    assert [file.name for file in found] == [*NAMES, "big.dat"]
    assert len(walk([tree, tree])[0]) == len(NAMES)
