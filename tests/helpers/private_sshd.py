"""A real sshd of our own on a free loopback port, for whoever runs the tests, with its own keys in a folder."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
Subsystem sftp internal-sftp
UseDNS no
PrintMotd no
PrintLastLog no
LogLevel ERROR
MaxStartups 100:30:200
"""


def require_sshd() -> str:
    """The path of sshd; a skip where openssh-server is not installed, a failure in CI."""
    found = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
    if found is None:
        reason = "openssh-server is not installed"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_key(path: Path) -> str:
    """A key pair without a passphrase; the public key's type and data."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@dataclass
class Sshd:
    """``start`` and ``stop`` it; ``config`` and ``known_hosts`` are files for a client, where it is ``node``."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    public_key: str = ""

    def __post_init__(self) -> None:
        self.sshd = require_sshd()
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.public_key = make_key(self.folder / "host_key")
        (self.folder / "authorized_keys").write_text(make_key(self.folder / "user_key") + "\n")
        (self.folder / "sshd_config").write_text(_CONFIG.format(port=self.port, folder=self.folder))
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self.public_key}\n")
        self.config.write_text(self.host_entry("node"))

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def host_entry(self, name: str, extra: str = "") -> str:
        return (
            f"Host {name}\n    HostName 127.0.0.1\n    Port {self.port}\n    User {getpass.getuser()}\n"
            f"    IdentityFile {self.folder}/user_key\n    IdentitiesOnly yes\n"
            f"    GlobalKnownHostsFile /dev/null\n{extra}"
        )

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.sshd, "-D", "-e", "-f", self.folder / "sshd_config"], stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as greeting:
                    if greeting.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)  # until it listens
        raise AssertionError("sshd did not start")

    def stop(self) -> None:
        """End the listener; sessions of it go on until their connections are closed."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None
