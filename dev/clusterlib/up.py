"""The story of `up` and `down`, and the table of `status`."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import images, layout, packages, sid, slurm, slurmconf, sshd, users
from .daemons import Daemon
from .shell import ClusterError, folder, stage, wait_until, write


@contextmanager
def together() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Run what the block hands over at the same time; the first error is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        tasks = []
        yield lambda work: tasks.append(pool.submit(work))
    for task in tasks:
        task.result()


def daemons() -> list[Daemon]:
    """All daemons in the order in which they start."""
    return [
        slurm.munged(),
        slurm.mariadb(),
        slurm.slurmdbd(),
        slurm.slurmctld(),
        *(slurm.slurmd(node) for node in layout.NODES),
        *(sshd.daemon(node) for node in layout.NODES),
    ]


def up() -> None:
    """Install, configure, start; ends when every node is idle and every sshd lets a user in."""
    begun = time.monotonic()
    for path in (layout.STATE.parent, layout.STATE, layout.LOG, layout.RUN, layout.SSH, layout.IMAGE_DIR):
        folder(path)
    for node in layout.NODES:
        folder(node.folder)
        folder(node.images)
    _hosts()
    _install()
    with stage("users and keys"):
        users.create()
        sid.devices()
        sid.clock()
    with together() as start:
        start(_images)
        start(_slurm)
        start(_sshd)
    with stage("all nodes idle"):
        slurm.wait_for_nodes()
    with stage("logins by ssh"):
        _logins()
    print(f"{'cluster is up':<22} {time.monotonic() - begun:6.1f} s")


def _hosts() -> None:
    """Every machine must find its own name; on the nodes that is the node's name (Slurm asks for it)."""
    hosts = Path("/etc/hosts")
    text = hosts.read_text(encoding="utf-8") if hosts.exists() else "127.0.0.1 localhost\n"
    try:
        socket.getaddrinfo(socket.gethostname(), None)
    except socket.gaierror:
        text += f"127.0.0.1 {socket.gethostname()}\n"
        hosts.write_text(text, encoding="utf-8")  # in place: it may be a mount
    if not hosts.exists():
        hosts.write_text(text, encoding="utf-8")
    for node in layout.NODES:
        write(node.folder / "hosts", f"{text}127.0.0.1 {' '.join(n.name for n in layout.NODES)}\n")


def _install() -> None:
    absent = packages.missing()
    need_apptainer = sid.version() is None
    if not absent and not need_apptainer:
        return
    with stage("package lists"):
        packages.update()
    with together() as start:
        if absent:
            start(lambda: _packages(absent))
        if need_apptainer:
            start(_fetch_apptainer)
    if need_apptainer:
        with stage("apptainer"):
            sid.install()


def _packages(absent: list[str]) -> None:
    with stage(f"packages ({len(absent)})"):
        packages.install(absent)


def _fetch_apptainer() -> None:
    with stage("apptainer download"):
        sid.fetch()


def _images() -> None:
    with stage("images"):
        images.build()
        images.lay_out()


def _slurm() -> None:
    with stage("slurm"):
        slurm.prepare_munge()
        slurm.prepare_mariadb()
        if slurmconf.configure():
            stop_all([*(slurm.slurmd(node) for node in layout.NODES), slurm.slurmctld(), slurm.slurmdbd()])
        with together() as start:
            start(lambda: _start(slurm.munged()))
            start(lambda: _start(slurm.mariadb()))
        _start(slurm.slurmdbd())
        slurm.account()
        _start(slurm.slurmctld())
        _start_all([slurm.slurmd(node) for node in layout.NODES])


def _sshd() -> None:
    with stage("sshd"):
        for node in sshd.configure():
            sshd.daemon(node).stop()
        _start_all([sshd.daemon(node) for node in layout.NODES])


def _start(daemon: Daemon) -> None:
    daemon.start()


def _start_all(each: list[Daemon]) -> None:
    with together() as start:
        for daemon in each:
            start(lambda daemon=daemon: _start(daemon))  # type: ignore[misc]


def stop_all(each: list[Daemon]) -> int:
    """Stop these at the same time; how many there were to stop."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return sum(pool.map(lambda daemon: daemon.stop(), each))


def _logins() -> None:
    def all_in() -> bool:
        with ThreadPoolExecutor(max_workers=len(layout.NODES)) as pool:
            return all(pool.map(sshd.answers, layout.NODES))

    wait_until(all_in, "a login to every node", 30)


def down() -> None:
    """Cancel the jobs and end everything that `up` started; installed and configured things stay."""
    with stage("jobs"):
        slurm.cancel_all()
    with stage("daemons"):
        # Against the order of the start: nobody loses the one they report to.
        count = stop_all(
            [slurm.slurmd(node) for node in layout.NODES] + [sshd.daemon(node) for node in layout.NODES]
        )
        for daemon in (slurm.slurmctld(), slurm.slurmdbd(), slurm.mariadb(), slurm.munged()):
            count += daemon.stop()
    print(f"{count} daemons stopped")


def status() -> bool:
    """Print how everything is; True when all is well."""
    good = True
    print(f"{'DAEMON':<22} {'PID':>7}  STATE")
    for daemon in daemons():
        pid = daemon.pid()
        state = "down" if pid is None else "up" if daemon.ready() else "not answering"
        good = good and state == "up"
        print(f"{daemon.name:<22} {pid or '-':>7}  {state}")
    states = slurm.node_states()
    print(f"\n{'NODE':<22} {'SLURM':<12} {'SSH':<8} IMAGES")
    for node in layout.NODES:
        state = states.get(node.name, "unknown")
        login = sshd.answers(node)
        good = good and login and slurm.usable(state)
        count = len(list(node.images.glob("*.sif"))) if node.images.is_dir() else 0
        print(f"{node.name:<22} {state:<12} {'ok' if login else 'refused':<8} {count}")
    return good


def find(name: str) -> layout.Node:
    """The node of that name, or an error that lists the names."""
    try:
        return layout.node(name)
    except KeyError:
        raise ClusterError(f"no node {name}; there are {', '.join(n.name for n in layout.NODES)}") from None
