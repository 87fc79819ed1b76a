"""What an image is for, which version it is, and the order of versions: from labels, else from names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from ..config import IMAGE_TYPE_RULES
from ..errors import InvalidInput
from .model import ImageType

VERSION_LABELS = ("org.label-schema.version", "version", "org.opencontainers.image.version")
DESCRIPTION_LABELS = (
    "description",
    "org.label-schema.description",
    "org.opencontainers.image.description",
    "summary",
)

_VERSION_IN_NAME = re.compile(r"^(.+?)[-_ ]v?(\d[\w.+]*)$", re.IGNORECASE)


@dataclass(frozen=True)
class TypeRule:
    """One of a site's rules; a part that is None fits every image. Patterns know no upper and lower case."""

    type: ImageType
    label: tuple[str, re.Pattern[str]] | None = None
    name: re.Pattern[str] | None = None
    partition: re.Pattern[str] | None = None

    def fits(self, labels: Mapping[str, str], name: str, partitions: Sequence[str]) -> bool:
        """Whether all its parts fit; ``labels`` by their names in lower case."""
        if self.name is not None and not self.name.match(name):
            return False
        if self.partition is not None:
            fitting = self.partition
            if not partitions or not all(fitting.match(partition) for partition in partitions):
                return False
        if self.label is not None:
            value = labels.get(self.label[0])
            return value is not None and self.label[1].match(value) is not None
        return True


def type_rules(rules: Sequence[Mapping[str, object]]) -> tuple[TypeRule, ...]:
    """The setting ``image_type_rules``, checked. Raises InvalidInput, which names the rule by its number."""
    return tuple(_type_rule(number, rule) for number, rule in enumerate(rules, 1))


def _type_rule(number: int, rule: Mapping[str, object]) -> TypeRule:
    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(f"SlurmDash.image_type_rules, rule {number}: {reason}")

    texts: dict[str, str] = {}
    for key, value in rule.items():
        if key not in ("type", "label", "name", "partition"):
            raise refuse(f"there is no {key!r}. Use type, label, name and partition.")
        if not isinstance(value, str) or not value:
            raise refuse(f"{key} is to be a text, not {value!r}.")
        texts[key] = value
    if texts.get("type") not in get_args(ImageType):
        raise refuse(f"type is to be {', '.join(get_args(ImageType))}, not {texts.get('type')!r}.")
    name, equals, value = texts.get("label", "").partition("=")
    if "label" in texts and not (name.strip() and equals):
        raise refuse(f"label is to be 'name=pattern', not {texts['label']!r}.")
    return TypeRule(
        cast("ImageType", texts["type"]),
        (name.strip().casefold(), _glob(value.strip())) if "label" in texts else None,
        _glob(texts["name"]) if "name" in texts else None,
        _glob(texts["partition"]) if "partition" in texts else None,
    )


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE)


DEFAULT_TYPE_RULES = type_rules(IMAGE_TYPE_RULES)


def image_type(
    labels: Mapping[str, str],
    name: str,
    partitions: Sequence[str],
    rules: Sequence[TypeRule] = DEFAULT_TYPE_RULES,
) -> ImageType:
    """What the first rule that fits says, else ``compute``."""
    folded = {label.casefold(): value.strip() for label, value in labels.items()}
    return next((rule.type for rule in rules if rule.fits(folded, name, partitions)), "compute")


def image_version(labels: Mapping[str, str], name: str) -> str:
    """The version of the labels, else the one at the end of the file's name; "" when there is none."""
    for label in VERSION_LABELS:
        if version := labels.get(label, "").strip():
            return version
    match = _VERSION_IN_NAME.match(stem(name))
    return match[2] if match else ""


def image_description(labels: Mapping[str, str]) -> str:
    """The first description among the labels, or ""."""
    return next((text for label in DESCRIPTION_LABELS if (text := labels.get(label, "").strip())), "")


def stem(name: str) -> str:
    """The file name without ``.sif``."""
    return name.removesuffix(".sif")


def family(name: str) -> str:
    """What the versions of one image have in common: the file name without its version."""
    match = _VERSION_IN_NAME.match(stem(name))
    return (match[1] if match else stem(name)).casefold()


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts 2.10 behind 2.9, and words before numbers."""
    pieces = re.findall(r"\d+|[^\W\d_]+", version.casefold())
    return tuple((int(piece[:18]), "") if piece.isdecimal() else (-1, piece) for piece in pieces)
