"""Verification: what must be good, and everything that must not pass. (Against `apptainer verify`: tests/cluster.)"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pysequoia
import pytest
import sif_signer as signer
import sif_writer as writer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sif_signer import Draft, Signature
from stopwatch import stopwatch

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.images.keyring import parse_keyring
from jupyter_slurmdash.images.model import Verdict
from jupyter_slurmdash.images.signatures import new_hash
from jupyter_slurmdash.images.verify import verify_image

ALICE, BOB = signer.pgp_key(), signer.pgp_key("Bob <bob@example.org>")
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
PRINT = ALICE.extract_certificate().fingerprint


class Memory:
    """An image in memory; counts what is digested, and allows no read outside of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.digested = 0

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        for offset, length in ranges:
            assert 0 <= offset <= offset + length <= self.size
        return [self.data[offset : offset + length] for offset, length in ranges]

    def digest(self, algorithm: str, offset: int, length: int) -> str:
        self.digested += length
        made = new_hash(algorithm)
        made.update(self.read([(offset, length)])[0])
        return str(made.hexdigest())


def verify(image: bytes, *keys: Any) -> Verdict:
    with stopwatch() as watch:
        verdict = verify_image(Memory(image), parse_keyring(signer.public(*(keys or (ALICE,))), "ring"), 7.0)
    assert watch.seconds < 0.1
    return verdict


def refused(image: bytes, *keys: Any) -> str:
    verdict = verify(image, *keys)
    assert verdict.state == "not valid"
    assert verdict.keys == ()
    return verdict.message


# -- good -----------------------------------------------------------------------------------------------------


def test_a_good_signature() -> None:
    verdict = verify(Draft().signed(ALICE))
    assert verdict.state == "verified"
    assert verdict.keys == ("Alice <alice@example.org>",)
    assert verdict.checked_at == 7.0
    assert "Alice" in verdict.message


@pytest.mark.parametrize("key", [EC, RSA, ED], ids=["ec", "rsa", "ed25519"])
def test_a_good_signature_by_a_pem_key(key: Any) -> None:
    verdict = verify(Draft().signed(key), ALICE, EC, RSA, ED)
    assert verdict.state == "verified"
    assert verdict.keys[0].startswith("SHA256:")


def test_two_signers_of_two_kinds() -> None:
    verdict = verify(Draft().signed(ALICE, BOB, EC), ALICE, BOB, EC)
    assert verdict.state == "verified"
    assert len(verdict.keys) == 3


@pytest.mark.parametrize("algorithm", ["sha224", "sha384", "sha512"])
def test_other_digests(algorithm: str) -> None:
    draft = Draft()
    signature = signer.sign(signer.text(draft.write(), algorithm=algorithm), ALICE)
    assert verify(draft.write([signature])).state == "verified"


def test_every_group_by_itself() -> None:
    draft = Draft(groups=[2, 2, 5])
    both = [*draft.sign(ALICE, group=2), *draft.sign(ALICE, group=5)]
    assert verify(draft.write(both)).state == "verified"
    assert "group 5" in refused(draft.write(both[:1]))


# -- keys -----------------------------------------------------------------------------------------------------


def test_a_key_that_the_site_does_not_know() -> None:
    image = Draft().signed(BOB)
    verdict = verify(image, ALICE)
    assert verdict.state == "unknown key"
    assert verdict.keys == (BOB.extract_certificate().fingerprint.upper(),)
    assert verdict.keys[0] in verdict.message
    assert verify(Draft().signed(EC), RSA, ED).state == "unknown key"


def test_nothing_large_is_read_for_an_unknown_key() -> None:
    file = Memory(Draft().signed(BOB))
    verify_image(file, parse_keyring(signer.public(ALICE), "ring"), 0.0)
    assert file.digested == 0


def test_one_of_two_signers_is_not_enough() -> None:
    assert verify(Draft().signed(ALICE, BOB), ALICE).state == "unknown key"
    assert verify(Draft().signed(ALICE, EC), ALICE).state == "unknown key"


def test_a_fingerprint_that_is_not_the_signers() -> None:
    draft = Draft()
    [own] = draft.sign(BOB)
    image = draft.write([Signature(own.data, PRINT)])
    assert "not a good signature by the key of Alice" in refused(image, ALICE, BOB)


def test_an_expired_key() -> None:
    old = signer.pgp_key(validity_seconds=3600)
    image = Draft().signed(old)
    ring = parse_keyring(signer.public(old), "ring")
    [cert] = ring.pgp.values()
    assert cert.expiration is not None
    later = cert.expiration.timestamp() + 1
    verdict = verify_image(Memory(image), ring, later)
    assert verdict.state == "unknown key"
    assert "expired" in verdict.message


