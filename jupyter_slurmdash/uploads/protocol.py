"""The values of tus headers (tus.io/protocols/resumable-upload, version 1.0.0), read strictly. No HTTP
here.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import InvalidInput

VERSION = "1.0.0"
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "checksum",
    "expiration",
    "termination",
    "concatenation",
)
ALGORITHMS = ("sha1", "sha256", "sha512")


@dataclass(frozen=True)
class Checksum:
    """What the client says that the bytes of one request hash to."""

    algorithm: str
    digest: bytes


def parse_number(header: str, text: str) -> int:
    """A number of bytes. Raises InvalidInput."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidInput(f"{header} must be a whole number of bytes, not {text[:40]!r}.")
    return int(text)


def parse_metadata(text: str) -> dict[str, str]:
    """``Upload-Metadata``: pairs of a key and a base64 value, between commas. Raises InvalidInput."""
    result: dict[str, str] = {}
    for pair in text.split(","):
        if not pair.strip():
            continue
        key, _, value = pair.strip().partition(" ")
        if not key.isascii() or key in result:
            raise InvalidInput(f"Upload-Metadata: the key {key[:40]!r} must be ASCII and stand there once.")
        try:
            result[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(
                f"Upload-Metadata: the value of {key[:40]!r} must be UTF-8 text in base64."
            ) from error
    return result


def parse_concat(text: str) -> tuple[bool, list[tuple[str, str]]]:
    """``Upload-Concat``: whether the upload is a final one, and the session and file id of each of its parts, from
    their addresses (absolute, or a path). Raises InvalidInput.
    """
    if text == "partial":
        return False, []
    kind, _, addresses = text.partition(";")
    if kind != "final":
        raise InvalidInput("Upload-Concat: send partial, or final; and the addresses of the parts.")
    found = [urlsplit(address).path.rstrip("/").split("/")[-2:] for address in addresses.split()]
    if not found or any(len(steps) != 2 for steps in found):
        raise InvalidInput(
            "Upload-Concat: after final; come the addresses of the parts, with spaces between."
        )
    return True, [(session, file) for session, file in found]


def parse_checksum(text: str) -> Checksum:
    """``Upload-Checksum``: an algorithm and the digest in base64. Raises InvalidInput."""
    algorithm, _, value = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"Upload-Checksum: use one of {', '.join(ALGORITHMS)}, not {algorithm[:40]!r}.")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("Upload-Checksum: the digest must be in base64.") from error
    return Checksum(algorithm, digest)
