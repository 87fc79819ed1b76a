"""The catalogue: scans, grouping, filters, vanished images, nodes in trouble. Each node is a folder of this machine."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sif_writer as writer
import sqlalchemy as sa
from folder_cluster import Cluster, Folder

from jupyter_slurmdash.errors import (
    DatabaseUnavailable,
    ImageNotFound,
    InvalidInput,
    ScanNotFound,
    SchedulerUnavailable,
    TransportError,
)
from jupyter_slurmdash.images.catalog import SCHEDULER, SHARED
from jupyter_slurmdash.images.sharing import LEASE
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.store.tables import image_facts
from jupyter_slurmdash.transport.base import FileStat


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.catalog.close()
    made.database.close()


def test_scan_groups_and_tells(cluster: Cluster) -> None:
    for node in cluster.partitions:
        cluster.put(node, "tools-1.0.sif", labels={"description": "Tools"}, apps={"run": {}})
    cluster.put("viz001", "desk.sif")
    scan = cluster.catalog.scan()
    assert scan.status == "finished"
    assert [(node.node, node.status, node.images) for node in scan.nodes] == [
        ("node001", "ok", 1),
        ("node002", "ok", 1),
        ("viz001", "ok", 2),
    ]
    desk, tools = cluster.catalog.images()
    assert (desk.name, desk.nodes, desk.type) == ("desk.sif", ("viz001",), "viz")
    assert (tools.nodes, tools.partitions) == (("node001", "node002", "viz001"), ("compute", "viz"))
    assert (tools.type, tools.version, tools.description) == ("compute", "1.0", "Tools")
    assert [event.type for event in cluster.events] == [
        "scan_started",
        *["scan_progress"] * 3,
        "scan_finished",
    ]
    last = cluster.events[-1]
    assert last.durable
    assert dict(last.data) == {"scan_id": scan.id, "status": "finished", "images": 4, "failed": 0}
    assert all(transport.closed == 1 for transport in cluster.transports.values())


def test_different_files_of_one_name_stay_apart(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif", labels={"version": "1.9"})
    cluster.put("node002", "a.sif", labels={"version": "1.10"})
    cluster.catalog.scan()
    assert [image.version for image in cluster.catalog.images()] == ["1.10", "1.9"]


def test_what_has_not_changed_is_not_read_again(cluster: Cluster) -> None:
    file = cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    first = cluster.catalog.images()[0]
    cluster.now += 10
    cluster.catalog.scan()
    assert cluster.heads == 1
    again = cluster.catalog.images()[0]
    assert (again.updated_at, again.last_scanned) == (first.updated_at, cluster.now)
    cluster.now += 10
    file.write_bytes(writer.image(labels={"version": "2"}))
    cluster.catalog.scan()
    changed = cluster.catalog.images()[0]
    assert cluster.heads == 2
    assert (changed.version, changed.created_at, changed.updated_at) == ("2", first.created_at, cluster.now)
    assert changed.id == first.id


def test_a_file_with_a_problem_is_read_again(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif", b"note")
    cluster.catalog.scan()
    cluster.catalog.scan()
    assert cluster.heads == 2
    assert cluster.catalog.images()[0].facts.problem
    assert cluster.catalog.find_by_name("a.sif") is None


def test_vanished_and_back(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif")
    cluster.put("node002", "a.sif")
    cluster.catalog.scan()
    id = cluster.catalog.images()[0].id
    (cluster.place / "node001/images/a.sif").rename(cluster.place / "kept")
    cluster.catalog.scan()
    assert [image.nodes for image in cluster.catalog.images()] == [("node002",)]
    assert len(cluster.catalog.images(active=False)) == 2
    assert not cluster.catalog.image(id).is_active
    (cluster.place / "kept").rename(cluster.place / "node001/images/a.sif")
    cluster.catalog.scan()
    assert cluster.catalog.image(id).is_active
    assert cluster.catalog.images()[0].nodes == ("node001", "node002")


def test_one_bad_node_costs_nothing_but_itself(cluster: Cluster) -> None:
    for node in cluster.partitions:
        cluster.put(node, "a.sif")
    cluster.catalog.scan()
    cluster.now += 1
    cluster.trouble["node002"] = TransportError("node002 refused the connection.", "refused")
    scan = cluster.catalog.scan()
    assert scan.status == "finished"
    assert [(error.node, error.reason) for error in cluster.catalog.node_errors()] == [("node002", "refused")]
    assert cluster.catalog.images()[0].nodes == ("node001", "node002", "viz001"), "what is not known stays"
    cluster.now += 1
    cluster.trouble.clear()
    cluster.catalog.scan(["node002"])
    assert cluster.catalog.node_errors() == []


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO])
def test_a_broken_file_system_costs_its_node_only(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def broken(*args: object, **options: object) -> list[FileStat]:
        raise OSError(number, os.strerror(number))

    cluster.put("node002", "a.sif")
    monkeypatch.setattr(cluster.connect("node001"), "list_files", broken)
    scan = cluster.catalog.scan()
    assert [(node.status, node.reason) for node in scan.nodes] == [
        ("failed", "io"),
        ("ok", None),
        ("ok", None),
    ]
    assert os.strerror(number) in str(scan.nodes[0].message)
    assert [image.name for image in cluster.catalog.images()] == ["a.sif"]


def test_errors_of_other_nodes_outlive_a_scan_of_one(cluster: Cluster) -> None:
    cluster.trouble["node002"] = TransportError("no", "auth")
    cluster.catalog.scan()
    cluster.catalog.scan(["node001"])
    assert [error.to_json() for error in cluster.catalog.node_errors()] == [
        {"node": "node002", "reason": "auth", "message": "no"}
    ]


def test_no_directory(cluster: Cluster) -> None:
    cluster.put("viz001", "a.sif")
    cluster.catalog.scan()
    cluster.now += 1
    (cluster.place / "viz001/images").rename(cluster.place / "viz001/moved")
    cluster.catalog.scan()
    [error] = cluster.catalog.node_errors()
    assert (error.node, error.reason) == ("viz001", "no-directory")
    assert "/images" in error.message
    assert cluster.catalog.images() == []


def test_one_of_two_directories(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif")
    catalog = cluster.make(image_dirs=["/images", "/other"])
    scan = catalog.scan(["node001"])
    assert (scan.nodes[0].status, scan.nodes[0].message) == ("ok", "There is no directory /other.")


def test_a_closed_directory_says_nothing_of_its_images(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("node001", "a.sif")
    cluster.catalog.scan()

    def closed(*args: object, **options: object) -> list[FileStat]:
        raise PermissionError("closed")

    cluster.now += 1
    monkeypatch.setattr(cluster.transports["node001"], "list_files", closed)
    cluster.catalog.scan()
    assert [error.reason for error in cluster.catalog.node_errors()] == ["permission"]
    assert len(cluster.catalog.images()) == 1


def test_a_hanging_node_costs_its_own_time_out(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for node in cluster.partitions:
        cluster.put(node, "a.sif")
    release = threading.Event()
    aborted = threading.Event()
    hanging = cluster.connect("node001")
    monkeypatch.setattr(hanging, "list_files", lambda *args, **options: release.wait(20) and [])
    hanging.abort = aborted.set  # type: ignore[attr-defined]
    catalog = cluster.make(node_timeout=0.3, workers=1)
    start = time.monotonic()
    scan = catalog.scan()
    assert time.monotonic() - start < 3
    release.set()
    assert [(node.status, node.reason) for node in scan.nodes] == [
        ("failed", "timeout"),
        ("ok", None),
        ("ok", None),
    ]
    assert aborted.is_set()
    assert catalog.images()[0].nodes == ("node002", "viz001")


def test_a_node_that_leaves_the_cluster(cluster: Cluster) -> None:
    for node in cluster.partitions:
        cluster.put(node, "a.sif")
    cluster.catalog.scan()
    del cluster.partitions["viz001"]
    cluster.catalog.scan()
    assert cluster.catalog.images()[0].nodes == ("node001", "node002")


def facts_kept(cluster: Cluster) -> int:
    with cluster.database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(image_facts)) or 0)


def test_what_images_say_is_kept_once_and_no_longer_than_they_say_it(cluster: Cluster) -> None:
    for node in cluster.partitions:
        cluster.put(node, "a.sif", labels={"version": "1"})
        cluster.put(node, "same-as-a.sif", labels={"version": "1"})
    cluster.catalog.scan()
    assert facts_kept(cluster) == 1
    for node in cluster.partitions:
        cluster.put(node, "a.sif", labels={"version": "2"})
    cluster.now += 1
    cluster.catalog.scan()
    assert facts_kept(cluster) == 2
    for node in cluster.partitions:
        cluster.put(node, "same-as-a.sif", labels={"version": "2"})
    cluster.now += 1
    cluster.catalog.scan()
    assert facts_kept(cluster) == 1
    assert [image.version for image in cluster.catalog.images()] == ["2", "2"]


def test_facts_that_are_lost_are_read_again(cluster: Cluster) -> None:
    """As when two servers believed that they held the lease."""
    cluster.put("node001", "a.sif", labels={"version": "1"})
    cluster.catalog.scan()
    (before,) = cluster.catalog.images()
    with cluster.database.write() as connection:
        connection.execute(sa.delete(image_facts))
    another = cluster.make()
    (lost,) = another.images()
    assert (lost.facts.labels, lost.facts.complete) == ({}, False)
    cluster.now += 1
    another.scan()
    (again,) = another.images()
    assert again.facts == before.facts


def test_a_node_that_changes_its_partition(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    cluster.partitions["node001"] = ["viz"]
    cluster.now += 1
    cluster.catalog.scan()
    assert [(image.type, image.partitions) for image in cluster.catalog.images()] == [("viz", ("viz",))]
    assert cluster.heads == 1


@pytest.mark.parametrize("replaced", ["a.sif", "c.sif"])
def test_a_new_partition_and_a_new_file_at_once(cluster: Cluster, replaced: str) -> None:
    """Of the one only some columns are written, of the other all, whichever comes first."""
    for name in ("a.sif", "b.sif", "c.sif"):
        cluster.put("node001", name, labels={"version": "1"})
    cluster.catalog.scan()
    cluster.partitions["node001"] = ["debug"]
    cluster.put("node001", replaced, labels={"version": "2", "new": "yes"})
    cluster.now += 10
    assert cluster.catalog.scan().status == "finished"
    found = {image.name: image for image in cluster.catalog.images()}
    assert {image.partitions for image in found.values()} == {("debug",)}
    assert found.pop(replaced).version == "2"
    assert {image.version for image in found.values()} == {"1"}


def test_without_the_scheduler(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.sif").write_bytes(writer.image())
    cluster.scheduler_down = True
    catalog = cluster.make(shared_image_dirs=[str(tmp_path / "shared")])
    scan = catalog.scan()
    assert scan.status == "failed"
    assert [(node.node, node.status) for node in scan.nodes] == [(SCHEDULER, "failed"), (SHARED, "ok")]
    assert [error.reason for error in catalog.node_errors()] == ["scheduler-unavailable"]
    assert [image.nodes for image in catalog.images(partition="anything")] == [(SHARED,)]
    with pytest.raises(SchedulerUnavailable):
        catalog.scan(["node001"])
    with pytest.raises(ImageNotFound):
        catalog.on_node("node001")


def test_shared_directories_belong_to_all_partitions(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.sif").write_bytes(writer.image())
    catalog = cluster.make(shared_image_dirs=[str(tmp_path / "shared")], image_dirs=[])
    assert [node.node for node in catalog.scan().nodes] == [SHARED]
    assert catalog.images(partition="viz")[0].partitions == ("compute", "viz")


def test_this_machine_needs_no_ssh(cluster: Cluster, tmp_path: Path) -> None:
    cluster.partitions = {"localhost": ["local"]}
    cluster.trouble["localhost"] = TransportError("never asked", "auth")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.sif").write_bytes(writer.image())
    catalog = cluster.make(image_dirs=[str(tmp_path / "here")], is_local=None)
    assert catalog.scan().nodes[0].status == "ok"


def test_filters(cluster: Cluster) -> None:
    cluster.put(
        "node001", "torch-2.sif", labels={"framework": "PyTorch", "gpu": "required"}, apps={"train": {}}
    )
    cluster.put("node002", "foam.sif", labels={"description": "Strömung"}, apps={"mesh": {}})
    cluster.put("viz001", "vnc.sif")
    cluster.catalog.scan()

    def names(**filters: str) -> list[str]:
        return [image.name for image in cluster.catalog.images(**filters)]  # type: ignore[arg-type]

    assert names(partition="compute") == ["foam.sif", "torch-2.sif"]
    assert names(type="viz") == ["vnc.sif"]
    assert names(node="node002") == ["foam.sif"]
    assert names(app="train") == ["torch-2.sif"]
    assert names(q="pytorch REQUIRED") == ["torch-2.sif"]
    assert names(q="strömung") == ["foam.sif"]
    assert names(q="mesh") == ["foam.sif"]
    assert names(q="nothing") == []
    assert names(partition="compute", q="torch", app="mesh") == []


def test_find_by_name(cluster: Cluster) -> None:
    cluster.put("node001", "Tools.sif", labels={"version": "1.9"})
    cluster.put("viz001", "Tools.sif", labels={"version": "1.10"})
    cluster.catalog.scan()
    find = cluster.catalog.find_by_name
    for name in ("Tools.sif", "Tools", "tools.sif"):
        found = find(name)
        assert found is not None
        assert found.version == "1.10"
    in_compute = find("Tools", "compute")
    assert in_compute is not None
    assert in_compute.version == "1.9"
    assert find("Tools", "gpu") is None
    assert find("Too") is None
    assert find("Tools", "gpu,compute") == in_compute
    assert find("Tools", "gpu,login") is None


def test_what_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(ImageNotFound):
        cluster.catalog.image("00000000-0000-0000-0000-000000000000")
    with pytest.raises(ImageNotFound):
        cluster.catalog.on_node("node999")
    assert cluster.catalog.on_node("node001") == []
    with pytest.raises(ScanNotFound):
        cluster.catalog.get_scan("x")
    with pytest.raises(InvalidInput, match="node999"):
        cluster.catalog.scan(["node001", "node999"])


def test_ttl(cluster: Cluster) -> None:
    catalog = cluster.make(ttl=3600)
    assert catalog.scanned_at() is None
    started = catalog.refresh_if_stale()
    assert started is not None
    catalog.scan()
    assert catalog.scanned_at() == cluster.now
    cluster.now += 3599
    assert catalog.refresh_if_stale() is None
    cluster.now += 1
    assert catalog.refresh_if_stale() is not None
    catalog.close()


def test_a_failed_scan_is_tried_again_sooner(cluster: Cluster) -> None:
    cluster.scheduler_down = True
    cluster.catalog.scan()
    assert cluster.catalog.refresh_if_stale() is None
    cluster.now += 60
    assert cluster.catalog.refresh_if_stale() is not None


def test_one_scan_at_a_time(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    hanging = cluster.connect("node001")
    monkeypatch.setattr(hanging, "list_files", lambda *args, **options: release.wait(20) and [])
    first = cluster.catalog.start_scan()
    assert cluster.catalog.scanning
    assert cluster.catalog.start_scan(["viz001"]).id == first.id
    assert cluster.catalog.get_scan(first.id).status == "running"
    release.set()
    assert cluster.catalog.scan().status == "finished"


def test_who_looks_after_a_scan_does_not_read_the_table_for_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster.catalog.images() == []
    cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    monkeypatch.setattr(ImageTable, "all", lambda table: pytest.fail("the scan has read it already"))
    assert [image.name for image in cluster.catalog.images()] == ["a.sif"]


def test_who_looks_for_the_first_time_during_a_scan_does_not_wait_for_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among a scan's threads, to read the table takes fifty times as long as before it."""
    cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    another, began, goes_on = cluster.make(), threading.Event(), threading.Event()
    list_files = Folder.list_files

    def held(self: Folder, *args: Any, **options: Any) -> list[FileStat]:
        began.set()
        assert goes_on.wait(20)
        return list_files(self, *args, **options)

    monkeypatch.setattr(Folder, "list_files", held)
    another.start_scan()
    assert began.wait(20)
    with monkeypatch.context() as patch:
        patch.setattr(ImageTable, "all", lambda table: pytest.fail("it was read before the first node"))
        assert [image.name for image in another.images()] == ["a.sif"]
    goes_on.set()
    another.scan()
    another.close()


