"""Spoilt images of every kind: a reason or incomplete facts, and nothing worse.

SLURMDASH_FUZZ_EXAMPLES sets the number of examples. ``benchmarks/fuzz_images.py`` is faster, for a million.
"""

from __future__ import annotations

import os
import random
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_fuzz import Checked, Seed, mutate, seeds
from squashfs_maker import needs_mksquashfs
from stopwatch import stopwatch

from jupyter_slurmdash.images.sif import read_sif

EXAMPLES = int(os.environ.get("SLURMDASH_FUZZ_EXAMPLES", "2000"))
SLOW = 0.2
_settings = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    needs_mksquashfs()
    return seeds(tmp_path_factory.mktemp("seeds"))


def check(image: bytes) -> None:
    tracemalloc.start()  # for the reader alone: it makes everything some times as slow
    try:
        began = time.thread_time()
        read_sif(Checked(image), len(image))
        took = time.thread_time() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    # That was with all that tests do beside; the stopwatch leaves it out, but is slow itself.
    if took >= SLOW:
        with stopwatch() as watch:
            read_sif(Checked(image), len(image))
        assert watch.seconds < SLOW


def test_the_seeds_are_good(good: list[Seed]) -> None:
    for seed in good:
        facts = read_sif(Checked(seed.image), len(seed.image))
        assert (facts.problem, facts.complete) == (None, True)


@_settings
@given(which=st.integers(0, 7), number=st.integers(0, 2**64))
def test_mutated_images(good: list[Seed], which: int, number: int) -> None:
    check(mutate(good[which], random.Random(number)))


@_settings
@given(data=st.data())
def test_changed_bytes_that_shrink(good: list[Seed], data: st.DataObject) -> None:
    """Fewer changes, but Hypothesis finds the smallest that fails."""
    seed = good[data.draw(st.integers(0, 7))]
    image = bytearray(seed.image)
    for first, end in data.draw(st.lists(st.sampled_from(seed.regions), max_size=6)):
        image[data.draw(st.integers(first, end - 1))] = data.draw(st.integers(0, 255))
    check(bytes(image))
