"""Digests and verifications on demand: in the background for the panel, in the foreground for a cell or a terminal.

A file's digest is its node's: the file of the same name on another node is another file, and is digested there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from ..errors import CatalogReadOnly, ImageNotFound, InvalidInput, SlurmDashError, TransportError
from ..events import EventBus
from ..transport.base import FileStat, Transport
from ..transport.local import LocalTransport
from .contents import FileHere, FileOnNode, stat_file
from .keyring import load_keyring
from .model import SHARED, Image, Verdict
from .scanner import is_this_machine
from .verify import ImageFile, verify_image

Kind = Literal["digest", "verify"]
_FIELDS: Mapping[Kind, str] = {"digest": "digest", "verify": "verdict"}

_CLOSE_SECONDS = 5.0
_KEPT = 1000


@dataclass(frozen=True)
class ImageTask:
    """How far the digest or the verification of an image is; ``message`` says what came of it."""

    image_id: str
    task: Kind
    status: Literal["none", "running", "finished", "failed"]
    message: str
    image: Image

    def to_json(self) -> dict[str, Any]:
        """The contract's ``ImageTask``."""
        return {
            "image_id": self.image_id,
            "task": self.task,
            "status": self.status,
            "message": self.message,
            "image": self.image.to_json(),
        }


class Images(Protocol):
    """Where images are looked up; see ``catalog.py``."""

    def image(self, id: str) -> Image: ...


class Store(Protocol):
    """Where the results are kept; see ``store/imagechecks.py``."""

    def row(self, id: str) -> dict[str, Any] | None: ...
    def save_digest(self, seen: Mapping[str, Any], digest: str, now: float) -> bool: ...
    def save_verdict(self, seen: Mapping[str, Any], verdict: Mapping[str, Any], now: float) -> bool: ...


