"""The text of an OpenSSH client configuration with its ``Include`` lines put in place, and its part for one host."""

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


class ConfigParts:
    """A configuration split into its blocks, to look up one host among thousands without trying every block.

    Blocks for plain names are found by name; those with patterns and ``Match`` lines always belong to the part.
    """

    def __init__(self, text: str) -> None:
        self._blocks: list[list[str]] = [[]]
        self._always = [0]
        self._by_name: dict[str, list[int]] = {}
        for line in text.splitlines():
            keyword, *words = line.replace("=", " ", 1).split() or [""]
            if keyword.lower() in ("host", "match"):
                self._blocks.append([])
                self._file(len(self._blocks) - 1, words if keyword.lower() == "host" else ["*"])
            self._blocks[-1].append(line)

    def _file(self, number: int, patterns: list[str]) -> None:
        if any(set(pattern) & set('*?!"') for pattern in patterns):
            self._always.append(number)
            return
        for name in patterns:
            self._by_name.setdefault(name, []).append(number)

    def part_for(self, host: str) -> str:
        """The blocks that may be meant for ``host``, in their order."""
        numbers = sorted({*self._always, *self._by_name.get(host, ())})
        return "\n".join(line for number in numbers for line in self._blocks[number])


def _expand(path: Path, base: Path, depth: int) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError):
        return ""
    if "include" not in text.lower():  # of thousands of lines, read for each connection
        return text
    block = "Host *"
    out: list[str] = []
    for line in text.splitlines():
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
