from __future__ import annotations

import pytest

from jupyter_slurmdash.uploads.progress import Progress
from jupyter_slurmdash.uploads.units import duration_text, size_text, speed_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (1500, "1.5 KB"),
        (999_600, "1 MB"),
        (10_000_000, "10 MB"),
        (5 * 1024**3, "5.4 GB"),
        (10**18, "1000 PB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_the_plans_texts() -> None:
    assert speed_text(10_000_000) == "10 MB/s"
    assert duration_text(330) == "00:05:30"
    assert duration_text(0.2) == "00:00:01"
    assert duration_text(400_000) == "111:06:40"


def test_speed_and_time_left() -> None:
    progress = Progress(0, 100.0)
    assert not progress.due(100.2)
    assert progress.due(100.25)
    assert progress.report(45_000_000, 100_000_000, 104.5) == {
        "progress": 45.0,
        "uploaded_bytes": 45_000_000,
        "total_bytes": 100_000_000,
        "speed": "10 MB/s",
        "eta": "00:00:06",
    }
    assert not progress.due(104.6)


def test_the_speed_is_of_the_last_seconds() -> None:
    progress = Progress(0, 0.0)
    for second in range(1, 20):
        report = progress.report(second * 1_000_000, None, float(second))
    assert report["speed"] == "1 MB/s"
    assert report["eta"] == ""
    assert report["progress"] == 0.0
    for second in range(20, 30):
        report = progress.report(20_000_000 + (second - 20) * 5_000_000, None, float(second))
    assert report["speed"] == "5 MB/s"


def test_the_end_and_nothing() -> None:
    assert Progress(0, 0.0).report(0, 0, 1.0)["progress"] == 100.0
    assert Progress(0, 0.0).report(5, 5, 1.0)["eta"] == "00:00:00"
    assert Progress(0, 0.0).report(0, 5, 0.0)["eta"] == ""
