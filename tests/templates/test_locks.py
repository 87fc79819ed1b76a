"""The ``locks`` section of a template, and the site's policy: what they may say, and for whom they hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from template_place import TEXT, Shelves

from jupyter_slurmdash.dash import policy_files
from jupyter_slurmdash.errors import Forbidden, InvalidInput
from jupyter_slurmdash.templates.locks import Lock, Locks
from jupyter_slurmdash.templates.model import Template
from jupyter_slurmdash.templates.policy import Policy
from jupyter_slurmdash.templates.reader import read_template

HEAD = (
    "template: {id: t-1, name: t}\nparameters: {properties: {n: {type: integer, maximum: 9, default: 5}}}\n"
)


def read(locks: str) -> Template:
    text = f"{HEAD}locks:\n{locks}"
    return read_template(text.encode(), source="official", path="/x/t.yaml", modified_at=0.0, known_checks=())


def test_a_template_with_locks_is_read() -> None:
    template = read(
        "  slurm:\n"
        "    partition: {fixed: gpu, reason: Licensed there.}\n"
        "    time: {maximum: '08:00:00'}\n"
        "    account: {enum: [chem, phys]}\n"
        "    nodes: {minimum: 1, maximum: 4}\n"
        "    gres: {maximum: 2}\n"
        "    exclusive: {fixed: false, hidden: true}\n"
        "  parameters:\n"
        "    n: {minimum: 2, maximum: 8}\n"
    )
    assert template.problem is None
    assert template.locks.slurm["partition"] == (Lock(fixed="gpu", reason="Licensed there."),)
    assert template.locks.slurm["account"] == (Lock(enum=("chem", "phys")),)
    assert template.to_json()["locks"]["parameters"] == {
        "n": [{"reason": "", "hidden": False, "minimum": 2, "maximum": 8}]
    }


@pytest.mark.parametrize(
    ("locks", "words", "line"),
    [
        ("  slurm: {partion: {fixed: gpu}}\n", "'partion' is not known here", 4),
        ("  slurm: {time: {maximum: soon}}\n", "such as 02:00:00", 4),
        ("  slurm: {mem: {maximum: much}}\n", "such as 16G", 4),
        ("  slurm: {exclusive: {maximum: 3}}\n", "'maximum' is not known here", 4),
        ("  slurm: {time: {reason: x}}\n", "locks nothing of time", 4),
        ("  slurm:\n    nodes: {minimum: 5, maximum: 4}\n", "above its maximum", 5),
        ("  slurm: {nodes: {fixed: 2, maximum: 4}}\n", "has no bounds", 4),
        ("  parameters: {m: {fixed: 3}}\n", "no parameter 'm'; known: n", 4),
        ("  parameters: {n: {fixed: 12}}\n", "at most 9", 4),
        ("  parameters: {n: {fixed: x}}\n", "must be a whole number", 4),
        ("  parameters: {n: {maximum: 3}}\n", "The default does not fit: n is 5, at most 3 here", 4),
    ],
)
def test_locks_that_cannot_be_are_told_with_their_line(locks: str, words: str, line: int) -> None:
    problem = read(locks).problem
    assert problem is not None
    assert words in problem.message
    assert problem.line == line


def test_both_decisions_hold_and_the_last_fixed_value_is_the_sites() -> None:
    one = Locks.from_data({"slurm": {"time": {"maximum": 60}}, "parameters": {"n": {"fixed": 1}}})
    two = Locks.from_data({"slurm": {"time": {"maximum": 30}}}, "The site's.")
    both = one | two
    assert both.slurm["time"] == (Lock(maximum=60), Lock(maximum=30, reason="The site's."))
    assert both.parameters == one.parameters
    assert (both | two) == both


# -- the site's policy -----------------------------------------------------------------------------------------------

POLICY = """\
rules:
  - reason: The site's limit.
    slurm: {time: {maximum: 1-00:00:00}}
  - templates: [official/*]
    slurm: {account: {hidden: true}}
  - templates: ["mine*"]
    reason: Licensed for two.
    parameters: {n: {maximum: 2}}
"""


def policy(place: Path, text: str = POLICY) -> Policy:
    path = place / "slurmdash_policy.yaml"
    path.write_text(text)
    return Policy([str(path)])


def a(id: str, source: Any = "private", **more: Any) -> Template:
    return Template(id, id, id, source=source, **more)


def test_rules_hold_for_all_for_a_shelf_for_an_id_and_for_its_copies(tmp_path: Path) -> None:
    rules = policy(tmp_path)
    assert set(rules.locks(None).slurm) == {"time"}
    assert rules.locks(None).slurm["time"][0].reason == "The site's limit."
    assert set(rules.locks(a("x", "official")).slurm) == {"time", "account"}
    assert not rules.locks(a("x")).parameters
    assert rules.locks(a("mine-2")).parameters["n"][0].maximum == 2
    assert rules.locks(a("copy", cloned_from=("between", "mine"))).parameters["n"][0].maximum == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [{slurm: {time: {maximum: soon}}}]\n", "line 1: maximum is 'soon'"),
        ("rules:\n- slurm: {partion: {fixed: x}}\n", "line 2: 'partion' is not known"),
        ("rules:\n- slurm: {time: {reason: x}}\n", "line 2: This locks nothing"),
        ("rules: [\n", "line 2"),
        ("rule: []\n", "'rule' is not known here; known: keep_locks, rules"),
    ],
)
def test_a_bad_policy_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=r"slurmdash_policy\.yaml") as caught:
        policy(tmp_path, text)
    assert words in caught.value.detail


def test_a_policy_follows_its_file_and_a_broken_one_takes_nothing_away(tmp_path: Path) -> None:
    rules, path = policy(tmp_path), tmp_path / "slurmdash_policy.yaml"
    path.write_text("rules: [{slurm: {time: {maximum: 10}, nodes: {fixed: 1}}}]\n")
    assert set(rules.locks(None).slurm) == {"time", "nodes"}
    path.write_text("rules: oops, this is no list of rules\n")
    assert set(rules.locks(None).slurm) == {"time", "nodes"}
    path.unlink()
    assert not rules.locks(None)


def test_what_several_files_say_adds_up(tmp_path: Path) -> None:
    first, second = tmp_path / "one.yaml", tmp_path / "two.yaml"
    first.write_text("rules: [{slurm: {time: {maximum: 60}}}]\n")
    second.write_text("rules: [{slurm: {time: {maximum: 6000}}}]\n")
    found = Policy([str(first), str(second)]).locks(None).slurm["time"]
    assert [lock.maximum for lock in found] == [60, 6000]


def test_the_systems_files_are_always_read_and_the_setting_only_adds(tmp_path: Path) -> None:
    added = tmp_path / "more.yaml"
    with pytest.raises(InvalidInput, match="not there"):
        policy_files(str(added))
    added.touch()
    found = policy_files(str(added))
    assert "/etc/jupyter/slurmdash_policy.yaml" in found
    assert found[-1] == str(added)


def test_a_copy_says_what_it_is_a_copy_of_and_cannot_forget_it(tmp_path: Path) -> None:
    shelves = Shelves(tmp_path / "shelves", policy=policy(tmp_path))
    shelves.editor.create(text=TEXT)
    copy = shelves.editor.clone("mine", "second")
    again = shelves.editor.clone(copy.id, "third")
    assert again.cloned_from == ("second", "mine")
    assert again.locks.parameters["n"][0].reason == "Licensed for two."
    text = shelves.library.text("third").decode()
    forgetful = text.replace("cloned_from: [second, mine]", "cloned_from: [second]")
    assert forgetful != text
    with pytest.raises(Forbidden, match="'mine' stays in cloned_from"):
        shelves.editor.save("third", text=forgetful, if_match="*")
    # What no rule is about may be forgotten.
    without = text.replace("cloned_from: [second, mine]", "cloned_from: [mine]")
    assert shelves.editor.save("third", text=without, if_match="*").cloned_from == ("mine",)


@pytest.mark.parametrize("keep", [False, True])
def test_a_copy_keeps_the_locks_of_its_origin_where_the_site_says_so(tmp_path: Path, keep: bool) -> None:
    shelves = Shelves(tmp_path / "shelves", policy=policy(tmp_path, f"keep_locks: {str(keep).lower()}\n"))
    shelves.editor.create(text=TEXT + "locks: {slurm: {nodes: {fixed: 1}}}\n")
    shelves.editor.clone("mine", "second")
    text = shelves.library.text("second").decode()
    without = text[: text.index("locks:")]
    assert bool(shelves.editor.save("second", text=without, if_match="*").locks.slurm) is keep


def test_who_may_not_read_the_policy_does_not_start(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "slurmdash_policy.yaml").mkdir()
        with pytest.raises(InvalidInput, match="Is a directory"):
            Policy([str(tmp_path / "slurmdash_policy.yaml")])
        return
    rules = policy(tmp_path)
    os.chmod(rules.paths[0], 0)
    with pytest.raises(InvalidInput, match="Permission denied"):
        Policy(rules.paths)
