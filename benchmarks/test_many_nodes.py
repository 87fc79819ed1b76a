"""A hundred nodes at a time: our whole scan against bare SSH connections, and the API while it runs."""

from __future__ import annotations

import gc
import json
import os
import pwd
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest
from live import Live
from private_sshd import Sshd, free_port
from settings import private_values

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.transport.ssh import SshConnector

NODES = 100
IMAGES = 50
WORKERS = 32
ROUNDS = 5
# An sshd listens on 16 ports at most.
_PORTS_EACH = 16


@dataclass
class Farm:
    """Loopback nodes that all show the same folder of images."""

    place: Path
    config: Path
    known_hosts: Path
    ports: dict[str, int]
    images: Path
    user: str


@pytest.fixture(scope="module")
def farm(cluster: dict[str, Any]) -> Iterator[Farm]:
    user = cluster["users"][0]
    place = Path(tempfile.mkdtemp(prefix="slurmdash-farm-", dir=pwd.getpwnam(user).pw_dir))
    place.chmod(0o755)
    own = Sshd(place / "sshd")
    ports = {f"bench{number:03}": free_port() for number in range(NODES)}
    base = own.folder.joinpath("sshd_config").read_text().replace("MaxStartups 100:30:200", "MaxStartups 500")
    entries, keys = [], []
    first = own.port
    for name, own.port in ports.items():
        entries.append(own.host_entry(name).replace("User root", f"User {user}"))
        keys.append(f"[127.0.0.1]:{own.port} {own.public_key}\n")
    own.config.write_text("".join(entries))
    own.known_hosts.write_text("".join(keys))
    daemons = []
    for start in range(0, NODES, _PORTS_EACH):
        some = list(ports.values())[start : start + _PORTS_EACH]
        file = own.folder / f"sshd_config.{start}"
        file.write_text(base.replace(f"Port {first}\n", "".join(f"Port {port}\n" for port in some)))
        daemons.append(subprocess.Popen([own.sshd, "-D", "-f", file], stderr=subprocess.DEVNULL))
    try:
        _wait_for(ports.values())
        yield Farm(place, own.config, own.known_hosts, ports, _make_images(cluster, place / "images"), user)
    finally:
        for daemon in daemons:
            daemon.terminate()
            daemon.wait(10)
        subprocess.run(["rm", "-rf", place], check=True)


def _wait_for(ports: Any) -> None:
    for port in ports:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)  # until it listens
        else:
            raise AssertionError(f"no sshd on {port}")


def _make_images(cluster: dict[str, Any], folder: Path) -> Path:
    """Fifty images that differ in their labels: what is worked out of one is of no use for the next."""
    folder.mkdir()
    model = (Path(cluster["state"]) / "images" / "openfoam-v2406.sif").read_bytes()
    for number in range(IMAGES):
        (folder / f"solver-{number:02}.sif").write_bytes(
            model.replace(b'"mpi":"true"', b'"mpi":"%04d"' % number)
        )
    assert len({path.read_bytes() for path in folder.iterdir()}) == IMAGES
    return folder


def _bare(farm: Farm) -> float:
    """Seconds for a connection and one command on each node, with paramiko and nothing else."""
    key = paramiko.PKey.from_path(str(farm.place / "sshd" / "user_key"))
    host_key = paramiko.PKey.from_path(str(farm.place / "sshd" / "host_key"))

    def one(port: int) -> None:
        client = paramiko.SSHClient()
        client.get_host_keys().add(f"[127.0.0.1]:{port}", host_key.get_name(), host_key)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            "127.0.0.1", port=port, username=farm.user, pkey=key, allow_agent=False, look_for_keys=False
        )
        _, out, _ = client.exec_command("true")
        assert out.channel.recv_exit_status() == 0
        client.close()

    gc.collect()  # what was thrown away before is not theirs
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, farm.ports.values()))
    return time.perf_counter() - start


