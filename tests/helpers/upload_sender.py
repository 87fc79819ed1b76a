"""An upload by tus with curl, to any server: the client of the benchmarks."""

from __future__ import annotations

import base64
import subprocess
import time
from pathlib import Path
from urllib.parse import urljoin

import requests
from real_server import TUS

MIB = 1024 * 1024
NAMED = {"Upload-Metadata": f"filename {base64.b64encode(b'big.dat').decode()}"}


def begin(collection: str, size: int) -> str:
    """The address of a new upload of ``size`` bytes."""
    headers = {**TUS, **NAMED, "Upload-Length": str(size)}
    answer = requests.post(collection, headers=headers, timeout=60, allow_redirects=False)
    assert answer.status_code == 201, answer.text
    return urljoin(collection, answer.headers["Location"])


def send(url: str, source: Path) -> float:
    """All of ``source`` in one PATCH; seconds until its answer."""
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "Expect": ""}
    options = [f"-H{name}: {text}" if text else f"-H{name}:" for name, text in headers.items()]
    start = time.perf_counter()
    subprocess.run(["curl", "-sSf", "-XPATCH", "-T", source, *options, url], check=True, capture_output=True)
    return time.perf_counter() - start
