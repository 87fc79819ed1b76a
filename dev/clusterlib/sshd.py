"""One sshd per node, each on its own loopback port and seeing its own /opt/apptainers."""

from __future__ import annotations

import socket
from pathlib import Path

from . import layout
from .daemons import Daemon
from .shell import folder, succeeds, write
from .users import host_key

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {key}
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys
AllowUsers {users}
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
UseDNS no
PrintMotd no
MaxStartups 100:30:200
"""


def config_path(node: layout.Node) -> Path:
    """The node's sshd_config."""
    return node.folder / "sshd_config"


def configure() -> list[layout.Node]:
    """Write the configurations; the nodes whose one changed."""
    # Where sshd keeps its unprivileged half; below /run, so it is gone after a restart of the machine.
    folder(Path("/run/sshd"))
    users = " ".join(layout.USERS)
    return [
        node
        for node in layout.NODES
        if write(config_path(node), _CONFIG.format(port=node.ssh_port, key=host_key(node), users=users))
    ]


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def daemon(node: layout.Node) -> Daemon:
    """The node's sshd."""
    argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config_path(node))]
    return Daemon(f"sshd-{node.name}", argv, ready=lambda: _greets(node.ssh_port), node=node)


def answers(node: layout.Node) -> bool:
    """Does a real login with strict host key checking work?"""
    return succeeds(["ssh", "-F", layout.SSH / "config", "-o", "ConnectTimeout=5", node.name, "true"])
