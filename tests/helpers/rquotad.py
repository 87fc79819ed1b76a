"""A file server's quotas for the real quota(1), where the kernel has none: port mapper and rquotad in one.

``unshare --mount --net python rquotad.py MOUNT NUMBERS COMMAND…`` runs the command in a world of its own in which MOUNT
is an NFS mount of this machine, and answers its questions with the ten NUMBERS of a ``struct rquota``.
Sources: RFC 5531 (RPC), RFC 1833 (port mapper), rquota(3).
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

_PORT_MAPPER, _GETPORT, _OK = 111, 3, 1
_SIOCSIFFLAGS, _UP = 0x8914, 0x1


def main(mount: str, numbers: list[int], command: list[str]) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", _UP, b""))
    quotas, mapper = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    quotas.bind(("127.0.0.1", 0))
    mapper.bind(("127.0.0.1", _PORT_MAPPER))
    port = struct.pack(">I", quotas.getsockname()[1])
    answer = struct.pack(">11I", _OK, *numbers)
    # Newer port mappers are asked first; the second version is enough.
    _serve(
        mapper, lambda version, procedure: None if version != 2 else port if procedure == _GETPORT else b""
    )
    _serve(quotas, lambda version, procedure: answer if procedure else b"")
    # The kernel's table of mounts is all that quota(1) reads there.
    subprocess.run(["mount", "-t", "tmpfs", "none", "/proc"], check=True)
    Path("/proc/mounts").write_text(f"127.0.0.1:/export {mount} nfs rw 0 0\n", encoding="utf-8")
    return subprocess.run(command, check=False, timeout=60).returncode


def _serve(server: socket.socket, reply) -> None:  # type: ignore[no-untyped-def]
    def work() -> None:
        while True:
            data, client = server.recvfrom(4096)
            call, _, _, _, version, procedure = struct.unpack_from(">6I", data)
            body = reply(version, procedure)
            head = (call, 1, 0, 0, 0)  # accepted, no verifier
            server.sendto(
                struct.pack(">8I", *head, 2, 2, 2) if body is None else struct.pack(">6I", *head, 0) + body,
                client,
            )

    threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [int(text) for text in sys.argv[2].split(",")], sys.argv[3:]))
