"""Which addresses and hosts a file may be fetched from. Says yes to what is known to be public, no to all else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from ..errors import Forbidden, InvalidInput

# Global unicast (RFC 4291), without what leads to IPv4 addresses or nowhere: Teredo and other special uses,
# documentation, 6to4. NAT64 (64:ff9b::/96), mapped and compatible forms lie outside of it.
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_SPECIAL4 = tuple(
    map(ipaddress.IPv4Network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"))
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def is_public(text: str) -> bool:
    """Whether ``text`` is the address of a machine on the public internet, in its plain form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return (
            address.scope_id is None and address in _GLOBAL6 and not any(address in net for net in _SPECIAL6)
        )
    odd = address.is_multicast or address.is_reserved or not address.is_global
    return not odd and not any(address in net for net in _SPECIAL4)


def check_url(url: str, hosts: Iterable[str]) -> tuple[str, int, str]:
    """Host, port, and path with query of an https URL to one of ``hosts`` (``host``, ``host:port``, ``*.domain``).

    Raises InvalidInput for what is no such URL, Forbidden for a host that is not allowed.
    """
    if not url.isascii() or any(ord(letter) <= 32 or letter in '\\"<>^`{|}\x7f' for letter in url):
        raise InvalidInput(
            "The URL has characters that must be percent-encoded. Copy it from the address bar."
        )
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or 443
    except ValueError as error:
        raise InvalidInput("This is not a valid URL.") from error
    if parts.scheme != "https" or "@" in parts.netloc or not _HOST.fullmatch(host) or ".." in host:
        raise InvalidInput("Only plain https URLs are fetched: https://host/path, without a user name.")
    if not any(_allows(each.lower(), host, port) for each in hosts):
        raise Forbidden(
            f"Files are not fetched from {host}. An administrator can allow it in external_hosts."
        )
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _allows(rule: str, host: str, port: int) -> bool:
    name, _, number = rule.partition(":")
    if port != int(number or 443):
        return False
    return host.endswith(name[1:]) and len(host) > len(name) - 1 if name.startswith("*.") else host == name
