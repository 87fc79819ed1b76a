"""What we write is read back as it was, by our reader and by others', and looks as a human would write it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from yaml_values import documents

from jupyter_slurmdash.formats.yamlsafe import YamlProblem, load
from jupyter_slurmdash.formats.yamlwrite import same, write

LOOK = """\
template:
  id: a-v1
  display_name: 파이썬 스크립트
  version: "1.0.0"
  tags: [gpu, ml]
  is_public: false

# What the job needs.
# (see the guide)
slurm:
  time: "04:00:00"
  mem: 32G
  # One is enough.
  gres: "gpu:1"

apptainer:
  bind:
    - "/a:/b:ro"

files:
  input_schema:
    required:
      - name: script
        pattern: "*.py"
        schema: {}
        max_size: 10

script:
  main_exec: |
    echo "$SCRIPT"

    exit 0
  post_exec: "echo 'no end of line' "
"""


def test_the_look() -> None:
    comments = {"/slurm": "What the job needs.\n(see the guide)", "/slurm/gres": "One is enough."}
    assert write(load(LOOK), comments).decode() == LOOK


@settings(max_examples=500, deadline=None)
@given(documents)
def test_any_document_is_read_back(document: dict[str, Any]) -> None:
    written = write(document)
    assert same(load(written), document)
    assert written == write(document)


@settings(max_examples=200, deadline=None)
@given(documents)
def test_other_readers_read_the_same(document: dict[str, Any]) -> None:
    assert yaml.safe_load(write(document)) == document


def test_awkward_texts(awkward: str) -> None:
    document = {"a": awkward, awkward: ["x", awkward], "b": {"c": f"{awkward}\n{awkward}\n"}}
    assert load(write(document)) == document


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        ("\ud800", "surrogate"),
        (object(), "no value"),
        ({1: 2}, "must be text"),
        (10**200, "at most 100 digits"),
    ],
)
def test_what_cannot_be_read_is_not_written(value: Any, reason: str) -> None:
    with pytest.raises(YamlProblem, match=reason):
        write({"a": value})


def test_too_deep() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(YamlProblem, match="levels"):
        write(deep)
    deep = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(YamlProblem, match="levels"):
        write({"a": deep})
    assert write({}) == b"{}\n"


def test_same() -> None:
    assert same({"a": [1, 1.0]}, {"a": [1.0, 1]})
    assert not same({"a": True}, {"a": 1})
    assert not same([0], [False])
    assert not same({"a": 1}, {"a": 1, "b": 1})
    assert not same([1], [1, 2])
