"""Digests and verifications on demand: one at a time, of the right file, kept, told, and ended with the service."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sif_signer as signer
import sif_writer as writer

from jupyter_slurmdash.errors import CatalogReadOnly, ImageNotFound, InvalidInput, TransportError
from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.images.integrity import ImageTask, Integrity
from jupyter_slurmdash.images.model import Image, image_id
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.imagechecks import ImageChecks
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.transport.base import Completed, FileStat, ReadSteps
from jupyter_slurmdash.transport.local import LocalTransport

ALICE, BOB = signer.pgp_key(), signer.pgp_key("Bob <bob@example.org>")
LARGE = writer.Part(writer.JSON, random.Random(2).randbytes(2 * 1024 * 1024), "large")


class Node(LocalTransport):
    """A node whose files lie below ``root``; its commands wait for ``go`` and are counted."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name)
        self.root = root
        self.commands = 0
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Event()
        self.during: Any = None
        self.aborted = False

    def list_files(self, directory: str, suffix: str, **options: Any) -> list[FileStat]:
        found = super().list_files(f"{self.root}{directory}", suffix, **options)
        cut = len(str(self.root))
        return [FileStat(file.path[cut:], file.size, file.mtime_ns, file.inode) for file in found]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        return super().read_ranges(f"{self.root}{path}", ranges)

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[Any]]]) -> list[Any]:
        return super().read_steps((f"{self.root}{path}", steps) for path, steps in files)

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        self.commands += 1
        self.entered.set()
        assert self.go.wait(10)
        if self.aborted:
            raise TransportError("The connection was closed.", "closed")
        if self.during:
            self.during()
        return super().run(
            [f"{self.root}{word}" if word.startswith("/images/") else word for word in argv], **options
        )

    def abort(self) -> None:
        self.aborted = True
        self.go.set()


class World:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.nodes = {name: Node(name, place / name) for name in ("node001", "node002")}
        self.shared = place / "shared"
        for folder in (self.shared, *(place / name / "images" for name in self.nodes)):
            folder.mkdir(parents=True)
        self.events: list[Event] = []
        self.bus = EventBus()
        self.bus.subscribe(self.events.append)
        self.database = Database(f"sqlite:///{place / 'data' / 'db.sqlite'}")
        self.database.upgrade()
        self.trouble: TransportError | None = None
        self.catalog = Catalog(
            ImageTable(self.database),
            self.bus,
            self.connect,
            lambda: {name: ["compute"] for name in self.nodes},
            image_dirs=["/images"],
            shared_image_dirs=[str(self.shared)],
            is_local=lambda node: False,
        )
        self.ring = place / "ring"
        self.ring.write_bytes(signer.public(ALICE))
        self.integrity = self.make()

    def make(self, **options: Any) -> Integrity:
        values = {"keyring": str(self.ring), "is_local": lambda node: False, **options}
        store = values.pop("store", ImageChecks(self.database))
        return Integrity(self.catalog, store, self.bus, self.connect, **values)

    def connect(self, node: str) -> Node:
        if self.trouble is not None:
            raise self.trouble
        return self.nodes[node]

    def put(self, name: str, data: bytes, *nodes: str) -> Image:
        for node in nodes or ("node001",):
            path = self.place / node / "images" / name
            path.write_bytes(data)
            os.utime(path, ns=(10**18, 10**18))
        self.catalog.scan()
        found = self.catalog.find_by_name(name)
        assert found is not None
        return found

    def told(self) -> list[Event]:
        return [event for event in self.events if event.type == "image_changed"]

    def close(self) -> None:
        self.integrity.close()
        self.catalog.close()
        self.database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def signed(*keys: Any) -> bytes:
    draft = signer.Draft([writer.definition(), writer.metadata(), writer.partition(), LARGE])
    return draft.signed(*keys)


def finished(world: World, kind: Any, id: str) -> ImageTask:
    """The task once it is done: whoever waits for it gets the one under way."""
    with suppress(InvalidInput, TransportError):
        getattr(world.integrity, kind)(id)
    return world.integrity.task(kind, id)


# -- digests --------------------------------------------------------------------------------------------------


