"""Slurm's small languages."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.slurm import values
from jupyter_slurmdash.slurm.base import JobState


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1-02:03:04", 93784),
        ("2:03:04", 7384),
        ("03:04", 184),
        ("0:01", 1),
        ("10:00", 600),
        ("93784", 93784),
        ("00:00.123", 0),
        ("UNLIMITED", None),
        ("INVALID", None),
        ("infinite", None),
        ("Partition_Limit", None),
        ("NOT_SET", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["Unknown", "N/A", "None", "NOT_SET", "", "(null)", "0"])
def test_no_time(text: str) -> None:
    assert values.timestamp(text) is None


def test_times_are_utc() -> None:
    assert values.timestamp("1795418200") == 1795418200
    assert values.timestamp("2023-11-14T22:13:20") == 1_700_000_000
    assert values.timestamp("2023-11-15T07:13:20+09:00") == 1_700_000_000


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("CANCELLED by 1000", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("RUNNING", "RUNNING"),
        ("completed", "COMPLETED"),
        ("OUT_OF_MEMORY", "OUT_OF_MEMORY"),
        ("REQUEUE_HOLD", "PENDING"),
        ("STOPPED", "SUSPENDED"),
        ("LAUNCH_FAILED", "FAILED"),
        ("SOMETHING_NEW", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_states(text: str, state: JobState) -> None:
    assert values.state(text) == state


@pytest.mark.parametrize(
    ("text", "expected"), [("1:0", (1, None)), ("0:9", (0, 9)), ("0:0", (0, None)), ("", (None, None))]
)
def test_exit_codes(text: str, expected: tuple[int | None, int | None]) -> None:
    assert values.exit_code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("768", (3, None)),
        ("9", (0, 9)),
        ("0", (0, None)),
        ("15", (0, 15)),
        ("2:0", (2, None)),
        ("N/A", (None, None)),
    ],
)
def test_wait_statuses(text: str, expected: tuple[int | None, int | None]) -> None:
    assert values.wait_status(text) == expected


@pytest.mark.parametrize(
    ("gres", "count"),
    [
        ("gpu:2(S:0)", 2),
        ("gpu:a100:4,shard:8", 4),
        ("gpu:a100:4(S:0-1),gpu:v100:2(S:0,1)", 6),
        ("gpu:2(IDX:0,1)", 2),
        ("gpu:a100:1(IDX:3),shard:0", 1),
        ("gpu", 1),
        ("gpu:a100", 1),
        ("gpu:0", 0),
        ("shard:8", 0),
        ("(null)", 0),
        ("", 0),
    ],
)
def test_gpus(gres: str, count: int) -> None:
    assert values.gpus(gres) == count


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("node[001-003]", ["node001", "node002", "node003"]),
        ("node[001,7],gpu1", ["node001", "node7", "gpu1"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("n[08-11]-ib", ["n08-ib", "n09-ib", "n10-ib", "n11-ib"]),
        ("single", ["single"]),
        ("None assigned", []),
        ("(null)", []),
        ("", []),
        ("n[1-x]", ["n[1-x]"]),
    ],
)
def test_hosts(expression: str, names: list[str]) -> None:
    assert values.hosts(expression) == names


def test_a_huge_range_costs_nothing() -> None:
    assert len(values.hosts("n[0-99999999999]", limit=10)) == 10
    assert len(values.hosts("a[0-99999]b[0-99999]", limit=50)) == 50


@given(st.text())
def test_nothing_crashes(text: str) -> None:
    values.duration(text)
    values.timestamp(text)
    values.wait_status(text)
    values.gpus(text)
    values.number(text)
    assert values.state(text) in get_args(JobState)
    assert len(values.hosts(text, limit=100)) <= 100


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=20))
def test_hosts_reads_what_is_written(numbers: list[int]) -> None:
    expression = f"node[{','.join(f'{number:04d}' for number in numbers)}]"
    assert values.hosts(expression) == [f"node{number:04d}" for number in numbers]
