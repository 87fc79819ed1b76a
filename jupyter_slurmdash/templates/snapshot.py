"""What was there at one look at the shelves, and how it is searched."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from .model import TemplateSummary


class Haystack:
    """What a search looks through: the words of all templates of a list, behind each other in one text."""

    def __init__(self, templates: Collection[TemplateSummary]) -> None:
        self._templates = list(templates)
        texts = [_searched(template) for template in self._templates]
        self._text = "\0".join(texts)
        self._ends = list(accumulate(len(text) + 1 for text in texts))

    def find(self, words: Collection[str]) -> list[TemplateSummary]:
        """The templates that have all these words (folded), in their order."""
        found = set.intersection(*(self._places(word) for word in words))
        return [self._templates[place] for place in sorted(found)]

    def _places(self, word: str) -> set[int]:
        places: set[int] = set()
        if "\0" in word:  # it stands between two templates, and in none
            return places
        at = self._text.find(word)
        while at >= 0:
            place = bisect_right(self._ends, at)
            places.add(place)
            at = self._text.find(word, self._ends[place])
        return places


@dataclass(frozen=True)
class Snapshot:
    """What was there at one look: templates by id, and the archived ones."""

    by_id: Mapping[str, TemplateSummary]
    archived: Mapping[str, TemplateSummary]

    @cached_property
    def haystack(self) -> Haystack:
        return Haystack(self.by_id.values())

    @cached_property
    def archived_haystack(self) -> Haystack:
        return Haystack(self.archived.values())


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _searched(template: TemplateSummary) -> str:
    return folded(
        "\n".join((template.id, template.name, template.display_name, template.description, *template.tags))
    )
