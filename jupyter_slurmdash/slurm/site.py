"""What a cluster is made of and what it allows: facts that change when an administrator changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import SlurmDashError
from ..transport.base import Completed
from . import commands, limits_parse, parse, refusals
from .limits import SiteLimits
from .shared import Shared

# A node keeps its processor; a new one waits so long to be known with its own.
ARCH_TTL = 3600.0
LIMITS_TTL = 600.0


class Site:
    """``ask`` runs one of Slurm's commands, ``config`` gives the lines of ``scontrol show config``."""

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Completed],
        config: Callable[[], Mapping[str, str]],
        user: str,
        clock: Callable[[], float],
    ) -> None:
        self._ask = ask
        self._config = config
        self._user = user
        self._limits = Shared(self._load_limits, LIMITS_TTL, clock)
        self._architectures = Shared(self._load_architectures, ARCH_TTL, clock)

    def architectures(self) -> Mapping[str, str]:
        """The architecture of each node, at most an hour old; empty when it cannot be had."""
        try:
            return self._architectures.get()
        except SlurmDashError:
            return {}  # a list of nodes is worth more than this one word of it

    def limits(self) -> SiteLimits:
        """See ``Scheduler.limits``; at most 10 min old."""
        return self._limits.get()

    def _load_architectures(self) -> dict[str, str]:
        return parse.architectures(self._answer(commands.architectures_argv()))

    def _load_limits(self) -> SiteLimits:
        config = self._config()
        rules = limits_parse.partition_rules(self._answer(commands.partition_rules_argv()))
        cluster = config.get("ClusterName", "")
        associations = self._accounting(commands.associations_argv(self._user, cluster))
        if associations is None:
            # What the user has cannot be known now, so nothing is said to be missing: sbatch itself decides.
            return SiteLimits(rules)
        return SiteLimits(
            rules,
            limits_parse.associations(associations),
            limits_parse.qos(self._accounting(commands.qos_argv()) or ""),
            (self._accounting(commands.default_account_argv(self._user)) or "").strip(),
            limits_parse.enforced(config.get("AccountingStorageEnforce", "")),
        )

    def _answer(self, argv: Sequence[str]) -> str:
        done = self._ask(argv)
        if done.code != 0:
            raise refusals.query_error(argv[0], done.stderr.decode(errors="replace"), done.code)
        return done.stdout.decode(errors="replace")

    def _accounting(self, argv: Sequence[str]) -> str | None:
        """What sacctmgr answers; None on a site without accounting, or while its database is away."""
        try:
            done = self._ask(argv)
        except SlurmDashError:
            return None
        return done.stdout.decode(errors="replace") if done.code == 0 else None
