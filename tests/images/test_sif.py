"""Reading SIF files: right, old, damaged, hostile and none at all."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
import sif_writer as writer
from hypothesis import given, settings
from hypothesis import strategies as st
from stopwatch import stopwatch

from jupyter_slurmdash.images.model import SifFacts
from jupyter_slurmdash.images.sif import HEAD_SIZE, read_sif


class Reader:
    """A file in memory that counts, and does not allow a read that begins behind its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []

    def __call__(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        for offset, length in ranges:
            assert offset >= 0
            assert 0 <= length <= 1024 * 1024
            assert offset + length <= len(self.data)
        self.reads += ranges
        return [self.data[offset : offset + length] for offset, length in ranges]


def facts_of(data: bytes) -> SifFacts:
    return read_sif(Reader(data), len(data))


def test_a_whole_image_in_one_read() -> None:
    data = writer.image(
        labels={"version": "2.1", "n": 3},
        environment={"/.singularity.d/env/90-environment.sh": "export A=1\n"},
        runscript="#!/bin/sh\nexec a",
        startscript="start",
        test="test",
        helpfile="Help",
        deffile="Bootstrap: scratch",
        apps={
            "b": {"runscript": "run b", "helpfile": "h", "labels": {"x": "y"}},
            "a": {"environment": {"e": "B=2"}},
        },
    )
    reader = Reader(data)
    facts = read_sif(reader, len(data))
    assert facts.problem is None
    assert facts.complete
    assert (facts.arch, facts.sif_id, facts.build_time) == ("amd64", str(writer.ID), 1_700_000_000)
    assert facts.labels == {"version": "2.1", "n": "3"}
    assert facts.environment == {"A": "1"}
    assert facts.environment_scripts == {"/.singularity.d/env/90-environment.sh": "export A=1\n"}
    assert (facts.runscript, facts.startscript, facts.test) == ("#!/bin/sh\nexec a", "start", "test")
    assert (facts.help, facts.deffile) == ("Help", "Bootstrap: scratch")
    assert [app.name for app in facts.apps] == ["a", "b"]
    assert facts.apps[0].environment == {"B": "2"}
    assert (facts.apps[1].runscript, facts.apps[1].help, facts.apps[1].labels) == ("run b", "h", {"x": "y"})
    assert not facts.signed
    assert not facts.encrypted
    assert reader.reads[0] == (0, min(HEAD_SIZE, len(data)))
    assert len(reader.reads) <= 2
    assert SifFacts.from_dict(facts.to_dict()) == facts


def test_metadata_behind_the_head_is_read_by_itself() -> None:
    parts = [writer.definition("x" * 40_000), writer.metadata(labels={"a": "b"}), writer.partition()]
    data = writer.sif(parts)
    reader = Reader(data)
    assert read_sif(reader, len(data)).labels == {"a": "b"}
    assert len(reader.reads) == 2
    assert sum(length for _, length in reader.reads) <= 16 * 1024


def test_an_old_image_gives_what_its_table_and_definition_say() -> None:
    facts = facts_of(writer.sif([writer.definition("Bootstrap: docker\0"), writer.partition(arch=b"04\0")]))
    assert facts.problem is None
    assert not facts.complete
    assert (facts.arch, facts.deffile, facts.labels) == ("arm64", "Bootstrap: docker", {})


def test_signed_and_encrypted() -> None:
    facts = facts_of(writer.sif([writer.partition(kind=5), writer.signature()]))
    assert facts.signed
    assert facts.encrypted


def test_the_build_date_of_the_label_when_the_header_has_none() -> None:
    label = {"org.label-schema.build-date": "Monday_23_November_2026_7:7:49_UTC"}
    parts = [writer.metadata(labels=label), writer.partition()]
    assert facts_of(writer.sif(parts, created=-62135596800)).build_time == 1795417669
    assert facts_of(writer.sif(parts, created=2**62)).build_time == 1795417669
    assert facts_of(writer.sif([writer.metadata(), writer.partition()], created=0)).build_time == 0


def test_no_identifier_and_a_strange_architecture() -> None:
    facts = facts_of(writer.sif([writer.partition(arch=b"99\0")], identifier=bytes(16)))
    assert (facts.sif_id, facts.arch, facts.problem) == ("", "", None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is a note\n", "text file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"<!DOCTYPE html>", "web page"),
        (b"hsqs" + bytes(100), "squashfs"),
        (b"\x1f\x8b\x08" + bytes(100), "gzip"),
        (b"\x7fELF" + bytes(100), "program"),
        (bytes(4096), "not a SIF"),
        (writer.image()[:100], "cut off"),
        (writer.image()[:5000], "cut off"),
        (writer.image()[:-1], "1 bytes are missing"),
        (writer.sif([writer.definition()]), "no container"),
        (writer.sif([writer.Part(writer.OCI_BLOB, b"x")]), "OCI-SIF"),
        (writer.sif([writer.partition()], version=b"02\0"), "version"),
        (writer.sif([writer.partition()], total=10**9), "damaged"),
        (writer.sif([writer.partition()], total=-1), "damaged"),
        (writer.sif([writer.partition(part=4)]), "no container"),
    ],
)
def test_why_a_file_cannot_be_used(data: bytes, words: str) -> None:
    problem = facts_of(data).problem
    assert problem is not None
    assert words in problem


