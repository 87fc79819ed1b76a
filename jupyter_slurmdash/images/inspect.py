"""The last resort for images that cannot be read from here: ``apptainer inspect`` on their own machine.

It starts the image's own shell there when the image carries no metadata, so a site has to allow it. Only what the
image says of itself is taken from it; what its table of contents said stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import TransportError
from ..transport.base import Transport
from .metadata import parse_metadata
from .model import SifFacts

_ARGV = ("apptainer", "inspect", "--json", "--all", "--")
_TIMEOUT = 20.0


def inspected(transport: Transport, facts: Mapping[str, SifFacts]) -> Iterator[tuple[str, SifFacts]]:
    """The facts by path of those images that were not read in full, and of which Apptainer there knows more.

    An image that Apptainer refuses, or is silent about for 20 seconds, stays as it was. Raises TransportError when
    the machine is the trouble.
    """
    for path, known in facts.items():
        if known.complete or known.problem is not None:
            continue
        try:
            done = transport.run([*_ARGV, path], timeout=_TIMEOUT)
        except TransportError as error:
            if error.reason == "no-command":
                return
            if error.reason == "timeout":
                continue
            raise
        found = parse_metadata(done.stdout) if done.code == 0 else None
        if found is not None:
            yield path, known.but(**found)