def test_a_digest_is_computed_on_the_node_and_kept(world: World) -> None:
    data = signed()
    image = world.put("a.sif", data)
    assert image.digest is None
    assert world.integrity.task("digest", image.id).status == "none"
    wanted = f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert world.integrity.digest(image.id).digest == wanted
    assert world.catalog.image(image.id).digest == wanted
    task = world.integrity.task("digest", image.id)
    assert (task.status, task.message, task.image.digest) == ("finished", wanted, wanted)
    assert world.nodes["node001"].commands == 1
    world.integrity.digest(image.id)
    assert world.nodes["node001"].commands == 1
    [event] = world.told()
    assert event.channel == "images"
    assert event.durable
    assert event.data == {"image_id": image.id}
    world.catalog.scan()
    assert world.catalog.image(image.id).digest == wanted


def test_a_changed_file_loses_its_digest(world: World) -> None:
    image = world.put("a.sif", signed())
    world.integrity.digest(image.id)
    world.integrity.verify(world.put("b.sif", signed(ALICE)).id)
    path = world.place / "node001/images/a.sif"
    path.write_bytes(signed() + b"more")
    world.catalog.scan()
    assert world.catalog.image(image.id).digest is None


def test_a_file_in_a_shared_directory_is_digested_here(world: World) -> None:
    (world.shared / "s.sif").write_bytes(signed(ALICE))
    world.catalog.scan()
    image = world.catalog.find_by_name("s.sif")
    assert image is not None
    assert (
        world.integrity.digest(image.id).digest == f"sha256:{hashlib.sha256(signed_bytes(world)).hexdigest()}"
    )
    assert world.integrity.verify(image.id).signature == "verified"
    assert all(node.commands == 0 for node in world.nodes.values())


def signed_bytes(world: World) -> bytes:
    return (world.shared / "s.sif").read_bytes()


def test_a_digest_is_claimed_for_its_own_node_only(world: World) -> None:
    data = signed()
    image = world.put("a.sif", data, "node001", "node002")
    assert image.nodes == ("node001", "node002")
    other = image_id("node002", image.path)
    path = world.place / "node002/images/a.sif"
    path.write_bytes(data[:-1] + b"x")
    os.utime(path, ns=(10**18, 10**18))
    first = world.integrity.digest(image.id).digest
    assert world.integrity.task("digest", other).status == "none"
    second = world.integrity.digest(other).digest
    assert first != second
    assert second == f"sha256:{hashlib.sha256(data[:-1] + b'x').hexdigest()}"
    assert world.catalog.image(image.id).digest == first
    assert world.integrity.digest(image.id).digest == first


def test_the_merged_image_shows_what_any_node_has(world: World) -> None:
    image = world.put("a.sif", signed(), "node001", "node002")
    digest = world.integrity.digest(image_id("node002", image.path)).digest
    assert world.catalog.image(image.id).digest == digest


def test_a_bad_verdict_of_one_node_is_the_images(world: World) -> None:
    data = signed(ALICE)
    image = world.put("a.sif", data, "node001", "node002")
    path = world.place / "node002/images/a.sif"
    path.write_bytes(data[:50] + b"x" + data[51:])
    os.utime(path, ns=(10**18, 10**18))
    assert world.integrity.verify(image.id).signature == "verified"
    assert world.integrity.verify(image_id("node002", image.path)).signature == "not valid"
    assert world.catalog.image(image.id).signature == "not valid"


@pytest.mark.parametrize("kind", ["digest", "verify"])
def test_a_file_that_changed_before_or_meanwhile(world: World, kind: Any) -> None:
    image = world.put("a.sif", signed(ALICE))
    path = world.place / "node001/images/a.sif"
    world.nodes["node001"].during = lambda: os.utime(path, ns=(2 * 10**18, 2 * 10**18))
    task = finished(world, kind, image.id)
    assert (task.status, task.image.digest, task.image.verdict) == ("failed", None, None)
    assert "changed meanwhile" in task.message
    assert "changed since the last scan" in finished(world, kind, image.id).message
    path.unlink()
    assert "gone" in finished(world, kind, image.id).message
    assert len(world.told()) == 3


# -- signatures -----------------------------------------------------------------------------------------------


def test_verdicts(world: World) -> None:
    good = world.put("good.sif", signed(ALICE))
    assert good.signature == "signed, not verified"
    made = world.integrity.verify(good.id)
    assert made.signature == "verified"
    assert made.verdict is not None
    assert world.integrity.task("verify", good.id).message == made.verdict.message
    assert world.catalog.image(good.id).signature == "verified"
    assert world.integrity.verify(world.put("other.sif", signed(BOB)).id).signature == "unknown key"
    data = signed(ALICE)
    spoilt = data[: data.index(LARGE.data) + 5] + b"x" + data[data.index(LARGE.data) + 6 :]
    bad = world.integrity.verify(world.put("bad.sif", spoilt).id)
    assert bad.verdict is not None
    assert bad.verdict.message == "The object 4 (JSON) is not what was signed."


