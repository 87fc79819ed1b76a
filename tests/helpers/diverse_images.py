"""Images of every kind we know of, built by real Apptainer as an ordinary user, without any network."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import sif_writer as writer

APPTAINER = "/usr/bin/apptainer"
_BASE = "Bootstrap: scratch\n\n%files\n    {root}/* /\n\n%post\n    busybox --install -s /bin\n"

SECTIONS = """
%labels
    version 3.1
    description Everything that a definition may have
    slurmdash.type compute

%environment
    export SOLVER_HOME=/opt/solver
    export GREETING="it's \\"quoted\\" $SOLVER_HOME"

%runscript
    echo "run $*"

%startscript
    echo start
    exec sleep 60

%test
    test -d /bin

%help
    Several lines,

        indented: <tags> & 'quotes' and 한글.
"""

APPS = """
%apprun mesh
    exec echo mesh "$@"
%applabels mesh
    version 1.2
    author Kim
%apphelp mesh
    Makes a mesh.
    Second line.
%appenv mesh
    MESH_LEVEL=3
    export MESH_LEVEL
%appstart mesh
    exec sleep 10
%apptest mesh
    true

%apprun solve-it
    exec echo solve "$@"
%appenv solve-it
    export OMP_NUM_THREADS=4

%apphelp only-help
    An app with a help text and nothing else.
%apprun only-help
    echo x

%apprun zero_1
    exit 0
"""

LABELS = """
%labels
    한국어 값도 한글입니다 — "따옴표" 'x'
    quotes "a" 'b' \\n back\\slash
    equals a=b=c
    url https://example.org/?a=b&c=<d>
    version 1.0
    empty-ish .
    long {long}
