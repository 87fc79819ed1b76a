from __future__ import annotations

from pathlib import Path

import pytest
from upload_place import SLOTS, PlainSlot

from jupyter_slurmdash.uploads.classify import assign, find_slot, type_of
from jupyter_slurmdash.uploads.model import JobFile


def named(*names: str, **more: object) -> list[JobFile]:
    return [JobFile(name, f"/somewhere/{name}", 1, **more) for name in names]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.dat", "data"),
        ("a.csv", "data"),
        ("mesh.msh", "data"),
        ("a.h5", "data"),
        ("a.tar.gz", "data"),
        ("config.json.gz", "data"),
        ("noending", "data"),
        (".json", "config"),
        ("a.YAML", "config"),
        ("a.xml", "config"),
        ("a.toml", "config"),
        ("a.ini", "config"),
        ("train.py", "code"),
        ("run.sh", "code"),
        ("weights.pth", "model"),
        ("a.safetensors", "model"),
    ],
)
def test_type_by_ending(name: str, kind: str) -> None:
    assert type_of(name) == kind


def test_the_slot_and_the_sites_rules_come_first() -> None:
    assert type_of("a.json", PlainSlot("x", type="data")) == "data"
    assert type_of("a.dat", PlainSlot("x", kind="config")) == "config"
    assert type_of("a.json", PlainSlot("x", type="something else")) == "config"
    assert type_of("a.mesh.json", rules={".mesh.json": "data", ".json": "config"}) == "data"


SIMULATION = (
    PlainSlot("input_data", "*.dat"),
    PlainSlot("initial_condition", "init_*.dat", required=False),
    PlainSlot("exact", "init_0.dat", required=False),
    PlainSlot("anything", "", required=False),
)


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("x.dat", "input_data"),
        ("init_1.dat", "initial_condition"),
        ("init_0.dat", "exact"),
        ("a", "anything"),
    ],
)
def test_the_most_specific_pattern_wins(name: str, slot: str) -> None:
    found = find_slot(name, SIMULATION)
    assert found is not None
    assert found.name == slot


def test_required_comes_first_among_equals() -> None:
    slots = (PlainSlot("maybe", "*.dat", required=False), PlainSlot("must", "*.dat"))
    assert [file.slot for file in assign(named("a.dat", "b.dat", "c.dat"), slots)] == ["must", "maybe", ""]


def test_case_counts_and_brackets_are_globs() -> None:
    assert find_slot("A.DAT", (PlainSlot("x", "*.dat"),)) is None
    assert find_slot("a1", (PlainSlot("x", "a[0-9]"),)) is not None


def test_what_the_user_chose_stays() -> None:
    files = [*named("a.py"), *named("b.py", slot="training_script"), *named("c.pth", pinned=True)]
    placed = assign(files, SLOTS)
    assert [file.slot for file in placed] == ["", "training_script", ""]


def test_a_slot_of_another_template_is_forgotten() -> None:
    for pinned in (False, True):
        (placed,) = assign(named("a.py", slot="of_another", pinned=pinned), SLOTS)
        assert (placed.slot, placed.type) == ("training_script", "code")
    (kept,) = assign(named("a.py", slot="of_another", pinned=True), ())  # no template: any name goes
    assert kept.slot == "of_another"


def test_a_pattern_cannot_hang() -> None:
    assert find_slot("a" * 200, (PlainSlot("x", "*a" * 60 + "b"),)) is None


def test_paths_are_untouched(tmp_path: Path) -> None:
    (placed,) = assign(named("a.tar.gz"), SLOTS)
    assert placed.path == "/somewhere/a.tar.gz"
