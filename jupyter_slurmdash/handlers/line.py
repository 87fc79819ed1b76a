"""A connection as a thread reads it."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from ipaddress import ip_address

QUIET = 50  # milliseconds without what is waited for, after which a line is the loop's again
# Bytes that a line from this machine (a proxy, mostly) may have under way, twice that by Linux' way of counting: its
# sender goes on while the reader is busy, and does not work for long without a pause for others.
_NEAR = 2048 * 1024
# What has to be there before a near line is read: its sender pays for each time that a reader is woken up. Of a smaller
# buffer, where the system gives no such one, a quarter: more might never be there.
_WORTH = 512 * 1024


class Line:
    """A socket's second number: whoever closes the first meanwhile, this one stays ours. Raises OSError when none is
    left.
    """

    def __init__(self, original: socket.socket) -> None:
        self._socket = original.dup()
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)
        self._is_near = _is_near(self._socket)
        self._least = self._worth = 1
        self.was_slower = False  # than its reader, who had to wait for what ``take`` brought
        if self._is_near:
            self._set(socket.SO_RCVBUF, _NEAR)
            self._worth = min(_WORTH, self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 4)

    def take(self, memory: memoryview, left: int) -> int:
        """Bytes that came into ``memory``, of ``left`` that have yet to come; 0 when the line is quiet, or at its end
        (which Tornado finds, and tells).
        """
        if self._is_near:
            self._wait_for(min(self._worth, left))
        self.was_slower = not self._readable.poll(0)
        if self.was_slower and not self._readable.poll(QUIET):
            return 0
        try:
            return self._socket.recv_into(memory)
        except OSError:
            return 0

    def close(self) -> None:
        if self._is_near:
            self._wait_for(1)
        self._socket.close()

    def _wait_for(self, least: int) -> None:
        if least != self._least:
            self._set(socket.SO_RCVLOWAT, least)
            self._least = least

    def _set(self, option: int, value: int) -> None:
        with suppress(OSError):  # it is broken already, as the next look at it will tell
            self._socket.setsockopt(socket.SOL_SOCKET, option, value)


def _is_near(line: socket.socket) -> bool:
    """Whether its other end is on this machine."""
    if line.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    with suppress(OSError):
        return ip_address(line.getpeername()[0]).is_loopback
    return False
