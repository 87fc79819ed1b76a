"""A template is the same on the way to its file and back: written anew, edited."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import given, note, settings
from template_place import CHECKS
from template_values import line, templates
from yaml_values import files

from jupyter_slurmdash.formats.yamlsafe import load
from jupyter_slurmdash.formats.yamlwrite import same
from jupyter_slurmdash.templates import texts
from jupyter_slurmdash.templates.model import Template
from jupyter_slurmdash.templates.reader import read_template


def read(text: bytes) -> Template:
    template = read_template(text, source="private", path="x.yaml", modified_at=0, known_checks=CHECKS)
    return replace(template, hash="")


def as_json(document: dict[str, Any]) -> bytes:
    """As another program writes it. JSON is YAML but for what is beyond 16 bits, which it escapes in two halves."""
    text = json.dumps(document)
    pairs = r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}"
    return re.sub(
        pairs, lambda pair: f"\\U{ord(json.loads(f'{chr(34)}{pair[0]}{chr(34)}')):08x}", text
    ).encode()


@settings(max_examples=100, deadline=None)
@given(document=templates())
def test_any_template_is_read_back_equal(document: dict[str, Any]) -> None:
    meant = read(as_json(document))
    assert meant.problem is None, meant.problem
    text = texts.text_of(document, CHECKS)
    note(text.decode())
    assert same(load(text), document)
    assert read(text) == meant
    # And once more, from what was read.
    assert texts.text_of(load(text), CHECKS) == text
    assert texts.text_of(load(text), CHECKS, former=text) == text


@settings(max_examples=60, deadline=None)
@given(former=templates(), document=templates())
def test_any_template_may_become_any_other(former: dict[str, Any], document: dict[str, Any]) -> None:
    text = texts.text_of(document, CHECKS, former=texts.text_of(former, CHECKS))
    assert same(load(text), document)
    assert read(text) == read(as_json(document))


@settings(max_examples=60, deadline=None)
@given(by_hand=files(), document=templates(), name=line)
def test_comments_and_order_outlive_the_form(
    by_hand: tuple[str, dict[str, str]], document: dict[str, Any], name: str
) -> None:
    """A form sends the whole document; what it did not change stays as a human wrote it, line by line."""
    written = texts.with_comments(document, {"": "Kept by the group", "/template/name": "never change"})
    turned = {**document, "template": {**document["template"], "display_name": name}}
    edited = texts.text_of(turned, CHECKS, former=written)
    assert same(load(edited), turned)
    before, after = written.decode().splitlines(), edited.decode().splitlines()
    assert [each for each in after if each.lstrip().startswith("# ")][:2] == [
        each for each in before if each.lstrip().startswith("# ")
    ][:2]
    # A hand-written file of any look: its keys stay in their order.
    hand, _ = by_hand
    found = load(hand)
    if isinstance(found, dict) and found:
        changed = {**found, next(iter(found)): name}
        assert list(load(texts.edit(hand.encode(), changed))) == list(found)
