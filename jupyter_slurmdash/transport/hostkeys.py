"""Which keys a known_hosts file vouches for, and the one way to add one.

The format is that of sshd(8), section SSH_KNOWN_HOSTS: names with wildcards and negation, ``[host]:port``,
hashed names (HMAC-SHA1), the markers ``@revoked`` and ``@cert-authority``. Certificates are not used.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class KnownKeys:
    """Keys as raw bytes by type (``ssh-ed25519``); a revoked one is never in ``trusted``."""

    trusted: dict[str, set[bytes]] = field(default_factory=dict)
    revoked: set[bytes] = field(default_factory=set)


def known_keys(texts: Iterable[str], name: str) -> KnownKeys:
    """What the files' texts say of ``name`` (``host``, or ``[host]:port`` when the port is not 22)."""
    keys = KnownKeys()
    for line in _candidates(texts, name.lower()):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or not _matches(words[0], name):
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        if marker == "@revoked":
            keys.revoked.add(key)
        elif not marker:
            keys.trusted.setdefault(words[1], set()).add(key)
    valid = {kind: found - keys.revoked for kind, found in keys.trusted.items()}
    keys.trusted = {kind: found for kind, found in valid.items() if found}
    return keys


def _candidates(texts: Iterable[str], name: str) -> Iterator[str]:
    """The lines that may be about ``name``, in lower case: those that have it, a wildcard or a hash.

    A cluster's file has thousands of lines, and each connection looks.
    """
    for text in texts:
        for line in text.splitlines():
            if name in line.lower() or "|" in line or "*" in line or "?" in line:
                yield line


def remember(file: str, name: str, kind: str, key: bytes) -> bool:
    """Append the key of a host that the file says nothing of; whether the file vouches for it now.

    False when it has another key for ``name``, or this one as revoked. Of many who add at the same time each sees what
    the others wrote. The line is on the disk when it returns. Raises OSError.
    """
    path = Path(file).expanduser()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        text = opened.read().decode("utf-8", "replace")
        known = known_keys([text], name)
        if known.trusted or key in known.revoked:
            return key in known.trusted.get(kind, ())
        line = f"{name} {kind} {base64.b64encode(key).decode()}\n"
        # A last line that was left without its end would swallow ours.
        os.write(opened.fileno(), (line if not text or text.endswith("\n") else f"\n{line}").encode())
        os.fsync(opened.fileno())
    return True


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hash(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        negated = pattern.startswith("!")
        # A bracket is literal here ([host]:port), unlike in the shell's patterns.
        literal = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(name.lower(), literal):
            if negated:
                return False
            found = True
    return found


def _matches_hash(entry: str, name: str) -> bool:
    try:
        _, _, salt, digest = entry.split("|")
        expected = base64.b64decode(digest, validate=True)
        computed = hmac.new(
            base64.b64decode(salt, validate=True), name.lower().encode(), hashlib.sha1
        ).digest()
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(computed, expected)
