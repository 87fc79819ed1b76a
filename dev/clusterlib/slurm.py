"""Slurm with its accounting: the daemons, how to see that they answer, and what to ask them."""

from __future__ import annotations

import secrets
import shutil
import socket

from . import layout, slurmconf
from .daemons import Daemon
from .shell import ClusterError, folder, run, succeeds, wait_until, write

_DATABASE = layout.STATE / "mariadb"
_SOCKET = layout.RUN / "mariadb" / "socket"
_READY_STATES = {"idle", "mixed", "allocated", "completing"}


def munged() -> Daemon:
    """The cluster's own munged, with its own key and socket: a munge of the machine's is not disturbed."""
    argv = [
        "/usr/sbin/munged",
        "-F",
        "--force",
        "--num-threads=2",
        f"--socket={slurmconf.MUNGE}/socket",
        f"--key-file={slurmconf.MUNGE}/key",
        f"--pid-file={slurmconf.MUNGE}/pid",
        f"--seed-file={slurmconf.MUNGE}/seed",
        f"--log-file={slurmconf.MUNGE}/log",
    ]
    return Daemon(
        "munged",
        argv,
        user="munge",
        ready=lambda: succeeds(["munge", "-S", slurmconf.MUNGE / "socket", "-n", "-o", "/dev/null"]),
    )


def prepare_munge() -> None:
    """Key and folder."""
    folder(slurmconf.MUNGE, "munge")
    key = slurmconf.MUNGE / "key"
    write(key, key.read_bytes() if key.exists() else secrets.token_bytes(128), "munge", 0o400)


def mariadb() -> Daemon:
    """A MariaDB of the cluster's own: data and socket in the state folder, no network, as user slurm."""
    argv = [
        "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={_DATABASE}/data",
        f"--socket={_SOCKET}",
        f"--pid-file={_DATABASE}/pid",
        "--skip-networking",
        f"--init-file={_DATABASE}/init.sql",
        f"--tmpdir={_DATABASE}/scratch",
        "--innodb-buffer-pool-size=128M",
        "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=2",
        "--performance-schema=OFF",
        "--max-allowed-packet=16M",
    ]
    return Daemon(
        "mariadb",
        argv,
        user="slurm",
        seconds=60,
        ready=lambda: succeeds(
            [
                "mariadb",
                "--no-defaults",
                f"--socket={_SOCKET}",
                "--batch",
                "-e",
                "SELECT 1 FROM mysql.db LIMIT 1",
            ]
        ),
    )


def prepare_mariadb() -> None:
    """The data folder, made under another name first: a half-made one is not taken for complete."""
    folder(_DATABASE, "slurm", 0o700)
    folder(_DATABASE / "scratch", "slurm", 0o700)
    folder(_SOCKET.parent, "slurm", 0o755)
    write(
        _DATABASE / "init.sql",
        "CREATE DATABASE IF NOT EXISTS slurm_acct_db;\n"
        "CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED VIA unix_socket;\n"
        "GRANT ALL ON slurm_acct_db.* TO slurm@localhost;\n",
        "slurm",
        0o600,
    )
    data = _DATABASE / "data"
    if not data.exists():
        shutil.rmtree(_DATABASE / "data.new", ignore_errors=True)
        folder(_DATABASE / "data.new", "slurm", 0o700)
        run(
            [
                "mariadb-install-db",
                "--no-defaults",
                "--user=slurm",
                f"--datadir={_DATABASE}/data.new",
                "--auth-root-authentication-method=socket",
                "--skip-test-db",
            ],
            log=layout.LOG / "mariadb-install.log",
        )
        (_DATABASE / "data.new").rename(data)


def slurmdbd() -> Daemon:
    """The accounting daemon. Its library takes the database's socket from the environment only."""
    return Daemon(
        "slurmdbd",
        ["/usr/sbin/slurmdbd", "-D"],
        user="slurm",
        env={"MYSQL_UNIX_PORT": str(_SOCKET)},
        seconds=60,
        ready=lambda: succeeds(["sacctmgr", "-nP", "show", "cluster"], timeout=5),
    )


