"""Environment scripts, build dates and rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.images.metadata import build_time, clean, parse_environment
from jupyter_slurmdash.images.rules import family, image_description, image_type, image_version, version_key


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("export A=1", {"A": "1"}),
        ("  A=1\n  export A", {"A": "1"}),
        ("A='x y'  # comment", {"A": "x y"}),
        ('export A="it\'s \\"q\\""', {"A": 'it\'s "q"'}),
        ("export A=1 B=2 C", {"A": "1", "B": "2"}),
        ('export PATH="/opt/bin:$PATH"', {"PATH": "/opt/bin:$PATH"}),
        ('A="${A:-"/usr/bin"}"', {"A": "${A:-/usr/bin}"}),
        ("A=$(date +%Y)", {"A": "$(date +%Y)"}),
        ("A=`date`", {"A": "`date`"}),
        ("A='two\nlines'", {"A": "'two"}),
        ("# A=1\nif x; then\nA-B=1\n1A=2\necho A=3", {}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=", {"A": ""}),
        ("A=1 command", {"A": "1"}),
    ],
)
def test_environment(script: str, expected: dict[str, str]) -> None:
    assert parse_environment(script) == expected


@given(st.text())
def test_any_script(script: str) -> None:
    parse_environment(script)
    parse_environment(f"export A={script}")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-15T07:13:20+09:00", 1_700_000_000),
        ("Tuesday_14_November_2023_22:13:20_UTC", 1_700_000_000),
        ("Tuesday_14_November_2023_22:13:20_KST", 0),
        ("Tuesday_34_Nonember_2023_22:13:20_UTC", 0),
        ("Tuesday_34_November_2023_22:13:20_UTC", 0),
        ("", 0),
        ("yesterday", 0),
        ("0001-01-01T00:00:00+14:00", 0),
    ],
)
def test_build_date(text: str, seconds: int) -> None:
    assert build_time({"org.label-schema.build-date": text}) == seconds


@given(st.text())
def test_any_build_date(text: str) -> None:
    build_time({"org.label-schema.build-date": text})


@given(st.text(alphabet=st.characters()))
def test_cleaned_text_can_be_written(text: str) -> None:
    assert "\0" not in clean(text).encode().decode()


@pytest.mark.parametrize(
    ("labels", "name", "partitions", "expected"),
    [
        ({"slurmdash.type": " Custom "}, "vnc.sif", ["viz"], "custom"),
        ({"slurmdash.type": "nonsense"}, "a.sif", ["viz"], "viz"),
        ({}, "a.sif", ["viz-a", "VIZ"], "viz"),
        ({}, "a.sif", ["viz", "compute"], "compute"),
        ({}, "vnc_gnome.sif", ["compute"], "viz"),
        ({}, "a.sif", [], "compute"),
    ],
)
def test_type(labels: dict[str, str], name: str, partitions: list[str], expected: str) -> None:
    assert image_type(labels, name, partitions) == expected


@pytest.mark.parametrize(
    ("labels", "name", "version"),
    [
        ({"version": "1", "org.label-schema.version": "2"}, "a-3.sif", "2"),
        ({"org.opencontainers.image.version": "22.04"}, "a.sif", "22.04"),
        ({"version": " "}, "openfoam-v2406.sif", "2406"),
        ({}, "pytorch_2.3.0.sif", "2.3.0"),
        ({}, "이미지 v2.sif", "2"),
        ({}, "plain.sif", ""),
        ({}, "2024.sif", ""),
    ],
)
def test_version(labels: dict[str, str], name: str, version: str) -> None:
    assert image_version(labels, name) == version


def test_order_of_versions() -> None:
    versions = ["2.10", "2.9", "2.9.1", "rc1", "", "2.9-rc1"]
    assert sorted(versions, key=version_key) == ["", "rc1", "2.9", "2.9-rc1", "2.9.1", "2.10"]


@given(st.lists(st.text(), min_size=2))
def test_any_versions_can_be_compared(versions: list[str]) -> None:
    sorted(versions, key=version_key)


def test_family_and_description() -> None:
    assert family("OpenFOAM-v2406.sif") == family("openfoam-2312.sif") == "openfoam"
    assert image_description({"org.label-schema.description": "text"}) == "text"
    assert image_description({}) == ""
