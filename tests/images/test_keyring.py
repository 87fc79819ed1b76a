"""Keyrings: what a site may put into the file, and what is said of a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import sif_signer as signer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.images.keyring import UnknownKey, load_keyring, parse_keyring
from jupyter_slurmdash.images.signatures import parse_envelope

ALICE, BOB = signer.pgp_key(), signer.pgp_key("Bob <bob@example.org>")
EC, ED = ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()


def test_armored_and_pem_keys_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "ring"
    file.write_bytes(
        b"# our keys\n" + signer.public(EC, ALICE) + b"\ntext between\n" + signer.public(BOB, ED, ALICE)
    )
    keyring = load_keyring(str(file))
    prints = {key.extract_certificate().fingerprint.upper() for key in (ALICE, BOB)}
    assert set(keyring.pgp) == prints
    assert len(keyring.pem) == 2
    assert all(name.startswith("SHA256:") for name in keyring.pem)


def test_a_binary_keyring() -> None:
    data = bytes(ALICE.extract_certificate()) + bytes(BOB.extract_certificate())
    assert len(parse_keyring(data, "ring").pgp) == 2


def test_a_later_copy_brings_its_revocation() -> None:
    cert = ALICE.extract_certificate()
    revoked = bytes(cert) + bytes(cert.revoke(ALICE.certifier()))
    keyring = parse_keyring(bytes(cert) + revoked, "ring")
    [known] = keyring.pgp.values()
    assert known.is_revoked


@pytest.mark.parametrize(
    "data", [bytes(ALICE), str(ALICE).encode(), signer.public(BOB) + str(ALICE).encode()]
)
def test_private_keys_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="private key"):
        parse_keyring(data, "ring")


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\0" * 100,
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_keyring(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "ring"
    file.write_bytes(data)
    with pytest.raises(InvalidInput, match="keyring"):
        load_keyring(str(file))


def test_no_file_an_empty_one_and_a_huge_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"c\.SlurmDash\.image_keyring"):
        load_keyring("")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_keyring(str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_keyring(str(tmp_path))
    file = tmp_path / "ring"
    file.write_bytes(b"")
    with pytest.raises(InvalidInput, match="no public key"):
        load_keyring(str(file))
    file.write_bytes(bytes(9 * 1024 * 1024))
    with pytest.raises(InvalidInput, match="8 MiB"):
        load_keyring(str(file))


def test_a_pem_key_that_cannot_sign_is_passed_over() -> None:
    envelope = parse_envelope(signer.dsse_sign(b"text", ED))
    other = x25519.X25519PrivateKey.generate()
    keyring = parse_keyring(signer.public(other, EC, ED), "ring")
    assert keyring.verify_envelope(envelope, "sha256") == list(keyring.pem)[2]
    with pytest.raises(UnknownKey):
        keyring.verify_envelope(envelope, "blake2s")