def test_a_revoked_key() -> None:
    cert = ALICE.extract_certificate()
    gone = pysequoia.Cert.from_bytes(bytes(cert) + bytes(cert.revoke(ALICE.certifier())))
    verdict = verify_image(Memory(Draft().signed(ALICE)), parse_keyring(str(gone).encode(), "ring"), 0.0)
    assert verdict.state == "not valid"
    assert "revoked" in verdict.message


# -- changed --------------------------------------------------------------------------------------------------


def changed(image: bytes, at: int, value: bytes = b"\xff") -> bytes:
    return image[:at] + value + image[at + len(value) :]


def test_a_changed_header() -> None:
    image = Draft().signed(ALICE)
    for at in (3, 50):
        assert "header" in refused(changed(image, at))


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "object 1 (definition file)"), (1, "object 2 (JSON)"), (2, "object 3 (file system)")],
)
def test_changed_objects_and_descriptors(number: int, name: str) -> None:
    image = Draft().signed(ALICE)
    start, entry = signer.entries(image)[number]
    assert refused(changed(image, entry[5] + 2)) == f"The {name} is not what was signed."
    for at in (41, 57, 65, 73, 210, 384 + 180):  # created, user, owner, name, extra
        assert "entry" in refused(changed(image, start + at))
    assert name in refused(changed(image, start + 25, struct.pack("<q", entry[6] - 1)))


def test_where_an_object_lies_may_change() -> None:
    draft = Draft()
    assert verify(draft.write(draft.sign(ALICE), gap=4096)).state == "verified"


def test_an_object_that_came_and_one_that_went() -> None:
    draft = Draft()
    signatures = draft.sign(ALICE)
    parts = draft.parts
    added = Draft([*parts, writer.Part(writer.JSON, b"{}")])
    assert "object 4 (JSON) is not covered" in refused(added.write(signatures))
    assert "object 3 was signed, but is no longer" in refused(Draft(parts[:2]).write(signatures))
    alone = Draft([*parts, writer.Part(writer.JSON, b"{}")], [1, 1, 1, 0])
    assert "belongs to no group" in refused(alone.write(signatures))
    other = Draft([*parts, writer.Part(writer.JSON, b"{}")], [1, 1, 1, 2])
    assert "group 2" in refused(other.write(signatures))


@pytest.mark.parametrize("slot", [5, 7, 20, 47])
@pytest.mark.parametrize("free", [0, 43, 44, 48])
def test_an_object_that_hides_far_behind_in_the_table(slot: int, free: int) -> None:
    """Whatever the header says of the number of used entries, which is not signed."""
    image = bytearray(Draft().signed(ALICE))
    start, _ = signer.entries(bytes(image))[2]
    place = 4096 + 585 * slot
    image[place : place + 585] = image[start : start + 585]
    struct.pack_into("<I", image, place + 5, slot + 1)
    struct.pack_into("<q", image, 80, free)
    try:
        assert "is not covered" in refused(bytes(image))
    except InvalidInput:
        assert free == 48  # an empty table


def test_the_signature_of_another_image() -> None:
    draft = Draft()
    signatures = draft.sign(ALICE)
    assert "another image's" in refused(draft.write(signatures, identifier=bytes(16)))


def test_an_image_without_signature() -> None:
    with pytest.raises(InvalidInput, match="not signed"):
        verify(Draft().write())
    with pytest.raises(InvalidInput, match="not a SIF image"):
        verify(b"\0" * 4096)


# -- hostile --------------------------------------------------------------------------------------------------


def _edited(**fields: Any) -> bytes:
    made = {**signer.document(Draft().write()), **fields}
    return json.dumps(made).encode()


_SHA1 = "sha1:" + "0" * 40
_DOCUMENTS = {
    "nothing": b"",
    "not JSON": b"hello",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "a long number": b"9" * 100_000,
    "no objects": _edited(objects=[]),
    "objects that are none": _edited(objects=5),
    "too many": _edited(objects=[{"relativeId": number} for number in range(600)]),
    "an object twice": _edited(objects=signer.document(Draft().write())["objects"] * 2),
    "no header": _edited(header=None),
    "SHA-1": _edited(header={"digest": _SHA1}),
    "another digest": _edited(header={"digest": "md5:" + "0" * 32}),
    "a short digest": _edited(header={"digest": "sha256:00"}),
    "trailing text": _edited() + b"x",
}


