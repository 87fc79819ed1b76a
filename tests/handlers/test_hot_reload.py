"""Hot reload by a real server: a file written on the disk is told over the WebSocket, also where the disk is silent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Live
from many_templates import many_templates
from settings import private_values
from silent_mount import silent_mount
from template_place import ME
from tornado.websocket import WebSocketClientConnection

from jupyter_slurmdash.templates.init import init_shelves
from jupyter_slurmdash.templates.inotify import Waiter
from jupyter_slurmdash.templates.shelves import shelf_folders

INTERVAL = 1.0
CHANGES = 5


class Told:
    """A server whose shelves are seen at one place and changed at another."""

    def __init__(self, place: Path, changed_at: Path, seen_at: Path, interval: float) -> None:
        settings = {"template_root": str(seen_at), "template_interval": interval}
        self.path = changed_at / "community/vim.yaml"
        self.live = Live(place, {**private_values(place), **settings}, {})
        assert self.live.dash._shelf_watch.wait_until_ready(30)

    def seconds(self) -> list[float]:
        return asyncio.run(asyncio.wait_for(self._seconds(), 60))

    async def _seconds(self) -> list[float]:
        """From the writing of a file to its name in the list, as a panel asks for it when it is told."""
        connection = await self.live.websocket()
        try:
            return await self._watched(connection)
        finally:
            connection.close()
            while await connection.read_message() is not None:
                pass

    async def _watched(self, connection: WebSocketClientConnection) -> list[float]:
        subscribed = asyncio.get_running_loop().create_future()
        connection.on_pong = subscribed.set_result  # type: ignore[method-assign]
        await connection.write_message(json.dumps({"subscribe": ["templates"]}))
        connection.ping()
        await subscribed
        took = []
        for number in range(CHANGES):
            begun = time.monotonic()
            text = f"template: {{id: vim, name: vim, display_name: By vim {number}}}\n"
            await asyncio.to_thread(self.path.write_text, text)
            found = ""
            while found != f"By vim {number}":
                events = json.loads(str(await connection.read_message()))
                if any(event["type"] == "templates_changed" for event in events):
                    answer = await asyncio.to_thread(self.live.get, "/api/v2/templates/vim")
                    found = answer["display_name"]
            took.append(time.monotonic() - begun)
        return took


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The shelves where they are changed, and where they are seen."""
    init_shelves(tmp_path / "there", user=ME)
    with silent_mount(tmp_path / "there", tmp_path / "here") as place:
        yield tmp_path / "there", place


def test_the_mount_is_silent(silent: tuple[Path, Path]) -> None:
    """What the next test stands on: no hint comes, but the change is there."""
    there, here = silent
    waiter = Waiter()
    waiter.watch(shelf_folders(here, ME))
    (there / "community/a.yaml").write_text("x")
    assert not waiter.wait(0.5)
    assert (here / "community/a.yaml").read_text() == "x"
    (here / "community/b.yaml").write_text("x")
    assert waiter.wait(5)
    waiter.close()


def test_where_the_disk_is_silent(silent: tuple[Path, Path], tmp_path: Path) -> None:
    there, here = silent
    told = Told(tmp_path, there, here, INTERVAL)
    try:
        took = told.seconds()
    finally:
        told.live.stop()
    print(
        f"changed underneath a FUSE mount (no hints, a look each {INTERVAL:.0f} s): told and read again after"
        f" {', '.join(f'{each * 1000:.0f}' for each in took)} ms"
    )
    # Each but the first comes just behind a look. The best: what else the machine does is in all of them.
    assert min(took[1:]) < INTERVAL + 0.3


def test_where_it_tells(tmp_path: Path) -> None:
    init_shelves(tmp_path / "t", user=ME)
    many_templates(tmp_path / "t", ME, 500)
    told = Told(tmp_path, tmp_path / "t", tmp_path / "t", 60.0)
    try:
        took = told.seconds()
    finally:
        told.live.stop()
    print(
        f"a file among 500 changed (inotify): told and read again after"
        f" {', '.join(f'{each * 1000:.0f}' for each in took)} ms"
    )
    assert min(took) < 0.3
