"""The library over real directories: shelves, ids, changes, and what must not be followed."""

from __future__ import annotations

import os
import socket
import threading
import unicodedata
from pathlib import Path

import pytest

from jupyter_slurmdash.errors import TemplateBroken, TemplateNotFound
from jupyter_slurmdash.formats.yamlsafe import MAX_BYTES
from jupyter_slurmdash.templates.library import Library
from jupyter_slurmdash.templates.model import CATEGORIES
from jupyter_slurmdash.templates.packaged import PACKAGED
from jupyter_slurmdash.templates.shelves import read_file

CHECKS = (
    "check_gpu_availability",
    "validate_dataset_size",
    "validate_dat_format",
    "notify_user",
    "log_submission",
)


class Clock:
    """A clock that stands far from the files' times, so that none looks as if it had just been written."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def shelve(root: Path, place: str, text: str | None = None, **head: object) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"id": path.stem, "name": path.stem, **head}
    path.write_text(text or f"template: {fields}\n".replace("True", "true"), encoding="utf-8")
    return path


def library(root: Path, official: bool = False, user: str = "me") -> Library:
    return Library(root, user, official, CHECKS, clock=Clock())


def ids(found: Library, **filters: str) -> list[str]:
    return [template.id for template in found.templates(**filters)]


def test_shelves(tmp_path: Path) -> None:
    shelve(tmp_path, "official/ml/a.yaml")
    shelve(tmp_path, "official/b.yml")
    shelve(tmp_path, "community/c.yaml")
    shelve(tmp_path, "private/me/d.yaml")
    shelve(tmp_path, "private/you/e.yaml")
    shelve(tmp_path, "archived/me/f.yaml")
    shelve(tmp_path, "archived/you/g.yaml")
    shelve(tmp_path, "community/.hidden.yaml")
    shelve(tmp_path, "community/.git/h.yaml")
    shelve(tmp_path, "community/1/2/3/too-deep.yaml")
    shelve(tmp_path, "community/note.txt")
    (tmp_path / "community" / "directory.yaml").mkdir()
    found = library(tmp_path)
    assert {t.id: t.source for t in found.templates()} == {
        "a": "official",
        "b": "official",
        "c": "community",
        "d": "private",
    }
    assert ids(found, source="archived") == ["f"]
    assert ids(found, source="private") == ["d"]
    assert found.get("f").source == "archived"
    assert found.find("g") is None
    with pytest.raises(TemplateNotFound, match="archived"):
        found.usable("f")
    with pytest.raises(TemplateNotFound, match="'e'"):
        found.get("e")
    assert found.usable("a").path == str(tmp_path / "official/ml/a.yaml")
    assert found.count() == (4, 0)


def test_no_shelves_at_all(tmp_path: Path) -> None:
    assert library(tmp_path / "missing").templates() == []
    assert library(tmp_path / "missing").scan() == (0, 0)


@pytest.mark.parametrize("user", ["", ".", "..", "../official", "a/b", "a\0b", ".hidden"])
def test_a_user_name_cannot_lead_elsewhere(tmp_path: Path, user: str) -> None:
    shelve(tmp_path, "private/you/e.yaml")
    shelve(tmp_path, "private/.hidden/f.yaml")
    shelve(tmp_path, "x/y.yaml")
    assert library(tmp_path, user=user).templates() == []


def test_one_broken_file_hides_no_other(tmp_path: Path) -> None:
    shelve(tmp_path, "community/a.yaml")
    shelve(tmp_path, "community/b.yaml", "template: [\n")
    shelve(tmp_path, "community/c.yaml", "x" * (MAX_BYTES + 1))
    found = library(tmp_path)
    assert found.scan() == (3, 2)
    with pytest.raises(TemplateBroken) as caught:
        found.usable("b")
    assert caught.value.detail.startswith("b.yaml, line 2: ")
    assert caught.value.to_problem()["problem"] == {
        "message": "Did not find expected node content.",
        "line": 2,
        "column": 1,
        "pointer": "",
    }
    with pytest.raises(TemplateBroken, match="bytes"):
        found.usable("c")


def test_changes_are_seen(tmp_path: Path) -> None:
    found = library(tmp_path)
    assert found.refresh()
    path = shelve(tmp_path, "community/a.yaml")
    assert found.refresh()
    assert not found.refresh()
    first = found.get("a")
    path.write_text(path.read_text() + "slurm: {nodes: 2}\n")
    assert found.get("a").slurm == {"nodes": 2}
    assert found.get("a").hash != first.hash
    os.replace(shelve(tmp_path, "other.yaml", id="b"), path)
    assert ids(found) == ["b"]
    path.unlink()
    assert ids(found) == []
    assert found.scan() == (0, 0)


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    shelve(tmp_path, "community/a.yaml")
    found = library(tmp_path)
    first = found.get("a")
    assert found.get("a") is first
    found.scan()
    assert found.get("a") is not first


def test_a_file_written_just_now_is_read_again(tmp_path: Path) -> None:
    path = shelve(tmp_path, "community/a.yaml", "template: {id: a, name: x}\n")
    stamp = path.stat()
    now = stamp.st_mtime + 0.5
    found = Library(tmp_path, "me", False, CHECKS, clock=lambda: now, max_age=0)
    assert found.get("a").name == "x"
    path.write_text("template: {id: a, name: y}\n")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert found.get("a").name == "y"


def test_the_disk_is_looked_at_once_in_max_age(tmp_path: Path) -> None:
    now = 1000.0
    found = Library(tmp_path, "me", False, CHECKS, clock=lambda: now)
    assert found.templates() == []
    shelve(tmp_path, "community/a.yaml")
    assert found.templates() == []
    now = 1001.0
    assert ids(found) == ["a"]
    shelve(tmp_path, "community/b.yaml")
    now = 500.0  # the clock was set back
    assert ids(found) == ["a", "b"]


def test_links_and_odd_files_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    outside = shelve(tmp_path, "secret.yaml")
    inside = shelve(root, "official/real.yaml", id="real")
    shelf = root / "community"
    shelf.mkdir()
    (shelf / "out.yaml").symlink_to(outside)
    (shelf / "dangling.yaml").symlink_to(root / "nothing")
    (shelf / "loop.yaml").symlink_to(shelf / "loop.yaml")
    (shelf / "dir").symlink_to(tmp_path)
    (shelf / "in.yaml").symlink_to(inside)
    os.mkfifo(shelf / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(shelf / "socket.yaml"))
    found = library(root)
    assert {template.path for template in found.templates()} == {str(inside), str(shelf / "in.yaml")}
    # The link inside is seen, but an id has one owner.
    assert found.get("real").source == "official"


def test_a_shelf_that_leads_outside_is_empty(tmp_path: Path) -> None:
    shelve(tmp_path, "elsewhere/a.yaml")
    root = tmp_path / "root"
    root.mkdir()
    (root / "community").symlink_to(tmp_path / "elsewhere")
    assert library(root).templates() == []
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    shelve(tmp_path, "elsewhere/community/b.yaml")
    assert ids(library(tmp_path / "link")) == ["b"]


def test_a_file_swapped_for_something_else(tmp_path: Path) -> None:
    path = shelve(tmp_path / "root", "community/a.yaml")
    secret = shelve(tmp_path, "secret/a.yaml")
    real_root = os.path.realpath(tmp_path / "root")
    found = Library(tmp_path / "root", "me", False, CHECKS, clock=lambda: 0.0)
    assert found.text("a") == read_file(str(path), real_root) == path.read_bytes()
    # Between the look at the directory and the reading, so to say.
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(PermissionError, match="outside"):
        read_file(str(path), real_root)
    with pytest.raises(TemplateNotFound):
        found.text("a")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(PermissionError, match="regular"):
        read_file(str(path), real_root)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(secret.parent)
    assert path.read_bytes() == secret.read_bytes()
    with pytest.raises(PermissionError, match="outside"):
        read_file(str(path), real_root)
    with pytest.raises(TemplateNotFound):
        found.text("a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_file_is_listed_as_broken(tmp_path: Path) -> None:
    shelve(tmp_path, "community/a.yaml").chmod(0)
    (template,) = library(tmp_path).templates()
    assert template.problem is not None
    assert "Permission denied" in template.problem.message


def test_a_file_that_cannot_be_read_is_listed_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelve(tmp_path, "community/a.yaml")

    def fails(path: str, real_root: str) -> bytes:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr("jupyter_slurmdash.templates.shelfmemory.read_file", fails)
    (template,) = library(tmp_path).templates()
    assert template.problem is not None
    assert template.problem.message == "The file cannot be read: Input/output error."


# -- ids ------------------------------------------------------------------------------------------------------


def test_an_id_belongs_to_the_more_trusted_shelf(tmp_path: Path) -> None:
    shelve(tmp_path, "community/a.yaml", id="x")
    shelve(tmp_path, "private/me/b.yaml", id="x")
    found = library(tmp_path)
    assert found.get("x").source == "private"
    shelve(tmp_path, "official/ml/c.yaml", id="x")
    assert found.get("x").source == "official"
    loser = found.get("x@private")
    assert loser.problem is not None
    assert loser.problem.message == (
        "The id 'x' is already used by the official template 'c.yaml'. Give this file another id."
    )
    with pytest.raises(TemplateBroken):
        found.usable("x@community")


def test_the_file_named_after_the_id_keeps_it(tmp_path: Path) -> None:
    shelve(tmp_path, "community/x.yaml")
    shelve(tmp_path, "community/aaa.yaml", id="x")
    shelve(tmp_path, "community/aaa/x.yaml", id="x")
    found = library(tmp_path)
    assert found.get("x").path == str(tmp_path / "community/x.yaml")
    assert ids(found) == ["x", "x@community", "x@community-2"]


def test_a_broken_file_keeps_its_id_when_it_says_so(tmp_path: Path) -> None:
    shelve(tmp_path, "official/x.yaml", "template: {id: x, name: x}\nslrum: {}\n")
    shelve(tmp_path, "community/x.yaml")
    found = library(tmp_path)
    assert found.get("x").source == "official"
    assert found.get("x").problem is not None


def test_a_broken_file_takes_no_id_by_its_name(tmp_path: Path) -> None:
    shelve(tmp_path, "official/x.yaml", "[")
    shelve(tmp_path, "community/y.yaml", id="x")
    found = library(tmp_path)
    assert found.usable("x").source == "community"
    broken = found.get("x@official")
    assert broken.problem is not None
    assert "already used" not in broken.problem.message


def test_official_set_and_its_overrides(tmp_path: Path) -> None:
    shelve(tmp_path, "community/mine.yaml", id="python-script-v1")
    found = library(tmp_path, official=True)
    assert found.get("python-script-v1").path.startswith(PACKAGED)
    assert found.text("python-script-v1").startswith(b"template:\n")
    assert found.get("python-script-v1@community").problem is not None
    shelve(tmp_path, "official/data/ours.yaml", id="python-script-v1")
    assert found.get("python-script-v1").path == str(tmp_path / "official/data/ours.yaml")
    assert found.text("python-script-v1") == (tmp_path / "official/data/ours.yaml").read_bytes()
    assert library(tmp_path, official=False).find("shell-script-v1") is None


# -- asking ---------------------------------------------------------------------------------------------------


def test_search_and_counts(tmp_path: Path) -> None:
    shelve(tmp_path, "community/a.yaml", display_name="PyTorch 모델 학습", tags=["gpu", "ml"], category="ml")
    shelve(tmp_path, "community/b.yaml", description="Größe of a mesh", tags=["cfd", "gpu"], category="cfd")
    shelve(tmp_path, "community/c.yaml", category="genomics")
    found = library(tmp_path)
    assert ids(found, q="모델") == ["a"]
    assert ids(found, q=unicodedata.normalize("NFD", "모델")) == ["a"]
    assert ids(found, q="PYTORCH gpu") == ["a"]
    assert ids(found, q="pytorch cfd") == []
    assert ids(found, q="GRÖSSE") == ["b"]
    assert ids(found, q="  ") == ["a", "b", "c"]
    assert ids(found, tag="gpu") == ["a", "b"]
    assert ids(found, tag="gpu", category="cfd") == ["b"]
    assert found.tags() == [("gpu", 2), ("cfd", 1), ("ml", 1)]
    assert dict(found.categories())["genomics"] == 1
    assert [name for name, _ in found.categories()] == [*CATEGORIES, "genomics"]


@pytest.mark.parametrize("text", ["x", "template: {id: a, name: b}\n"])
def test_awkward_file_names(tmp_path: Path, awkward: str, text: str) -> None:
    name = awkward.replace("/", "_")[:60] + ".yaml"
    shelve(tmp_path, f"community/{name}", text)
    (template,) = library(tmp_path).templates() if not name.startswith(".") else (None,)
    if template is not None:
        assert "\n" not in template.display_name
        assert library(tmp_path).text(template.id) == text.encode()


def test_a_file_name_that_is_not_unicode(tmp_path: Path) -> None:
    shelf = tmp_path / "community"
    shelf.mkdir()
    (shelf / os.fsdecode(b"\xff\xfe.yaml")).write_text("[")
    found = library(tmp_path)
    (template,) = found.templates()
    with pytest.raises(TemplateBroken) as caught:
        found.usable(template.id)
    caught.value.detail.encode()


def test_many_threads(tmp_path: Path) -> None:
    for number in range(20):
        shelve(tmp_path, f"community/t{number}.yaml")
    found = Library(tmp_path, "me", True, CHECKS, max_age=0)
    wrong: list[int] = []

    def ask() -> None:
        for _ in range(10):
            count = len(found.templates())
            if count != 31:
                wrong.append(count)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