@pytest.mark.parametrize("data", _DOCUMENTS.values(), ids=_DOCUMENTS)
@pytest.mark.parametrize("key", [ALICE, EC], ids=["pgp", "dsse"])
def test_hostile_documents_by_a_trusted_key(data: bytes, key: Any) -> None:
    assert refused(Draft().write([signer.sign(data, key)]), ALICE, EC)


@pytest.mark.parametrize("number", [-1, 2**32, 2**70, 1.5, True, "1", None])
def test_hostile_relative_ids(number: Any) -> None:
    made = signer.document(Draft().write())
    made["objects"][1]["relativeId"] = number
    assert refused(Draft().write([signer.sign(json.dumps(made).encode(), ALICE)]))


def test_hostile_signatures() -> None:
    draft = Draft()
    [good] = draft.sign(ALICE)
    bad = {
        "nothing": b"",
        "noise": b"\x99" * 5000,
        "half": good.data[: len(good.data) // 2],
        "without its end": good.data[:-60],
        "not clear-signed": pysequoia.sign(ALICE.signer(), signer.text(draft.write())),
        "text before it": b"x\n" + good.data,
        "huge": good.data + b" " * 1_000_000,
        "legacy": signer.clear_sign(b"SIFHASH:\n" + b"0" * 96 + b"\n", ALICE),
        "another payload": signer.dsse_sign(signer.text(draft.write()), EC, "application/json"),
        "deep JSON": b'{"payloadType":' + b"[" * 100_000,
        "no signatures": json.dumps(
            {"payloadType": signer.PAYLOAD_TYPE, "payload": "AA==", "signatures": {}}
        ).encode(),
        "bad base64": json.dumps(
            {"payloadType": signer.PAYLOAD_TYPE, "payload": "%", "signatures": []}
        ).encode(),
    }
    for name, data in bad.items():
        assert refused(draft.write([Signature(data, PRINT)]), ALICE, EC), name
    assert "3.6" in refused(draft.write([Signature(bad["legacy"], PRINT)]))
    assert "more than 64" in refused(draft.write([good] * 65, total=68))


def test_an_extended_text_is_not_read_past_what_was_signed() -> None:
    """Two messages in one object: only the first counts, and only what its signature covers."""
    draft = Draft()
    [good] = draft.sign(ALICE)
    other = signer.clear_sign(b'{"objects":[]}', BOB)
    assert verify(draft.write([Signature(good.data + other, PRINT)])).state == "verified"
    assert verify(draft.write([Signature(other + good.data, PRINT)])).state == "not valid"


def test_objects_outside_of_the_file() -> None:
    image = Draft().signed(ALICE)
    start, _ = signer.entries(image)[2]
    for offset in (-1, 2**62, len(image)):
        assert "cut off or damaged" in refused(changed(image, start + 17, struct.pack("<q", offset)))


GOOD = Draft().signed(ALICE)
RING = parse_keyring(signer.public(ALICE), "ring")
# Of an entry: type, used, link, size, created, user and all behind it. Its number and group are covered by what follows
# from them, and are tested above.
_COVERED = [*range(45), *range(48, 64)]
for _start, _entry in signer.entries(GOOD)[:3]:
    _COVERED += [
        _start + at for at in (*range(4), *range(13, 17), *range(25, 33), *range(41, 49), *range(57, 585))
    ]
    _COVERED += range(_entry[5], _entry[5] + _entry[6])


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.sampled_from(_COVERED), change=st.integers(1, 255))
def test_no_covered_byte_can_change_unnoticed(at: int, change: int) -> None:
    image = changed(GOOD, at, bytes([GOOD[at] ^ change]))
    with suppress(InvalidInput):  # no SIF file any more
        assert verify_image(Memory(image), RING, 0.0).state == "not valid"


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    key=st.sampled_from([ALICE, EC]),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.binary(max_size=40), st.integers(0, 40)), min_size=1, max_size=4
    ),
)
def test_spoilt_signatures_never_do_worse_than_be_refused(
    key: Any, cuts: list[tuple[float, bytes, int]]
) -> None:
    draft = Draft()
    [good] = draft.sign(key)
    data = good.data
    for place, inserted, removed in cuts:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at + removed :]
    verdict = verify(draft.write([Signature(data, good.fingerprint)]), ALICE, EC)
    if verdict.state == "verified":
        # What is not part of the signed text or of the signature itself may differ.
        text = signer.text(draft.write())
        assert (text if key is ALICE else base64.b64encode(text)) in data
