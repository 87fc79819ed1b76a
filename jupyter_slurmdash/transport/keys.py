"""The keys that a user logs in with: the agent's, and those in files."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

import paramiko

_Stamp = tuple[int, int, int]

# By the file and its certificate as they were read; for as long as a connection has logged in with it. One key opens
# hundreds of nodes.
_IN_USE: WeakValueDictionary[tuple[str, _Stamp | None, _Stamp | None], paramiko.PKey] = WeakValueDictionary()


def keys(identities: Sequence[str], *, only: bool) -> Iterator[paramiko.PKey]:
    """Keys in ssh's order: the agent's that the configuration names in ``identities``, key files, and unless ``only``
    these are wanted the agent's others."""
    files = [str(Path(file).expanduser()) for file in identities]
    agent = paramiko.Agent()
    try:
        held = agent.get_keys()
        named = {_public_key(file) for file in files} if held else set()
        yield from (key for key in held if key.asbytes() in named)
        for file in files:
            key = _private_key(file)
            if key is not None:
                yield key
        if not only:
            yield from (key for key in held if key.asbytes() not in named)
    finally:
        agent.close()


def read_text(file: str) -> str:
    """The text of a file of the user's SSH settings; "" when there is none."""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _private_key(file: str) -> paramiko.PKey | None:
    """The key in the file; None when there is none, or when it needs a passphrase (an agent's matter)."""
    as_it_is = (file, _stamp(file), _stamp(file + "-cert.pub"))
    key = _IN_USE.get(as_it_is)
    if key is None:
        try:
            key = _IN_USE[as_it_is] = paramiko.PKey.from_path(file)
        except (OSError, ValueError, TypeError, paramiko.SSHException):
            return None
    return key


def _stamp(file: str) -> _Stamp | None:
    try:
        facts = os.stat(file)
    except OSError:
        return None
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _public_key(file: str) -> bytes:
    """The public key beside a key file; b"" when there is none."""
    try:
        return base64.b64decode(read_text(file + ".pub").split()[1])
    except (IndexError, ValueError):
        return b""
