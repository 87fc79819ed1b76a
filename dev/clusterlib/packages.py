"""Debian packages: install what is missing, and touch nothing when all is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import layout
from .daemons import clean_env
from .shell import ClusterError, run, wait_until

PACKAGES = (
    "munge",
    "slurmctld",
    "slurmd",
    "slurmdbd",
    "slurm-client",
    "mariadb-server-core",
    "mariadb-client-core",
    "openssh-server",
    "openssh-client",
    "squashfs-tools",
    "squashfuse",
    "fuse2fs",
    "gocryptfs",
    "fuse3",
    "uidmap",
    "patchelf",
    "busybox-static",
    "python3",
    "ca-certificates",
    "tzdata",
)
_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# dev/cluster: no service may start while its packages are installed\nexit 101\n"


def missing() -> list[str]:
    """The packages that are not completely installed."""
    # One query for all; dpkg-query fails when one is unknown, which is just what is asked here.
    format_ = "${Package} ${db:Status-Status}\\n"
    try:
        listed = run(["dpkg-query", "-W", "-f", format_, *PACKAGES])
    except ClusterError:
        listed = "".join(_query_one(name, format_) for name in PACKAGES)
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [name for name in PACKAGES if name not in installed]


def _query_one(name: str, format_: str) -> str:
    try:
        return run(["dpkg-query", "-W", "-f", format_, name])
    except ClusterError:
        return ""


def apt(arguments: Sequence[str], program: str = "apt-get", cwd: Path | None = None) -> str:
    """Run apt without questions; waits while another apt holds a lock (others may share the machine)."""
    said: list[str] = []

    def done() -> bool:
        try:
            said.append(
                run(
                    [program, "-q", "-o", "DPkg::Lock::Timeout=120", *arguments],
                    cwd=cwd,
                    env=clean_env(DEBIAN_FRONTEND="noninteractive"),
                    log=layout.LOG / "apt.log",
                    timeout=900,
                )
            )
        except ClusterError as error:
            if "Could not get lock" in str(error) or "Unable to lock" in str(error):
                return False
            raise
        return True

    wait_until(done, "another apt giving its lock free", 180, pause=1)
    return said[-1]


def update() -> None:
    """Refresh the package lists of the machine's own sources."""
    apt(["update"])


def install(names: Sequence[str]) -> None:
    """Install the packages, without letting any of their services start."""
    run(
        ["dpkg", "--configure", "-a"],
        env=clean_env(DEBIAN_FRONTEND="noninteractive"),
        timeout=300,
        log=layout.LOG / "apt.log",
    )  # an installation that was killed half way
    ours = not _POLICY.exists() or _POLICY.read_text(encoding="utf-8", errors="replace") == _POLICY_TEXT
    if ours:
        _POLICY.write_text(_POLICY_TEXT, encoding="ascii")
        _POLICY.chmod(0o755)
    try:
        apt(
            [
                "install",
                "-y",
                "--no-install-recommends",
                "-o",
                "Dpkg::Options::=--force-confold",
                "-o",
                "Dpkg::Options::=--force-unsafe-io",
                *names,
            ]
        )
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
