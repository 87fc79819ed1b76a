"""Whether an image is what its signers signed, as ``apptainer verify`` would say with the site's keyring.

As in github.com/apptainer/sif (pkg/integrity: verify.go), every object must be in a group, every group must be
signed, and every signature of a group must be good and cover exactly its objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import InvalidInput
from .keyring import Keyring, UnknownKey
from .model import Verdict
from .sif import HEAD_SIZE
from .siftable import (
    GROUP_MASK,
    SIGNATURE,
    Descriptor,
    Header,
    Unusable,
    parse_header,
    read_table,
    signed_fields,
)
from .signatures import (
    MAX_SIGNATURE,
    Digest,
    SignatureProblem,
    SignedDocument,
    format_of,
    parse_document,
    parse_envelope,
    signature_of,
)

_MAX_SIGNATURES = 64

_TYPES = {
    0x4001: "definition file",
    0x4002: "environment",
    0x4003: "labels",
    0x4004: "file system",
    0x4005: "signature",
    0x4006: "JSON",
    0x4007: "data",
    0x4008: "crypto message",
    0x4009: "SBOM",
}


class ImageFile(Protocol):
    """A file of ``size`` bytes, wherever it lies."""

    @property
    def size(self) -> int: ...
    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]: ...
    def digest(self, algorithm: str, offset: int, length: int) -> str:
        """The digest of a range, lower-case hexadecimal; ``algorithm`` is a ``Digest``'s."""
        ...


@dataclass(frozen=True)
class _Signed:
    """A signature that is good, what it signs, and who made it."""

    entry: Descriptor
    document: SignedDocument
    key: str


class _NotValid(Exception):
    """What differs from what was signed, in words for a user."""


def verify_image(file: ImageFile, keyring: Keyring, now: float) -> Verdict:
    """The verdict on the image's signatures; ``now`` is seconds since the epoch.

    Raises InvalidInput when the file carries no signature or is no image, and what ``file`` raises.
    """
    head = file.read([(0, min(HEAD_SIZE, file.size))])[0]
    try:
        header = parse_header(head, file.size)
        # The whole table, without the head: how many entries are used is said in a field that no signature covers, and
        # an entry that is not looked at could be a file system that nobody signed.
        table = read_table(b"", file.read, header, file.size)
    except Unusable as problem:
        raise InvalidInput(str(problem)) from problem
    if not any(entry.type == SIGNATURE for entry in table):
        raise InvalidInput(
            "The image is not signed, so there is nothing to verify. Ask who made it to sign it."
        )
    try:
        return _Verification(file, keyring, header, table, now).verdict()
    except _NotValid as problem:
        return Verdict("not valid", str(problem), (), now)


