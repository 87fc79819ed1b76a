"""A command as the text that a remote shell is given: the one place where an argv is quoted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

# Run by the node's sh with the command in "$@", so nothing of the command is ever part of a script. The
# mark tells what a login shell's start-up files printed from what the command prints, and names the process.
MARK = b"@slurmdash "
_LAUNCH = """\
if [ -n "$1" ]; then cd -- "$1" 2>/dev/null || { echo "@slurmdash no-directory"; exit 127; }; fi
shift
command -v -- "$1" >/dev/null 2>&1 || { echo "@slurmdash no-command"; exit 127; }
echo "@slurmdash $$"
exec "$@"
"""
# The process group first: sshd makes one for each command. "kill -TERM --" is not understood by every sh.
_END = """\
kill -s TERM -- "-$1" || kill -s TERM -- "$1"
(sleep 1; kill -s KILL -- "-$1" || kill -s KILL -- "$1") </dev/null >/dev/null 2>&1 &
"""


def launch_line(argv: Sequence[str], cwd: str | None, env: Mapping[str, str] | None) -> bytes:
    """The text that runs ``argv`` in ``cwd``, with ``env`` as its whole environment when it is given."""
    replaced = [] if env is None else ["env", "-i", *(f"{name}={value}" for name, value in env.items())]
    return _quote([*replaced, "/bin/sh", "-c", _LAUNCH, "slurmdash", cwd or "", *argv])


def end_line(pid: int) -> bytes:
    """The text that ends a command which was started with ``launch_line``."""
    return _quote(["/bin/sh", "-c", _END, "slurmdash", str(pid)])


def split_output(stdout: bytes) -> tuple[str, bytes]:
    """What a launched command printed: the mark (a process id, no-directory, no-command) and the rest."""
    _, _, marked = stdout.partition(MARK)
    mark, _, output = marked.partition(b"\n")
    return mark.decode("ascii", "replace"), output


def _quote(argv: Sequence[str]) -> bytes:
    return ("exec " + shlex.join(argv)).encode("utf-8", "surrogateescape")
