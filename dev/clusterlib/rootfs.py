"""The two small root file systems that the images are made of: busybox alone, and with the host's Python.

No image is downloaded: everything comes from packages that the machine has anyway.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .shell import ClusterError, folder, run

BUSYBOX = Path("/bin/busybox")
PYTHON = Path("/usr/bin/python3")
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\n",
    "hosts": "127.0.0.1 localhost\n",
    "resolv.conf": "",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Parts of the standard library that no job needs, and that are large or need absent libraries.
_SKIP = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
    "pydoc_data",
    "__pycache__",
    "dist-packages",
    "site-packages",
}
_SKIP_PREFIXES = ("config-", "_tkinter", "_gdbm", "_dbm", "_testcapi", "_ctypes_test", "_test", "_xxtest")


def make_busybox(root: Path) -> None:
    """A root file system with busybox, and what a container expects in /etc."""
    for name in ("bin", "etc", "tmp", "root", "home", "opt", "var/tmp", "usr/bin", "usr/lib"):
        folder(root / name)
    shutil.copy2(BUSYBOX, root / "bin/busybox")
    # Only what %post needs to run: Apptainer copies what links point to, so definitions make the rest.
    (root / "bin/sh").symlink_to("busybox")
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text, encoding="utf-8")


def _libraries(programs: list[Path]) -> set[Path]:
    """The shared libraries and the loader that these need, by the paths under which they are looked for."""
    found = set()
    for line in run(["ldd", *programs]).splitlines():
        words = [word for word in line.split() if word.startswith("/") and not word.endswith(":")]
        if words:
            found.add(Path(words[0]))
    return found


def _ignore(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _SKIP or name.startswith(_SKIP_PREFIXES)}


def make_python(root: Path) -> None:
    """The busybox one with the host's Python, its standard library and the C libraries of both."""
    make_busybox(root)
    program = PYTHON.resolve()
    library = Path("/usr/lib") / program.name
    if not library.is_dir():
        raise ClusterError(f"{program} has no standard library at {library}")
    # As /usr/bin/python; it finds its library by its own version, whatever it is called.
    shutil.copy2(program, root / "usr/bin/python")
    shutil.copytree(library, root / library.relative_to("/"), ignore=_ignore, ignore_dangling_symlinks=True)
    modules = sorted((root / library.relative_to("/") / "lib-dynload").glob("*.so"))
    for path in _libraries([program, *modules]):
        target = root / path.relative_to("/")
        folder(target.parent)
        shutil.copy2(os.path.realpath(path), target)
