"""Building the images as an ordinary user with real Apptainer, and laying them out on the nodes.

Which image comes from which definition and lies on which node is in dev/images/distribution.toml.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import layout, rootfs, sid, sif
from .daemons import clean_env, enter_argv
from .shell import ClusterError, folder, run, write

_BUILDER = layout.USERS[0]
_RECIPE = "2"  # raise it when the code here makes other images from the same definitions


@dataclass(frozen=True)
class Image:
    """One line of the distribution: the file's name, what it is made from, and where it lies."""

    name: str
    definition: str | None
    nodes: tuple[str, ...]
    derive: str | None = None
    source: str | None = None
    text: str | None = None

    @property
    def path(self) -> Path:
        """The finished file, from which the nodes get their copies."""
        return layout.IMAGES / self.name

    @property
    def stamp(self) -> Path:
        """The file that holds the digest of what the image was made from."""
        return layout.IMAGES / f".{self.name}.made-from"


def distribution() -> list[Image]:
    """All images, those that others derive from first."""
    with (layout.DEFINITIONS / "distribution.toml").open("rb") as file:
        table = tomllib.load(file)
    known = {node.name for node in layout.NODES}
    images = []
    for name, entry in table.items():
        unknown = set(entry["nodes"]) - known
        if unknown:
            raise ClusterError(
                f"distribution.toml puts {name} on unknown nodes: {', '.join(sorted(unknown))}"
            )
        images.append(
            Image(
                name,
                entry.get("definition"),
                tuple(entry["nodes"]),
                entry.get("derive"),
                entry.get("from"),
                entry.get("text"),
            )
        )
    return sorted(images, key=lambda image: image.definition is None)


def _key(image: Image, apptainer: str) -> str:
    """What the image depends on, as a digest: it is made anew when this changes."""
    digest = hashlib.sha256(f"{_RECIPE} {apptainer} {image.derive} {image.text} ".encode())
    for name in (image.definition, image.source):
        if name is not None and name.endswith(".def"):
            digest.update((layout.DEFINITIONS / name).read_bytes())
        elif name is not None:
            digest.update((layout.IMAGES / f".{name}.made-from").read_bytes())
    return digest.hexdigest()


def _roots() -> None:
    """The root file systems that the definitions copy from."""
    makers: dict[str, Callable[[Path], None]] = {"busybox": rootfs.make_busybox, "python": rootfs.make_python}
    for name, make in makers.items():
        root = layout.BUILD / name
        if not root.exists():
            fresh = layout.BUILD / f"{name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            folder(fresh)
            make(fresh)
            fresh.rename(root)


def _apptainer(arguments: list[str], cwd: Path, answers: str = "") -> None:
    """Run Apptainer as an ordinary user; in a namespace of its own, since it refuses to work in a chroot."""
    home = layout.BUILD / "home"
    env = clean_env(
        HOME=str(home), APPTAINER_CACHEDIR=str(home / "cache"), APPTAINER_TMPDIR=str(home / "tmp")
    )
    run(
        enter_argv([str(sid.APPTAINER), *arguments], user=_BUILDER),
        cwd=cwd,
        env=env,
        log=layout.LOG / "images.log",
        timeout=300,
        answers=answers,
    )


def _build(image: Image) -> None:
    """Build from the definition; the finished file belongs to root, as on a real cluster."""
    made = layout.BUILD / "made" / image.name
    made.unlink(missing_ok=True)
    _apptainer(["build", str(made), str(layout.DEFINITIONS_COPY / str(image.definition))], cwd=layout.BUILD)
    write(image.path, made.read_bytes())
    made.unlink()


def _derive(image: Image) -> None:
    """Make a file out of another image, or out of a text."""
    if image.text is not None:
        write(image.path, image.text)
        return
    data = (layout.IMAGES / str(image.source)).read_bytes()
    if image.derive == "without-metadata":
        data = sif.without_metadata(data)
    elif image.derive == "truncated":
        data = data[: len(data) // 2]
    elif image.derive == "signed":
        data = _signed(data)
    else:
        raise ClusterError(f"distribution.toml: {image.name} has the unknown derivation {image.derive!r}")
    write(image.path, data)


def _signed(data: bytes) -> bytes:
    """The image with an OpenPGP signature by a key of the cluster's own, which is made when there is none."""
    if not layout.SIGNING_KEY.exists():
        shutil.rmtree(layout.BUILD / "home" / "keys", ignore_errors=True)
        who = ["--name", "HPC support", "--email", "hpc-support@example.org", "--comment", "dev/cluster"]
        _apptainer(
            ["key", "newpair", *who, "--password", "", "--push=false", "--bit-length", "2048"], layout.BUILD
        )
        exported = layout.BUILD / "made" / "key.asc"
        exported.unlink(missing_ok=True)
        _apptainer(["key", "export", "--armor", str(exported)], layout.BUILD, answers="0\n")  # the only one
        write(layout.SIGNING_KEY, exported.read_bytes())
    image = layout.BUILD / "made" / "signed.sif"
    write(image, data, _BUILDER)
    _apptainer(["sign", "--keyidx", "0", str(image)], layout.BUILD)
    signed = image.read_bytes()
    image.unlink()
    return signed


def build() -> list[str]:
    """Make the images that are missing or whose definition changed; their names."""
    folder(layout.IMAGES)
    folder(layout.BUILD)
    for name in ("made", "home", "home/cache", "home/tmp"):
        folder(layout.BUILD / name, _BUILDER, 0o700)
    apptainer = sid.version()
    if apptainer is None:
        raise ClusterError("Apptainer does not start; remove /usr/bin/apptainer and run `up` again")
    made = []
    for image in distribution():
        key = _key(image, apptainer)
        if image.path.exists() and image.stamp.exists() and image.stamp.read_text(encoding="ascii") == key:
            continue
        image.stamp.unlink(missing_ok=True)
        if image.definition is None:
            _derive(image)
        else:
            _roots()
            # Copied, since the builder may not be allowed to read the checkout.
            shutil.rmtree(layout.DEFINITIONS_COPY, ignore_errors=True)
            shutil.copytree(layout.DEFINITIONS, folder(layout.DEFINITIONS_COPY), dirs_exist_ok=True)
            _build(image)
        image.stamp.write_text(key, encoding="ascii")
        made.append(image.name)
    return made


def lay_out() -> None:
    """Give every node its images, as separate copies: a test that spoils one spoils it on one node only.

    Files of other names in a node's folder are someone's own and stay.
    """
    for node in layout.NODES:
        folder(node.images)
    for image in distribution():
        wanted = image.path.stat()
        for node in layout.NODES:
            target = node.images / image.name
            if node.name not in image.nodes:
                target.unlink(missing_ok=True)
                continue
            if target.exists():
                there = target.stat()
                if (there.st_size, there.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns):
                    continue
            fresh = node.folder / "image.new"
            shutil.copy2(image.path, fresh)
            os.replace(fresh, target)