class Integrity:
    """Runs one task for each image and kind at a time, ``workers`` side by side. Safe to use from many threads.

    ``connect`` and ``is_local`` are the catalogue's; ``keyring`` is the path of the site's keyring ("": none);
    ``timeout`` (seconds) bounds the work on a node; ``clock`` is the time of day.
    """

    def __init__(
        self,
        images: Images,
        store: Store,
        events: EventBus,
        connect: Callable[[str], Transport],
        *,
        keyring: str = "",
        timeout: float = 3600.0,
        workers: int = 2,
        is_local: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._images = images
        self._store = store
        self._events = events
        self._connect = connect
        self._keyring = keyring
        self._timeout = timeout
        self._is_local = is_local or is_this_machine
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[tuple[Kind, str], Future[None]] = {}
        self._failed: dict[tuple[Kind, str], str] = {}
        # Results that a catalogue, which may only be read, does not take: by kind and id, with the file's stamp.
        self._own: dict[tuple[Kind, str], tuple[tuple[int, int], Any]] = {}
        self._transports: set[Transport] = set()
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="slurmdash-integrity")

    # -- asking ---------------------------------------------------------------------------------------------

    def task(self, kind: Kind, id: str) -> ImageTask:
        """How far it is. Raises ImageNotFound."""
        key = (kind, id)
        with self._lock:
            running, failure = key in self._running, self._failed.get(key)
        # Looked up after that: what ends in between has written its result before it ends.
        image, known = self._image(id)
        if running:
            return ImageTask(id, kind, "running", "", image)
        if failure is not None:
            return ImageTask(id, kind, "failed", failure, image)
        if kind not in known:
            return ImageTask(id, kind, "none", "", image)
        message = image.verdict.message if kind == "verify" and image.verdict else str(image.digest)
        return ImageTask(id, kind, "finished", message, image)

    def start(self, kind: Kind, id: str) -> ImageTask:
        """Begin it, unless it is under way; a digest that is known is not computed again. Raises ImageNotFound."""
        self._begin(kind, id)
        return self.task(kind, id)

    def digest(self, id: str) -> Image:
        """The image with its digest, computed now unless it is known. Raises what went wrong."""
        return self._finish("digest", id)

    def verify(self, id: str) -> Image:
        """The image with a verdict made now. Raises what went wrong."""
        return self._finish("verify", id)

    def close(self) -> None:
        """End what is under way."""
        self._closing.set()
        with self._lock:
            running, transports = list(self._running.values()), list(self._transports)
        for transport in transports:
            abort = getattr(transport, "abort", None)
            if abort is not None:
                abort()
        self._executor.shutdown(wait=False, cancel_futures=True)
        wait(running, _CLOSE_SECONDS)

    def _finish(self, kind: Kind, id: str) -> Image:
        future = self._begin(kind, id)
        try:
            if future is not None:
                future.result()
        except CancelledError as error:
            raise _ended() from error
        return self._image(id)[0]

    def _image(self, id: str) -> tuple[Image, set[Kind]]:
        """The catalogue's image with what is known of this very file, and the kinds of that."""
        image, row = self._images.image(id), self._row(id)
        found: dict[Kind, Any] = {}
        if row["digest"]:
            found["digest"] = row["digest"]
        if row["verdict"]:
            found["verify"] = Verdict.from_dict(row["verdict"])
        for kind in _FIELDS:
            with self._lock:
                stamp, value = self._own.get((kind, id), (None, None))
            if stamp == (row["size"], row["mtime_ns"]):
                found[kind] = value
        return replace(image, **{_FIELDS[kind]: value for kind, value in found.items()}), set(found)

    # -- doing ----------------------------------------------------------------------------------------------

    def _begin(self, kind: Kind, id: str) -> Future[None] | None:
        """The task under way, begun now when there was none; None when its result is known."""
        row = self._row(id)
        if kind == "digest" and kind in self._image(id)[1]:
            return None
        key = (kind, id)
        with self._lock:
            if self._closing.is_set():
                raise _ended()
            future = self._running.get(key)
            if future is None:
                self._failed.pop(key, None)
                future = self._running[key] = self._executor.submit(self._run, kind, row)
            return future

    def _row(self, id: str) -> Mapping[str, Any]:
        row = self._store.row(id)
        if row is None:
            raise ImageNotFound(f"There is no image {id}. It may have been removed; scan again.")
        return row

    def _run(self, kind: Kind, row: Mapping[str, Any]) -> None:
        failure = "It failed because of a fault in the program; see the server's log."
        try:
            self._work(kind, row)
            failure = ""
        except SlurmDashError as error:
            failure = error.detail
            raise
        finally:
            self._end((kind, row["id"]), failure)

    def _end(self, key: tuple[Kind, str], failure: str) -> None:
        with self._lock:
            self._running.pop(key, None)
            if failure:
                self._failed[key] = failure
                while len(self._failed) > _KEPT:
                    del self._failed[next(iter(self._failed))]
        if not self._closing.is_set():
            self._events.publish("images", "image_changed", {"image_id": key[1]}, durable=True)

    def _work(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Raises SlurmDashError."""
        # Before the node is asked: it is what is most often missing.
        keyring = load_keyring(self._keyring) if kind == "verify" else None
        try:
            with self._opened(row) as file:
                verdict = verify_image(file, keyring, self._clock()) if keyring is not None else None
                digest = "" if keyring is not None else f"sha256:{file.digest('sha256', 0, file.size)}"
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidInput(f"{row['path']} could not be read on {row['node']}: {reason}.") from error
        self._save(kind, row, verdict or digest)

    @contextmanager
    def _opened(self, row: Mapping[str, Any]) -> Iterator[ImageFile]:
        """The file, which must be the one that the catalogue knows, and the same at the end."""
        here = row["node"] == SHARED or self._is_local(row["node"])
        with self._transport(row["node"], here) as transport:
            before = stat_file(transport, row["path"])
            if _stamp(before) != (row["size"], row["mtime_ns"]):
                raise InvalidInput(
                    f"{row['path']} on {row['node']} has changed since the last scan. Scan again."
                )
            if here:
                yield FileHere(row["path"], before.size, self._check)
            else:
                yield FileOnNode(transport, row["path"], before.size, self._timeout)
            after = stat_file(transport, row["path"])
        if (_stamp(after), after.inode) != (_stamp(before), before.inode):
            raise InvalidInput(f"{row['path']} on {row['node']} changed meanwhile. Scan, and try again.")

    @contextmanager
    def _transport(self, node: str, here: bool) -> Iterator[Transport]:
        self._check()
        transport: Transport = LocalTransport(node) if here else self._connect(node)
        with self._lock:
            self._transports.add(transport)
        try:
            self._check()
            yield transport
        finally:
            with self._lock:
                self._transports.discard(transport)
            transport.close()

    def _check(self) -> None:
        if self._closing.is_set():
            raise _ended()

    def _save(self, kind: Kind, row: Mapping[str, Any], value: Verdict | str) -> None:
        try:
            if isinstance(value, Verdict):
                saved = self._store.save_verdict(row, value.to_dict(), self._clock())
            else:
                saved = self._store.save_digest(row, value, self._clock())
        except CatalogReadOnly:
            with self._lock:
                self._own[kind, row["id"]] = ((row["size"], row["mtime_ns"]), value)
            return
        if not saved:
            raise InvalidInput(f"{row['path']} on {row['node']} changed meanwhile. Try again.")


def _stamp(file: FileStat) -> tuple[int, int]:
    return file.size, file.mtime_ns


def _ended() -> TransportError:
    return TransportError("It was ended before it was done. Start it again.", "closed")