"""


@dataclass
class Workshop:
    """A place of ``user``'s where images are built; ``root`` is a small root file system."""

    user: str
    place: Path
    root: Path

    def run(self, *argv: str, answers: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """``argv`` as the user, with a home of its own for keys and caches."""
        env = [f"HOME={self.place}", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8"]
        done = subprocess.run(
            ["/usr/sbin/runuser", "-u", self.user, "--", "env", "-i", *env, *argv],
            cwd=self.place,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done

    def apptainer(self, *argv: str, answers: str = "", check: bool = True) -> str:
        return self.run(APPTAINER, *argv, answers=answers, check=check).stdout

    def write(self, name: str, data: str | bytes) -> Path:
        path = self.place / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        shutil.chown(path, self.user)
        return path

    def build(self, name: str, definition: str, *options: str) -> Path:
        text = definition.replace("{root}", str(self.root))
        recipe = self.write(f"{name}.def", text)
        self.apptainer("build", "--force", *options, f"{name}.sif", str(recipe))
        return self.place / f"{name}.sif"

    def copy(self, source: str, name: str) -> Path:
        return self.write(f"{name}.sif", (self.place / f"{source}.sif").read_bytes())

    # -- images -------------------------------------------------------------------------------------------------

    def make(self) -> list[Path]:
        """All good images; those that others are made from come first."""
        self.build("sections", _BASE + SECTIONS)
        self.build("apps", _BASE + SECTIONS + APPS)
        self.build("plain", _BASE)
        self.build("labels", _BASE + LABELS.replace("{long}", "x" * 65_000))
        self.build("huge-definition", _BASE + "    # a long comment\n" * 2_000 + SECTIONS)
        self.build("local", "Bootstrap: localimage\nFrom: apps.sif\n\n%labels\n    added here\n")
        stages = _BASE.replace("scratch\n", "scratch\nStage: one\n") + "    echo made > /made\n"
        self.build("stages", stages + "\n" + _BASE + "\n%files from one\n    /made /made\n" + SECTIONS)
        for comp in ("gzip", "xz", "zstd", "lz4", "lzo"):
            self.build(comp, _BASE + SECTIONS + APPS, "--mksquashfs-args", f"-comp {comp}")
        self.apptainer("build", "--sandbox", "sandbox", "apps.sif")
        self.apptainer("build", "from-sandbox.sif", "sandbox")
        self._archives()
        self._signed()
        self._more_partitions()
        self._encrypted()
        return sorted(self.place.glob("*.sif"))

    def _archives(self) -> None:
        layer = _layer(self.root)
        config = _image_config(layer)
        self.write("docker.tar", docker_archive(layer, config))
        self.apptainer("build", "docker.sif", "docker-archive:docker.tar")
        self.write("oci.tar", oci_archive(layer, config))
        self.apptainer("build", "oci.sif", "oci-archive:oci.tar")

    def _signed(self) -> None:
        for who in ("First", "Second"):
            names = ("--name", who, "--email", f"{who}@example.org", "--comment", "tests")
            self.apptainer("key", "newpair", *names, "--password", "", "--push=false", "--bit-length", "2048")
        self.copy("apps", "signed")
        self.apptainer("sign", "--keyidx", "0", "signed.sif")
        self.copy("signed", "signed-twice")
        self.apptainer("sign", "--keyidx", "1", "signed-twice.sif")

    def _more_partitions(self) -> None:
        self.copy("sections", "overlay")
        self.run("dd", "if=/dev/zero", "of=overlay.img", "bs=1M", "count=4")
        self.run("/sbin/mkfs.ext3", "-q", "-F", "overlay.img")
        add = ("sif", "add", "--datatype", "4")
        self.apptainer(
            *add, "--partfs", "2", "--parttype", "4", "--partarch", "2", "overlay.sif", "overlay.img"
        )
        self.copy("sections", "two-architectures")
        part = self.write("part.squashfs", b"hsqs" + bytes(8188))
        arm = ("--partfs", "1", "--parttype", "1", "--partarch", "4")
        self.apptainer(*add, *arm, "two-architectures.sif", str(part))

    def _encrypted(self) -> None:
        self.run("openssl", "genrsa", "-traditional", "-out", "key.pem", "2048")
        self.run("openssl", "rsa", "-in", "key.pem", "-RSAPublicKey_out", "-out", "public.pem")
        self.build("encrypted", _BASE + SECTIONS, "--encrypt", "--pem-path", str(self.place / "public.pem"))


def make_bad(good: Path, place: Path) -> dict[str, tuple[bytes, str]]:
    """What else is found under the name .sif: contents, and words of the reason."""
    data = good.read_bytes()
    squashfs = data.index(b"hsqs")
    return {
        "empty": (b"", "empty"),
        "text": (b"These are notes.\n", "text file"),
        "truncated": (data[: len(data) // 2], "cut off"),
        "cut-header": (data[:100], "cut off"),
        "cut-table": (data[:5000], "cut off"),
        "bare-squashfs": (data[squashfs:], "squashfs"),
        "archive": (b"\x1f\x8b\x08" + bytes(100), "gzip"),
        "page": (b"<!DOCTYPE html><html>", "web page"),
        "program": (Path("/bin/true").read_bytes(), "program"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        "no-partition": (writer.sif([writer.definition()]), "no container file system"),
    }


# -- what Docker would have saved -----------------------------------------------------------------------------


def _layer(root: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(root, arcname=".", filter=_by_root)
        for name, target in (("bin/sh", "busybox"), ("bin/echo", "busybox")):
            link = tarfile.TarInfo(f"./{name}")
            link.type, link.linkname = tarfile.SYMTYPE, target
            if not (root / name).exists() and not (root / name).is_symlink():
                tar.addfile(link)
    return out.getvalue()


def _by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _image_config(layer: bytes) -> bytes:
    labels = {
        "org.opencontainers.image.version": "7.2",
        "org.opencontainers.image.title": "도커 image",
        "a b": 'c"d',
    }
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-02T03:04:05Z",
            "config": {
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "SOLVER=a b'c", "EMPTY="],
                "Entrypoint": ["/bin/echo", "in the entrypoint"],
                "Cmd": ["default", "words"],
                "Labels": labels,
                "WorkingDir": "/tmp",
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": "2026-01-02T03:04:05Z", "created_by": "by hand"}],
        }
    ).encode()


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folders = {parent.as_posix() for name in files for parent in PurePosixPath(name).parents}
        for name in sorted(folders - {"."}):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def docker_archive(layer: bytes, config: bytes) -> bytes:
    """As ``docker save`` writes it."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": ["example/tools:7.2"], "Layers": ["layer/layer.tar"]}]
    return _tar({name: config, "layer/layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})


def oci_archive(layer: bytes, config: bytes) -> bytes:
    """An OCI image layout in a tar file."""

    def entry(kind: str, data: bytes) -> dict[str, Any]:
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": _digest(data), "size": len(data)}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": entry("config.v1+json", config),
            "layers": [entry("layer.v1.tar", layer)],
        }
    ).encode()
    index = {"schemaVersion": 2, "manifests": [entry("manifest.v1+json", manifest)]}
    blobs = {f"blobs/sha256/{_digest(data)[7:]}": data for data in (layer, config, manifest)}
    return _tar(
        {
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
            "index.json": json.dumps(index).encode(),
            **blobs,
        }
    )


Check = Callable[[Path], None]


def workshop(user: str, place: Path, root: Path) -> Workshop:
    os.chmod(place, 0o755)
    shutil.chown(place, user)
    return Workshop(user, place, root)
