"""An account of the real cluster that bounds its user, and a QOS that bounds her more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

ACCOUNT = f"sd-account-{os.getpid()}"
QOS = f"sd-short-{os.getpid()}"


@contextmanager
def bounded_account(user: str) -> Iterator[None]:
    """``user`` may use ``ACCOUNT`` (2 h, 1 GPU) with ``QOS`` (30 min, 1 node, 2 CPUs), until it is left."""
    short = ("MaxWall=00:30:00", "MaxTRESPerJob=node=1,cpu=2", "Flags=DenyOnLimit")
    try:
        _sacctmgr("add", "qos", QOS, "set", *short)
        _sacctmgr("add", "account", ACCOUNT, "set", "MaxWall=02:00:00", "MaxTRESPerJob=gres/gpu=1")
        _sacctmgr("add", "user", user, f"account={ACCOUNT}", f"qos=normal,{QOS}", "defaultqos=normal")
        yield
    finally:
        _sacctmgr("delete", "user", user, f"account={ACCOUNT}")
        _sacctmgr("delete", "account", ACCOUNT)
        _sacctmgr("delete", "qos", QOS)


def _sacctmgr(*words: str) -> None:
    subprocess.run(["sacctmgr", "-i", *words], check=True, capture_output=True)
