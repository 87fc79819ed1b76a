"""Apptainer on Debian 12.

Debian has Apptainer in its unstable suite only, linked against a newer libc. The package is fetched with an
apt state of its own (the machine's sources stay as they are), unpacked, and its programs are pointed to
unstable's loader and libraries below /opt/apptainer/lib.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from . import layout
from .packages import apt
from .shell import ClusterError, folder, run

APPTAINER = Path("/usr/bin/apptainer")
_LIB = Path("/opt/apptainer/lib")
_WORK = layout.STATE / "sid"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def version() -> str | None:
    """The version of a working Apptainer, else None."""
    if not APPTAINER.exists():
        return None
    try:
        return run([APPTAINER, "version"]).strip()
    except ClusterError:
        return None


def _mirror() -> str:
    """The mirror that this machine takes Debian itself from."""
    codename = ""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            codename = line.partition("=")[2].strip('"')
    listed = run(
        ["apt-get", "indextargets", "--format", "$(RELEASE)|$(COMPONENT)|$(REPO_URI)", "Created-By: Packages"]
    )
    for line in listed.splitlines():
        release, component, uri = line.split("|", 2)
        if release in (codename, "stable") and component == "main":
            return uri
    raise ClusterError(f"no apt source of this machine offers the main component of {codename or 'Debian'}")


def _options() -> list[str]:
    """Options that give apt a private source list, state and cache."""
    for part in ("lists/partial", "cache/archives/partial", "debs"):
        folder(_WORK / part)
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    sources = _WORK / "sources.list"
    sources.write_text(f"deb {signed}{_mirror()} sid main\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": _WORK / "lists",
        "Dir::Cache": _WORK / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        # Signatures are checked all the same; freshness would only fail on a mirror that is frozen in time.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Check-Date": "false",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def fetch() -> None:
    """Download and unpack Apptainer and the libraries it depends on; needs nothing but apt and dpkg-deb."""
    options = _options()
    apt([*options, "update"])
    depends = apt([*options, "depends", "apptainer"], program="apt-cache")
    libraries = [
        words[1]
        for line in depends.splitlines()
        if (words := line.split())[0] == "Depends:" and words[1].startswith("lib")
    ]
    debs = _WORK / "debs"
    shutil.rmtree(debs)
    folder(debs)
    apt([*options, "download", "apptainer", *libraries], cwd=debs)
    shutil.rmtree(_WORK / "root", ignore_errors=True)
    root = folder(_WORK / "root")
    for deb in sorted(debs.iterdir()):
        run(["dpkg-deb", "-x", deb, root])
    shutil.rmtree(_WORK / "lists")
    shutil.rmtree(_WORK / "cache")


def _is_elf(path: Path) -> bool:
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _find(name: str, root: Path) -> Path:
    """A library by its soname: unstable's own one, else the machine's."""
    for top in (root, Path("/")):
        for where in ("usr/lib", "lib", "usr/lib64", "lib64"):
            for path in [*sorted((top / where).glob(f"*/{name}")), top / where / name]:
                if path.exists():
                    return path
    raise ClusterError(f"Apptainer needs {name}, which neither its packages nor this machine have")


def _libraries(program: Path, root: Path) -> dict[str, Path]:
    """Every library the program needs, directly or not, by soname."""
    found: dict[str, Path] = {}
    queue = [program]
    while queue:
        for name in run(["patchelf", "--print-needed", queue.pop()]).split():
            if name not in found:
                found[name] = _find(name, root)
                queue.append(found[name])
    return found


def install() -> None:
    """Put the unpacked Apptainer in its places; the main program last, so a half installation is redone."""
    root = _WORK / "root"
    folder(_LIB)
    libexec = next((root / "usr/lib").glob("*/apptainer"))
    programs = [p for p in sorted(libexec.rglob("*")) if _is_elf(p)] + [root / "usr/bin/apptainer"]
    for program in programs:
        try:
            interpreter = run(["patchelf", "--print-interpreter", program]).strip()
        except ClusterError:
            continue  # static, or a library: starts without a loader
        for name, path in {
            **_libraries(program, root),
            Path(interpreter).name: _find(Path(interpreter).name, root),
        }.items():
            shutil.copy2(path, _LIB / name)
        if not interpreter.startswith(str(_LIB)):
            # RPATH, not RUNPATH: it holds for the libraries of the libraries as well.
            run(
                [
                    "patchelf",
                    "--set-interpreter",
                    _LIB / Path(interpreter).name,
                    "--force-rpath",
                    "--set-rpath",
                    _LIB,
                    program,
                ]
            )
    shutil.copytree(root / "etc/apptainer", "/etc/apptainer", dirs_exist_ok=True)
    shutil.copytree(libexec, Path("/") / libexec.relative_to(root), symlinks=True, dirs_exist_ok=True)
    folder(Path("/var/lib/apptainer/mnt/session"))
    fresh = APPTAINER.with_name("apptainer.new")
    shutil.copy2(root / "usr/bin/apptainer", fresh)
    fresh.replace(APPTAINER)
    if version() is None:
        raise ClusterError(f"{APPTAINER} was installed but does not start")
    shutil.rmtree(_WORK)


def device(path: Path, major: int, minor: int) -> None:
    """A character device that everyone may use; an existing one only gets its mode."""
    if not path.exists():
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    path.chmod(0o666)


def devices() -> None:
    """/dev/fuse for Apptainer, and the pretended GPUs (which are /dev/null by another name)."""
    device(Path("/dev/fuse"), 10, 229)
    for gpu in layout.FAKE_GPUS:
        device(gpu, 1, 3)


def clock() -> None:
    """/etc/localtime, which Apptainer mounts into every container and a bare system may lack."""
    path = Path("/etc/localtime")
    if not path.exists():
        path.unlink(missing_ok=True)
        path.symlink_to("/usr/share/zoneinfo/Etc/UTC")
