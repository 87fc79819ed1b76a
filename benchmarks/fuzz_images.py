"""Reads a million spoilt images: ``python benchmarks/fuzz_images.py [--images N] [--seconds S] [--seed K]``.

Fails when one crashes the reader, is read outside the file, takes 200 ms of processor time, or lets the process
grow by 32 MB. Needs mksquashfs. Not part of `make bench`: it takes some minutes.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from image_fuzz import Checked, mutate, seeds  # noqa: E402

from jupyter_slurmdash.images.sif import read_sif  # noqa: E402

_SLOW = 0.2
_MEMORY = 32 * 1024


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        good = seeds(Path(place))
    for seed in good:
        read_sif(Checked(seed.image), len(seed.image))
    gc.collect()
    before, start = _peak_kib(), time.monotonic()
    outcomes: Counter[str] = Counter()
    slowest = total = 0.0
    for number in range(wanted.images):
        if time.monotonic() - start > wanted.seconds:
            break
        image = mutate(good[number % len(good)], random.Random(wanted.seed * 10**9 + number))
        began = time.thread_time()
        facts = read_sif(Checked(image), len(image))
        took = time.thread_time() - began
        total += took
        slowest = max(slowest, took)
        outcomes["unusable" if facts.problem else "whole" if facts.complete else "incomplete"] += 1
    count = sum(outcomes.values())
    grown = _peak_kib() - before
    print(
        f"{count:,} spoilt images in {time.monotonic() - start:.0f} s: 0 crashes, 0 reads outside the file;"
        f" {', '.join(f'{number:,} {name}' for name, number in sorted(outcomes.items()))};"
        f" {total / count * 1000:.3f} ms each, slowest {slowest * 1000:.1f} ms;"
        f" peak memory grew by {grown / 1024:.1f} MiB"
    )
    return 0 if slowest < _SLOW and grown < _MEMORY else 1


if __name__ == "__main__":
    sys.exit(main())
