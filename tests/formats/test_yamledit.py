"""A hand-written file after an edit: the new values, the old comments, nothing else touched."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable
from importlib.resources import files as package_files
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from stopwatch import stopwatch
from yaml_values import changes, files, has

from jupyter_slurmdash.formats.yamledit import edit
from jupyter_slurmdash.formats.yamlsafe import YamlProblem, load
from jupyter_slurmdash.formats.yamlwrite import same, write

PYTORCH = (
    package_files("jupyter_slurmdash.templates").joinpath("official/ml/pytorch_training.yaml").read_bytes()
)

HAND = b"""\
# Kept by the CFD group
template:
    id: a   # never change
    name: 'b'

# ---- what it needs ----

slurm:
    # all nodes have eight
    cpus_per_task: 8
    # memory is short here
    mem: 1G      # ask before you raise it
    exclusive: yes
    # time: 1

script:
    main_exec: |  # runs in the job's directory
        echo
"""


def changed(text: bytes, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The lines that differ after ``change``."""
    document = load(text)
    change(document)
    result = edit(text, document)
    assert same(load(result), document)
    lines = difflib.ndiff(text.decode().splitlines(), result.decode().splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_only_what_changed() -> None:
    assert changed(HAND, lambda d: d["slurm"].update(mem="2G")) == [
        "-     mem: 1G      # ask before you raise it",
        "+     mem: 2G      # ask before you raise it",
    ]
    assert changed(HAND, lambda d: d["slurm"].pop("cpus_per_task")) == ["-     cpus_per_task: 8"]
    assert changed(HAND, lambda d: d["template"].update(version="2")) == ['+     version: "2"']
    assert changed(HAND, lambda d: d["slurm"].update(time="1:00")) == ['+     time: "1:00"']
    assert changed(HAND, lambda d: d["script"].update(main_exec="a\n\nb\n")) == [
        "-         echo",
        "+       a",
        "+ ",
        "+       b",
    ]
    assert changed(HAND, lambda d: d.pop("slurm"))[-1] == "-     # time: 1"
    # An entry stays above what only looks like it belongs to the next section.
    grown = edit(HAND, {**load(HAND), "files": {"output_pattern": "*"}}).decode()
    assert grown == HAND.decode() + 'files:\n  output_pattern: "*"\n'


def test_the_same_document_is_the_same_bytes() -> None:
    assert edit(HAND, load(HAND)) == HAND
    odd = b"\xef\xbb\xbfa: 1.0\r\nb: yes"
    assert edit(odd, {"a": 1, "b": True}) == odd
    assert edit(odd, {"a": 2, "b": True}) == b"\xef\xbb\xbfa: 2\r\nb: yes\n"


def test_the_items_of_a_list() -> None:
    def work(document: dict[str, Any]) -> None:
        slots = document["files"]["input_schema"]["required"]
        slots.reverse()
        slots[0]["max_size"] = "5GB"
        slots.insert(0, {"name": "first", "pattern": "*"})
        document["apptainer"]["bind"].pop(0)

    lines = changed(PYTORCH, work)
    result = copy.deepcopy(load(PYTORCH))
    work(result)
    text = edit(PYTORCH, result).decode()
    assert text.index("name: first") < text.index("name: dataset") < text.index("name: training_script")
    assert sum(line.startswith("+") for line in lines) <= 10
    assert PYTORCH.decode().count("#") == text.count("#")


def test_between_brackets() -> None:
    text = b"a: {x: 1,  # one\n  y: 2,  # two\n  z: 3}  # end\nb: [p, q]\n"
    assert edit(text, {"a": {"x": 5, "z": 3, "n": "m"}, "b": ["q", "r"]}) == (
        b'a: {x: 5,  # one\n  z: 3, "n": m}  # end\nb: [q, r]\n'
    )
    assert edit(b'{"a": {"b": 1}, "c": []}\n', {"a": {"b": 2}, "c": [1], "d": None}) == (
        b'{"a": {"b": 2}, "c": [1], d: null}\n'
    )


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_any_edit_of_any_file(data: st.DataObject) -> None:
    text, comments = data.draw(files())
    old = load(text)
    new = data.draw(changes(old))
    note(text)
    note(str(new))
    result = edit(text.encode(), new)
    note(result.decode())
    assert same(load(result), new)
    for place, comment in comments.items():
        if has(new, place.partition("#")[0]):
            assert comment.strip() in [
                "# " + rest.strip() for line in result.decode().splitlines() for rest in line.split("# ")
            ], place


def test_what_only_a_human_can_change() -> None:
    text = b"? a  # why\n: 1\n? b\n"
    with pytest.raises(YamlProblem, match="human"):
        edit(text, {"a": 1, "b": {"c": 2}})
    # Without comments there is nothing to lose.
    assert edit(b"? a\n: 1\n? b\n", {"a": 1, "b": {"c": 2}}) == b"a: 1\n\nb:\n  c: 2\n"


def test_an_empty_file() -> None:
    assert edit(b"", {"a": 1}) == edit(b"# nothing\n", {"a": 1}) == edit(b"[1]", {"a": 1}) == write({"a": 1})
    assert edit(b"a: 1\n", {}) == b"{}\n"


def test_a_big_file_is_edited_quickly() -> None:
    text = "".join(f"key{number}: value  # about {number}\n" for number in range(6000)).encode()
    document = {**load(text), "key5": "other"}
    with stopwatch() as watch:
        assert edit(text, document).count(b"# about") == 6000
    assert watch.seconds < 2
