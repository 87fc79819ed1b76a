"""The keys that the site trusts, and whether one of them made a signature. The one home of pysequoia and cryptography.

A keyring is a file with OpenPGP public keys, armored or binary, and PEM public keys in any order.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysequoia
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from ..errors import InvalidInput
from .signatures import Envelope, SignatureProblem

_MAX_FILE = 8 * 1024 * 1024

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_PGP = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----.*?-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_SECRET = b"PRIVATE KEY"
# How a binary OpenPGP secret key begins: packets of type 5, in either form of their header (RFC 9580, 4.2).
_SECRET_PACKETS = (b"\x94", b"\x95", b"\x96", b"\x97", b"\xc5")

# What a signature's descriptor may name (see signatures.py); the others are not used with PEM keys.
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class UnknownKey(Exception):
    """The signature was made with a key that the keyring does not have, or no longer vouches for."""


@dataclass(frozen=True)
class Keyring:
    """``pgp`` are OpenPGP certificates by fingerprint (upper-case hexadecimal), ``pem`` keys by what names them."""

    pgp: Mapping[str, pysequoia.Cert]
    pem: Mapping[str, Any]

    def verify_message(self, data: bytes, fingerprint: str, now: float) -> tuple[bytes, str]:
        """The text of a clear-signed message and the user id of who signed it, who must be ``fingerprint``.

        ``now`` is seconds since the epoch: a key that has expired does not count any more.
        Raises UnknownKey, and SignatureProblem when the signature is not that key's.
        """
        cert = self.pgp.get(fingerprint)
        if cert is None:
            raise UnknownKey(f"The key {fingerprint} is not in the site's keyring.")
        name = _user_id(cert)
        if cert.is_revoked:
            raise SignatureProblem(f"The key of {name} has been revoked.")
        if cert.expiration is not None and cert.expiration.timestamp() <= now:
            raise UnknownKey(f"The key of {name} expired on {cert.expiration:%Y-%m-%d}.")
        try:
            verified = pysequoia.verify(data, lambda _ids: [cert])
        except RuntimeError as error:
            # The only type that the library raises; its text goes on with a trace of the stack.
            reason = str(error).partition("\n")[0]
            raise SignatureProblem(f"It is not a good signature by the key of {name} ({reason}).") from error
        return verified.bytes or b"", name

    def verify_envelope(self, envelope: Envelope, algorithm: str) -> str:
        """What names the key that made one of the envelope's signatures. Raises UnknownKey."""
        chosen = _HASHES.get(algorithm)
        for name, key in self.pem.items():
            for signature in envelope.signatures:
                if chosen is not None and _is_good(key, signature, envelope.signed, chosen):
                    return name
        raise UnknownKey(
            "There is a signature that no PEM key of the site's keyring made, or whose text was changed afterwards."
        )


def load_keyring(path: str) -> Keyring:
    """The keyring in the file ``path``. Raises InvalidInput."""
    if not path:
        raise InvalidInput(
            "No keyring is set, so there is nobody to trust. Set c.SlurmDash.image_keyring to a file with"
            " the public keys of those who sign images."
        )
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise InvalidInput(
            f"The keyring {path} cannot be read: {error.strerror}. Check image_keyring."
        ) from error
    if len(data) > _MAX_FILE:
        raise InvalidInput(f"The keyring {path} is larger than 8 MiB. Keep only keys that sign images in it.")
    keyring = parse_keyring(data, path)
    if not keyring.pgp and not keyring.pem:
        raise InvalidInput(f"The keyring {path} has no public key. Export one with `apptainer key export`.")
    return keyring


def parse_keyring(data: bytes, path: str) -> Keyring:
    """The keys in ``data``; ``path`` is for messages. Raises InvalidInput."""
    if _SECRET in data or data[:1] in _SECRET_PACKETS:
        raise _has_secret(path)
    pem_blocks = _PEM.findall(data)
    pgp_blocks = _PGP.findall(data)
    if not pem_blocks and not pgp_blocks and data.strip():
        pgp_blocks = [data]
    pgp: dict[str, pysequoia.Cert] = {}
    for block in pgp_blocks:
        for cert in _certs(block, path):
            known = pgp.get(cert.fingerprint.upper())
            # A newer copy may bring a revocation.
            pgp[cert.fingerprint.upper()] = known.merge(cert) if known is not None else cert
    return Keyring(pgp, {name: key for block in pem_blocks for name, key in _pem_key(block, path)})


def _has_secret(path: str) -> InvalidInput:
    return InvalidInput(f"The keyring {path} has a private key. Put only public keys into it.")


def _certs(block: bytes, path: str) -> Sequence[pysequoia.Cert]:
    try:
        return pysequoia.Cert.split_bytes(block)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInput(f"The keyring {path} has no OpenPGP key that can be read: {reason}.") from error


def _pem_key(block: bytes, path: str) -> Sequence[tuple[str, Any]]:
    try:
        key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInput(f"The keyring {path} has a PEM key that cannot be read: {error}.") from error
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return [(f"SHA256:{base64.b64encode(hashlib.sha256(spki).digest()).decode().rstrip('=')}", key)]


def _user_id(cert: pysequoia.Cert) -> str:
    return next((str(name) for name in cert.user_ids), cert.fingerprint.upper())


def _is_good(key: Any, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            return False
    except InvalidSignature:
        return False
    return True
