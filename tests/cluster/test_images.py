"""Real images made by real Apptainer, on nodes with a real sshd each."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sif_writer as writer

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.images.model import SifFacts
from jupyter_slurmdash.images.probe import probe_node
from jupyter_slurmdash.images.sif import HEAD_SIZE, read_sif
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.transport.ssh import SshConnector

ROOT = Path(__file__).resolve().parents[2]


class World:
    """A catalogue of the real cluster, with files of its own for the SSH client."""

    def __init__(self, cluster: dict[str, Any], place: Path) -> None:
        self.cluster = cluster
        self.known_hosts = place / "known_hosts"
        self.known_hosts.write_text(Path(cluster["known_hosts"]).read_text())
        self.config = place / "config"
        self.config.write_text(Path(cluster["ssh_config"]).read_text())
        self.connector = SshConnector(str(self.config), str(self.known_hosts), connect_timeout=1.0)
        self.database = Database(f"sqlite:///{place / 'db.sqlite'}")
        self.database.upgrade()
        self.nodes = {name: [facts["partition"]] for name, facts in cluster["nodes"].items()}
        self.catalog = Catalog(
            ImageTable(self.database),
            EventBus(),
            self.connector.connect,
            lambda: self.nodes,
            image_dirs=[cluster["image_dir"]],
            node_timeout=10.0,
        )

    def on(self, node: str) -> set[str]:
        return {image.name for image in self.catalog.images(node=node)}

    def errors(self) -> dict[str, str]:
        return {error.node: error.reason for error in self.catalog.node_errors()}

    def close(self) -> None:
        self.catalog.close()
        self.connector.close()
        self.database.close()


@pytest.fixture
def world(cluster: dict[str, Any], tmp_path: Path) -> Iterator[World]:
    made = World(cluster, tmp_path)
    yield made
    made.close()


def _files(cluster: dict[str, Any], node: str) -> dict[str, Path]:
    folder = Path(cluster["nodes"][node]["images"])
    return {path.name: path for path in folder.glob("*.sif")}


def _inspect(cluster: dict[str, Any], node: str, name: str) -> dict[str, Any] | None:
    """What Apptainer on the node says of its image; None when it refuses it. (On the node, since an image without
    metadata is started for it, which the kernel refuses to this process where the tests run in a chroot.)"""
    path = shlex.quote(f"{cluster['image_dir']}/{name}")
    done = subprocess.run(
        ["ssh", "-F", cluster["ssh_config"], node, f"apptainer inspect --json --all {path}"],
        capture_output=True,
        check=False,
    )
    return json.loads(done.stdout)["data"]["attributes"] if done.returncode == 0 else None


def _read(path: Path) -> tuple[SifFacts, int]:
    bytes_read = 0
    with path.open("rb", buffering=0) as file:

        def read(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
            nonlocal bytes_read
            bytes_read += sum(length for _, length in ranges)
            return [os.pread(file.fileno(), length, offset) for offset, length in ranges]

        return read_sif(read, path.stat().st_size), bytes_read


def test_every_field_is_what_apptainer_inspect_says(cluster: dict[str, Any]) -> None:
    found = {name: (node, path) for node in cluster["nodes"] for name, path in _files(cluster, node).items()}
    compared = 0
    for node, path in found.values():
        facts, bytes_read = _read(path)
        assert bytes_read <= (256 if path.name == "legacy-singularity.sif" else 64) * 1024
        if not facts.complete or facts.problem is not None:
            continue
        said = _inspect(cluster, node, path.name)
        assert said is not None, path
        assert facts.labels == said.get("labels", {})
        assert facts.environment_scripts == said.get("environment", {})
        assert facts.runscript == said.get("runscript", "")
        assert facts.startscript == said.get("startscript", "")
        assert facts.test == said.get("test", "")
        assert facts.help == said.get("helpfile", "")
        assert facts.deffile == said.get("deffile", "").rstrip("\n")
        apps = said.get("apps") or {}
        assert {app.name for app in facts.apps} == set(apps)
        for app in facts.apps:
            assert app.runscript == apps[app.name].get("runscript", "")
            assert app.help == apps[app.name].get("helpfile", "")
            assert app.labels == apps[app.name].get("labels", {})
        compared += 1
    assert compared >= 4


def test_every_field_is_the_same_without_the_metadata_object(cluster: dict[str, Any], tmp_path: Path) -> None:
    """A copy without ``inspect-metadata.json`` is read from its squashfs: as Singularity 2 and 3 left images."""
    paths = {path.name: path for node in cluster["nodes"] for path in _files(cluster, node).values()}
    compared = 0
    for path in paths.values():
        data = path.read_bytes()
        facts, _ = _read(path)
        if not facts.complete or facts.problem is not None or b"inspect-metadata.json" not in data:
            continue
        copy = tmp_path / path.name
        copy.write_bytes(writer.without(data, writer.JSON))
        found, bytes_read = _read(copy)
        assert bytes_read <= 256 * 1024
        assert found == facts, path
        compared += 1
    assert compared >= 8


def test_an_image_without_metadata_is_read_over_ssh(world: World) -> None:
    world.catalog.scan(["node001", "node002"])
    old = world.catalog.find_by_name("legacy-singularity.sif")
    new = world.catalog.find_by_name("KooSimulationPython313.sif")
    assert old is not None
    assert new is not None
    assert old.facts.complete
    assert old.facts == new.facts


def test_every_node_shows_its_own_images(world: World) -> None:
    scan = world.catalog.scan()
    assert scan.status == "finished"
    assert world.errors() == {}
    for node in world.nodes:
        assert world.on(node) == set(_files(world.cluster, node))
    assert world.on("node001") != world.on("viz-node001")
    tools = world.catalog.find_by_name("python-tools.sif")
    assert tools is not None
    assert len(tools.nodes) >= 4


def test_no_process_is_started_and_nothing_is_read_twice(world: World) -> None:
    world.catalog.scan()
    times = {image.id: image.updated_at for image in world.catalog.images()}
    start = time.monotonic()
    world.catalog.scan()
    assert time.monotonic() - start < 2
    assert {image.id: image.updated_at for image in world.catalog.images()} == times
    for node in world.nodes:
        record = Path(world.cluster["state"]) / "run" / f"sshd-{node}.json"
        assert _programs_below(json.loads(record.read_text())["pid"]) <= {"sshd"}


def _programs_below(pid: int) -> set[str]:
    """Names of the processes that descend from one; our own connections are still open and idle."""
    found = [pid]
    names = set()
    for parent in found:
        done = subprocess.run(
            ["ps", "-o", "pid=,comm=", "--ppid", str(parent)], capture_output=True, text=True, check=False
        )
        for line in done.stdout.splitlines():
            child, name = line.split(maxsplit=1)
            found.append(int(child))
            names.add(name)
    return names


def test_a_stopped_sshd_is_named_and_costs_no_other_node(world: World) -> None:
    subprocess.run([ROOT / "dev/cluster", "stop-sshd", "node004"], check=True, capture_output=True)
    try:
        world.catalog.scan()
        assert world.errors() == {"node004": "refused"}
        assert world.on("node001") == set(_files(world.cluster, "node001"))
    finally:
        subprocess.run([ROOT / "dev/cluster", "start-sshd", "node004"], check=True, capture_output=True)
    world.catalog.scan(["node004"])
    assert world.errors() == {}


def test_unknown_and_changed_host_keys_are_refused(world: World) -> None:
    lines = world.known_hosts.read_text().splitlines(keepends=True)
    own = {line.split(",")[0]: line for line in lines}
    rest = [line for line in lines if not line.startswith(("node002,", "node003,"))]
    swapped = "node003," + own["node001"].split(",", 1)[1]
    world.known_hosts.write_text("".join([*rest, swapped]))
    world.catalog.scan()
    assert world.errors() == {"node002": "unknown-host-key", "node003": "host-key"}
    assert world.on("node002") == set()
    assert world.on("node001") == set(_files(world.cluster, "node001"))


def test_a_hanging_node_costs_its_own_time_out(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        text = world.config.read_text().replace(
            f"Port {world.cluster['nodes']['node003']['ssh_port']}", f"Port {port}"
        )
        world.config.write_text(text)
        start = time.monotonic()
        scan = world.catalog.scan()
        assert time.monotonic() - start < 3
    assert world.errors() == {"node003": "timeout"}
    assert all(node.seconds < 1 for node in scan.nodes if node.node != "node003")


def test_a_frozen_sshd_is_a_time_out(world: World) -> None:
    record = Path(world.cluster["state"]) / "run" / "sshd-node003.json"
    listener = json.loads(record.read_text())["pid"]
    os.kill(listener, signal.SIGSTOP)
    try:
        world.catalog.scan()
        assert world.errors() == {"node003": "timeout"}
    finally:
        os.kill(listener, signal.SIGCONT)


def test_a_new_and_a_removed_image(world: World) -> None:
    files = _files(world.cluster, "node003")
    added = next(iter(files.values())).with_name("slurmdash-test-added.sif")
    world.catalog.scan()
    try:
        shutil.copyfile(files["python-tools.sif"], added)
        world.catalog.scan(["node003"])
        assert added.name in world.on("node003")
    finally:
        added.unlink()
    world.catalog.scan(["node003"])
    assert added.name not in world.on("node003")
    gone = [image for image in world.catalog.images(active=False) if not image.is_active]
    assert [image.name for image in gone] == [added.name]


def test_figures(world: World, record_property: Any) -> None:
    """Not a bound, but what the report quotes: milliseconds an image, here and over SSH."""
    paths = [path for path in _files(world.cluster, "node001").values() if path.stat().st_size > HEAD_SIZE]
    start = time.perf_counter()
    for _ in range(50):
        for path in paths:
            _read(path)
    local = (time.perf_counter() - start) / 50 / len(paths) * 1000
    transport = world.connector.connect("node001")
    cluster_dir = world.cluster["image_dir"]
    transport.list_files(cluster_dir, ".sif")
    start = time.perf_counter()
    probe = probe_node(transport, [cluster_dir], {})
    remote = (time.perf_counter() - start) / len(probe.found) * 1000
    transport.close()
    record_property("local_ms", round(local, 3))
    record_property("ssh_ms", round(remote, 3))
    print(f"\nlocal {local:.3f} ms, ssh {remote:.3f} ms an image")
