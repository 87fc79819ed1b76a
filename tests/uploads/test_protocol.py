from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.uploads.protocol import parse_checksum, parse_metadata, parse_number

keys = st.from_regex(r"[a-zA-Z_-]{1,10}", fullmatch=True)


@given(st.dictionaries(keys, st.text()))
def test_metadata_comes_back(values: dict[str, str]) -> None:
    header = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in values.items())
    assert parse_metadata(header) == values


def test_a_key_may_have_no_value() -> None:
    assert parse_metadata("is_confidential, filename YQ==") == {"is_confidential": "", "filename": "a"}


@given(st.text())
def test_any_metadata_is_read_or_refused(header: str) -> None:
    try:
        parse_metadata(header)
    except InvalidInput as refused:
        assert "Upload-Metadata" in refused.detail  # noqa: PT017


@pytest.mark.parametrize("header", ["a !!!", "a YQ==,a YQ==", "ä YQ==", "a /w=="])
def test_bad_metadata(header: str) -> None:
    with pytest.raises(InvalidInput):
        parse_metadata(header)


def test_checksum() -> None:
    digest = hashlib.sha1(b"x", usedforsecurity=False).digest()
    read = parse_checksum("sha1 " + base64.b64encode(digest).decode())
    assert (read.algorithm, read.digest) == ("sha1", digest)


@pytest.mark.parametrize("header", ["md17 YQ==", "sha1 !!!", "", "sha1"[:-1]])
def test_bad_checksum(header: str) -> None:
    with pytest.raises(InvalidInput):
        parse_checksum(header)


@given(st.text())
def test_any_number_is_read_or_refused(text: str) -> None:
    try:
        assert parse_number("Upload-Length", text) >= 0
    except InvalidInput as refused:
        assert "Upload-Length" in refused.detail  # noqa: PT017


@pytest.mark.parametrize("text", ["-1", "+1", "1.5", "0x1", " 1", "1_000", "٣", "9" * 19, ""])
def test_bad_numbers(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_number("Upload-Offset", text)
