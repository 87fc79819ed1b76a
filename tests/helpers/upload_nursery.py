"""Upload servers that are killed often: a process that has imported all of it forks them, in a tenth of the time.

``python upload_nursery.py`` reads its orders from standard input, a JSON list in a line: ``start LOG ARGUMENT…`` is
answered with the pid and the address of a server, ``end PID SIGNAL`` when it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from upload_server import Server, serve


class Nursery:
    """The process. Closing it leaves the servers alone."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate(timeout=60)


class Born(Server):
    """As ``Server``, from a nursery."""

    def __init__(self, nursery: Nursery, directory: Path, *options: str) -> None:
        self._nursery = nursery
        super().__init__(directory, *options)

    def start(self) -> None:
        pid, _, url = self._nursery.ask("start", str(self.log), *self.arguments).partition(" ")
        self.pid = int(pid)
        self._started(url)

    def _end(self, number: int) -> None:
        assert self._nursery.ask("end", str(self.pid), str(int(number))) == "ended"


def main() -> None:
    import_all()
    for line in sys.stdin:
        word, *rest = json.loads(line)
        if word == "end":
            os.kill(int(rest[0]), int(rest[1]))
            os.waitpid(int(rest[0]), 0)
            print("ended", flush=True)
            continue
        log, *arguments = rest
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.dup2(writing, 1)
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            serve(arguments)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            print(pid, stream.readline().strip(), flush=True)


def import_all() -> None:
    import forgetful_disk
    import jupyter_server.serverapp
    import upload_place

    from jupyter_slurmdash.handlers import bodies, chunks, forms, tus, uploads
    from jupyter_slurmdash.handlers.contract import contract

    contract()
    assert [forgetful_disk, jupyter_server, upload_place, bodies, chunks, forms, tus, uploads]


if __name__ == "__main__":
    os.environ.setdefault("JUPYTER_NO_CONFIG", "1")
    main()