def _scan(farm: Farm, place: Path) -> float:
    """Seconds for a first scan: connections, listings, every image read, all rows written."""
    connector = SshConnector(str(farm.config), str(farm.known_hosts), 20.0)
    database = Database(f"sqlite:///{place / 'db.sqlite'}")
    database.upgrade()
    catalog = Catalog(
        ImageTable(database),
        EventBus(),
        connector.connect,
        lambda: {name: ["compute"] for name in farm.ports},
        image_dirs=[str(farm.images)],
        workers=WORKERS,
        is_local=lambda node: False,
    )
    try:
        gc.collect()  # a new database leaves as much behind as a scan
        start = time.perf_counter()
        scan = catalog.scan()
        took = time.perf_counter() - start
        assert [node.images for node in scan.nodes] == [IMAGES] * NODES, scan.nodes
        return took
    finally:
        catalog.close()
        connector.close()
        database.close()


def test_a_scan_costs_little_more_than_its_connections(farm: Farm, tmp_path: Path) -> None:
    bare, ours = [], []
    for number in range(ROUNDS):
        bare.append(_bare(farm))
        place = tmp_path / str(number)
        place.mkdir()
        ours.append(_scan(farm, place))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"\n{NODES} nodes x {IMAGES} images: bare paramiko {statistics.median(bare):.2f} s, our scan"
        f" {statistics.median(ours):.2f} s: {ratio:.2f} times as long"
    )
    assert ratio <= 1.5


_ASKER = """
import http.client, json, sys, time
host, port, root, token, paths = json.loads(sys.stdin.readline())
connection = http.client.HTTPConnection(host, port, timeout=30)
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + float(sys.argv[1])
took = []
while time.monotonic() < end:
    for path in paths:
        start = time.perf_counter()
        connection.request("GET", root + path, headers={"Authorization": "token " + token})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        took.append((path, time.perf_counter() - start))
        time.sleep(0.02)
print(json.dumps(took))
"""
_PATHS = [
    "/api/apptainer/images?limit=50",
    "/api/v2/templates?limit=20",
    "/api/v2/templates/categories",
    "/api/v2/templates/tags",
]


def test_the_api_answers_while_a_scan_runs(farm: Farm, tmp_path: Path) -> None:
    settings = {
        **private_values(tmp_path),
        "ssh_config_file": str(farm.config),
        "known_hosts_file": str(farm.known_hosts),
        "connect_timeout": 20.0,
        "nodes": {name: ["compute"] for name in farm.ports},
        "image_dirs": [str(farm.images)],
        "image_ttl": 0.0,
    }
    server = Live(tmp_path, settings, {})
    try:
        server.dash.catalog.scan()
        asker = subprocess.Popen(
            [sys.executable, "-c", _ASKER, "8"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert asker.stdin is not None
        assert asker.stdout is not None
        asker.stdin.write(json.dumps([server.host, server.port, server.root, server.token, _PATHS]) + "\n")
        asker.stdin.flush()
        assert asker.stdout.readline() == "ready\n"
        asker.stdin.write("\n")
        asker.stdin.flush()
        scans = 0
        while asker.poll() is None and scans < 20:
            for path in farm.images.iterdir():
                os.utime(path)  # so that every image is read again
            server.dash.catalog.scan()
            scans += 1
        took = json.loads(asker.communicate(timeout=60)[0])
    finally:
        server.stop()
    times = sorted(seconds for _, seconds in took)
    p95 = times[int(len(times) * 0.95)]
    print(f"\n{scans} scans, {len(times)} requests meanwhile: p95 {p95 * 1000:.0f} ms")
    for path in _PATHS:
        own = sorted(seconds for each, seconds in took if each == path)
        print(
            f"  {path}: median {own[len(own) // 2] * 1000:.0f} ms, p95 {own[int(len(own) * 0.95)] * 1000:.0f} ms"
        )
    assert p95 < 0.05
