"""The route table, in the contract's words. A path with fewer parameters comes before one that would swallow it."""

from __future__ import annotations

from typing import Any

from . import (
    chunks,
    cluster,
    external,
    forms,
    images,
    jobs,
    preview,
    templatehealth,
    templates,
    tus,
    uploads,
    ws,
)
from .base import NotFoundHandler
from .contract import Contract, contract

_MODULES = (
    cluster,
    images,
    templates,
    templatehealth,
    preview,
    uploads,
    external,
    forms,
    chunks,
    tus,
    jobs,
    ws,
)


def handlers_by_path() -> dict[str, Any]:
    """Every handler class by its path in the contract. Raises when the two differ."""
    found = {handler.path: handler for module in _MODULES for handler in module.routes}
    missing = set(contract().operations) ^ set(found)
    if missing:
        raise TypeError(f"openapi.yaml and the handlers differ in {sorted(missing)}")
    return found


ROOT = "/slurmdash"


def route_table() -> list[tuple[str, Any]]:
    """Tornado's rules for all of it below ``/slurmdash``, and a 404 for the rest of our part. Jupyter puts its base
    URL in front."""
    paths = sorted(handlers_by_path().items(), key=lambda item: (item[0].count("{"), -len(item[0])))
    rules = [(ROOT + Contract.pattern(path), handler) for path, handler in paths]
    return [*rules, (ROOT + r"/.*", NotFoundHandler)]
