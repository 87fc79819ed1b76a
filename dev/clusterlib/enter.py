"""Become a daemon: run as a script by `daemons`, it never imports the rest of the package.

    enter.py '{"record": …, "node": …, "hostname": …, "user": …}' COMMAND [ARGUMENT …]

All four may be null. With a node's folder the command gets a UTS namespace with that host name and a mount
namespace in which <node>/apptainers is what /opt/apptainers shows and <node>/hosts is /etc/hosts. The record
is the file that says which process this is. It is written here, and not by who starts it, so that there is no
moment at which a daemon runs unrecorded. Then this process becomes the command and keeps its id.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import socket
import sys
import uuid

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
    check(
        libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None),
        f"mount {source} {target}",
    )


def leave_chroot() -> None:
    """Make a chroot the real root of this mount namespace.

    The kernel refuses user namespaces to a chrooted process, so Apptainer would fail in one. Entering our own
    mount namespace again resets the root directory to the true one; from there the chroot's folder, still
    held open, is bound to itself and pivoted to.
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


def leave_mark(folder: str) -> str:
    """Mount a name that nobody else ever had: all that lives in this namespace shows it in its mountinfo.

    The numbers of the namespaces themselves would not do: after the end of a daemon the kernel gives them to
    the next one, most readily to its neighbour that starts at the same moment.
    """
    os.makedirs(folder, exist_ok=True)
    mark = f"slurmdash-{uuid.uuid4().hex}"
    check(
        libc.mount(mark.encode(), os.fsencode(folder), b"tmpfs", ctypes.c_ulong(0), b"size=4k,mode=755"),
        f"mount {mark} {folder}",
    )
    return mark


def describe() -> dict[str, str | int]:
    """This process, so that it can be told from a later one with the same id."""
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return {"pid": os.getpid(), "started": started, "boot": boot}


def drop_privileges(user: str) -> None:
    """Become that user, with its own group only."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def main(spec: str, *command: str) -> None:
    """Set the namespaces up and become the command."""
    wanted = json.loads(spec)
    cwd = os.getcwd()
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS), "unshare")
    leave_chroot()
    # Slave, not private: what the host mounts later shows up here, what is mounted here stays here.
    mount("none", "/", MS_REC | MS_SLAVE)
    if wanted["node"] is not None:
        for name, target in BINDS.items():
            mount(f"{wanted['node']}/{name}", target, MS_BIND)
        socket.sethostname(wanted["hostname"])
    os.chdir(cwd)
    if wanted["record"] is not None:
        mark = leave_mark(os.path.join(os.path.dirname(wanted["record"]), "mark"))
        with open(wanted["record"] + ".new", "w", encoding="utf-8") as file:
            json.dump({**describe(), "mark": mark}, file)
        os.replace(wanted["record"] + ".new", wanted["record"])
    if wanted["user"] is not None:
        drop_privileges(wanted["user"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
