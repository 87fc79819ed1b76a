"""Signs SIF files as Apptainer does (github.com/apptainer/sif, pkg/integrity), rightly and wrongly, for tests."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pysequoia
import sif_writer as writer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

MASK = 0xF0000000
PAYLOAD_TYPE = "application/vnd.sylabs.sif-metadata+json"
_ENTRY = struct.Struct("<i?3I7q128s384s")


def pgp_key(name: str = "Alice <alice@example.org>", **options: Any) -> pysequoia.Tsk:
    return pysequoia.Tsk.generate(name, **options)


def public(*keys: Any) -> bytes:
    """The keys as a keyring."""
    kind = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"\n".join(
        str(key.extract_certificate()).encode()
        if isinstance(key, pysequoia.Tsk)
        else key.public_key().public_bytes(*kind)
        for key in keys
    )


def clear_sign(text: bytes, key: pysequoia.Tsk) -> bytes:
    return pysequoia.sign(key.signer(), text, mode=pysequoia.SignatureMode.CLEAR)


def dsse_sign(payload: bytes, key: Any, payload_type: str = PAYLOAD_TYPE) -> bytes:
    signed = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        made = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(key, ed25519.Ed25519PrivateKey)
        made = key.sign(signed)
    signatures = [{"keyid": "", "sig": base64.b64encode(made).decode()}]
    envelope = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": signatures,
    }
    return json.dumps(envelope).encode()


def entries(image: bytes) -> list[tuple[int, tuple[Any, ...]]]:
    """The used descriptors with where each one begins."""
    total, at = struct.unpack_from("<2q", image, 88)
    starts = range(at, at + 585 * total, 585)
    return [(start, _ENTRY.unpack_from(image, start)) for start in starts if image[start + 4]]


def document(image: bytes, group: int = 1, algorithm: str = "sha256") -> dict[str, Any]:
    """What Apptainer would sign of a group."""

    def digest(data: bytes) -> str:
        return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"

    own = [entry for _, entry in entries(image) if entry[3] == MASK | group]
    first = min(entry[2] for entry in own)
    objects = []
    for entry in own:
        kind, _, number, _, link, offset, size, _, created, _, user, owner, name, extra = entry
        covered = struct.pack(
            "<i?2I4q128s384s", kind, True, number - first, link, size, created, user, owner, name, extra
        )
        objects.append(
            {
                "relativeId": number - first,
                "descriptorDigest": digest(covered),
                "objectDigest": digest(image[offset : offset + size]),
            }
        )
    header = image[:45] + image[48:64]
    return {"version": 1, "header": {"digest": digest(header)}, "objects": objects}


def text(image: bytes, **options: Any) -> bytes:
    return json.dumps(document(image, **options), separators=(",", ":")).encode()


@dataclass(frozen=True)
class Signature:
    """One signature object: its bytes, and what its descriptor says."""

    data: bytes
    fingerprint: str = ""
    hash: int = 1
    group: int = 1


@dataclass
class Draft:
    """An image before it is written: parts, and for each the group that it belongs to."""

    parts: list[writer.Part] = field(
        default_factory=lambda: [writer.definition(), writer.metadata(), writer.partition()]
    )
    groups: list[int] | None = None

    def write(self, signatures: Sequence[Signature] = (), **options: Any) -> bytes:
        made = [
            writer.Part(
                writer.SIGNATURE,
                each.data,
                extra=struct.pack("<i64s", each.hash, bytes.fromhex(each.fingerprint)),
            )
            for each in signatures
        ]
        image = bytearray(writer.sif([*self.parts, *made], **options))
        groups = self.groups or [1] * len(self.parts)
        for number, (start, _) in enumerate(entries(bytes(image))):
            if number < len(groups):
                struct.pack_into("<I", image, start + 9, MASK | groups[number])
            else:
                struct.pack_into("<2I", image, start + 9, MASK, MASK | signatures[number - len(groups)].group)
        return bytes(image)

    def sign(self, *keys: Any, group: int = 1) -> list[Signature]:
        """A signature by each key, over what the image will be."""
        plain = self.write()
        return [sign(text(plain, group=group), key, group) for key in keys]

    def signed(self, *keys: Any) -> bytes:
        return self.write(self.sign(*keys))


def sign(data: bytes, key: Any, group: int = 1) -> Signature:
    if isinstance(key, pysequoia.Tsk):
        fingerprint = key.extract_certificate().fingerprint
        return Signature(clear_sign(data, key), fingerprint, group=group)
    return Signature(dsse_sign(data, key), group=group)
