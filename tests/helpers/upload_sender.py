"""An upload by tus with curl, to any server: the client of the benchmarks, and of tests that break lines."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

import requests
from real_server import TUS

MIB = 1024 * 1024
NAMED = {"Upload-Metadata": f"filename {base64.b64encode(b'big.dat').decode()}"}


def begin(collection: str, size: int, headers: Mapping[str, str] = TUS) -> str:
    """The address of a new upload of ``size`` bytes."""
    about = {**headers, **NAMED, "Upload-Length": str(size)}
    answer = requests.post(collection, headers=about, timeout=60, allow_redirects=False)
    assert answer.status_code == 201, answer.text
    return urljoin(collection, answer.headers["Location"])


def send(url: str, source: Path) -> float:
    """All of ``source`` in one PATCH; seconds until its answer."""
    start = time.perf_counter()
    subprocess.run([*_curl(url, source, TUS, 0), "-f"], check=True, capture_output=True)
    return time.perf_counter() - start


class Sending:
    """A PATCH with ``source`` under way, at most ``rate`` bytes a second (0: no bound)."""

    def __init__(
        self, url: str, source: Path, headers: Mapping[str, str], offset: int, rate: int = 0
    ) -> None:
        limit = ["--limit-rate", str(rate)] if rate else []
        told = ["-o/dev/null", "-w%{http_code} %{size_upload}"]
        self._process = subprocess.Popen(
            [*_curl(url, source, headers, offset), *limit, *told], stdout=subprocess.PIPE, text=True
        )

    def result(self) -> tuple[int, int]:
        """The status, 0 when there was no answer, and the bytes that were sent."""
        told, _ = self._process.communicate(timeout=600)
        status, sent = told.split()
        return int(status), int(sent)


def _curl(url: str, source: Path, headers: Mapping[str, str], offset: int) -> list[str]:
    kind = {"Content-Type": "application/offset+octet-stream", "Expect": ""}
    given = {**headers, **kind, "Upload-Offset": str(offset)}
    options = [f"-H{name}: {text}" if text else f"-H{name}:" for name, text in given.items()]
    return ["curl", "-sS", "-XPATCH", f"-T{source}", *options, url]
