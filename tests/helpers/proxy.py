"""The proxy of JupyterHub, started as JupyterHub starts it, with a server behind it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import requests
from clients import CLIENTS, node
from upload_server import free_port

_SECRET = "benchmark-secret"


class HubProxy:
    """``url`` is its address; ``add`` puts a server behind it."""

    def __init__(self, directory: Path) -> None:
        port, api = free_port(), free_port()
        program = CLIENTS / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
        options = [f"--ip=127.0.0.1 --port={port} --api-ip=127.0.0.1 --api-port={api} --log-level=warn"]
        with (directory / "proxy.log").open("w") as log:
            self._process = subprocess.Popen(
                [node(), str(program), *options[0].split()],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": _SECRET},
                start_new_session=True,
            )
        self.url = f"http://127.0.0.1:{port}/"
        self._api = f"http://127.0.0.1:{api}/api/routes"
        session = requests.Session()
        retry = requests.adapters.Retry(connect=100, backoff_factor=0.02)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        session.get(self._api, headers=self._headers, timeout=60).raise_for_status()
        session.close()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {_SECRET}"}

    def add(self, path: str, target: str) -> None:
        """Requests below ``path`` go to ``target``."""
        body = {"target": target}
        requests.post(self._api + path, json=body, headers=self._headers, timeout=60).raise_for_status()

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate(timeout=60)
