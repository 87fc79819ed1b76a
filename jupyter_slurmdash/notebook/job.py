"""A submitted job as a cell holds it, and a list of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ..dash import Dash
from ..jobs.logs import Stream
from ..jobs.model import OVER, JobRecord
from .tables import Table


class Job:
    """A submitted job. Shows its row; ``wait``, ``tail``, ``files``, ``cancel`` do what they say."""

    def __init__(self, dash: Dash, record: JobRecord) -> None:
        self._dash = dash
        self._record = record

    @property
    def record(self) -> JobRecord:
        return self._record

    @property
    def id(self) -> str:
        """The scheduler's id."""
        return str(self._record.job_id)

    @property
    def state(self) -> str:
        """The state as of the last look."""
        return self._record.state

    @property
    def workdir(self) -> Path:
        return Path(self._record.workdir)

    @property
    def script(self) -> str:
        return self._record.script

    @property
    def ended(self) -> bool:
        return self.state in OVER

    def refresh(self) -> Job:
        """Look again, as far as a look at the queue is due."""
        self._record = self._dash.jobs.refresh(self._record.run_id)
        return self

    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Job:
        """Wait for the end (``timeout`` seconds at most, then TimeoutError). ``progress`` prints each new state."""
        deadline = None if timeout is None else time.monotonic() + timeout
        shown = ""
        while not self.refresh().ended:
            if progress and self.state != shown:
                shown = self.state
                print(f"{self.id} {shown} {self._record.reason}".rstrip(), flush=True)
            left = float("inf") if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"Job {self.id} is {self.state} after {timeout} s.")
            time.sleep(min(self._dash.jobs.watcher.interval, 1.0, left))
        if progress:
            print(f"{self.id} {self.state}", flush=True)
        return self

    def tail(self, lines: int = 20, stream: Stream = "out") -> str:
        """The last lines of the log."""
        piece = self._dash.jobs.log(self._record.run_id, stream, -64 * 1024)
        return "\n".join(piece.text.splitlines()[-lines:])

    def follow(self, stream: Stream = "out") -> None:
        """Print the log as it grows, until the job ends."""
        offset = 0
        while True:
            self.refresh()
            piece = self._dash.jobs.log(self._record.run_id, stream, offset)
            sys.stdout.write(piece.text)
            sys.stdout.flush()
            if piece.complete:
                return
            if piece.next_offset == offset:
                time.sleep(0.5)
            offset = piece.next_offset

    def files(self, *, outputs: bool = False) -> list[Path]:
        """Files in the job's directory; with ``outputs`` only those that the job wrote."""
        found, _ = self._dash.jobs.files(self._record.run_id)
        return [self.workdir / file.path for file in found if file.is_output or not outputs]

    def cancel(self) -> Job:
        self._dash.jobs.cancel(self._record.run_id)
        return self.refresh()

    def _cells(self) -> dict[str, str]:
        record = self._record
        return {
            "job": self.id,
            "name": record.name,
            "state": record.state,
            "why": record.reason,
            "on": record.nodes,
        }

    def __repr__(self) -> str:
        return "  ".join(f"{name}: {value}" for name, value in self._cells().items() if value)

    def _repr_html_(self) -> str:
        return JobList([self])._repr_html_()


class JobList(Table[Job]):
    columns = ("job", "name", "state", "why", "on")

    def row(self, item: Job) -> tuple[str, ...]:
        return tuple(item._cells().values())
