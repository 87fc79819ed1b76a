"""The command line of dev/cluster."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from . import images, layout, slurm, sshd, up
from .shell import ClusterError, folder, stage


def facts() -> dict[str, str | Sequence[str] | Mapping[str, object]]:
    """What tests need to know about the cluster, as `env --json` prints it."""
    return {
        "state": str(layout.STATE),
        "logs": str(layout.LOG),
        "slurm_conf": str(layout.SLURM_ETC / "slurm.conf"),
        "ssh_config": str(layout.SSH / "config"),
        "known_hosts": str(layout.SSH / "known_hosts"),
        "ssh_keys": {user: str(layout.SSH / "keys" / user) for user in layout.USERS},
        "users": list(layout.USERS),
        "accounts": {name: list(users) for name, users in layout.ACCOUNTS.items()},
        "signing_key": str(layout.SIGNING_KEY),
        "image_dir": str(layout.IMAGE_DIR),
        "cluster": layout.CLUSTER,
        "partitions": {
            p.name: {"max_time": p.max_time, "nodes": [n.name for n in layout.NODES if n.partition == p.name]}
            for p in layout.PARTITIONS
        },
        "nodes": {
            n.name: {
                "partition": n.partition,
                "host": "127.0.0.1",
                "ssh_port": n.ssh_port,
                "cpus": n.cpus,
                "memory_mb": n.memory,
                "features": n.features,
                "gres": n.gres,
                "images": str(n.images),
            }
            for n in layout.NODES
        },
        "images": {image.name: list(image.nodes) for image in images.distribution()},
    }


def _print_facts(as_json: bool) -> None:
    known = facts()
    if as_json:
        print(json.dumps(known, indent=2, ensure_ascii=False))
        return
    for name, value in known.items():
        # Not for a shell: names with spaces in them, and paths by user. --json has them.
        if name not in ("images", "ssh_keys"):
            text = value if isinstance(value, str) else " ".join(value)
            print(f"export SLURMDASH_CLUSTER_{name.upper()}={shlex.quote(text)}")


@contextmanager
def _alone() -> Iterator[None]:
    """Let only one dev/cluster change things at a time; a second one waits for the first."""
    folder(layout.STATE)
    with (layout.STATE / "lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another dev/cluster to finish", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _change(arguments: argparse.Namespace) -> None:
    """The verbs that start, stop or build something."""
    match arguments.verb:
        case "up":
            up.up()
        case "down":
            up.down()
        case "images":
            with stage("images"):
                made = images.build()
                images.lay_out()
            print("made " + ", ".join(made) if made else "all images are as defined")
        case "stop-sshd":
            sshd.daemon(up.find(arguments.node)).stop()
        case "start-sshd":
            sshd.configure()
            sshd.daemon(up.find(arguments.node)).start()
        case "stop-slurmctld":
            slurm.slurmctld().stop()
        case "start-slurmctld":
            slurm.slurmctld().start()
            slurm.wait_for_nodes()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev/cluster", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="install, configure and start everything; does only what is missing")
    verbs.add_parser("down", help="cancel the jobs and stop everything that was started")
    verbs.add_parser("status", help="a table; ends with 1 when something is down")
    verbs.add_parser(
        "images", help="build the images whose definition changed, and lay them out on the nodes"
    )
    for verb in ("stop-sshd", "start-sshd"):
        verbs.add_parser(verb, help="one node's sshd, with its sessions").add_argument("node")
    verbs.add_parser("stop-slurmctld", help="as if the controller were gone; running jobs go on")
    verbs.add_parser("start-slurmctld", help="and back; waits until the nodes are usable")
    env = verbs.add_parser("env", help="facts about the cluster, to be read by a shell")
    env.add_argument("--json", action="store_true", help="the same and more as JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.verb == "env":
        _print_facts(arguments.json)
        return 0
    if os.geteuid() != 0:
        print("dev/cluster has to be run as root", file=sys.stderr)
        return 2
    try:
        if arguments.verb == "status":
            return 0 if up.status() else 1
        with _alone():
            _change(arguments)
    except (ClusterError, OSError, subprocess.SubprocessError) as error:
        print(f"dev/cluster {arguments.verb}: {error}", file=sys.stderr)
        return 1
    return 0
