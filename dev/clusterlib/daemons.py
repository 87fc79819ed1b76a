"""Starting daemons, knowing them again, and ending them and nothing else.

There is no systemd here. Each daemon runs in the foreground of its own session, and a small JSON file holds
its process id with the time it started and the boot it belongs to: an id that the kernel gave to someone else
since, or that is left over from before a restart of the machine, is then never taken for ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import layout
from .shell import ClusterError, wait_until

ENTER = Path(__file__).with_name("enter.py")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def clean_env(**more: str) -> dict[str, str]:
    """A daemon's environment: nothing of the caller's shell may leak into users' jobs."""
    return {"PATH": _PATH, "LANG": "C.UTF-8", **more}


def enter_argv(
    argv: Sequence[str], node: layout.Node | None = None, user: str | None = None, record: Path | None = None
) -> list[str]:
    """The command that runs `argv` in namespaces of its own, on that node, as that user (see enter.py)."""
    spec = {
        "record": None if record is None else str(record),
        "node": None if node is None else str(node.folder),
        "hostname": None if node is None else node.name,
        "user": user,
    }
    return [sys.executable, "-I", "-S", "-B", str(ENTER), json.dumps(spec), *argv]


@dataclass(frozen=True)
class Process:
    """What /proc says about a process."""

    pid: int
    parent: int
    state: str
    started: int

    @classmethod
    def read(cls, pid: int) -> Process | None:
        """The process, or None when it is gone."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = text.rpartition(")")[2].split()  # the name before it may contain spaces and brackets
        return cls(pid, int(fields[1]), fields[0], int(fields[19]))


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _mounts(pid: int | str) -> str:
    """What is mounted in that process's namespace, the mark that enter.py left there among it."""
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile (EINVAL for a zombie), or is none of ours
        return ""


@dataclass
class Daemon:
    """One daemon: how to start it and how to see that it answers."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    user: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    node: layout.Node | None = None
    seconds: float = 30

    @property
    def _record(self) -> Path:
        return layout.RUN / f"{self.name}.json"

    @property
    def output(self) -> Path:
        """What the daemon printed since it was started."""
        return layout.LOG / f"{self.name}.out"

    def _recorded(self) -> dict[str, str | int]:
        """The pid file's content, empty when there is none or it was cut off half way."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return record if record.get("boot") == _boot_id() else {}

    def pid(self) -> int | None:
        """The id of the living process, else None."""
        record = self._recorded()
        if not record:
            return None
        process = Process.read(int(record["pid"]))
        if process is None or process.state in "ZX" or process.started != record["started"]:
            return None
        return process.pid

    def start(self) -> bool:
        """Start it unless it runs, and wait until it answers; True when it had to be started."""
        if self.pid() is not None and self.ready():
            return False
        self.stop()
        if self.ready():
            raise ClusterError(f"something else already answers in place of {self.name}")
        with self.output.open("wb") as log:
            child = subprocess.Popen(
                enter_argv(self.argv, self.node, self.user, self._record),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=clean_env(**self.env),
                start_new_session=True,
                umask=0o022,
            )

        def answers() -> bool:
            if child.poll() is not None:
                tail = self.output.read_text(encoding="utf-8", errors="replace").splitlines()[-6:]
                raise ClusterError(
                    f"{self.name} ended with {child.returncode} while starting:\n  " + "\n  ".join(tail)
                )
            return self.ready()

        wait_until(answers, f"{self.name} answering", self.seconds, pause=0.05)
        return True

    def _family(self) -> list[Process]:
        """The daemon, whatever lives in its namespace, and their descendants.

        slurmd's step daemons and sshd's sessions outlive the daemon itself, but they stay in its mount
        namespace; containers leave that namespace, but stay descendants.
        """
        pid = self.pid()
        mark = str(self._recorded().get("mark", ""))
        if mark in _mounts("self"):
            mark = ""  # asked from inside, or nothing recorded: only the descendants count
        listed = [p for entry in os.listdir("/proc") if entry.isdigit() and (p := Process.read(int(entry)))]
        members = {p.pid for p in listed if p.pid == pid or (mark and mark in _mounts(p.pid))}
        grown = True
        while grown:
            more = {p.pid for p in listed if p.parent in members} - members
            members |= more
            grown = bool(more)
        return [p for p in listed if p.pid in members and p.pid != os.getpid() and p.state not in "ZX"]

    def stop(self, seconds: float = 10) -> bool:
        """End it with its children; politely first. True when something had to be ended."""
        family = self._family()
        for process in family:
            _send(process.pid, signal.SIGTERM)

        def gone() -> bool:
            return not any(_same(p) for p in family)

        try:
            wait_until(gone, f"the end of {self.name}", seconds, pause=0.05)
        except ClusterError:
            for process in family:
                if _same(process):
                    _send(process.pid, signal.SIGKILL)
            wait_until(gone, f"the end of {self.name}", 5, pause=0.05)
        self._record.unlink(missing_ok=True)
        return bool(family)


def _same(process: Process) -> bool:
    """Is it still that very process, and alive?"""
    now = Process.read(process.pid)
    return now is not None and now.started == process.started and now.state not in "ZX"


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