def test_the_scan_of_a_process_that_died(cluster: Cluster) -> None:
    row = {"id": "dead", "status": "running", "started_at": cluster.now, "finished_at": None}
    row["nodes"] = {"full": True, "nodes": []}
    ImageTable(cluster.database).begin_scan(row, cluster.now, LEASE)
    assert cluster.catalog.get_scan("dead").status == "running"
    assert cluster.catalog.start_scan().id == "dead"
    cluster.now += LEASE
    assert cluster.catalog.scan().status == "finished", "nobody waits for the dead"
    assert cluster.catalog.get_scan("dead").status == "failed"


def test_old_scans_are_forgotten(cluster: Cluster) -> None:
    first = cluster.catalog.scan()
    for _ in range(51):
        cluster.now += 1
        last = cluster.catalog.scan(["node001"])
    assert cluster.catalog.get_scan(last.id).to_json()["status"] == "finished"
    with pytest.raises(ScanNotFound):
        cluster.catalog.get_scan(first.id)


def test_another_process_sees_the_same(cluster: Cluster) -> None:
    other = cluster.make()
    assert other.images() == []
    cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    assert other.images() == cluster.catalog.images()
    assert other.scanned_at() == cluster.now


def test_awkward_names(cluster: Cluster, awkward: str) -> None:
    name = awkward.replace("/", "-").encode()[:240].decode("utf-8", "ignore").lstrip(".") + ".sif"
    cluster.put("node001", name, labels={awkward: awkward}, apps={awkward: {}})
    cluster.catalog.scan()
    [image] = cluster.catalog.images()
    assert (image.name, image.facts.labels) == (name, {awkward: awkward})
    assert image.to_json()["apps"] == [awkward]
    assert image.metadata_json()["labels"] == {awkward: awkward}


