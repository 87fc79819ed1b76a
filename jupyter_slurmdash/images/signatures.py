"""Signatures as they lie in a SIF file: what a descriptor says of one, and the document that is signed.

The formats are those of github.com/apptainer/sif (pkg/sif: descriptor.go; pkg/integrity: metadata.go, digest.go,
clearsign.go, dsse.go). All of it may be a stranger's work: sizes are bounded before anything is parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .model import SifSignature

# 512 objects, each with two SHA-512 digests, in base64: no signature can need more.
MAX_SIGNATURE = 256 * 1024

PAYLOAD_TYPE = "application/vnd.sylabs.sif-metadata+json"

_EXTRA = struct.Struct("<i20s")
_HASHES = {1: "sha256", 2: "sha384", 3: "sha512", 4: "blake2s", 5: "blake2b"}

_CLEARSIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"
_LEGACY = re.compile(rb"\A[^\n]*\r?\n(?:[A-Za-z]+: [^\n]*\n){0,16}[ \t\r]*\n(?:- )?SIFHASH:\r?\n")

# SHA-1 is left out, though the format allows it: no Apptainer signs with it, and two images can share one.
_DIGESTS: Mapping[str, Callable[[], Any]] = {
    "sha224": hashlib.sha224,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_MAX_OBJECTS = 512
_MAX_ENVELOPE_SIGNATURES = 16


class SignatureProblem(Exception):
    """Why a signature proves nothing, in words for a user."""


@dataclass(frozen=True)
class Digest:
    """A digest by one of the algorithms that may be used. ``value`` is lower-case hexadecimal."""

    algorithm: str
    value: str

    def fits(self, data: bytes) -> bool:
        """Whether it is the digest of these bytes."""
        return _digest_of(self.algorithm, data) == self.value


@dataclass(frozen=True)
class SignedObject:
    """What a signature says of one object. ``relative_id`` counts from the first of its group."""

    relative_id: int
    descriptor: Digest
    data: Digest


@dataclass(frozen=True)
class SignedDocument:
    """What is signed: digests of the image's header and of each object of a group, by relative id."""

    header: Digest
    objects: Mapping[int, SignedObject]


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with our payload type (github.com/secure-systems-lab/dsse): each of ``signatures`` may be the one
    that counts, ``signed`` is what it must sign."""

    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed(self) -> bytes:
        return b"DSSEv1 %d %s %d %s" % (
            len(PAYLOAD_TYPE),
            PAYLOAD_TYPE.encode(),
            len(self.payload),
            self.payload,
        )


def signature_of(extra: bytes) -> SifSignature:
    """What the ``extra`` of a signature's descriptor says: a digest algorithm, and the key's fingerprint or zeros."""
    number, fingerprint = _EXTRA.unpack_from(extra)
    if number not in _HASHES:
        return SifSignature("unknown")
    if any(fingerprint):
        return SifSignature("pgp", fingerprint.hex().upper(), _HASHES[number])
    return SifSignature("dsse", "", _HASHES[number])


def format_of(data: bytes) -> Literal["pgp", "legacy", "dsse", "unknown"]:
    """How a signature is written. ``legacy`` is Singularity's before 3.6, which does not cover the header."""
    if data.startswith(_CLEARSIGNED):
        return "legacy" if _LEGACY.match(data) else "pgp"
    return "dsse" if data.startswith(b"{") else "unknown"


def parse_envelope(data: bytes) -> Envelope:
    """The DSSE envelope. Raises SignatureProblem."""
    document = _object(_json(data))
    if document.get("payloadType") != PAYLOAD_TYPE:
        raise SignatureProblem("It signs something that is not a SIF image.")
    entries = _list(document.get("signatures"), _MAX_ENVELOPE_SIGNATURES)
    signatures = tuple(_base64(_object(entry).get("sig")) for entry in entries)
    return Envelope(_base64(document.get("payload")), signatures)


def parse_document(data: bytes) -> SignedDocument:
    """The document, once its signature is known to be good. Raises SignatureProblem."""
    document = _object(_json(data))
    objects: dict[int, SignedObject] = {}
    for entry in _list(document.get("objects"), _MAX_OBJECTS):
        fields = _object(entry)
        number = fields.get("relativeId")
        if type(number) is not int or not 0 <= number < 2**32 or number in objects:
            raise _malformed()
        objects[number] = SignedObject(
            number, _digest(fields.get("descriptorDigest")), _digest(fields.get("objectDigest"))
        )
    return SignedDocument(_digest(_object(document.get("header")).get("digest")), objects)


def new_hash(algorithm: str) -> Any:
    """A hash object of ``hashlib``; ``algorithm`` is a ``Digest``'s."""
    return _DIGESTS[algorithm]()


def _digest_of(algorithm: str, data: bytes) -> str:
    made = new_hash(algorithm)
    made.update(data)
    return str(made.hexdigest())


def _digest(value: object) -> Digest:
    name, _, text = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name not in _DIGESTS:
        raise SignatureProblem("It uses a digest algorithm other than SHA-224, SHA-256, SHA-384 and SHA-512.")
    length = new_hash(name).digest_size * 2
    if not re.fullmatch(f"[0-9A-Fa-f]{{{length}}}", text):
        raise _malformed()
    return Digest(name, text.lower())


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _malformed() from error


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _malformed()
    return value


def _list(value: object, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise _malformed()
    return value


def _base64(value: object) -> bytes:
    """Either alphabet, as the DSSE specification asks of readers."""
    if not isinstance(value, str):
        raise _malformed()
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise _malformed() from error


def _malformed() -> SignatureProblem:
    return SignatureProblem("It is not written as Apptainer writes signatures.")
