"""The cluster itself: nodes, partitions, health."""

from __future__ import annotations

from .base import SlurmDashHandler


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
    path = "/api/health"

    async def get(self) -> None:
        self.send((await self.call(self.dash.health)).to_json())


routes = [NodesHandler, PartitionsHandler, LimitsHandler, HealthHandler]
