"""JSON Schema by a linear-time engine: no reference is ever fetched, no regular expression can hang."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import jsonschema_rs

from ..errors import FieldError
from . import findings
from .schemasize import SchemaProblem, Size, measure, pointer_of

__all__ = ["Schema", "SchemaProblem", "Size", "measure"]

# Bytes of one compiled pattern: enough for names and ids, and quick to refuse for (a{1000}){1000}.
_REGEX_BYTES: Final = 256 * 1024
_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES)
# The engine collects all errors before it gives the first: a million of them would take seconds.
_MANY_VALUES: Final = 2_000


class Schema:
    """A compiled schema (draft 2020-12, or the one that its ``$schema`` names). Raises SchemaProblem.

    It may refer to itself by ``#/…`` and by anchor, but not in a circle, and to the drafts' own schemas;
    patterns are those of the Rust regex crate (no look-around, no back-references). Instances are thread
    safe.
    """

    def __init__(self, schema: Any, size: Size | None = None) -> None:
        """``size`` is what ``measure`` found, when it was asked already."""
        self.size: Size = size or measure(schema)
        self._schema = schema
        try:
            self._validator = jsonschema_rs.validator_for(
                schema,
                retriever=_refuse,
                pattern_options=_PATTERNS,
            )
        except jsonschema_rs.ValidationError as error:
            raise _problem(error) from error
        except (jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaProblem(f"The schema cannot be read: {findings.clean(str(error))}.") from error

    def errors(self, instance: Any, limit: int = 50) -> list[FieldError]:
        """What is wrong in ``instance``, at most ``limit`` findings, in the order of the schema.

        Pointers lead to the value at fault, for a missing property to where it belongs. Of a value with more
        than 2,000 parts only the first error is told.
        """
        try:
            if self._validator.is_valid(instance):
                return []
            found: list[FieldError] = []
            for error in self._errors(instance):
                found += findings.explain(error, self._schema)
                if len(found) >= limit:
                    break
        except UnicodeEncodeError:
            return [FieldError("", "The value holds half of a surrogate pair, which is no character")]
        except ValueError:
            return [FieldError("", "The value is nested too deeply, or has keys that are not text")]
        return found[:limit]

    def _errors(self, instance: Any) -> list[Any]:
        if not _larger_than(instance, _MANY_VALUES):
            return list(self._validator.iter_errors(instance))
        try:
            self._validator.validate(instance)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched")


def _problem(error: jsonschema_rs.ValidationError) -> SchemaProblem:
    """The engine checks a schema by its meta-schema first, so this is an error in the schema as a value."""
    path = list(error.instance_path)
    if error.kind.name == "format":
        message = (
            f"{findings.shown(error.instance)} is no usable pattern: no regular expression, or too large."
        )
        return SchemaProblem(
            f"{message} Look-around and back-references are not supported.", pointer_of(path)
        )
    if error.kind.name == "$ref":
        return SchemaProblem(
            f"A reference or $schema cannot be used: {findings.clean(error.message)}.", pointer_of(path)
        )
    found = findings.explain(error, None)
    return SchemaProblem(f"{found[0].message}.", found[0].pointer)


def _larger_than(value: Any, bound: int) -> bool:
    count, heap = 0, [value]
    while heap:
        node = heap.pop()
        count += 1
        if isinstance(node, dict):
            count += len(node)
            heap.extend(node.values() if count <= bound else ())
        elif isinstance(node, list | tuple):
            count += len(node)
            heap.extend(node if count <= bound else ())
        if count > bound:
            return True
    return False
