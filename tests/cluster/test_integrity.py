"""Signatures and digests of real images, made by real Apptainer: what it says of each is what we say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sif_signer as signer
import sif_writer as writer

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.images.contents import FileHere
from jupyter_slurmdash.images.integrity import Integrity
from jupyter_slurmdash.images.keyring import load_keyring
from jupyter_slurmdash.images.model import SifFacts, image_id
from jupyter_slurmdash.images.sif import read_sif
from jupyter_slurmdash.images.verify import verify_image
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.imagechecks import ImageChecks
from jupyter_slurmdash.store.images import ImageTable
from jupyter_slurmdash.transport.ssh import SshConnector

_OWNER = "hpcuser1"


class Apptainer:
    """Apptainer as an ordinary user, with keys of their own in ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ring = home / "ring"

    def run(self, *argv: str, check: bool = True, input: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["/usr/sbin/runuser", "-u", _OWNER, "--", *argv],
            # Apptainer asks the system for its home, not the environment: its keys would go to the user's own.
            env={
                "PATH": "/usr/bin:/bin:/usr/sbin",
                "APPTAINER_CONFIGDIR": str(self.home / "config"),
                "LANG": "C.UTF-8",
            },
            cwd=self.home,
            capture_output=True,
            text=True,
            input=input,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def make_keys(self) -> None:
        for name in ("Alice", "Bob"):
            who = ["--name", name, "--email", f"{name}@example.org", "--comment", "", "--password", ""]
            self.run("apptainer", "key", "newpair", *who, "--push=false", "--bit-length", "2048")
        for name, number in (("alice.asc", "0"), ("bob.asc", "1")):
            self.run("apptainer", "key", "export", "--armor", str(self.home / name), input=f"{number}\n")
        for name, options in (("ec", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("rsa", ["RSA"])):
            self.run("openssl", "genpkey", "-algorithm", *options, "-out", f"{name}.pem")
            self.run("openssl", "pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub")

    def sign(self, name: str, source: Path, *keys: str) -> Path:
        image = self.home / name
        shutil.copyfile(source, image)
        shutil.chown(image, _OWNER)
        for key in keys:
            how = ["--keyidx", key] if key.isdigit() else ["--key", key]
            self.run("apptainer", "sign", *how, str(image))
        return image

    def accepts(self, image: Path, *options: str) -> bool:
        done = self.run("apptainer", "verify", "--local", *options, str(image), check=False)
        return done.returncode == 0


class Signed(NamedTuple):
    """The same image in several states."""

    apptainer: Apptainer
    base: Path
    alice: Path
    both: Path
    twice: Path
    ec: Path
    rsa: Path


@pytest.fixture(scope="module")
def signed(cluster: dict[str, Any]) -> Iterator[Signed]:
    home = Path(tempfile.mkdtemp(prefix="slurmdash-sign-", dir="/home/hpcuser1"))
    shutil.chown(home, _OWNER)
    tool = Apptainer(home)
    tool.make_keys()
    base = Path(cluster["nodes"]["node001"]["images"]) / "mesh-tools.sif"
    yield Signed(
        tool,
        base,
        tool.sign("alice.sif", base, "0"),
        tool.sign("both.sif", base, "0", "1"),
        tool.sign("twice.sif", base, "0", "0"),
        tool.sign("ec.sif", base, "ec.pem"),
        tool.sign("rsa.sif", base, "rsa.pem"),
    )
    shutil.rmtree(home)


def facts_of(path: Path) -> SifFacts:
    data = path.read_bytes()
    return read_sif(lambda ranges: [data[at : at + length] for at, length in ranges], len(data))


def state_of(path: Path, *keys: Path) -> str:
    ring = path.with_name("ring")
    ring.write_bytes(b"\n".join(key.read_bytes() for key in keys))
    try:
        file = FileHere(str(path), path.stat().st_size, lambda: None)
        return verify_image(file, load_keyring(str(ring)), 1e9).state
    except InvalidInput:
        return "unsigned"


def test_signatures_are_those_that_apptainer_lists(signed: Signed) -> None:
    for path in signed[1:]:
        assert isinstance(path, Path)
        listed = signed.apptainer.run("apptainer", "sif", "list", str(path)).stdout
        hashes = [text.lower().replace("-", "") for text in re.findall(r"Signature \(([^)]*)\)", listed)]
        facts = facts_of(path)
        assert [each.hash for each in facts.signatures] == hashes
        assert facts.signed == bool(hashes)
    kinds = [[each.kind for each in facts_of(path).signatures] for path in (signed.twice, signed.ec)]
    assert kinds == [["pgp", "pgp"], ["dsse"]]
    said = json.loads(
        signed.apptainer.run("apptainer", "verify", "--local", "--json", str(signed.both)).stdout
    )
    prints = {entry["Signer"]["Fingerprint"].upper() for entry in said["SignerKeys"]}
    assert {each.fingerprint for each in facts_of(signed.both).signatures} == prints


def test_what_apptainer_accepts_is_verified(signed: Signed) -> None:
    home = signed.apptainer.home
    alice, bob = home / "alice.asc", home / "bob.asc"
    for path in (signed.alice, signed.both, signed.twice):
        assert signed.apptainer.accepts(path)
        assert state_of(path, alice, bob) == "verified"
    for path, name in ((signed.ec, "ec"), (signed.rsa, "rsa")):
        assert signed.apptainer.accepts(path, "--key", str(home / f"{name}.pub"))
        assert state_of(path, home / f"{name}.pub") == "verified"
        assert state_of(path, alice, home / "ec.pub", home / "rsa.pub") == "verified"


def test_what_apptainer_refuses_is_not_verified(signed: Signed) -> None:
    tool = signed.apptainer
    keys = [tool.home / name for name in ("alice.asc", "bob.asc", "ec.pub")]
    good = signed.both.read_bytes()
    places = signer.entries(good)
    cases: dict[str, bytes] = {"unsigned": signed.base.read_bytes()}
    for number, (start, entry) in enumerate(places[:3]):
        at = entry[5] + entry[6] // 2
        cases[f"data {number}"] = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        cases[f"name {number}"] = good[: start + 80] + b"x" + good[start + 81 :]
        cases[f"time {number}"] = good[: start + 41] + b"x" + good[start + 42 :]
        cases[f"gone {number}"] = writer.without(good, entry[0])
    cases["launch"] = good[:3] + b"x" + good[4:]
    cases["identifier"] = good[:50] + bytes([good[50] ^ 1]) + good[51:]
    for number, (start, entry) in enumerate(places[3:]):
        at = entry[5] + 150
        cases[f"signed text {number}"] = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        at = entry[5] + entry[6] - 200
        cases[f"signature {number}"] = good[:at] + b"AAAA" + good[at + 4 :]
        cases[f"fingerprint {number}"] = good[: start + 206] + b"xx" + good[start + 208 :]
        cases[f"hash {number}"] = good[: start + 201] + b"\x09" + good[start + 202 :]
    cases["no signature"] = writer.without(good, writer.SIGNATURE)
    path = tool.home / "case.sif"
    for name, data in cases.items():
        path.write_bytes(data)
        shutil.chown(path, _OWNER)
        assert (state_of(path, *keys) == "verified") == tool.accepts(path), name
        assert state_of(path, *keys) != "verified", name
    assert len(cases) >= 20


def test_where_bytes_lie_that_nobody_signed_we_agree_too(signed: Signed) -> None:
    """The time of the last change, an object's place and bytes behind the last object are covered by no signature."""
    tool = signed.apptainer
    good = signed.alice.read_bytes()
    start, _ = signer.entries(good)[0]
    path = tool.home / "case.sif"
    for data in (good + b"x", good[: start + 49] + b"x" + good[start + 50 :], good[:45] + b"03" + good[47:]):
        path.write_bytes(data)
        shutil.chown(path, _OWNER)
        assert tool.accepts(path)
        assert state_of(path, tool.home / "alice.asc") == "verified"


def test_a_key_that_is_not_known(signed: Signed) -> None:
    tool = signed.apptainer
    alone = tool.home / "alone"
    alone.mkdir()
    shutil.chown(alone, _OWNER)
    other = Apptainer(alone)
    other.run("apptainer", "key", "import", str(tool.home / "alice.asc"))
    for path, state in ((signed.alice, "verified"), (signed.both, "unknown key"), (signed.ec, "unknown key")):
        assert other.accepts(path) == (state == "verified")
        assert state_of(path, tool.home / "alice.asc") == state


class World:
    """The catalogue of the real cluster over real SSH, and its digests and verifications."""

    def __init__(self, cluster: dict[str, Any], place: Path) -> None:
        self.connector = SshConnector(cluster["ssh_config"], cluster["known_hosts"], connect_timeout=2.0)
        self.database = Database(f"sqlite:///{place / 'db.sqlite'}")
        self.database.upgrade()
        self.catalog = Catalog(
            ImageTable(self.database),
            EventBus(),
            self.connector.connect,
            lambda: {name: [facts["partition"]] for name, facts in cluster["nodes"].items()},
            image_dirs=[cluster["image_dir"]],
            is_local=lambda node: False,
        )
        self.catalog.scan()
        self.integrity = Integrity(
            self.catalog,
            ImageChecks(self.database),
            EventBus(),
            self.connector.connect,
            keyring=cluster["signing_key"],
            is_local=lambda node: False,
        )

    def close(self) -> None:
        self.integrity.close()
        self.catalog.close()
        self.connector.close()
        self.database.close()


@pytest.fixture
def world(cluster: dict[str, Any], tmp_path: Path) -> Iterator[World]:
    made = World(cluster, tmp_path)
    yield made
    made.close()


def test_every_digest_is_what_sha256sum_says(world: World, cluster: dict[str, Any]) -> None:
    compared = 0
    for image in world.catalog.images():
        for node in image.nodes:
            path = Path(cluster["nodes"][node]["images"]) / image.name
            wanted = subprocess.run(["sha256sum", "--", path], capture_output=True, check=True).stdout
            made = world.integrity.digest(image_id(node, image.path))
            assert made.digest == "sha256:" + wanted.split()[0].decode()
            compared += 1
    assert compared >= 15


def test_the_signed_image_is_verified_on_its_node(world: World) -> None:
    image = world.catalog.find_by_name("signed-tools.sif")
    assert image is not None
    [signature] = image.facts.signatures
    assert signature.kind == "pgp"
    made = world.integrity.verify(image.id)
    assert made.signature == "verified"
    assert made.verdict is not None
    assert "HPC support" in made.verdict.keys[0]
    other = world.catalog.find_by_name("mesh-tools.sif")
    assert other is not None
    with pytest.raises(InvalidInput, match="not signed"):
        world.integrity.verify(other.id)


def test_apps_with_start_script_and_test_are_as_apptainer_inspect_says(
    signed: Signed, cluster: dict[str, Any]
) -> None:
    tool = signed.apptainer
    busybox = f"{cluster['state']}/build/busybox"
    definition = tool.home / "apps.def"
    sections = "".join(f"%app{kind} a\n    echo {kind}\n" for kind in ("run", "start", "test"))
    start = f"Bootstrap: scratch\n%files\n    {busybox}/* /\n%post\n    busybox --install -s /bin\n"
    definition.write_text(f"{start}{sections}%apprun b\n    b\n")
    image = tool.home / "apps.sif"
    tool.run("apptainer", "build", str(image), str(definition))
    said = json.loads(tool.run("apptainer", "inspect", "--json", "--all", str(image)).stdout)["data"][
        "attributes"
    ]
    bare = tool.home / "bare.sif"
    bare.write_bytes(writer.without(image.read_bytes(), writer.JSON))
    for path in (image, bare):
        facts = facts_of(path)
        assert [app.name for app in facts.apps] == ["a", "b"]
        assert "echo start" in facts.apps[0].startscript
        assert "echo test" in facts.apps[0].test
        for app in facts.apps:
            own = said["apps"][app.name]
            assert (app.runscript, app.startscript, app.test) == (
                own.get("runscript", ""),
                own.get("startscript", ""),
                own.get("test", ""),
            )
