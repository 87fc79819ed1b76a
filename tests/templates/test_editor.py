"""Saving, cloning, sharing, archiving and going back, on real directories."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from template_place import ME, TEXT, Shelves

from jupyter_slurmdash.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    SlurmDashError,
    TemplateBroken,
    TemplateNotFound,
    TooLarge,
)
from jupyter_slurmdash.formats.yamlsafe import load


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path / "templates")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def other(text: str = TEXT, word: str = "two") -> str:
    return text.replace("echo one", f"echo {word}")


def test_create(shelves: Shelves) -> None:
    made = shelves.editor.create(TEXT)
    assert (made.id, made.source, made.can_edit) == ("mine", "private", True)
    assert made.hash == hashlib.sha256(TEXT.encode()).hexdigest()
    path = shelves.root / f"private/{ME}/mine.yaml"
    assert path.read_text() == TEXT
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert shelves.told() == [["mine"]]
    assert shelves.events[-1].durable
    with pytest.raises(Conflict, match="already used"):
        shelves.editor.create(TEXT)
    with pytest.raises(Conflict, match="official"):
        shelves.editor.create(TEXT.replace("id: mine", "id: python-script-v1"))
    public = shelves.editor.create(TEXT.replace("id: mine", "id: ours"), shelf="community")
    assert public.source == "community"
    assert mode(shelves.root / "community/ours.yaml") == 0o644
    assert mode(shelves.root / "community") == 0o1777


def test_create_from_a_document(shelves: Shelves) -> None:
    document = {"slurm": {"time": "1:00", "nodes": 1}, "template": {"name": "x", "id": "x-1"}}
    shelves.editor.create(document=document)
    assert shelves.file(f"private/{ME}/x-1.yaml") == (
        'template:\n  id: x-1\n  name: x\n\nslurm:\n  nodes: 1\n  time: "1:00"\n'
    )


def test_save_keeps_the_former_text(shelves: Shelves) -> None:
    first = shelves.editor.create(TEXT)
    saved = shelves.editor.save("mine", other(), if_match=first.hash)
    assert saved.main_exec == "echo two\n"
    (version,) = shelves.editor.versions("mine")
    assert version.hash == first.hash
    assert version.saved_at == pytest.approx(first.modified_at)
    found = shelves.editor.version("mine", version.version)
    assert found.text == TEXT
    assert "-    echo one\n+    echo two\n" in found.diff
    # The same text again changes nothing.
    shelves.editor.save("mine", other(), if_match=saved.hash)
    assert len(shelves.editor.versions("mine")) == 1
    back = shelves.editor.restore_version("mine", version.version, if_match=saved.hash)
    assert back.hash == first.hash
    assert [each.hash for each in shelves.editor.versions("mine")] == [saved.hash, first.hash]


def test_a_document_is_an_edit(shelves: Shelves) -> None:
    first = shelves.editor.create(TEXT)
    document = load(TEXT)
    document["slurm"]["nodes"] = 4
    shelves.editor.save("mine", document=document, if_match=first.hash)
    assert shelves.file(f"private/{ME}/mine.yaml") == TEXT.replace("nodes: 1", "nodes: 4")


def test_two_editors(shelves: Shelves) -> None:
    first = shelves.editor.create(TEXT)
    second = Shelves(shelves.root)
    saved = second.editor.save("mine", other(), if_match=first.hash)
    for change in (
        lambda: shelves.editor.save("mine", other(word="three"), if_match=first.hash),
        lambda: shelves.editor.delete("mine", first.hash),
        lambda: shelves.editor.restore_version(
            "mine", shelves.editor.versions("mine")[0].version, if_match=first.hash
        ),
    ):
        with pytest.raises(PreconditionFailed) as caught:
            change()
        assert caught.value.extra == {"hash": saved.hash, "text": other()}
    with pytest.raises(PreconditionRequired):
        shelves.editor.save("mine", TEXT)
    with pytest.raises(PreconditionRequired):
        shelves.editor.delete("mine")
    assert shelves.editor.save("mine", TEXT, if_match="*").hash == first.hash


def test_only_one_of_many_wins(shelves: Shelves) -> None:
    """Each of eight editors (as of different processes) raises a number by one, until all have."""
    first = shelves.editor.create(TEXT)
    assert first.slurm["nodes"] == 1
    lost: list[int] = []

    def work() -> None:
        mine = Shelves(shelves.root)
        for _ in range(5):
            while True:
                template = mine.library.get("mine")
                document = load(mine.library.text("mine"))
                based_on = hashlib.sha256(mine.library.text("mine")).hexdigest()
                if template.hash != based_on:
                    continue
                document["slurm"]["nodes"] += 1
                try:
                    mine.editor.save("mine", document=document, if_match=based_on)
                    break
                except PreconditionFailed:
                    lost.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shelves.library.get("mine").slurm["nodes"] == 41
    assert len(shelves.editor.versions("mine")) == 40


def test_two_creators_of_one_id(tmp_path: Path) -> None:
    outcome: list[Any] = []
    gate = threading.Barrier(8)

    def work(word: str) -> None:
        mine = Shelves(tmp_path / "templates")
        gate.wait()
        try:
            outcome.append(mine.editor.create(other(word=word), shelf="community").main_exec)
        except Conflict as error:
            outcome.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, str) for each in outcome) == 1, outcome
    assert len(outcome) == 8


def test_what_is_broken_is_not_saved(shelves: Shelves) -> None:
    first = shelves.editor.create(TEXT)
    with pytest.raises(TemplateBroken) as caught:
        shelves.editor.save("mine", TEXT.replace("nodes: 1", "nodes: [1]\n  slots: 2"), if_match=first.hash)
    assert caught.value.detail.startswith("Line 10, column 3: ")
    assert {error.pointer for error in caught.value.errors} == {"/slurm/nodes", "/slurm/slots"}
    assert caught.value.extra["problem"]["line"] == 10
    with pytest.raises(TemplateBroken, match="Line 2, column"):
        shelves.editor.create("template:\n\tid: x\n")
    with pytest.raises(TemplateBroken) as caught:
        shelves.editor.save("mine", document={"template": {"id": "mine"}}, if_match=first.hash)
    assert [error.pointer for error in caught.value.errors] == ["/template/name"]
    with pytest.raises(TemplateBroken) as caught:
        shelves.editor.save("mine", TEXT.replace("id: mine", "id: thine"), if_match=first.hash)
    assert caught.value.errors[0].pointer == "/template/id"
    with pytest.raises(TooLarge):
        shelves.editor.save("mine", TEXT + "#" * 300_000, if_match=first.hash)
    with pytest.raises(TemplateBroken, match=r"surrogate|UTF-8"):
        shelves.editor.create(TEXT + "# \ud800")
    with pytest.raises(InvalidInput):
        shelves.editor.create()
    assert shelves.file(f"private/{ME}/mine.yaml") == TEXT
    assert shelves.editor.versions("mine") == []
    assert shelves.told() == [["mine"]]


def test_a_broken_file_can_be_mended(shelves: Shelves) -> None:
    shelves.editor.create(TEXT)
    (shelves.root / f"private/{ME}/mine.yaml").write_text("template: {id: mine\n")
    broken = shelves.library.get("mine")
    assert broken.problem
    mended = shelves.editor.save("mine", TEXT, if_match=broken.hash)
    assert mended.problem is None
    (shelves.root / f"private/{ME}/bad.yaml").write_text("[")
    assert shelves.library.get("bad").problem
    with pytest.raises(Conflict):
        shelves.editor.save("bad", TEXT, if_match="*")
    with pytest.raises(TemplateBroken):
        shelves.editor.clone("bad", "good")
    with pytest.raises(TemplateBroken):
        shelves.editor.share("bad")


def test_delete_and_restore(shelves: Shelves) -> None:
    for word in ("one", "two"):
        made = shelves.editor.create(other(word=word))
        gone = shelves.editor.delete("mine", made.hash)
        assert gone.source == "archived"
        assert gone.hash == made.hash
        assert shelves.names(f"private/{ME}") == [".lock"]
    assert len(shelves.library.templates(source="archived")) == 2
    with pytest.raises(Forbidden, match="Restore"):
        shelves.editor.save("mine", TEXT, if_match="*")
    # The newest has the id itself.
    assert shelves.library.get("mine").main_exec == "echo two\n"
    back = shelves.editor.restore("mine")
    assert (back.source, back.main_exec) == ("private", "echo two\n")
    assert len(shelves.names(f"archived/{ME}")) == 1
    with pytest.raises(Conflict):
        shelves.editor.restore("mine")
    with pytest.raises(TemplateNotFound):
        shelves.editor.restore("nothing")


def test_clone(shelves: Shelves) -> None:
    shelves.editor.create(TEXT.replace("id: mine", "id: hers"), shelf="community")
    os.chown(shelves.root / "community/hers.yaml", 12345, -1) if os.geteuid() == 0 else None
    copy = shelves.editor.clone("hers", "My copy")
    assert (copy.id, copy.name, copy.author, copy.source) == ("my-copy", "My copy", ME, "private")
    text = shelves.file(f"private/{ME}/my-copy.yaml")
    assert text.startswith("# Kept by the group\n")
    assert "# short" in text
    if os.geteuid() == 0:
        assert copy.slurm == {"nodes": 1}
    mine = shelves.editor.create(TEXT)
    assert shelves.editor.clone(mine.id, "My copy").id == "my-copy-2"
    assert shelves.library.get("my-copy-2").slurm["account"] == "hers"
    korean = shelves.editor.clone("python-script-v1", "한글 이름")
    assert (korean.id, korean.display_name, korean.is_public) == ("template", "한글 이름", False)
    for bad in ("", "x" * 201, "a\nb"):
        with pytest.raises(TemplateBroken):
            shelves.editor.clone("mine", bad)


def test_awkward_names(shelves: Shelves, awkward: str) -> None:
    try:
        copy = shelves.editor.clone("python-script-v1", awkward)
    except TemplateBroken:
        assert not awkward.isprintable() or len(awkward) > 200
        return
    assert copy.display_name == awkward
    assert shelves.names(f"private/{ME}") == [".lock", f"{copy.id}.yaml"]


@pytest.mark.parametrize("bad", ["../x", "a/b", ".hidden", "", "check", "import", "a\0b", "x" * 101, "한글"])
def test_ids_lead_nowhere(shelves: Shelves, bad: str) -> None:
    with pytest.raises(SlurmDashError):
        shelves.editor.create(document={"template": {"id": bad, "name": "x"}})
    with pytest.raises(SlurmDashError):
        shelves.editor.save(bad, TEXT, if_match="*")
    assert sorted(path.name for path in shelves.root.rglob("*.yaml")) == []


def test_share_and_unshare(shelves: Shelves) -> None:
    first = shelves.editor.create(TEXT)
    secret = shelves.editor.save("mine", other(word="secret"), if_match=first.hash)
    shelves.editor.save("mine", TEXT, if_match=secret.hash)
    shared = shelves.editor.share("mine")
    assert (shared.source, shared.is_public) == ("community", True)
    assert shelves.names(f"private/{ME}") == [".lock", ".versions"]
    assert "# short" in shelves.file("community/mine.yaml")
    # What was private stays private; only the owner sees it in the history.
    assert not list((shelves.root / "community/.versions").rglob("*.yaml"))
    assert len(shelves.editor.versions("mine")) == 3
    assert shelves.editor.share("mine") == shared
    changed = shelves.editor.save(
        "mine", shelves.file("community/mine.yaml").replace("nodes: 1", "nodes: 2"), if_match=shared.hash
    )
    assert mode(shelves.root / "community/mine.yaml") == 0o644
    assert len(shelves.names(f"community/.versions/{ME}/mine")) == 1
    back = shelves.editor.unshare("mine")
    assert (back.source, back.is_public, back.slurm["nodes"]) == ("private", False, 2)
    assert mode(shelves.root / f"private/{ME}/mine.yaml") == 0o600
    assert not (shelves.root / "community/mine.yaml").exists()
    assert changed.hash != back.hash
    with pytest.raises(Forbidden):
        shelves.editor.share("python-script-v1")


def test_share_where_a_crash_came_between(shelves: Shelves) -> None:
    shelves.editor.create(TEXT)
    shelves.editor.share("mine")
    left = shelves.file("community/mine.yaml")
    shelves.editor.unshare("mine")
    (shelves.root / "community/mine.yaml").write_text("template: {id: z, name: other}\n")
    with pytest.raises(Conflict, match=r"mine\.yaml"):
        shelves.editor.share("mine")
    (shelves.root / "community/mine.yaml").write_text(left)
    assert shelves.editor.share("mine").source == "community"
    assert not (shelves.root / f"private/{ME}/mine.yaml").exists()


def test_import(shelves: Shelves) -> None:
    first = shelves.editor.import_(TEXT)
    assert (first.id, first.slurm) == ("mine", {"nodes": 1})
    assert first.author == "ada"
    second = shelves.editor.import_(TEXT, is_public=True)
    assert (second.id, second.source, second.is_public) == ("mine-2", "community", True)
    own = shelves.editor.import_(TEXT.replace("ada", ME))
    assert own.slurm["account"] == "hers"
    with pytest.raises(TemplateBroken):
        shelves.editor.import_("[")


def test_official_ones_are_never_changed(shelves: Shelves, tmp_path: Path) -> None:
    place = shelves.root / "official/ml"
    place.mkdir(parents=True)
    (place / "site.yaml").write_text("template: {id: site, name: site}\n")
    for template_id in ("site", "python-script-v1"):
        text = shelves.library.text(template_id).decode()
        for change in (
            lambda t=template_id, x=text: shelves.editor.save(t, x + "# x\n", if_match="*"),
            lambda t=template_id: shelves.editor.delete(t, "*"),
            lambda t=template_id: shelves.editor.unshare(t),
        ):
            with pytest.raises(Forbidden):
                change()
        assert shelves.editor.versions(template_id) == []
        assert not shelves.library.get(template_id).can_edit


def test_links_are_not_written_through(shelves: Shelves, tmp_path: Path) -> None:
    shelves.editor.create(TEXT)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim.yaml").write_text(TEXT)
    path = shelves.root / f"private/{ME}/mine.yaml"
    path.unlink()
    (shelves.root / "community/real.yaml").write_text(TEXT)
    path.symlink_to(shelves.root / "community/real.yaml")
    with pytest.raises(Forbidden, match="link"):
        shelves.editor.save("mine", other(), if_match="*")
    path.unlink()
    path.write_text(TEXT)
    (shelves.root / f"private/{ME}/.versions").symlink_to(outside)
    with pytest.raises(Forbidden, match="link"):
        shelves.editor.save("mine", other(), if_match="*")
    assert shelves.file(f"private/{ME}/mine.yaml") == TEXT
    assert (shelves.root / "community/real.yaml").read_text() == TEXT
    assert [entry.name for entry in outside.iterdir()] == ["victim.yaml"]


def test_the_history_is_bounded(shelves: Shelves) -> None:
    now = shelves.editor.create(TEXT)
    for number in range(55):
        now = shelves.editor.save("mine", other(word=f"w{number}"), if_match=now.hash)
    kept = shelves.editor.versions("mine")
    assert len(kept) == 50
    texts = [shelves.editor.version("mine", each.version).text for each in kept]
    assert texts == [other(word=f"w{number}") for number in range(53, 3, -1)]
    with pytest.raises(NotFound):
        shelves.editor.version("mine", "../../x")


def test_check_saves_nothing(shelves: Shelves) -> None:
    good = shelves.editor.check(TEXT)
    assert (good.problem, good.errors, good.document) == (None, (), load(TEXT))
    bad = shelves.editor.check(TEXT.replace("nodes: 1", "nodes: []"))
    assert bad.problem is not None
    assert (bad.problem.line, bad.problem.column, bad.problem.pointer) == (10, 3, "/slurm/nodes")
    broken = shelves.editor.check("a: [")
    assert broken.document is None
    assert broken.problem is not None
    edited = shelves.editor.check(TEXT, {**load(TEXT), "validation": {}})
    assert edited.text == TEXT + "validation: {}\n"
    with pytest.raises(TooLarge):
        shelves.editor.check("#" * 300_000)
    assert not shelves.root.exists()