def test_hidden_and_unwritable_names_are_left_out(cluster: Cluster) -> None:
    cluster.put("node001", ".half.sif")
    cluster.put("node001", "caf\udce9.sif")
    scan = cluster.catalog.scan(["node001"])
    assert cluster.catalog.images() == []
    assert "not UTF-8" in str(scan.nodes[0].message)


def test_a_fault_of_ours_ends_the_scan(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*args: object, **options: object) -> list[FileStat]:
        raise ZeroDivisionError

    monkeypatch.setattr(cluster.connect("node001"), "list_files", fault)
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda info: seen.append(info.exc_type))
    assert cluster.catalog.scan().status == "failed"
    assert seen == [ZeroDivisionError]
    assert not cluster.catalog.scanning


def test_a_scan_whose_end_cannot_be_recorded_is_over_all_the_same(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(self: ImageTable, row: Mapping[str, Any]) -> None:
        raise DatabaseUnavailable("The database is locked.")

    monkeypatch.setattr(ImageTable, "end_scan", locked)
    monkeypatch.setattr(threading, "excepthook", lambda info: None)
    cluster.catalog.scan()
    assert not cluster.catalog.scanning
    monkeypatch.undo()
    assert cluster.catalog.scan().status == "finished"


def test_a_scan_begins_before_the_scheduler_answers(cluster: Cluster) -> None:
    answer, nodes = threading.Event(), cluster.nodes

    def slowly() -> Mapping[str, Sequence[str]]:
        assert answer.wait(20)
        return nodes()

    cluster.nodes = slowly  # type: ignore[method-assign]
    catalog = cluster.make()
    first = catalog.refresh_if_stale()
    assert first is not None
    assert (first.nodes, catalog.scanning) == ((), True)
    assert catalog.refresh_if_stale() == first
    answer.set()
    assert [node.status for node in catalog.scan().nodes] == ["ok"] * 3
