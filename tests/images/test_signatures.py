"""Signatures as a file's table of contents names them, and the parsers of what is signed."""

from __future__ import annotations

import json
import struct
from contextlib import suppress

import pytest
import sif_writer as writer
from hypothesis import given, settings
from hypothesis import strategies as st
from stopwatch import stopwatch

from jupyter_slurmdash.images.model import SifFacts, SifSignature
from jupyter_slurmdash.images.sif import HEAD_SIZE, read_sif
from jupyter_slurmdash.images.signatures import (
    SignatureProblem,
    format_of,
    parse_document,
    parse_envelope,
    signature_of,
)

PRINT = bytes(range(1, 21))


def extra(number: int = 1, fingerprint: bytes = PRINT) -> bytes:
    return struct.pack("<i64s", number, fingerprint).ljust(384, b"\0")


def facts_of(*extras: bytes) -> SifFacts:
    signatures = [writer.Part(writer.SIGNATURE, b"x", extra=each) for each in extras]
    total = max(48, len(extras) + 3)
    data = writer.sif([writer.definition(), writer.metadata(), writer.partition(), *signatures], total=total)
    reads: list[tuple[int, int]] = []

    def read(ranges: list[tuple[int, int]]) -> list[bytes]:
        reads.extend(ranges)
        return [data[offset : offset + length] for offset, length in ranges]

    facts = read_sif(read, len(data))  # type: ignore[arg-type]
    # The head, the rest of a long table, the metadata; nothing of the signatures themselves.
    assert total > 48 or (reads[0] == (0, min(HEAD_SIZE, len(data))) and len(reads) <= 3)
    return facts


@pytest.mark.parametrize(
    ("number", "name"), [(1, "sha256"), (2, "sha384"), (3, "sha512"), (4, "blake2s"), (5, "blake2b")]
)
def test_what_a_descriptor_says(number: int, name: str) -> None:
    assert signature_of(extra(number)) == SifSignature("pgp", PRINT.hex().upper(), name)
    assert signature_of(extra(number, b"")) == SifSignature("dsse", "", name)


@pytest.mark.parametrize("number", [0, 6, -1, 2**31 - 1])
def test_an_algorithm_that_is_none(number: int) -> None:
    assert signature_of(extra(number)) == SifSignature("unknown")


def test_the_facts_name_every_signature_without_reading_more() -> None:
    assert facts_of().signatures == ()
    assert not facts_of().signed
    facts = facts_of(extra(), extra(3, b""))
    assert facts.signed
    assert [each.kind for each in facts.signatures] == ["pgp", "dsse"]
    assert SifFacts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts


def test_thousands_of_signatures_are_not_all_listed() -> None:
    facts = facts_of(*[extra()] * 400)
    assert facts.signed
    assert len(facts.signatures) == 64


def test_formats() -> None:
    start = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    assert format_of(start + b'{"version":1}') == "pgp"
    assert format_of(start + b"SIFHASH:\n00\n") == "legacy"
    assert format_of(b'{"payloadType":1}') == "dsse"
    assert format_of(b"") == format_of(b"\x89" * 99) == "unknown"


_texts = st.text(max_size=30) | st.sampled_from(
    ["sha256:" + "0" * 64, "sha256:", "application/vnd.sylabs.sif-metadata+json", "AAAA", "é" * 64]
)
_NAMES = (
    *("version", "header", "digest", "objects", "relativeId", "descriptorDigest", "objectDigest"),
    *("payload", "payloadType", "signatures", "sig", "keyid"),
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(value=_values)
def test_documents_of_every_shape(value: object) -> None:
    data = json.dumps(value).encode()
    for parse in (parse_document, parse_envelope):
        with suppress(SignatureProblem):
            parse(data)


@settings(max_examples=500, deadline=None)
@given(data=st.binary(max_size=300))
def test_bytes_of_every_kind(data: bytes) -> None:
    format_of(data)
    signature_of(data.ljust(384, b"\0")[:384])
    for parse in (parse_document, parse_envelope):
        with suppress(SignatureProblem):
            parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 262_144,
        b"{" * 262_144,
        b'{"a":' * 50_000,
        b'"' + b"\\u0000" * 40_000,
        b"1" * 262_144,
        b"[1," * 80_000,
    ],
    ids=["lists", "braces", "objects", "escapes", "a number", "list of lists"],
)
def test_bombs_are_refused_quickly(data: bytes) -> None:
    for parse in (parse_document, parse_envelope):
        with stopwatch() as watch, pytest.raises(SignatureProblem):
            parse(data)
        assert watch.seconds < 0.1
    with stopwatch() as watch:
        format_of(b"-----BEGIN PGP SIGNED MESSAGE-----\n" + b"Hash: x\n" * 30_000)
    assert watch.seconds < 0.1
