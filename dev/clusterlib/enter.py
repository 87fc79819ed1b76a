"""Become a node: run as a script by `daemons`, it never imports the rest of the package.

    enter.py FOLDER HOSTNAME COMMAND [ARGUMENT …]

puts the command into a mount namespace of its own, where FOLDER/apptainers is what /opt/apptainers shows and
FOLDER/hosts is /etc/hosts, and into a UTS namespace with that host name, and then becomes the command: the
process id stays the one the caller knows. A FOLDER of "-" leaves the mounts and the name as they are.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 1 << 19
MNT_DETACH = 2
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
BINDS = {"apptainers": "/opt/apptainers", "hosts": "/etc/hosts"}

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Turn a C return value of -1 into an OSError that says what was tried."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, flags: int) -> None:
    """mount(2) without a file system type: binds and changes of propagation."""
    check(libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None),
          f"mount {source} {target}")


def leave_chroot() -> None:
    """Make a chroot the real root of this mount namespace.

    The kernel refuses user namespaces to a chrooted process, so Apptainer would fail in one. Entering our own
    mount namespace again resets the root directory to the true one; from there the chroot's folder, still held
    open, is bound to itself and pivoted to.
    """
    held = os.open("/", os.O_PATH | os.O_DIRECTORY)
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    check(libc.setns(own, CLONE_NEWNS), "setns")
    os.fchdir(held)
    path = os.getcwd()
    if path == "/":
        os.close(held)
        os.close(own)
        return
    mount("none", "/", MS_REC | MS_SLAVE)
    mount(path, path, MS_BIND | MS_REC)
    os.chdir(path)
    check(libc.syscall(SYS_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")
    os.close(held)
    os.close(own)


def main(folder: str, hostname: str, *command: str) -> None:
    """Set the namespaces up and become the command."""
    cwd = os.getcwd()
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS), "unshare")
    leave_chroot()
    # Slave, not private: what the host mounts later shows up here, what is mounted here stays here.
    mount("none", "/", MS_REC | MS_SLAVE)
    if folder != "-":
        for name, target in BINDS.items():
            mount(f"{folder}/{name}", target, MS_BIND)
        socket.sethostname(hostname)
    os.chdir(cwd)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
