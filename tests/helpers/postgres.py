"""A PostgreSQL of our own: a fresh cluster in a private place, on a socket only, run by an ordinary user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

# Root may not run the server.
ACCOUNT = "postgres"


def programs() -> Path | None:
    """The directory with ``initdb`` and ``pg_ctl``; None where PostgreSQL is not installed."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    return next((place for place in places if (place / "initdb").exists()), None)


class Postgres:
    """A running server. ``url`` is its database as the owner."""

    def __init__(self, place: Path, programs: Path) -> None:
        self.place = place
        self._programs = programs
        self.url = f"postgresql://{ACCOUNT}@/postgres?host={quote(str(place))}"

    def run(self, program: str, *argv: str) -> None:
        as_user = ["/usr/sbin/runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        argv = (*as_user, str(self._programs / program), *argv)
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        # Not durable on purpose: it lives as long as a test.
        options = f"-k {self.place} -c listen_addresses= -c fsync=off"
        self.run(
            "pg_ctl", "-D", str(self.place / "data"), "-w", "-l", f"{self.place}/log", "-o", options, "start"
        )

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.place / "data"), "-w", "-m", "immediate", "stop")


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    """A server for the block."""
    place = Path(tempfile.mkdtemp(prefix="slurmdash-pg-"))
    try:
        place.chmod(0o755)  # the socket lies here, and other accounts connect too
        if os.geteuid() == 0:
            shutil.chown(place, ACCOUNT)
        server = Postgres(place, programs)
        server.run("initdb", "-D", str(place / "data"), "-U", ACCOUNT, "-A", "trust", "-N", "-E", "UTF8")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)
