"""What a site says of the types of its images, as data."""

from __future__ import annotations

import pytest
from traitlets.config import Config

from jupyter_slurmdash.config import IMAGE_TYPE_RULES, SlurmDash
from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.images.rules import image_type, type_rules


@pytest.mark.parametrize(
    ("rule", "labels", "name", "partitions", "fits"),
    [
        ({"name": "desk*"}, {}, "DESK-1.sif", [], True),
        ({"name": "desk"}, {}, "desk-1.sif", [], False),
        ({"name": "*[12].sif"}, {}, "a2.sif", [], True),
        ({"partition": "gui*"}, {}, "a.sif", ["GUI-1", "gui-2"], True),
        ({"partition": "gui*"}, {}, "a.sif", ["gui", "compute"], False),
        ({"partition": "*"}, {}, "a.sif", [], False),
        ({"label": "kind=desk*"}, {"Kind": " Desktop "}, "a.sif", [], True),
        ({"label": "kind=*"}, {}, "a.sif", [], False),
        ({"label": "a=b=c"}, {"a": "b=c"}, "a.sif", [], True),
        ({"name": "a*", "label": "kind=x"}, {"kind": "y"}, "a.sif", [], False),
        ({}, {}, "anything", [], True),
    ],
)
def test_a_rule(
    rule: dict[str, str], labels: dict[str, str], name: str, partitions: list[str], fits: bool
) -> None:
    rules = type_rules([{"type": "custom", **rule}])
    assert (image_type(labels, name, partitions, rules) == "custom") is fits


def test_the_first_that_fits_decides() -> None:
    rules = type_rules([{"type": "custom", "name": "a*"}, {"type": "viz", "name": "*"}])
    assert [image_type({}, name, [], rules) for name in ("a", "b")] == ["custom", "viz"]
    assert image_type({}, "vnc.sif", ["viz"], type_rules([])) == "compute"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"name": "x"}, "type is to be viz, compute, custom"),
        ({"type": "desktop"}, "not 'desktop'"),
        ({"type": "viz", "nmae": "x"}, "there is no 'nmae'"),
        ({"type": "viz", "label": "kind"}, "name=pattern"),
        ({"type": "viz", "label": "=x"}, "name=pattern"),
        ({"type": "viz", "name": 3}, "is to be a text"),
        ({"type": "viz", "name": ""}, "is to be a text"),
    ],
)
def test_a_bad_rule_is_named(rule: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=r"image_type_rules, rule 2: .*" + reason):
        type_rules([{"type": "viz"}, rule])


def test_the_setting_begins_with_the_rules_there_are() -> None:
    assert SlurmDash().image_type_rules == list(IMAGE_TYPE_RULES)
    config = Config()
    own = {"type": "custom", "name": "inhouse-*"}
    config.SlurmDash.image_type_rules.prepend([own])
    assert SlurmDash(config=config).image_type_rules == [own, *IMAGE_TYPE_RULES], "as docs/catalogue.md says"
