"""The operating system failing, or the process dying, at the n-th of its calls."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

_CALLS = (
    *("open", "close", "read", "write", "fsync", "link", "rename", "unlink", "mkdir", "chmod", "fchmod"),
    *("fstat", "stat", "listdir", "utime"),
)


class FaultInjector:
    """Stands for the module ``os``. The ``n``-th call that works on files raises ``errno``, or, without one, ends the
    process at once as ``kill -9`` would."""

    def __init__(self, n: int, errno: int | None, only: tuple[str, ...] = _CALLS) -> None:
        self.left, self.errno, self.only = n, errno, only
        self.failed_at = ""

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.only:
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.failed_at = name
                if self.errno is None:
                    os._exit(9)
                if name == "close":
                    real(*args)
                raise OSError(self.errno, os.strerror(self.errno))
            return real(*args, **kwargs)

        return call

    def into(self, monkeypatch: Any, *modules: ModuleType) -> FaultInjector:
        for module in modules:
            monkeypatch.setattr(module, "os", self)
        return self
