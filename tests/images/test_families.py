"""Families, whereabouts, types that a site sets, readers that have learnt something: as a catalogue shows them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sif_writer as writer
import sqlalchemy as sa
from folder_cluster import Cluster
from stopwatch import stopwatch

from jupyter_slurmdash.errors import ImageNotFound, TransportError
from jupyter_slurmdash.images import records
from jupyter_slurmdash.images.breaker import OPEN
from jupyter_slurmdash.images.model import SifFacts, image_id
from jupyter_slurmdash.images.rules import type_rules
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.store.tables import image_facts
from jupyter_slurmdash.store.tables import images as table


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.catalog.close()
    made.database.close()


def test_families(cluster: Cluster) -> None:
    for version in ("1.9", "1.10"):
        cluster.put("node001", f"tools-{version}.sif", labels={"version": version})
    cluster.put("node002", "tools-1.10.sif", labels={"version": "1.10"})
    cluster.put("viz001", "desk_2.sif")
    cluster.catalog.scan()
    desk, tools = cluster.catalog.families()
    assert (desk.name, [image.version for image in desk.versions]) == ("desk", ["2"])
    assert [(image.version, image.nodes) for image in tools.versions] == [
        ("1.10", ("node001", "node002")),
        ("1.9", ("node001",)),
    ]
    assert [family.name for family in cluster.catalog.families(partition="viz")] == ["desk"]
    assert cluster.catalog.families(q="1.9 tools")[0].to_json()["versions"][0]["name"] == "tools-1.9.sif"


def test_where(cluster: Cluster) -> None:
    cluster.put("node001", "a.sif")
    cluster.put("viz001", "b.sif")
    cluster.partitions["node002"] = ["compute", "big"]
    cluster.catalog.scan()
    a = next(image for image in cluster.catalog.images() if image.name == "a.sif")
    where = cluster.catalog.where(a.id)
    assert [(own.partition, own.nodes_with, own.nodes_without) for own in where.partitions] == [
        ("big", (), ("node002",)),
        ("compute", ("node001",), ("node002",)),
        ("viz", (), ("viz001",)),
    ]
    cluster.scheduler_down = True
    assert cluster.catalog.where(a.id).to_json() == {
        "id": a.id,
        "shared": False,
        "partitions": [{"partition": "compute", "nodes_with": ["node001"], "nodes_without": []}],
    }
    with pytest.raises(ImageNotFound):
        cluster.catalog.where("nothing")


def test_a_vanished_image_is_nowhere(cluster: Cluster) -> None:
    file = cluster.put("node001", "a.sif")
    cluster.catalog.scan()
    file.unlink()
    cluster.catalog.scan()
    [image] = cluster.catalog.images(active=False)
    assert all(own.nodes_with == () for own in cluster.catalog.where(image.id).partitions)


def test_a_shared_image_is_everywhere(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.sif").write_bytes(writer.image())
    cluster.put("node001", "b.sif")
    catalog = cluster.make(shared_image_dirs=[str(tmp_path / "shared")])
    catalog.scan()
    image = catalog.find_by_name("a")
    assert image is not None
    where = catalog.where(image.id)
    assert where.shared
    assert [(own.partition, own.nodes_with) for own in where.partitions] == [
        ("compute", ("node001", "node002")),
        ("viz", ("viz001",)),
    ]
    cluster.scheduler_down = True
    assert [(own.partition, own.nodes_with) for own in catalog.where(image.id).partitions] == [
        ("compute", ("node001",)),
        ("viz", ()),
    ]


def test_a_changed_rule_takes_effect_at_the_next_scan(cluster: Cluster) -> None:
    for node in ("node001", "node002"):
        cluster.put(node, "a.sif")
    cluster.catalog.scan()
    catalog = cluster.make(rules=type_rules([{"type": "custom", "name": "A*"}]))
    old = [row for node in ("node001", "node002") for row in ImageTable(cluster.database).of_node(node)]
    with cluster.database.write() as connection:
        connection.execute(sa.update(table).values(digest="sha256:1"))
    catalog._scanner._store.of_node = lambda node: [row for row in old if row["node"] == node]  # type: ignore[method-assign]
    assert [image.type for image in catalog.images()] == ["compute"]
    cluster.now += 1
    catalog.scan()
    assert [image.type for image in catalog.images()] == ["custom"]
    assert [image.type for image in cluster.catalog.images()] == ["custom"], "the others see what was scanned"
    assert cluster.heads == 2, "nothing was read again"
    assert cluster.catalog.images()[0].digest == "sha256:1", "written after the scan had looked at the rows"


def write_facts(cluster: Cluster, id: str, facts: dict[str, Any], **values: Any) -> None:
    key = uuid.uuid4().hex
    with cluster.database.write() as connection:
        connection.execute(sa.insert(image_facts).values(id=key, facts=facts))
        connection.execute(sa.update(table).where(table.c.id == id).values(facts_id=key, **values))


def test_a_newer_reader_reads_again_what_could_not_be_read(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("node001", "whole.sif")
    cluster.put("node001", "half.sif")
    cluster.catalog.scan()
    half, whole = cluster.catalog.images()
    facts = half.facts.to_dict()
    write_facts(cluster, half.id, facts, digest="sha256:1", updated_at=0.0)
    heads = cluster.heads
    cluster.now += 1
    cluster.catalog.scan()
    assert cluster.heads == heads + 1, "it is of a reader before they had numbers"
    again = cluster.catalog.image(half.id)
    assert (again.facts, again.digest) == (half.facts, "sha256:1")
    assert cluster.catalog.image(whole.id).updated_at == whole.updated_at
    write_facts(cluster, half.id, {**facts, "reader": records.READER_VERSION})
    cluster.catalog.scan()
    assert cluster.heads == heads + 1, "this reader can read no more of it"
    monkeypatch.setattr(records, "READER_VERSION", records.READER_VERSION + 1)
    cluster.catalog.scan()
    cluster.catalog.scan()
    assert cluster.heads == heads + 3, "a newer one reads both, once"


def test_a_node_that_does_not_answer_is_passed_over(cluster: Cluster) -> None:
    cluster.put("node002", "a.sif")
    cluster.catalog.scan()
    cluster.trouble["node002"] = TransportError("node002 refused the connection.", "refused")
    tried: list[str] = []
    connect = cluster.connect
    cluster.connect = lambda node: (tried.append(node), connect(node))[1]  # type: ignore[assignment,method-assign]
    catalog = cluster.make()
    reasons = []
    for _ in range(5):
        cluster.now += 1
        reasons.append({node.node: node.reason for node in catalog.scan().nodes}["node002"])
    assert reasons == ["refused"] * 3 + [OPEN] * 2
    assert tried.count("node002") == 3
    [error] = catalog.node_errors()
    assert (error.reason, "node002 refused the connection" in error.message) == (OPEN, True)
    assert [image.nodes for image in catalog.images()] == [("node002",)], "what is not known stays"
    assert [node.reason for node in catalog.scan(["node002"]).nodes] == ["refused"], "a name is always tried"
    cluster.trouble.clear()
    assert [node.status for node in catalog.scan(["node002"]).nodes] == ["ok"]
    assert [node.status for node in catalog.scan().nodes] == ["ok"] * 3


def test_a_node_is_tried_again_when_its_time_has_come(cluster: Cluster) -> None:
    cluster.trouble["node002"] = TransportError("no", "timeout")
    for _ in range(3):
        cluster.catalog.scan()
    cluster.now += 59
    assert [error.reason for error in cluster.catalog.node_errors()] == ["timeout"]
    cluster.catalog.scan()
    assert [error.reason for error in cluster.catalog.node_errors()] == [OPEN]
    cluster.now += 1
    cluster.trouble.clear()
    cluster.catalog.scan()
    assert cluster.catalog.node_errors() == []


def test_two_thousand_images_on_four_nodes(cluster: Cluster) -> None:
    store = ImageTable(cluster.database)
    for number in range(4):
        store.save_nodes([f"node{number}"], [_row(f"node{number}", index) for index in range(2000)], [], 1.0)
    with stopwatch() as first:
        assert len(cluster.catalog.images()) == 2000
    with stopwatch() as again:
        for _ in range(10):
            cluster.catalog.images()
    assert first.seconds < 4
    assert again.seconds / 10 < 0.02


def test_one_image_on_many_nodes_is_understood_once(cluster: Cluster) -> None:
    store = ImageTable(cluster.database)
    for number in range(4):
        store.save_nodes([f"node{number}"], [_row(f"node{number}", 1), _row(f"node{number}", 2)], [], 1.0)
    facts = {id(row["facts"]): row["facts"]["sif_id"] for row in store.all()}
    assert sorted(facts.values()) == ["1", "2"]
    assert [image.nodes for image in cluster.catalog.images()] == [tuple(f"node{n}" for n in range(4))] * 2


def test_ids_are_those_of_rfc_4122() -> None:
    for node, path in (("node001", "/opt/a.sif"), ("", ""), ("노드", "/opt/한글.sif")):
        name = f"{node}\n{path}"
        assert image_id(node, path) == str(
            uuid.uuid5(uuid.UUID("6f0c2f5e-5a0e-5c3b-9a55-51f1e0d4c1aa"), name)
        )


def _row(node: str, number: int) -> dict[str, object]:
    path = f"/opt/apptainers/tool{number // 4}-{number % 4}.{number}.sif"
    facts = SifFacts(
        sif_id=str(number), labels={f"label{index}": "x" * 20 for index in range(8)}, deffile="y" * 2000
    )
    values = dict.fromkeys(("version", "description"), "")
    values |= {"id": image_id(node, path), "name": path.rpartition("/")[2], "path": path, "node": node}
    numbers = dict.fromkeys(("size", "mtime_ns", "inode", "created_at", "updated_at", "last_scanned"), 1)
    return {
        **values,
        **numbers,
        "partitions": ["compute"],
        "type": "compute",
        "facts": facts.to_dict(),
        "digest": None,
        "verdict": None,
        "is_active": True,
    }
