"""This machine, as another of its users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_slurmdash.transport.base import Completed
from jupyter_slurmdash.transport.local import LocalTransport


class AsUser(LocalTransport):
    """Runs commands as ``user``; needs root."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self._user = user

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        as_them = ["runuser", "--user", self._user, "--", *argv]
        return super().run(as_them, input=input, timeout=timeout, cwd=cwd, env=env)
