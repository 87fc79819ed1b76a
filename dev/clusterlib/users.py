"""The Unix users, their keys, and everybody's way into the nodes."""

from __future__ import annotations

import pwd
from pathlib import Path

from . import layout
from .shell import folder, run, write

_SUB_IDS = 65536
SHARED = Path("/shared")


def _make(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        run(["useradd", "--create-home", "--shell", "/bin/bash", user])
    # Without a password an account counts as locked, and sshd refuses even its keys.
    shadow = Path("/etc/shadow").read_text(encoding="utf-8")
    if f"\n{user}:!" in shadow:
        run(["usermod", "-p", "*", user])
    for path, option in ((Path("/etc/subuid"), "--add-subuids"), (Path("/etc/subgid"), "--add-subgids")):
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        if not any(line.startswith(f"{user}:") for line in lines):
            # Behind every range there is, so that no two users share one.
            first = max((int(a) + int(b) for _, a, b in (line.split(":") for line in lines)), default=100000)
            run(["usermod", option, f"{first}-{first + _SUB_IDS - 1}", user])


def _key(path: Path, comment: str) -> tuple[str, str]:
    """The key pair at the path, made when absent: private and public text."""
    public = path.with_suffix(".pub")
    if not (path.exists() and public.exists()):
        path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
    return path.read_text(encoding="ascii"), public.read_text(encoding="ascii")


def host_key(node: layout.Node) -> Path:
    """The node's host key."""
    return node.folder / "ssh_host_ed25519_key"


def known_hosts() -> str:
    """Each node's key under its name and under its address, for clients that know only one of them."""
    lines = []
    for node in layout.NODES:
        _, public = _key(host_key(node), node.name)
        kind, data = public.split()[:2]
        lines.append(f"{node.name},[127.0.0.1]:{node.ssh_port} {kind} {data}\n")
    return "".join(lines)


def ssh_config(user: str, identity: str, known: str) -> str:
    """An OpenSSH client configuration in which the nodes' names work and unknown keys do not."""
    hosts = "".join(
        f"Host {n.name}\n    HostName 127.0.0.1\n    Port {n.ssh_port}\n    HostKeyAlias {n.name}\n"
        for n in layout.NODES
    )
    names = " ".join(n.name for n in layout.NODES)
    return (
        f"{hosts}Host {names}\n    User {user}\n    IdentityFile {identity}\n    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {known}\n    GlobalKnownHostsFile /dev/null\n"
        "    StrictHostKeyChecking yes\n    BatchMode yes\n"
    )


def create() -> None:
    """Users with keys that open every node, and the same for root with `ssh -F`."""
    keys = folder(layout.SSH / "keys", mode=0o700)
    hosts = known_hosts()
    for user in layout.USERS:
        _make(user)
        home = Path(pwd.getpwnam(user).pw_dir)
        home.chmod(0o711)
        private, public = _key(keys / user, user)
        ssh = folder(home / ".ssh", user, 0o700)
        write(ssh / "id_ed25519", private, user, 0o600)
        write(ssh / "id_ed25519.pub", public, user)
        write(ssh / "authorized_keys", public, user, 0o600)
        write(ssh / "known_hosts", hosts, user)
        write(ssh / "config", ssh_config(user, "~/.ssh/id_ed25519", "~/.ssh/known_hosts"), user, 0o600)
    first = layout.USERS[0]
    write(layout.SSH / "known_hosts", hosts)
    write(layout.SSH / "config", ssh_config(first, str(keys / first), str(layout.SSH / "known_hosts")))
    _share()


def _share() -> None:
    """The shared folders that templates bind and copy to, as a site would have them. Only what is missing is made:
    the machine may have a /shared of its own."""
    for name in ("datasets", "models", "results"):
        if not (SHARED / name).is_dir():
            folder(SHARED / name).chmod(0o1777)
