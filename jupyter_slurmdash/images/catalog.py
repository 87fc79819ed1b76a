"""The catalogue: all images of the cluster, kept in the database and brought up to date by scans."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from ..errors import CatalogReadOnly, Conflict, DatabaseUnavailable, ImageNotFound
from ..events import EventBus
from ..transport.base import Transport
from .families import Family, Whereabouts, families_of, whereabouts
from .looks import Looks
from .model import Image, NodeError, Scan, image_id
from .records import images_of, scan_of
from .rules import DEFAULT_TYPE_RULES, TypeRule, stem, version_key
from .scanner import SCHEDULER, SHARED, Scanner, ScanStore

__all__ = ["SCHEDULER", "SHARED", "Catalog", "Scan"]

# When the scheduler did not answer, the next look comes sooner than the ttl.
_RETRY_AFTER = 60.0


class Store(ScanStore, Protocol):
    """Where the catalogue is kept; see ``store/images.py``."""

    def stamp(self) -> tuple[Any, ...]: ...
    def all(self) -> list[dict[str, Any]]: ...
    def ended_scans(self) -> list[dict[str, Any]]: ...


class _Snapshot:
    """The table as it was at a stamp: images grouped and sorted, and by each of their ids; nodes with partitions."""

    def __init__(self, stamp: tuple[Any, ...], rows: list[dict[str, Any]], rules: Sequence[TypeRule]) -> None:
        self.stamp = stamp
        self.good_until = 0.0
        self.images = images_of(rows, rules)
        self.nodes: dict[str, list[str]] = {
            row["node"]: row["partitions"] for row in rows if row["is_active"]
        }
        self.by_id = {image_id(node, image.path): image for image in self.images for node in image.nodes}


class Catalog:
    """Images of all nodes. Safe to use from many threads; one scan runs at a time, over all that share the store.

    ``connect`` gives a transport to a node (and takes it back when that is closed); ``nodes`` gives every
    node with its partitions. ``image_dirs`` are looked into on each node (here, when ``is_local`` says that
    the node is this machine), ``shared_image_dirs`` once, here. ``workers`` nodes are looked at side by side,
    each for at most ``node_timeout`` seconds. After ``ttl`` seconds a scan is too old; ``clock`` is the time
    of day. ``rules`` say what an image is for. ``read_only``: scans are made elsewhere.
    """

    def __init__(
        self,
        store: Store,
        events: EventBus,
        connect: Callable[[str], Transport],
        nodes: Callable[[], Mapping[str, Sequence[str]]],
        *,
        image_dirs: Sequence[str] = (),
        shared_image_dirs: Sequence[str] = (),
        workers: int = 32,
        node_timeout: float = 30.0,
        ttl: float = 3600.0,
        is_local: Callable[[str], bool] | None = None,
        inspect: bool = False,
        rules: Sequence[TypeRule] = DEFAULT_TYPE_RULES,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._ttl = ttl
        self._clock = clock
        self._rules = rules
        self._read_only = read_only
        self._snapshot: _Snapshot | None = None
        self._is_looked_at = False
        self._reading = threading.Lock()
        self._beside = threading.Lock()
        self._reader: threading.Thread | None = None
        self._scanner = Scanner(
            store,
            events,
            connect,
            nodes,
            image_dirs=image_dirs,
            shared_image_dirs=shared_image_dirs,
            workers=workers,
            node_timeout=node_timeout,
            is_local=is_local,
            inspect=inspect,
            rules=rules,
            begins=self._read_beside,
            written=self._bring_up_to_date,
            clock=clock,
        )

    # -- looking --------------------------------------------------------------------------------------------

    def images(
        self,
        partition: str | None = None,
        type: str | None = None,
        q: str | None = None,
        node: str | None = None,
        app: str | None = None,
        active: bool = True,
    ) -> list[Image]:
        """Images that fit all that is given, a file on several nodes as one; the newest versions first.

        ``partition`` may be several with commas between them, as sbatch takes them: one of them is enough.
        ``q`` are words to find in name, description, labels and apps. ``active=False``: the vanished too.
        """
        words = (q or "").casefold().split()
        wanted = [name for name in (partition or "").split(",") if name]
        return [
            image
            for image in self._read().images
            if (image.is_active or not active)
            and (not wanted or SHARED in image.nodes or any(name in image.partitions for name in wanted))
            and (not type or image.type == type)
            and (not node or node in image.nodes)
            and (not app or any(app == own.name for own in image.facts.apps))
            and _has_words(image, words)
        ]

    def image(self, id: str) -> Image:
        """The image with this id (any of its nodes' ids). Raises ImageNotFound."""
        found = self._read().by_id.get(id)
        if found is not None:
            return found
        raise ImageNotFound(f"There is no image {id}. It may have been removed; scan again.")

    def families(
        self, partition: str | None = None, type: str | None = None, q: str | None = None
    ) -> list[Family]:
        """The images that fit, as families: the versions of one thing together, the newest first."""
        return families_of(self.images(partition=partition, type=type, q=q))

    def where(self, id: str) -> Whereabouts:
        """The nodes of each partition with and without the image. Raises ImageNotFound.

        When the scheduler does not answer only the nodes with it, as they were scanned.
        """
        image = self.image(id)
        return whereabouts(image, self._scanner.places.known(), self._read().nodes)

    def on_node(self, node: str) -> list[Image]:
        """The images of a node. Raises ImageNotFound when there is no such node."""
        found = self.images(node=node)
        if not found and node != SHARED and node not in self._scanner.places.known():
            raise ImageNotFound(f"There is no image or node {node}.")
        return found

    def find_by_name(self, name: str, partition: str | None = None) -> Image | None:
        """The usable image with this file name (``.sif`` may be left out); of several the newest version."""
        usable = [image for image in self.images(partition=partition) if image.facts.problem is None]
        wanted = stem(name)
        for exact in (lambda text: text, str.casefold):
            found = [image for image in usable if exact(stem(image.name)) == exact(wanted)]
            if found:
                return max(found, key=lambda image: (version_key(image.version), image.facts.build_time))
        return None

    def looks(self) -> Looks:
        """What the latest scans say, at one look."""
        current = self._scanner.current  # first: one that ends meanwhile is among the ended ones then
        return Looks([scan_of(row) for row in self._store.ended_scans()], current)

    def node_errors(self) -> list[NodeError]:
        """The nodes that could not be looked at when they were last tried, and why."""
        return self.looks().node_errors()

    def scanned_at(self) -> float | None:
        """When the last scan of all nodes ended (seconds since the epoch, UTC); None before the first."""
        return self.looks().at

    @property
    def read_only(self) -> bool:
        """Whether scans are made elsewhere, and none can be started here."""
        return self._read_only

    @property
    def scanning(self) -> bool:
        """Whether a scan is under way that this process makes or follows; where it only reads, any."""
        if self._read_only:
            return self._store.running_scan(self._clock()) is not None
        return self._scanner.current is not None

    def _read(self) -> _Snapshot:
        """The whole catalogue; read from the database only when the table has changed.

        While a scan here writes node after node, nobody waits for that: it is read before the first of them, anew
        beside, in no more than a twentieth of the time, and once more before the scan ends.
        """
        self._is_looked_at = True
        snapshot = self._snapshot
        if snapshot is None or self._scanner.current is None:
            return self._read_now()
        if time.monotonic() >= snapshot.good_until and self._beside.acquire(blocking=False):
            self._reader = threading.Thread(
                target=self._read_and_release, name="slurmdash-images", daemon=True
            )
            self._reader.start()
        return snapshot

    def _read_and_release(self) -> None:
        try:
            self._read_beside()
        finally:
            self._beside.release()

    def _bring_up_to_date(self) -> None:
        if self._is_looked_at:
            self._read_beside()

    def _read_beside(self) -> None:
        # Whoever asks after the scan is told that the database does not answer.
        with suppress(DatabaseUnavailable):
            self._read_now()

    def _read_now(self) -> _Snapshot:
        with self._reading:
            start = time.monotonic()
            stamp = self._store.stamp()
            snapshot = self._snapshot
            if snapshot is None or snapshot.stamp != stamp:
                snapshot = _Snapshot(stamp, self._store.all(), self._rules)
            now = time.monotonic()
            snapshot.good_until = now + 20 * (now - start)
            self._snapshot = snapshot
        return snapshot

    # -- scanning -------------------------------------------------------------------------------------------

    def refresh_if_stale(self) -> Scan | None:
        """Start a scan when the last one is older than the ttl; the catalogue can be read meanwhile.

        Nothing happens where scans are made elsewhere, or while the database does not answer: whoever reads is told.
        """
        if self._read_only or self._scanner.current is not None:
            return self._scanner.current
        try:
            looks = self.looks()
            last = looks.last
            wait = min(self._ttl, _RETRY_AFTER) if last and last.status == "failed" else self._ttl
            if last is not None and self._clock() - (last.finished_at or 0) < wait:
                return None
            started = self._scanner.start(seen=[scan.id for scan in looks.ended])
        except DatabaseUnavailable:
            return None
        return started[0] if started is not None else None

    def start_scan(self, nodes: Sequence[str] | None = None) -> Scan:
        """Scan in the background; gives the scan under way when there is one, whoever makes it.

        Raises InvalidInput when one of ``nodes`` is no node of the cluster, CatalogReadOnly where none is made.
        """
        return self._start(nodes)[0]

    def scan(self, nodes: Sequence[str] | None = None) -> Scan:
        """Scan and wait for the end (of the scan under way, when there is one). Raises as ``start_scan``."""
        while True:
            started, thread = self._start(nodes)
            if thread is not None:
                thread.join()
            scan = self.get_scan(started.id)
            if not self._scanner.must_be_made_again(scan):
                return scan

    def _start(self, nodes: Sequence[str] | None) -> tuple[Scan, threading.Thread | None]:
        if self._read_only:
            raise CatalogReadOnly(
                "Scans are made by your site, and none can be started here. Ask your site's administrator when an"
                " image is missing."
            )
        started = self._scanner.start(nodes)
        if started is None:
            raise Conflict("Another scan has just ended. Try again.")
        return started

    def get_scan(self, scan_id: str) -> Scan:
        """A scan of the last fifty, also while it runs. Raises ScanNotFound."""
        return self._scanner.get(scan_id)

    def close(self) -> None:
        """End a scan under way."""
        self._scanner.close()
        if self._reader is not None:
            self._reader.join()


def _has_words(image: Image, words: Sequence[str]) -> bool:
    if not words:
        return True
    labels = (f"{name} {value}" for name, value in image.facts.labels.items())
    apps = (app.name for app in image.facts.apps)
    text = "\n".join((image.name, image.description, *labels, *apps)).casefold()
    return all(word in text for word in words)
