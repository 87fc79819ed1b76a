"""Running commands, writing files and waiting: the few primitives that everything else uses."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import layout

_print_lock = threading.Lock()


class ClusterError(Exception):
    """Something the person at the terminal has to know; the message says what to do or where to look."""


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    log: Path | None = None,
    timeout: float = 120,
    answers: str = "",
) -> str:
    """Run a command, with `answers` on its standard input, and return its standard output.

    With `log` everything it prints is appended there as well. A non-zero exit becomes a ClusterError with the
    last lines of what the command said, since that is nearly always the explanation.
    """
    try:
        done = subprocess.run(
            [str(a) for a in argv],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            input=answers,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{argv[0]} did not finish within {timeout:.0f} s") from error
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"+ {' '.join(str(a) for a in argv)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise ClusterError(
            f"{' '.join(str(a) for a in argv)} ended with {done.returncode}:\n  " + "\n  ".join(said)
        )
    return done.stdout


def succeeds(argv: Sequence[str | Path], timeout: float = 15) -> bool:
    """True when the command exists and ends with 0 within the time."""
    try:
        run(argv, timeout=timeout)
    except ClusterError:
        return False
    return True


def wait_until(ready: Callable[[], bool], what: str, seconds: float, pause: float = 0.1) -> None:
    """Poll `ready` until it holds; a ClusterError naming `what` when the deadline passes."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} did not happen within {seconds:.0f} s; the logs are in {layout.LOG}")
        time.sleep(pause)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Print one line with the seconds that the block took (also when it failed)."""
    start = time.monotonic()
    outcome = "FAILED"
    try:
        yield
        outcome = "ok"
    finally:
        with _print_lock:
            print(f"{name:<22} {time.monotonic() - start:6.1f} s  {outcome}", flush=True)


def warn(message: str) -> None:
    """A remark that does not stop anything."""
    with _print_lock:
        print(f"dev/cluster: {message}", file=sys.stderr, flush=True)


def folder(path: Path, owner: str = "root", mode: int = 0o755) -> Path:
    """Make the folder with this owner and mode, or correct an existing one."""
    path.mkdir(parents=True, exist_ok=True)
    entry = pwd.getpwnam(owner)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    path.chmod(mode)
    return path


def write(path: Path, content: str | bytes, owner: str = "root", mode: int = 0o644) -> bool:
    """Write the file through a rename, with owner and mode; True when the content is new.

    The mode is set before the content is in place: a key is never readable by others, not even briefly.
    """
    data = content.encode() if isinstance(content, str) else content
    entry = pwd.getpwnam(owner)
    changed = not (path.is_file() and path.read_bytes() == data)
    if changed:
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchown(file.fileno(), entry.pw_uid, entry.pw_gid)
            os.fchmod(file.fileno(), mode)
            file.write(data)
        fresh.replace(path)
    else:
        os.chown(path, entry.pw_uid, entry.pw_gid)
        path.chmod(mode)
    return changed