def _with(data: bytes, offset: int, value: int) -> bytes:
    return data[:offset] + struct.pack("<q", value) + data[offset + 8 :]


@pytest.mark.parametrize("value", [-1, -(2**63), 2**63 - 1, 2**40])
@pytest.mark.parametrize("field", [4096 + 17, 4096 + 25], ids=["offset", "size"])
def test_impossible_places_of_objects(field: int, value: int) -> None:
    assert facts_of(_with(writer.image(), field, value)).problem is not None


@pytest.mark.parametrize("value", [-1, 0, 127, 2**63 - 1, 10**6])
def test_impossible_places_of_the_table(value: int) -> None:
    assert facts_of(_with(writer.image(), 96, value)).problem is not None


@pytest.mark.parametrize("free", [0, 44, 45, 46, 47, 48, 49, -1, 2**63 - 1, -(2**63)])
def test_a_header_that_miscounts_its_entries(free: int) -> None:
    """Apptainer goes by what each entry says of itself."""
    data = writer.image(labels={"version": "2.1"})
    assert facts_of(_with(data, 80, free)) == facts_of(data)


@pytest.mark.parametrize("free", [0, 40, 41, 48])
@pytest.mark.parametrize("table_offset", [4096, 9000])
def test_a_header_that_miscounts_more_entries_than_the_head_has(free: int, table_offset: int) -> None:
    parts = [writer.partition(), *(writer.definition() for _ in range(6)), writer.signature()]
    facts = facts_of(_with(writer.sif(parts, table_offset=table_offset, gap=8192), 80, free))
    assert facts.signed
    assert facts.problem is None


def test_how_much_is_missing_at_least() -> None:
    problem = facts_of(writer.sif([writer.partition(), writer.definition()])[:-3000]).problem
    assert problem == "The file is cut off: at least 3000 bytes are missing. Copy it again."


def test_a_huge_metadata_object_is_left_alone() -> None:
    facts = facts_of(writer.sif([writer.metadata(labels={"a": "x" * 1_100_000}), writer.partition()]))
    assert (facts.problem, facts.complete, facts.labels) == (None, False, {})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"data": 1}',
        b'{"data": {"attributes": []}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"data": {"attributes": ' + b"9" * 5000 + b"}}",
    ],
)
def test_metadata_that_is_none(text: bytes) -> None:
    part = writer.Part(writer.JSON, text, "inspect-metadata.json")
    facts = facts_of(writer.sif([writer.definition("def"), part, writer.partition()]))
    assert (facts.problem, facts.complete, facts.deffile) == (None, False, "def")


def test_metadata_of_other_types_and_characters() -> None:
    facts = facts_of(
        writer.image(
            labels=["x"], environment=3, runscript={"a": 1}, apps={"a": 1, "b\0": None}, helpfile="\ud800\0x"
        )
    )
    assert facts.complete
    assert (facts.labels, facts.environment, facts.runscript) == ({}, {}, '{"a": 1}')
    assert [app.name for app in facts.apps] == ["a", "b"]
    assert facts.help == "?x"


# -- any bytes at all -----------------------------------------------------------------------------------------

_GOOD = writer.sif(
    [writer.definition(), writer.metadata(labels={"a": "b"}), writer.partition(), writer.signature()]
)
_INTERESTING = [*range(128), *range(4096, 4096 + 5 * 585), *range(writer.DATA_START, len(_GOOD))]


@settings(max_examples=600, deadline=200)
@given(
    st.lists(st.tuples(st.sampled_from(_INTERESTING), st.integers(0, 255)), max_size=24),
    st.integers(0, len(_GOOD)),
    st.booleans(),
)
def test_mutations(changes: list[tuple[int, int]], length: int, cut: bool) -> None:
    data = bytearray(_GOOD)
    for offset, value in changes:
        data[offset] = value
    mutated = bytes(data[:length]) if cut else bytes(data)
    reader = Reader(mutated)
    facts = read_sif(reader, len(mutated))
    # Head, rest of the table, metadata, definition, superblock, pages.
    assert len(reader.reads) <= 6
    assert facts.problem is not None or len(mutated) == len(_GOOD)


@settings(max_examples=200, deadline=200)
@given(st.binary(max_size=512), st.integers(0, 700))
def test_any_bytes(data: bytes, at: int) -> None:
    facts_of(data)
    mutated = _GOOD[:at] + data + _GOOD[at + len(data) :]
    facts_of(mutated)


@pytest.mark.parametrize("make", [lambda: writer.image(labels={str(n): "x" * 100 for n in range(5000)})])
def test_time_and_memory_are_bounded(make: Callable[[], bytes]) -> None:
    data = make()
    tracemalloc.start()
    with stopwatch() as watch:
        facts_of(data)
    assert watch.seconds < 0.5
    assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    tracemalloc.stop()
