"""What the first bytes of a file tell: is it what its name says? So a wrong file stops after its first piece.

Only formats whose first bytes are fixed are in the table; a name without an entry is never refused.
Sources: the formats' own specifications (RFC 1952 gzip, APPNOTE.TXT zip, HDF5 superblock, NumPy NEP 1, …).
"""

from __future__ import annotations

HEAD = 4096  # bytes that are looked at

_GZIP, _ZIP, _HDF5 = b"\x1f\x8b", b"PK", b"\x89HDF\r\n\x1a\n"
_NUMPY, _XZ, _BZIP2 = b"\x93NUMPY", b"\xfd7zXZ\x00", b"BZh"
_CDF = (b"CDF\x01", b"CDF\x02", b"CDF\x05")

# ending → (name for people, possible beginnings)
_BEGINNINGS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".gz": ("gzip", (_GZIP,)),
    ".tgz": ("gzip", (_GZIP,)),
    ".zip": ("zip", (_ZIP,)),
    ".npz": ("zip", (_ZIP,)),
    ".npy": ("NumPy", (_NUMPY,)),
    ".h5": ("HDF5", (_HDF5,)),
    ".hdf5": ("HDF5", (_HDF5,)),
    ".nc": ("NetCDF", (_HDF5, *_CDF)),
    ".bz2": ("bzip2", (_BZIP2,)),
    ".xz": ("xz", (_XZ,)),
    ".7z": ("7-Zip", (b"7z\xbc\xaf\x27\x1c",)),
    ".pdf": ("PDF", (b"%PDF-",)),
    ".png": ("PNG", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("JPEG", (b"\xff\xd8\xff",)),
    ".jpeg": ("JPEG", (b"\xff\xd8\xff",)),
    ".tif": ("TIFF", (b"II", b"MM")),
    ".tiff": ("TIFF", (b"II", b"MM")),
    ".parquet": ("Parquet", (b"PAR1", b"PARE")),
    ".sqlite": ("SQLite", (b"SQLite format 3\x00",)),
}
# A user block may stand before an HDF5 superblock: 512 bytes or a power of two more.
_HDF5_OFFSETS = (0, 512, 1024, 2048)

# These are text; a NUL byte at the beginning means that they are something else.
_TEXT = (".json", ".yaml", ".yml", ".toml", ".ini", ".xml", ".py", ".sh", ".ipynb")


def wrong_beginning(name: str, head: bytes) -> str | None:
    """Why ``head`` (the first bytes, at most ``HEAD``) cannot be the beginning of a file of this name; else
    None.
    """
    ending = "." + name.lower().rpartition(".")[2]
    if ending in _TEXT:
        return _not_text(name, head)
    if ending not in _BEGINNINGS:
        return None
    kind, beginnings = _BEGINNINGS[ending]
    if any(_begins(head, beginning) for beginning in beginnings):
        return None
    if not head:
        return f"{name} is empty, so it is not a {kind} file. Make it again and send it again."
    found = _recognise(head)
    seems = f"it looks like {found}" if found else "its first bytes are something else"
    return f"{name} is not a {kind} file: {seems}. Give it its right name, or send the right file."


def _begins(head: bytes, beginning: bytes) -> bool:
    if beginning == _HDF5:
        return any(head.startswith(beginning, offset) for offset in _HDF5_OFFSETS)
    return head.startswith(beginning)


def _recognise(head: bytes) -> str:
    for kind, beginnings in _BEGINNINGS.values():
        # Two letters are too few to name a format by.
        if any(len(beginning) > 2 or beginning in (_GZIP, _ZIP) for beginning in beginnings) and any(
            _begins(head, beginning) for beginning in beginnings
        ):
            return kind
    return "text" if head and b"\0" not in head and head.isascii() else ""


def _not_text(name: str, head: bytes) -> str | None:
    found = _recognise(head)
    if found in ("", "text") and b"\0" not in head:
        return None
    seems = f"it looks like {found}" if found not in ("", "text") else "it has binary data"
    return f"{name} is not a text file: {seems}. Give it its right name, or send the right file."
