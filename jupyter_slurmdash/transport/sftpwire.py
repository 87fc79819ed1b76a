"""What SFTP version 3 says on the wire: the frame of a packet, requests, and what replies hold.

Written from draft-ietf-secsh-filexfer-02, the version OpenSSH speaks. File names are bytes and need not be UTF-8.
"""

from __future__ import annotations

import stat
import struct
from typing import NamedTuple

INIT, VERSION = 1, 2
OPEN, CLOSE, READ, OPENDIR, READDIR, REALPATH, STAT = 3, 4, 5, 11, 12, 16, 17
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EOF, NO_SUCH_FILE, PERMISSION_DENIED = 1, 2, 3

# What every packet begins with: the size of what follows it, its kind, the number of the question.
FRAME = struct.Struct(">IBI")
_U32 = struct.Struct(">I")
# The attributes that servers tell of files: size; user and group; mode; times. Read at once, for there are thousands.
_USUAL = 0x1 | 0x2 | 0x4 | 0x8
_USUAL_ONES = struct.Struct(">QIIIII")


class ProtocolError(Exception):
    """The other side sent something that is not SFTP."""


class Attributes(NamedTuple):
    """``size`` bytes, ``mtime`` seconds since the epoch, ``mode`` with the file type's bits."""

    size: int
    mode: int
    mtime: int

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


class Request(NamedTuple):
    """``weight`` is what the reply may take, in bytes."""

    kind: int
    body: bytes
    weight: int = 1024


# Kind and body. A plain pair: there are thousands in a second.
Reply = tuple[int, bytes]


def encode(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def string(data: bytes) -> bytes:
    return _U32.pack(len(data)) + data


def u32(data: bytes, offset: int) -> int:
    number: int = _U32.unpack_from(data, offset)[0]
    return number


def take(data: bytes, offset: int) -> tuple[bytes, int]:
    """The string at ``offset``, and where it ends."""
    end = offset + 4 + u32(data, offset)
    if end > len(data):
        raise IndexError("a string ends behind its packet")
    return data[offset + 4 : end], end


def expect(reply: Reply, kind: int, path: str) -> bytes:
    """The string that a reply of this kind holds. Raises OSError for the file's trouble, or ProtocolError."""
    if reply[0] != kind:
        raise failure(reply, path)
    return take(reply[1], 0)[0]


def status(reply: Reply) -> int | None:
    """The code of a reply that is nothing but one."""
    return u32(reply[1], 0) if reply[0] == STATUS else None


def failure(reply: Reply, path: str) -> OSError:
    """What a reply of another kind than was asked for means. Raises ProtocolError when it means nothing."""
    code = status(reply)
    if code is None:
        raise ProtocolError("The server sent an answer of the wrong kind.")
    if code == NO_SUCH_FILE:
        return FileNotFoundError(f"{path} is not there.")
    if code == PERMISSION_DENIED:
        return PermissionError(f"{path} may not be read.")
    return OSError(f"{path} could not be read.")


def names(reply: Reply, path: str) -> list[tuple[bytes, Attributes]]:
    """The entries of a directory that a reply tells, at least one."""
    if reply[0] != NAME:
        raise failure(reply, path)
    found: list[tuple[bytes, Attributes]] = []
    offset = 4
    for _ in range(u32(reply[1], 0)):
        name, offset = take(reply[1], offset)
        _, offset = take(reply[1], offset)
        facts, offset = attributes(reply[1], offset)
        found.append((name, facts))
    if not found:
        raise ProtocolError("The server sent an empty list of names.")
    return found


def attributes(data: bytes, offset: int) -> tuple[Attributes, int]:
    """The attributes at ``offset``, and where they end."""
    flags = u32(data, offset)
    if flags == _USUAL:
        size, _, _, mode, _, mtime = _USUAL_ONES.unpack_from(data, offset + 4)
        return Attributes(size, mode, mtime), offset + 4 + _USUAL_ONES.size
    offset += 4
    size = mode = mtime = 0
    if flags & 0x1:
        size = int(struct.unpack_from(">Q", data, offset)[0])
        offset += 8
    if flags & 0x2:
        offset += 8  # uid, gid
    if flags & 0x4:
        mode = u32(data, offset)
        offset += 4
    if flags & 0x8:
        mtime = u32(data, offset + 4)
        offset += 8
    if flags & 0x80000000:
        pairs = u32(data, offset)
        offset += 4
        for _ in range(2 * pairs):
            _, offset = take(data, offset)
    return Attributes(size, mode, mtime), offset
