"""The SFTP reader against servers that break the protocol (the good one is OpenSSH's, in the contract suite)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.transport.base import ReadSteps
from jupyter_slurmdash.transport.sftp import ProtocolError, SftpReader


def packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body


VERSION = packet(2, struct.pack(">I", 3))


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def reply(number: int, kind: int, body: bytes) -> bytes:
    return packet(kind, struct.pack(">I", number) + body)


def status(number: int, code: int) -> bytes:
    return reply(number, 101, struct.pack(">I", code) + string(b"") + string(b""))


def head() -> ReadSteps[bytes]:
    [data] = yield [(0, 10)]
    return data


def read_head(reader: SftpReader) -> list[bytes | OSError]:
    return reader.read_steps([("/file", head())])


class Script:
    """A channel whose other side says what it was told to, and then closes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def sendall(self, data: bytes, /) -> None:
        assert data

    def recv(self, size: int, /) -> bytes:
        piece, self.data = self.data[:7], self.data[7:]
        return piece


def test_another_protocol() -> None:
    with pytest.raises(ProtocolError):
        SftpReader(Script(packet(101, b"")))
    with pytest.raises(ProtocolError):
        SftpReader(Script(b"This account is not available.\n"))
    with pytest.raises(EOFError):
        SftpReader(Script(b""))


@pytest.mark.parametrize(
    "answer",
    [
        reply(99, 102, string(b"handle")),
        packet(102, b"\0"),
        reply(1, 105, b""),
        reply(1, 102, b"\0\0"),
        reply(1, 102, struct.pack(">I", 100) + b"short"),
        reply(1, 102, string(b"h")) + reply(2, 103, string(b"x" * 100)),
        reply(1, 102, string(b"h")) + reply(2, 103, string(b"")),
    ],
)
def test_answers_that_make_no_sense(answer: bytes) -> None:
    reader = SftpReader(Script(VERSION + answer))
    with pytest.raises(ProtocolError):
        read_head(reader)


def test_short_reads_are_put_together() -> None:
    answers = reply(1, 102, string(b"h")) + reply(2, 103, string(b"abc")) + reply(3, 103, string(b"de"))
    reader = SftpReader(Script(VERSION + answers + status(4, 1) + status(5, 0)))
    assert read_head(reader) == [b"abcde"]


@pytest.mark.parametrize(("code", "error"), [(2, FileNotFoundError), (3, PermissionError), (4, OSError)])
def test_errors_of_a_file(code: int, error: type[OSError]) -> None:
    reader = SftpReader(Script(VERSION + status(1, code)))
    [result] = read_head(reader)
    assert type(result) is error
    opened = VERSION + reply(1, 102, string(b"h")) + status(2, code) + status(3, 0)
    [result] = read_head(SftpReader(Script(opened)))
    assert type(result) is error


def test_a_listing_that_may_not_be_read() -> None:
    name = struct.pack(">I", 1) + string(b"/d") + string(b"") + struct.pack(">I", 0)
    reader = SftpReader(Script(VERSION + reply(1, 104, name) + status(2, 3)))
    with pytest.raises(PermissionError):
        reader.list_files("/d", ".sif", 3, 10)


def test_attributes_with_extensions() -> None:
    attributes = struct.pack(">I", 0x8000000D) + struct.pack(">Q", 5) + struct.pack(">III", 0o100644, 1, 2)
    attributes += struct.pack(">I", 1) + string(b"a") + string(b"b")
    root = struct.pack(">I", 1) + string(b"/d") + string(b"") + struct.pack(">I", 0)
    entry = struct.pack(">I", 1) + string(b"a.sif") + string(b"") + attributes
    answers = (
        reply(1, 104, root) + reply(2, 102, string(b"h")) + reply(3, 104, entry) + status(4, 1) + status(5, 0)
    )
    [file] = SftpReader(Script(VERSION + answers)).list_files("/d", ".sif", 1, 10)
    assert (file.path, file.size, file.mtime_ns) == ("/d/a.sif", 5, 2_000_000_000)


_answers = st.lists(
    st.one_of(
        st.builds(
            reply, st.integers(0, 8), st.sampled_from([101, 102, 103, 104, 105]), st.binary(max_size=60)
        ),
        st.builds(
            lambda number, data: reply(number, 102, string(data)), st.integers(1, 8), st.binary(max_size=4)
        ),
        st.builds(status, st.integers(1, 8), st.integers(0, 9)),
        st.binary(max_size=30),
    ),
    max_size=12,
)


@given(_answers)
def test_any_answers(answers: list[bytes]) -> None:
    for action in (
        lambda reader: reader.read_steps([("/a", head()), ("/b", head())]),
        lambda reader: reader.list_files("/d", ".sif", 3, 10),
        lambda reader: reader.read_ranges("/a", [(0, 5), (9, 9)]),
    ):
        try:
            action(SftpReader(Script(VERSION + b"".join(answers))))
        except (EOFError, ProtocolError, OSError):
            continue
