"""JSON Schema by a linear-time engine: no remote ``$ref``, no regular expression that can hang."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from ..errors import FieldError


class SchemaProblem(ValueError):
    """The schema itself is not valid."""


class Schema:
    """A compiled schema."""

    def __init__(self, schema: Any) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(schema)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            raise SchemaProblem(str(error)) from error

    def errors(self, instance: Any, limit: int = 50) -> list[FieldError]:
        """What is wrong in ``instance``, at most ``limit`` findings, in the order of the schema."""
        found = []
        for error in self._validator.iter_errors(instance):
            pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
            found.append(FieldError(pointer, error.message))
            if len(found) >= limit:
                break
        return found
