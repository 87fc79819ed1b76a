"""The text of an OpenSSH client configuration with its ``Include`` lines put in place."""

from __future__ import annotations

import glob
from pathlib import Path

_MAX_DEPTH = 16  # as in OpenSSH
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")


def read_config(file: str) -> str:
    """The configuration as one text; "" when there is no such file.

    As with ``ssh``, the system's file is read too when ``file`` is the user's own ``~/.ssh/config``, and not
    when another one is named. The first value of an option counts.
    """
    own = Path("~/.ssh/config").expanduser()
    path = Path(file).expanduser()
    text = _expand(path, own.parent, 0)
    if path == own:
        text += "\nHost *\n" + _expand(SYSTEM_CONFIG, SYSTEM_CONFIG.parent, 0)
    return text


def _expand(path: Path, base: Path, depth: int) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return ""
    block = "Host *"
    out: list[str] = []
    for line in lines:
        words = line.replace("=", " ", 1).split()
        keyword = words[0].lower() if words else ""
        if keyword in ("host", "match"):
            block = line
        if keyword != "include":
            out.append(line)
        elif depth < _MAX_DEPTH:
            for pattern in words[1:]:
                full = str(base / Path(pattern.strip('"')).expanduser())
                out += [_expand(Path(found), base, depth + 1) for found in sorted(glob.glob(full))]
            out.append(block)  # what follows belongs to the block around the Include again
    return "\n".join(out)
