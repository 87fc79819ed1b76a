"""Names of output files."""

from __future__ import annotations

import pytest

from jupyter_slurmdash.slurm.patterns import fill

LETTERS = {"j": "12", "A": "12", "a": "3", "x": "my job", "u": "alice"}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("slurm-%j.out", "slurm-12.out"),
        ("%A_%a.out", "12_3.out"),
        ("%5j-%03a", "00012-003"),
        ("%99j", "0000000012"),
        ("%5x", "my job"),
        ("100%%", "100%"),
        ("%%j", "%j"),
        ("%q", "%q"),
        ("a%", "a%"),
        ("\\%j", "%j"),
        ("%x/%u.log", "my job/alice.log"),
    ],
)
def test_patterns(pattern: str, name: str) -> None:
    assert fill(pattern, LETTERS) == name
