"""How many round trips a look at a node costs, over a link that takes 20 ms there and back."""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sif_writer as writer
from private_sshd import Sshd
from squashfs_maker import TREE, pack, write_tree

from jupyter_slurmdash.images.probe import probe_node
from jupyter_slurmdash.transport.ssh import SshConnector

DELAY = 0.010  # each way
IMAGES = 200
ROUNDS = 3


class _Pipe:
    """Passes bytes on after DELAY, as many as come."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self._source, self._target = source, target
        self._queue: list[tuple[float, int, bytes]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        for work in (self._take, self._give):
            threading.Thread(target=work, daemon=True).start()

    def _take(self) -> None:
        data = b"?"
        while data:
            try:
                data = self._source.recv(256 * 1024)
            except OSError:
                data = b""
            with self._changed:
                heapq.heappush(self._queue, (time.monotonic() + DELAY, next(self._numbers), data))
                self._changed.notify()

    def _give(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                due, _, data = heapq.heappop(self._queue)
            time.sleep(max(0.0, due - time.monotonic()))  # the link
            try:
                if not data:
                    self._target.shutdown(socket.SHUT_WR)
                    return
                self._target.sendall(data)
            except OSError:
                return


@contextmanager
def far(port: int) -> Iterator[int]:
    """A port behind which ``port`` of this machine seems far away."""
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                near = socket.create_connection(("127.0.0.1", port))
                for end in (client, near):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    ends.append(end)
                _Pipe(client, near)
                _Pipe(near, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for end in ends:
                end.close()


# Counting lines takes longer than all round trips together.
@pytest.mark.no_cover
def test_old_images_cost_few_round_trips(
    sshd: Sshd, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    system = writer.partition(pack(write_tree(tmp_path / "tree", TREE)))
    document = writer.metadata(labels={"version": "2.1"}, runscript="x" * 2000, apps={"solve": {}})
    images = {
        "new": writer.sif([writer.definition(), document, system]),
        "old": writer.sif([writer.definition(), system]),
    }
    ids = itertools.count()
    for kind, turn in itertools.product(images, range(ROUNDS)):
        folder = tmp_path / f"{kind}{turn}"
        folder.mkdir()
        for number in range(IMAGES):
            # Each its own, or what was worked out of one would serve for all.
            own = images[kind].replace(writer.ID.bytes, next(ids).to_bytes(16, "big"), 1)
            (folder / f"{number:03}.sif").write_bytes(own)
    took = dict.fromkeys(images, 60.0)
    with far(sshd.port) as port:
        entry = sshd.host_entry("node", "    HostKeyAlias node\n").replace(
            f"Port {sshd.port}", f"Port {port}"
        )
        (tmp_path / "config").write_text(entry)
        (tmp_path / "known").write_text(f"node {sshd.public_key}\n")
        connector = SshConnector(str(tmp_path / "config"), str(tmp_path / "known"))
        transport = connector.connect("node")
        transport.list_files(str(tmp_path), ".none", depth=1)
        # The best of some rounds: round trips are in each of them, what else the machine did is not.
        for turn, kind in itertools.product(range(ROUNDS), images):
            start = time.monotonic()
            found = probe_node(transport, [str(tmp_path / f"{kind}{turn}")], {}).found
            took[kind] = min(took[kind], time.monotonic() - start)
            assert len(found) == IMAGES
            assert all(each.facts is not None and each.facts.complete for each in found)
        transport.abort()
        connector.close()
    print(
        f"\n{IMAGES} images over {DELAY * 2000:.0f} ms: with metadata {took['new'] * 1000:.0f} ms,"
        f" without {took['old'] * 1000:.0f} ms: {took['old'] / took['new']:.1f} times as long"
    )
    record_property("ratio", round(took["old"] / took["new"], 2))
    # One image after the other would be about seven round trips each: 28 s.
    assert took["old"] < 3.5
    assert took["old"] / took["new"] <= 3