def test_a_verdict_is_made_anew_with_another_keyring(world: World) -> None:
    image = world.put("a.sif", signed(BOB))
    assert world.integrity.verify(image.id).signature == "unknown key"
    world.ring.write_bytes(signer.public(ALICE, BOB))
    assert world.integrity.verify(image.id).signature == "verified"


def test_no_signature_and_no_keyring(world: World) -> None:
    assert "not signed" in finished(world, "verify", world.put("a.sif", signed()).id).message
    image = world.put("b.sif", signed(ALICE))
    world.integrity.close()
    world.integrity = world.make(keyring="")
    task = finished(world, "verify", image.id)
    assert task.status == "failed"
    assert "c.SlurmDash.image_keyring" in task.message
    assert task.image.verdict is None


# -- in the background ----------------------------------------------------------------------------------------


def test_one_task_for_all_who_ask_at_once(world: World) -> None:
    image = world.put("a.sif", signed())
    node = world.nodes["node001"]
    node.go.clear()
    assert world.integrity.start("digest", image.id).status == "running"
    assert node.entered.wait(10)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(world.integrity.digest, image.id) for _ in range(8)]
        assert world.integrity.start("digest", image.id).status == "running"
        node.go.set()
        assert len({future.result(10).digest for future in asked}) == 1
    assert node.commands == 1
    assert world.integrity.start("digest", image.id).status == "finished"
    assert node.commands == 1


def test_one_that_ends_while_it_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    image = world.put("a.sif", signed())
    node = world.nodes["node001"]
    node.go.clear()
    world.integrity.start("digest", image.id)
    assert node.entered.wait(10)
    running, real = world.integrity._running["digest", image.id], world.integrity._image

    def just_before_its_end(id: str) -> Any:
        found = real(id)
        node.go.set()
        running.result(10)
        return found

    monkeypatch.setattr(world.integrity, "_image", just_before_its_end)
    assert world.integrity.task("digest", image.id).status == "running"
    assert world.integrity.task("digest", image.id).status == "finished"


def test_a_node_that_cannot_be_reached(world: World) -> None:
    image = world.put("a.sif", signed())
    world.trouble = TransportError("node001 refused the connection.", "refused")
    task = finished(world, "digest", image.id)
    assert (task.status, task.message) == ("failed", "node001 refused the connection.")
    assert len(world.told()) == 1
    world.trouble = None
    assert finished(world, "digest", image.id).status == "finished"


def test_closing_ends_what_is_under_way_and_what_waits(world: World) -> None:
    ids = [world.put(f"{name}.sif", signed()).id for name in "abcd"]
    node = world.nodes["node001"]
    node.go.clear()
    for id in ids:
        world.integrity.start("digest", id)
    assert node.entered.wait(10)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(world.integrity.digest, id) for id in ids]
        world.integrity.close()
        for future in waiting:
            with pytest.raises(TransportError):
                future.result(10)
    assert node.commands <= 2
    with pytest.raises(TransportError):
        world.integrity.start("digest", ids[0])
    assert world.told() == []


def test_an_unknown_image(world: World) -> None:
    for ask in (world.integrity.digest, world.integrity.verify):
        with pytest.raises(ImageNotFound):
            ask("00000000-0000-0000-0000-000000000000")
    with pytest.raises(ImageNotFound):
        world.integrity.task("digest", "none")


class ReadOnly(ImageChecks):
    """A catalogue that a site keeps, and users only read."""

    def _save(self, seen: Mapping[str, Any], now: float, **values: Any) -> bool:
        raise CatalogReadOnly("It is only read here.")


def test_a_catalogue_that_may_only_be_read(world: World) -> None:
    image = world.put("a.sif", signed(ALICE))
    world.integrity.close()
    world.integrity = world.make(store=ReadOnly(world.database))
    digest = world.integrity.digest(image.id).digest
    assert digest
    assert world.integrity.verify(image.id).signature == "verified"
    assert world.integrity.task("digest", image.id).image.digest == digest
    assert world.integrity.task("verify", image.id).status == "finished"
    assert world.catalog.image(image.id).digest is None
