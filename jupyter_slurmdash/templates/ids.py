"""Which template an id stands for, when several files claim it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import Final, NamedTuple

from .model import Problem, TemplateSummary
from .rules import printable

# Who keeps an id that two files claim. Official first, so nobody can slip another file under an official id;
# private before community, so nobody can take over the id of a user's own template by publishing one.
_TRUST: Final = {"official": 0, "private": 1, "community": 2}


class Claim(NamedTuple):
    """A file's template, and whether its id stands in the file (a broken file may only have its name to go by)."""

    template: TemplateSummary
    id_in_file: bool


def by_id(claims: Iterable[Claim]) -> dict[str, TemplateSummary]:
    """One template per id.

    The others that claim it are listed as broken, under ``id@shelf``, which no file can claim.
    """
    kept: dict[str, TemplateSummary] = {}
    for claim in sorted(claims, key=_rank):
        template = claim.template
        owner = kept.get(template.id)
        if owner is None:
            kept[template.id] = template
            continue
        other = _free(f"{template.id}@{template.source}", kept)
        clash = Problem(
            f"The id {template.id!r} is already used by {_where(owner)}. Give this file another id."
        )
        kept[other] = replace(template, id=other, problem=template.problem or clash)
    return dict(sorted(kept.items()))


def _rank(claim: Claim) -> tuple[bool, int, bool, float, int, str]:
    template = claim.template
    # On one shelf there is only one file at the top named after the id, so nobody can push in before it.
    other_name = template.path.rpartition("/")[2].rpartition(".")[0] != template.id
    return (
        not claim.id_in_file,
        _TRUST.get(template.source, 9),
        other_name,
        # Of those that were archived under one id, the last is the one to go back to.
        -template.modified_at if template.source == "archived" else 0.0,
        template.path.count("/"),
        template.path,
    )


def _free(id: str, taken: dict[str, TemplateSummary]) -> str:
    number, candidate = 1, id
    while candidate in taken:
        number += 1
        candidate = f"{id}-{number}"
    return candidate


def file_name(template: TemplateSummary) -> str:
    """The name of the template's file, fit to be shown whatever bytes it has."""
    return printable(PurePath(template.path).name)


def _where(template: TemplateSummary) -> str:
    return f"the {template.source} template {file_name(template)!r}"
