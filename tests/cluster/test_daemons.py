"""The development cluster ends its own daemons and nobody else's, whatever earlier ones left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# A daemon is to outlive who starts it, and that is what subprocess warns of.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DEV = Path(__file__).resolve().parents[2] / "dev"


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Daemons that only sleep, with records and logs of their own."""
    monkeypatch.syspath_prepend(str(DEV))
    from clusterlib import daemons, layout

    monkeypatch.setattr(layout, "RUN", tmp_path)
    monkeypatch.setattr(layout, "LOG", tmp_path)
    made: dict[str, Any] = {}

    def make(name: str) -> Any:
        record = tmp_path / f"{name}.json"
        return made.setdefault(name, daemons.Daemon(name, ["sleep", "1000"], ready=record.exists))

    yield make
    for each in made.values():
        each.stop()


def test_a_namespace_that_the_kernel_gave_to_the_next_daemon_is_not_the_old_ones(
    daemon: Callable[[str], Any], tmp_path: Path
) -> None:
    """After a hard end a record stays behind, and its namespaces' numbers go to whoever starts next."""
    old = daemon("old")
    old.start()
    pid = old.pid()
    os.kill(pid, signal.SIGKILL)
    while old.pid() is not None:
        os.sched_yield()
    old_record = (tmp_path / "old.json").read_text(encoding="utf-8")

    neighbours = [daemon(f"next-{n}") for n in range(4)]
    for each in neighbours:
        each.start()
    assert (tmp_path / "old.json").read_text(encoding="utf-8") == old_record
    assert not old.stop(), "nothing of the old one was left to end"
    assert [each.pid() is not None for each in neighbours] == [True] * 4


def test_what_a_daemon_left_behind_in_its_namespace_ends_with_it(daemon: Callable[[str], Any]) -> None:
    """slurmd's steps and sshd's sessions outlive a daemon that was killed: stop finds them by its mark."""
    parent = daemon("parent")
    parent.argv = [
        sys.executable,
        "-c",
        "import subprocess,time;subprocess.Popen(['sleep','1000'],start_new_session=True);time.sleep(1000)",
    ]
    parent.start()
    while len(family := parent._family()) < 2:
        os.sched_yield()
    os.kill(parent.pid(), signal.SIGKILL)
    while parent.pid() is not None:
        os.sched_yield()
    assert parent.stop()
    from clusterlib.daemons import Process

    states = [process and process.state for process in (Process.read(each.pid) for each in family)]
    assert all(state in (None, "Z", "X") for state in states)
