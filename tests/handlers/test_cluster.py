"""Nodes, partitions and health over HTTP."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from answers import body_of, problem_of
from live import Live

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.version import __version__


def test_this_machine_is_the_cluster(live: Live) -> None:
    nodes = body_of(live.call("GET", "/api/nodes"), "/api/nodes")
    assert (nodes["total"], nodes["nodes"][0]["name"]) == (1, os.uname().nodename)
    partitions = body_of(live.call("GET", "/api/partitions"), "/api/partitions")
    assert (partitions["total"], partitions["partitions"][0]["name"]) == (1, "local")


def test_limits_of_a_partition(live: Live) -> None:
    path = "/api/partitions/{partition}/limits"
    found = body_of(live.call("GET", "/api/partitions/local/limits"), path)
    assert found["bounds"]["cpus_per_task"]["source"] == "nodes"
    assert found["bounds"]["nodes"]["maximum"] == 1
    assert problem_of(live.call("GET", "/api/partitions/x/limits"), 404, "not-found")["detail"].endswith(
        "local."
    )


@pytest.mark.parametrize("path", ["/api/nodes", "/api/partitions"])
def test_an_unchanged_list_is_not_sent_again(live: Live, path: str) -> None:
    first = live.call("GET", path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    for tag in (
        first.headers["ETag"],
        "*",
        f'"other", {first.headers["ETag"]}',
        f"W/{first.headers['ETag']}",
    ):
        again = live.call("GET", path, headers={"If-None-Match": tag})
        assert (again.status, again.body) == (304, b""), tag
    assert live.call("GET", path, headers={"If-None-Match": '"other"'}).status == 200


def test_health(live: Live) -> None:
    health = body_of(live.call("GET", "/api/health"), "/api/health")
    assert health["version"] == __version__
    assert {part["name"] for part in health["components"]} >= {"scheduler", "database", "disk"}


def test_a_silent_scheduler(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> Any:
        raise SchedulerUnavailable("It does not answer.")

    for name in ("nodes", "partitions", "ping"):
        monkeypatch.setattr(live.dash.scheduler, name, silent)
    problem_of(live.call("GET", "/api/nodes"), 503, "scheduler-unavailable")
    problem_of(live.call("GET", "/api/partitions"), 503, "scheduler-unavailable")
    # The answer of the test before may still be good.
    deadline = time.monotonic() + 5
    while (health := body_of(live.call("GET", "/api/health"), "/api/health"))["status"] != "down":
        assert time.monotonic() < deadline
    assert (health["status"], health["components"][0]["detail"]) == ("down", "It does not answer.")
