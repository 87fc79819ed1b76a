"""``openapi.yaml`` at work: which operations a path has, who may call them, and whether a request fits.

The route table, the authorizer's resource and action, and the validation of queries and bodies are all read from
the contract, so a route that the contract does not know cannot exist.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ..errors import FieldError, InvalidInput
from ..formats import yamlsafe
from ..formats.jsonschema import Schema

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
Action = Literal["read", "write", "execute"]

# Jupyter's authorizer is asked for "slurmdash:<resource>".
_RESOURCE_PREFIX = "slurmdash:"

# How one templated segment of a path matches. Only a file's path inside a job may hold slashes.
_SEGMENT = {"path": r"(?P<path>.+)"}


@dataclass(frozen=True)
class Operation:
    """One verb on one path."""

    id: str
    path: str
    method: str
    resource: str
    action: Action
    body: Schema | None
    body_required: bool
    query: Mapping[str, Mapping[str, Any]]

    def read_query(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """The query with the contract's types and defaults. Raises InvalidInput with a pointer per field."""
        errors = [
            FieldError(
                f"/query/{name}", f"Unknown query parameter; known: {', '.join(self.query) or 'none'}."
            )
            for name in arguments
            if name not in self.query and name not in _COMMON_QUERY
        ]
        values: dict[str, Any] = {}
        for name, parameter in self.query.items():
            if name not in arguments:
                if parameter.get("required"):
                    errors.append(FieldError(f"/query/{name}", "This query parameter is required."))
                values[name] = parameter["schema"].get("default")
                continue
            value = _convert(arguments[name], parameter["schema"])
            errors += [
                FieldError(f"/query/{name}", error.message) for error in parameter["compiled"].errors(value)
            ]
            values[name] = value
        if errors:
            raise InvalidInput("The query has parameters that do not fit; see errors.", errors)
        return values

    def check_body(self, body: Any) -> None:
        """Raises InvalidInput with a pointer per field when ``body`` does not fit the contract."""
        if self.body is None:
            return
        errors = self.body.errors(body)
        if errors:
            first = errors[0]
            where = f"{first.pointer}: " if first.pointer else ""
            raise InvalidInput(f"{where}{first.message}", errors)


# Jupyter's own query parameters, on every route: the token, and whether the request counts as activity.
_COMMON_QUERY = frozenset(("token", "no_track_activity", "_xsrf"))


class Contract:
    """The whole of ``openapi.yaml``."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operations: dict[str, dict[str, Operation]] = {}
        for path, item in document["paths"].items():
            shared = [self._resolve(parameter) for parameter in item.get("parameters", ())]
            self.operations[path] = {
                method: self._operation(path, method, item[method], shared)
                for method in METHODS
                if method in item
            }

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def schema(self, schema: Mapping[str, Any]) -> Schema:
        """A schema of the document, compiled with the components it may refer to."""
        whole = {
            **copy.deepcopy(dict(schema)),
            "components": {"schemas": self.document["components"]["schemas"]},
        }
        return Schema(whole)

    def _operation(
        self, path: str, method: str, item: dict[str, Any], shared: list[dict[str, Any]]
    ) -> Operation:
        parameters = shared + [self._resolve(parameter) for parameter in item.get("parameters", ())]
        query = {
            parameter["name"]: {**parameter, "compiled": Schema(parameter["schema"])}
            for parameter in parameters
            if parameter["in"] == "query"
        }
        request = item.get("requestBody", {})
        json_body = request.get("content", {}).get("application/json")
        return Operation(
            id=item["operationId"],
            path=path,
            method=method,
            resource=_RESOURCE_PREFIX + item["x-resource"],
            action=item["x-action"],
            body=self.schema(json_body["schema"]) if json_body else None,
            body_required=bool(request.get("required")),
            query=query,
        )

    @staticmethod
    def pattern(path: str) -> str:
        """The path as a regular expression with a named group per parameter (no anchors)."""
        pieces = re.split(r"\{(\w+)\}", path)
        return "".join(
            re.escape(piece) if index % 2 == 0 else _SEGMENT.get(piece, rf"(?P<{piece}>[^/]+)")
            for index, piece in enumerate(pieces)
        )


def _convert(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


@cache
def contract() -> Contract:
    """The contract that ships with the package."""
    text = files("jupyter_slurmdash").joinpath("openapi.yaml").read_text(encoding="utf-8")
    return Contract(yamlsafe.load(text))
