"""The cluster itself: nodes, partitions, health."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from .base import SlurmDashHandler
from .recent import Recent

T = TypeVar("T")

# Seconds that the answer about health may be old; each part of it says when it was asked.
_HEALTH = 0.2


class NodesHandler(SlurmDashHandler):
    path = "/api/nodes"

    async def get(self) -> None:
        nodes = await self.call(self.dash.scheduler.nodes)
        self.send_cached({"nodes": [node.to_json() for node in nodes], "total": len(nodes)})


class PartitionsHandler(SlurmDashHandler):
    path = "/api/partitions"

    async def get(self) -> None:
        partitions = await self.call(self.dash.scheduler.partitions)
        self.send_cached({"partitions": [part.to_json() for part in partitions], "total": len(partitions)})


class LimitsHandler(SlurmDashHandler):
    path = "/api/partitions/{partition}/limits"

    async def get(self, partition: str) -> None:
        query = self.query()
        account, qos = query.get("account") or "", query.get("qos") or ""
        self.send_cached((await self.call(self.dash.limits, partition, account, qos)).to_json())


class HealthHandler(SlurmDashHandler):
    """Watchers ask for it all the time: it is asked for once in ``_HEALTH`` seconds at most."""

    path = "/api/health"

    async def get(self) -> None:
        recent = self.settings.get("slurmdash_health")
        if recent is None:
            ask = functools.partial(_in_thread, self.settings["slurmdash_executor"], self.dash.health)
            recent = self.settings["slurmdash_health"] = Recent(ask, _HEALTH)
        self.send((await recent.get()).to_json())


async def _in_thread(executor: Executor, ask: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, ask)


routes = [NodesHandler, PartitionsHandler, LimitsHandler, HealthHandler]
