"""A controller that does not answer makes nobody wait: neither the server's start nor those who only look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from live import Live
from silence import Silence


def quickly(live: Live, path: str, seconds: float = 2.0) -> dict[str, object]:
    began = time.monotonic()
    answer: dict[str, object] = live.get(path)
    assert time.monotonic() - began < seconds, path
    return answer


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("remembered", ["", "hal"])
def test_nobody_waits_for_it(
    make_live: Callable[..., Live], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: str
) -> None:
    silence = Silence(tmp_path)
    monkeypatch.setenv("PATH", str(silence.path), prepend=":")
    data = tmp_path / "data"
    data.mkdir()
    if remembered:
        (data / "slurm-cluster").write_text(remembered)
    try:
        began = time.monotonic()
        live = make_live(settings={"scheduler": "slurm", "data_dir": str(data), "image_dirs": ["/images"]})
        assert time.monotonic() - began < 8, "a silent command takes nine"
        watcher = live.dash.jobs.watcher
        # One may be the one who asks; the others have what is known.
        first = threading.Thread(target=live.get, args=("/api/jobs",))
        first.start()
        until(watcher._lock.locked)
        for _ in range(3):
            assert quickly(live, "/api/jobs")["jobs"] == []
        assert quickly(live, "/api/apptainer/images")["scanning"]
        silence.give_up()
        until(lambda: watcher.stale)
        silence.wait()
        look = threading.Thread(target=watcher.look, kwargs={"force": True})
        time.sleep(3.1)  # for that long a failure is believed without asking again
        look.start()
        assert watcher.stale
        for _ in range(3):
            assert "not answer" in str(quickly(live, "/api/jobs")["stale"])
        assert look.is_alive()
        assert live.dash.cluster_name.known() == (remembered or "slurm")
    finally:
        silence.give_up()
    first.join(20)
    look.join(20)