class _Verification:
    """One image being verified. The signatures come first: only what a trusted key signed is worth reading."""

    def __init__(
        self, file: ImageFile, keyring: Keyring, header: Header, table: Sequence[Descriptor], now: float
    ) -> None:
        self._file = file
        self._keyring = keyring
        self._header = header
        self._table = table
        self._now = now
        self._unknown: dict[
            str, str
        ] = {}  # a key's fingerprint ("" when there is none), and why it does not count

    def verdict(self) -> Verdict:
        """Raises _NotValid."""
        self._check_places()
        groups = self._groups()
        signed = {group: self._signatures(group) for group in groups}
        for group, signatures in signed.items():
            for signature in signatures:
                self._check_document(signature, groups[group])
        if self._unknown:
            reasons = " ".join(dict.fromkeys(self._unknown.values()))
            advice = (
                "If you trust who signed it, ask for that key to be added to the keyring, or renewed there."
            )
            return Verdict(
                "unknown key", f"{reasons} {advice}", tuple(filter(None, self._unknown)), self._now
            )
        keys = tuple(dict.fromkeys(each.key for signatures in signed.values() for each in signatures))
        return Verdict("verified", f"Signed by {' and '.join(keys)}, and unchanged since.", keys, self._now)

    def _check_places(self) -> None:
        for entry in self._table:
            if not 0 <= entry.offset <= entry.offset + entry.size <= self._file.size or entry.size < 0:
                raise _NotValid(f"The {_name(entry)} does not lie in the file, which is cut off or damaged.")
        if sum(entry.type == SIGNATURE for entry in self._table) > _MAX_SIGNATURES:
            raise _NotValid(f"The image has more than {_MAX_SIGNATURES} signatures.")

    def _groups(self) -> dict[int, list[Descriptor]]:
        """The objects of each group."""
        groups: dict[int, list[Descriptor]] = {}
        for entry in self._table:
            group = entry.group & ~GROUP_MASK
            if group:
                groups.setdefault(group, []).append(entry)
            elif entry.type != SIGNATURE:
                raise _NotValid(f"The {_name(entry)} belongs to no group, so no signature covers it.")
        if not groups:
            raise _NotValid("The image has signatures, but no object that they could sign.")
        return dict(sorted(groups.items()))

    # -- signatures -----------------------------------------------------------------------------------------

    def _signatures(self, group: int) -> list[_Signed]:
        """The good signatures of a group; those by unknown keys are noted. Raises _NotValid for any other."""
        found: list[_Signed] = []
        legacy = seen = 0
        for entry in self._table:
            if entry.type != SIGNATURE or entry.link != GROUP_MASK | group:
                continue
            data = self._message(entry)
            if format_of(data) == "legacy":
                legacy += 1
                continue
            seen += 1
            try:
                found.append(self._open(entry, data))
            except UnknownKey as problem:
                self._unknown[signature_of(entry.extra).fingerprint] = str(problem)
            except SignatureProblem as problem:
                raise _NotValid(f"The signature {entry.id} proves nothing. {problem}") from problem
        if seen:
            return found
        if legacy:
            raise _NotValid(
                "The signature is of the kind that Singularity made before 3.6, which does not cover the whole image."
                " Sign the image again with `apptainer sign`."
            )
        raise _NotValid(f"The group {group} of objects has no signature; any of them may have been changed.")

    def _message(self, entry: Descriptor) -> bytes:
        if entry.size > MAX_SIGNATURE:
            raise _NotValid(f"The signature {entry.id} is larger than any that Apptainer makes.")
        return self._file.read([(entry.offset, entry.size)])[0]

    def _open(self, entry: Descriptor, data: bytes) -> _Signed:
        """Raises UnknownKey and SignatureProblem."""
        said = signature_of(entry.extra)
        kind = format_of(data)
        if kind == "pgp":
            text, key = self._keyring.verify_message(data, said.fingerprint, self._now)
        elif kind == "dsse":
            envelope = parse_envelope(data)
            key = self._keyring.verify_envelope(envelope, said.hash)
            text = envelope.payload
        else:
            raise SignatureProblem("It is not written as Apptainer writes signatures.")
        return _Signed(entry, parse_document(text), key)

    # -- what they sign -------------------------------------------------------------------------------------

    def _check_document(self, signature: _Signed, objects: Sequence[Descriptor]) -> None:
        document = signature.document
        if not document.header.fits(self._header.signed):
            raise _NotValid(
                "The image's header is not what was signed; the signature may be another image's."
            )
        first = min(entry.id for entry in objects)
        present = {entry.id - first for entry in objects}
        for number in sorted(document.objects.keys() - present):
            raise _NotValid(f"The object {first + number} was signed, but is no longer in the image.")
        for entry in objects:
            signed = document.objects.get(entry.id - first)
            if signed is None:
                raise _NotValid(f"The {_name(entry)} is not covered by the signature {signature.entry.id}.")
            if not signed.descriptor.fits(signed_fields(entry, entry.id - first)):
                raise _NotValid(f"The entry of the {_name(entry)} is not what was signed.")
        for entry in objects:
            if not self._fits(entry, document.objects[entry.id - first].data):
                raise _NotValid(f"The {_name(entry)} is not what was signed.")

    def _fits(self, entry: Descriptor, digest: Digest) -> bool:
        return self._file.digest(digest.algorithm, entry.offset, entry.size) == digest.value


def _name(entry: Descriptor) -> str:
    return f"object {entry.id} ({_TYPES.get(entry.type, 'of another kind')})"
