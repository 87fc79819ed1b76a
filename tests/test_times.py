"""Moments as the contract writes them."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.times import moment, written


@given(st.integers(1, 4_000_000_000), st.floats(0, 0.999))
def test_a_moment_reads_back_to_the_second(seconds: int, fraction: float) -> None:
    text = moment(seconds + fraction)
    assert text is not None
    assert text.endswith("Z")
    assert datetime.fromisoformat(text).timestamp() == seconds


def test_no_moment() -> None:
    assert (moment(None), moment(0)) == (None, None)
    assert written(0) == "1970-01-01T00:00:00Z"
