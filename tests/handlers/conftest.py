"""A real Jupyter server with the extension, once for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from live import Live
from settings import private_values


@pytest.fixture(scope="module")
def make_live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Live]]:
    """Start servers: ``make_live(settings={…}, server={…})``."""
    running: list[Live] = []

    def make(settings: dict[str, Any] | None = None, server: dict[str, Any] | None = None) -> Live:
        place = tmp_path_factory.mktemp("live")
        running.append(Live(place, {**private_values(place), **(settings or {})}, server or {}))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def live(make_live: Callable[..., Live]) -> Live:
    return make_live()
