"""Archives as an attacker makes them, small on the disk. Each function writes one file and answers with its path."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

MIB = 1024 * 1024


def tar_header(name: bytes, size: int = 0, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """A header of the ustar format with a right checksum; ``size`` may be any number, true or not."""
    octal = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = octal
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(data) + packer.flush()


def zip_entry(
    name: bytes, size: int = 0, packed: int = 0, offset: int = 0, extra: bytes = b"", mode: int = 0
) -> bytes:
    """An entry of the central directory."""
    return (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 3 << 8 | 20, 20, 0, 8, 0, 0, 0, packed, size, len(name), len(extra),
                    0, 0, 0, mode << 16, offset)
        + name
        + extra
    )  # fmt: skip


def zip_end(count: int, length: int, offset: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, length, offset, 0)


def _gzip_bomb(path: Path) -> None:
    """20 GiB of zeros in one entry."""
    path.write_bytes(gzip(tar_header(b"zeros.dat", 20 * 1024 * MIB)) + gzip(bytes(4 * MIB)) * 5120)


def _xz_bomb(path: Path) -> None:
    """One gigabyte of zeros; xz makes 150 KiB of it."""
    path.write_bytes(
        lzma.compress(tar_header(b"zeros.dat", 1024 * MIB)) + lzma.compress(bytes(32 * MIB), preset=1) * 32
    )


def _tar_of_a_million(path: Path) -> None:
    path.write_bytes(gzip(tar_header(b"empty") * 10_000) * 100)


def _tar_of_tiny_members(path: Path) -> None:
    """A gzip file for every header and half a million empty ones: the decompressor starts anew for each."""
    path.write_bytes(gzip(tar_header(b"one", 10**9)) + gzip(b"") * 500_000)


def _zip_of_a_million(path: Path) -> None:
    directory = zip_entry(b"empty") * 1_000_000
    path.write_bytes(b"PK\3\4" + directory + zip_end(1_000_000, len(directory), 4))


def _zip_bomb(path: Path) -> None:
    """Entries that share the same bytes: 45 PB in 100 KB."""
    directory = b"".join(zip_entry(b"%d" % number, 2**32 - 2, 10_000, 0) for number in range(1000))
    path.write_bytes(b"PK\3\4" + bytes(20_000) + directory + zip_end(1000, len(directory), 20_004))


def _zip_of_long_names(path: Path) -> None:
    directory = zip_entry(b"n" * 65_535) * 800
    path.write_bytes(b"PK\3\4" + directory + zip_end(800, len(directory), 4))


def _zip_of_lies(path: Path) -> None:
    extra = struct.pack("<HHQQQ", 1, 24, 2**63, 2**62, 2**61)
    directory = zip_entry(b"large", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, extra)
    path.write_bytes(b"PK\3\4" + directory + zip_end(1, 2**32 - 2, 0))


def _endless_headers(path: Path) -> None:
    long_name = tar_header(b"././@LongLink", 512, b"L") + b"n" * 511 + b"\0"
    path.write_bytes(gzip(long_name * 100_000))


def _huge_header(path: Path) -> None:
    """An extended header of 8 GiB, which a reader that trusts it would hold in memory."""
    path.write_bytes(gzip(tar_header(b"pax", 8 * 1024 * MIB - 1, b"x")) + gzip(b"1" * MIB) * 2000)


def _map_without_end(path: Path) -> None:
    header = bytearray(tar_header(b"sparse", 0, b"S"))
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + (bytes(504) + b"\1" + bytes(7)) * 20_000)


def _negative_size(path: Path) -> None:
    header = bytearray(tar_header(b"negative"))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) * 4)


def _xz_with_a_large_window(path: Path) -> None:
    """4 GiB of dictionary, in a header with a right checksum."""
    data = bytearray(lzma.compress(tar_header(b"a") + bytes(1024), preset=0))
    end = 12 + (data[12] + 1) * 4
    data[data.index(b"\x21\x01", 12) + 2] = 40
    data[end - 4 : end] = zlib.crc32(data[12 : end - 4]).to_bytes(4, "little")
    path.write_bytes(bytes(data))


def _zstd_with_a_large_window(path: Path) -> None:
    """A frame that asks for 2 GiB, with one raw block."""
    block = tar_header(b"a") + bytes(1024)
    head = (len(block) << 3 | 1).to_bytes(3, "little")
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes((0, 21 << 3)) + head + block)


def _evil_names(path: Path) -> None:
    names = (
        "../../.ssh/authorized_keys",
        "/etc/passwd",
        "a/../../b",
        "C:\\evil",
        "..\\evil",
        "a\x1b[2Jb",
        "a\nb",
        "\u202egnp.exe",
    )
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name in (*names, "fine.txt", "fine.txt"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        for name, target in (("up", "../../x"), ("root", "/etc"), ("down/ok", "../fine.txt")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        device = tarfile.TarInfo("null")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "gzip-bomb.tar.gz": _gzip_bomb,
    "xz-bomb.tar.xz": _xz_bomb,
    "million.tar.gz": _tar_of_a_million,
    "tiny-members.tar.gz": _tar_of_tiny_members,
    "million.zip": _zip_of_a_million,
    "bomb.zip": _zip_bomb,
    "long-names.zip": _zip_of_long_names,
    "lies.zip": _zip_of_lies,
    "endless-headers.tar.gz": _endless_headers,
    "huge-header.tar.gz": _huge_header,
    "map.tar": _map_without_end,
    "negative.tar": _negative_size,
    "window.tar.xz": _xz_with_a_large_window,
    "window.tar.zst": _zstd_with_a_large_window,
    "names.tar.gz": _evil_names,
}


def make_all(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, make in HOSTILE.items():
        make(folder / name)
    return [folder / name for name in HOSTILE]
