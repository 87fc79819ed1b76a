"""A change on disk reaches the event bus: at once where the system tells, else with the next look."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from template_place import CHECKS, ME

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.templates.editor import Editor
from jupyter_slurmdash.templates.init import init_shelves
from jupyter_slurmdash.templates.library import Library
from jupyter_slurmdash.templates.watch import ShelfWatch


class Watched:
    def __init__(self, root: Path, interval: float, hints: bool) -> None:
        self.root, self.told = root, queue.Queue[list[str]]()
        self.bus = EventBus()
        self.bus.subscribe(lambda event: self.told.put(list(event.data["ids"])))
        self.library = Library(root, ME, True, CHECKS)
        self.watch = ShelfWatch(self.library, self.bus, interval, hints)
        self.watch.start()
        assert self.watch.wait_until_ready(10)

    def after(self, change: Any) -> float:
        """Seconds until the change is told; the ids are in ``ids``."""
        begun = time.perf_counter()
        change()
        self.ids = self.told.get(timeout=10)
        return time.perf_counter() - begun


@pytest.fixture
def watched(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    interval, hints = request.param
    init_shelves(tmp_path / "t", user=ME)
    made = Watched(tmp_path / "t", interval, hints)
    yield made
    made.watch.stop()


@pytest.mark.parametrize("watched", [(60.0, True)], indirect=True)
def test_at_once(watched: Watched) -> None:
    path = watched.root / "community/a.yaml"
    times = [watched.after(lambda: path.write_text("template: {id: a, name: a}\n"))]
    assert watched.ids == ["a"]
    assert watched.library.get("a").name == "a"
    for number in range(10):
        text = f"template: {{id: a, name: n{number}}}\n"
        times.append(watched.after(lambda text=text: path.write_text(text)))
        assert watched.library.get("a").name == f"n{number}"
    times.append(watched.after(lambda: path.rename(watched.root / f"private/{ME}/a.yaml")))
    times.append(watched.after(lambda: (watched.root / f"private/{ME}/a.yaml").unlink()))
    assert watched.library.find("a") is None
    # A directory that comes with files in it, and files that come into it later.
    other = watched.root.parent / "site"
    other.mkdir()
    (other / "b.yaml").write_text("template: {id: b, name: b}\n")
    times.append(watched.after(lambda: shutil.move(other, watched.root / "official/site")))
    assert watched.ids == ["b"]
    later = watched.root / "official/site/c.yaml"
    times.append(watched.after(lambda: later.write_text("template: {id: c, name: c}\n")))
    assert watched.ids == ["c"]
    print(f"{len(times)} changes told within {max(times) * 1000:.0f} ms")
    assert max(times) < 0.3


@pytest.mark.parametrize("watched", [(0.2, False)], indirect=True)
def test_by_looking(watched: Watched) -> None:
    path = watched.root / "community/a.yaml"
    seconds = watched.after(lambda: path.write_text("template: {id: a, name: a}\n"))
    assert watched.ids == ["a"]
    assert seconds < 0.5
    assert watched.after(path.unlink) < 0.5


@pytest.mark.parametrize("watched", [(60.0, True)], indirect=True)
def test_what_another_process_saves(watched: Watched) -> None:
    """And nothing at all where nothing changed: a lock, a history, another's directory."""
    other = Editor(Library(watched.root, ME, True, CHECKS), EventBus())
    made: list[Any] = []
    assert watched.after(lambda: made.append(other.create("template: {id: x, name: x}\n"))) < 0.3
    assert watched.ids == ["x"]
    (watched.root / "community/.hidden").write_text("x")
    (watched.root / "community/notes.txt").write_text("x")
    with pytest.raises(queue.Empty):
        watched.told.get(timeout=0.5)
    assert watched.after(lambda: other.delete("x", made[0].hash)) < 0.3


def test_shelves_that_come_later(tmp_path: Path) -> None:
    """The first template of a new user makes the shelves; what is changed on the disk then is told at once too."""
    root = tmp_path / "not/yet/there"
    made = Watched(root, 60.0, True)
    try:
        editor = Editor(Library(root, ME, True, CHECKS), EventBus())
        times = [made.after(lambda: editor.create("template: {id: x, name: x}\n"))]
        assert made.ids == ["x"]
        path = root / f"private/{ME}/x.yaml"
        times.append(made.after(lambda: path.write_text("template: {id: x, name: y}\n")))
        assert made.library.get("x").name == "y"
        assert max(times) < 0.3
    finally:
        made.watch.stop()