def slurmctld() -> Daemon:
    """The controller."""
    return Daemon("slurmctld", ["/usr/sbin/slurmctld", "-D"], user="slurm", ready=lambda: "UP" in _ping())


def _ping() -> str:
    try:
        return run(["scontrol", "ping"], timeout=5)
    except ClusterError:
        return ""


def slurmd(node: layout.Node) -> Daemon:
    """A node's daemon, in the node's own view of the file system: so its jobs see the node's images."""

    def listens() -> bool:
        try:
            socket.create_connection(("127.0.0.1", node.slurmd_port), timeout=2).close()
        except OSError:
            return False
        return True

    return Daemon(
        f"slurmd-{node.name}",
        ["/usr/sbin/slurmd", "-D", "-N", node.name],
        ready=listens,
        node=node,
    )


def account() -> None:
    """Add the cluster, the accounts and the users to the accounting database, as far as they are missing."""
    rows = {
        tuple(line.split("|")[:3])
        for line in run(["sacctmgr", "-nP", "show", "assoc", "format=cluster,account,user"]).splitlines()
    }
    if not any(cluster == layout.CLUSTER for cluster, _, _ in rows):
        run(["sacctmgr", "-i", "add", "cluster", layout.CLUSTER])
    for name, users in layout.ACCOUNTS.items():
        if (layout.CLUSTER, name, "") not in rows:
            run(
                [
                    "sacctmgr",
                    "-i",
                    "add",
                    "account",
                    name,
                    f"Description={name}",
                    f"Organization={name}",
                    f"Cluster={layout.CLUSTER}",
                ]
            )
        for user in users:
            if (layout.CLUSTER, name, user) not in rows:
                run(["sacctmgr", "-i", "add", "user", user, f"Account={name}", f"Cluster={layout.CLUSTER}"])


def node_states() -> dict[str, str]:
    """Each node's state as sinfo names it; empty when the controller does not answer."""
    try:
        listed = run(["sinfo", "-h", "-N", "-o", "%N %T"], timeout=15)
    except ClusterError:
        return {}
    return dict(line.split() for line in listed.splitlines())


def usable(state: str) -> bool:
    """Is it a state in which a node runs jobs? sinfo marks one that does not respond with a star."""
    return state in _READY_STATES


def wait_for_nodes(seconds: float = 45) -> None:
    """Wait until all nodes take jobs; a node that was left drained or down is resumed once."""
    resumed: set[str] = set()
    last: dict[str, str] = {}

    def ready() -> bool:
        last.clear()
        last.update(node_states())
        for name, state in last.items():
            if state.rstrip("*") in ("drained", "draining", "down") and name not in resumed:
                resumed.add(name)
                succeeds(["scontrol", "update", f"NodeName={name}", "State=RESUME"])
        return all(usable(last.get(n.name, "")) for n in layout.NODES)

    try:
        wait_until(ready, "all nodes becoming idle", seconds, pause=0.1)
    except ClusterError as error:
        states = ", ".join(f"{n.name} {last.get(n.name, 'unknown')}" for n in layout.NODES)
        raise ClusterError(f"{error}\n  {states}") from error


def cancel_all(seconds: float = 15) -> None:
    """Cancel every job and wait until none runs, so that no step outlives its node.

    Best effort: without a controller there is nothing to ask.
    """
    if "UP" not in _ping():
        return
    for user in (*layout.USERS, "root"):
        succeeds(["scancel", "--quiet", "--user", user])
    try:
        wait_until(
            lambda: not run(["squeue", "-h", "-t", "R,CG", "-o", "%i"]).strip(), "jobs ending", seconds
        )
    except ClusterError:
        return  # what is left ends with the nodes' daemons
