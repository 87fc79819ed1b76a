"""A Slurm whose controller does not answer: each command takes nine seconds to fail, as the real ones do."""

from __future__ import annotations

from pathlib import Path

COMMANDS = ("sbatch", "squeue", "sacct", "sinfo", "scontrol", "scancel")
_SCRIPT = """#!/bin/sh
count=0
while [ ! -e '{given_up}' ] && [ $count -lt 90 ]; do /bin/sleep 0.1; count=$((count + 1)); done
echo 'Unable to contact slurm controller' >&2
exit 1
"""


class Silence:
    """The commands in a directory for the PATH. Between ``give_up`` and ``wait`` they fail at once."""

    def __init__(self, place: Path) -> None:
        self.path = place / "silent"
        self._given_up = place / "given-up"
        self.path.mkdir()
        for name in COMMANDS:
            command = self.path / name
            command.write_text(_SCRIPT.format(given_up=self._given_up))
            command.chmod(0o755)

    def give_up(self) -> None:
        self._given_up.touch()

    def wait(self) -> None:
        self._given_up.unlink()
