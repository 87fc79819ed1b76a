"""Images of more than fifteen kinds, built here by real Apptainer: every field of ours is what Apptainer says of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sif_writer as writer
from diverse_images import Workshop, make_bad, workshop

from jupyter_slurmdash.images.model import SifFacts
from jupyter_slurmdash.images.probe import probe_node
from jupyter_slurmdash.images.sif import read_sif
from jupyter_slurmdash.transport.local import LocalTransport
from jupyter_slurmdash.transport.ssh import SshConnector

# What the file system inside cannot tell, or not to us.
NO_FALLBACK = {"encrypted", "lzo"}
ALWAYS = ("labels", "apps", "runscript", "environment_scripts", "help")


@pytest.fixture(scope="module")
def shop(cluster: dict[str, Any]) -> Iterator[Workshop]:
    place = Path(tempfile.mkdtemp(prefix="slurmdash-images-", dir=f"/home/{cluster['users'][0]}"))
    made = workshop(cluster["users"][0], place, Path(cluster["state"]) / "build" / "busybox")
    try:
        made.make()
        yield made
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _facts(data: bytes) -> tuple[SifFacts, int]:
    count = 0

    def read(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        nonlocal count
        count += sum(length for _, length in ranges)
        return [data[offset : offset + length] for offset, length in ranges]

    return read_sif(read, len(data)), count


def _plain(facts: SifFacts) -> dict[str, Any]:
    """Our fields under the names of Apptainer's document."""
    return {
        "labels": facts.labels,
        "runscript": facts.runscript,
        "startscript": facts.startscript,
        "test": facts.test,
        "helpfile": facts.help,
        "environment": facts.environment_scripts,
        "deffile": facts.deffile,
    }


def _said(attributes: dict[str, Any]) -> dict[str, Any]:
    """Apptainer's document with what it leaves out when empty."""
    texts = {name: attributes.get(name, "") for name in ("runscript", "startscript", "test", "helpfile")}
    texts["deffile"] = attributes.get("deffile", "").rstrip("\n")
    maps = {name: attributes.get(name) or {} for name in ("labels", "environment")}
    return {**texts, **maps}


def _table(shop: Workshop, name: str) -> dict[str, Any]:
    """What ``apptainer sif header``, ``list`` and ``info`` say."""
    header = shop.apptainer("sif", "header", f"{name}.sif")
    fields = dict(re.findall(r"^(.+?):\s+(.*)$", header, re.MULTILINE))
    rows = re.findall(r"^(\d+) +\|.*\|([^|\n]+)$", shop.apptainer("sif", "list", f"{name}.sif"), re.MULTILINE)
    prints = []
    for number, kind in rows:
        if kind.startswith("Signature"):
            info = shop.apptainer("sif", "info", number, f"{name}.sif")
            [entity] = re.findall(r"Entity:\s+(\w+)", info)
            [digest] = re.findall(r"Hash Type:\s+(\S+)", info)
            prints.append((entity, digest.replace("-", "").lower()))
    primary = next(kind for _, kind in rows if "*System" in kind)
    return {
        "arch": primary.rpartition("/")[2].rstrip(") "),
        "sif_id": fields["ID"],
        "created": fields["Created At"][:19],
        "signatures": prints,
        "encrypted": "Encrypt" in primary or "Gocryptfs" in primary,
    }


def test_every_field_of_every_image(shop: Workshop) -> None:
    images = sorted(path.stem for path in shop.place.glob("*.sif"))
    assert len(images) >= 18
    print()
    for name in images:
        data = (shop.place / f"{name}.sif").read_bytes()
        facts, bytes_read = _facts(data)
        assert (facts.problem, facts.complete) == (None, True), name
        # One label of 64 KiB is in the metadata twice: as it is, and in the definition.
        assert bytes_read <= (160 if name == "labels" else 64) * 1024, name
        document = json.loads(shop.apptainer("inspect", "--json", "--all", f"{name}.sif"))
        attributes = document["data"]["attributes"]
        compared = _compare(name, facts, attributes)
        table = _table(shop, name)
        assert (facts.arch, facts.sif_id, facts.encrypted) == (
            table["arch"],
            table["sif_id"],
            table["encrypted"],
        ), name
        assert _written(facts.build_time) == table["created"], name
        assert [(each.fingerprint, each.hash) for each in facts.signatures] == table["signatures"], name
        assert facts.signed is bool(table["signatures"])
        fallback = _without_metadata(name, data, facts)
        print(
            f"{name:18} {compared + 6:3} fields equal, {bytes_read / 1024:5.1f} KiB read; without metadata: {fallback}"
        )


def _compare(name: str, facts: SifFacts, attributes: dict[str, Any]) -> int:
    ours, theirs = _plain(facts), _said(attributes)
    for field, value in theirs.items():
        assert ours[field] == value, (name, field)
    apps = attributes.get("apps") or {}
    assert [app.name for app in facts.apps] == sorted(apps), name
    for app in facts.apps:
        said = apps[app.name]
        parts = (app.help, app.runscript, app.startscript, app.test, app.labels)
        theirs_parts = tuple(said.get(part, "") for part in ("helpfile", "runscript", "startscript", "test"))
        assert parts == (*theirs_parts, said.get("labels") or {}), (name, app.name)
        for text in (said.get("environment") or {}).values():
            assert all(f"{variable}=" in text for variable in app.environment), (name, app.name)
    values = sum(len(value) if isinstance(value, dict) else 1 for value in theirs.values())
    return values + sum(6 + len(app.labels) for app in facts.apps)


def _without_metadata(name: str, data: bytes, facts: SifFacts) -> str:
    """The same image without the document: what the file system inside gives."""
    old, bytes_read = _facts(writer.without(data, writer.JSON))
    assert old.problem is None, name
    if name in NO_FALLBACK:
        assert not old.complete
        return "not readable from here"
    assert old.complete, name
    assert bytes_read <= 256 * 1024, name
    for field in ALWAYS:
        assert getattr(old, field) == getattr(facts, field), (name, field)
    assert (old.arch, old.sif_id, old.signatures) == (facts.arch, facts.sif_id, facts.signatures)
    return f"the same, {bytes_read / 1024:.0f} KiB"


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_docker_and_oci_images_carry_their_own_words(shop: Workshop) -> None:
    for name in ("docker", "oci"):
        facts, _ = _facts((shop.place / f"{name}.sif").read_bytes())
        assert facts.labels["org.opencontainers.image.title"] == "도커 image"
        assert "'/bin/echo'" in facts.runscript
        assert "SOLVER" in facts.environment


def test_what_is_no_image_has_its_reason(shop: Workshop) -> None:
    for name, (data, words) in make_bad(shop.place / "apps.sif", shop.place).items():
        facts, _ = _facts(data)
        assert facts.problem is not None, name
        assert words in facts.problem, (name, facts.problem)
        (shop.place / "bad.sif").write_bytes(data)
        os.chmod(shop.place / "bad.sif", 0o644)
        refused = shop.run("/usr/bin/apptainer", "sif", "list", "bad.sif", check=False)
        # A list of a file that is only cut off at its end can still be printed.
        assert refused.returncode != 0 or name in ("truncated", "no-partition"), name
    (shop.place / "bad.sif").unlink()


@pytest.mark.parametrize("allowed", [False, True])
def test_apptainer_on_the_node_is_asked_only_where_it_is_allowed(
    shop: Workshop, cluster: dict[str, Any], allowed: bool
) -> None:
    folder = Path(cluster["nodes"]["node003"]["images"]) / f".slurmdash-inspect-{os.getpid()}"
    folder.mkdir()
    whole, _ = _facts((shop.place / "lzo.sif").read_bytes())
    connector = SshConnector(cluster["ssh_config"], cluster["known_hosts"])
    try:
        (folder / "-a b'c.sif").write_bytes(
            writer.without((shop.place / "lzo.sif").read_bytes(), writer.JSON)
        )
        transport = connector.connect("node003")
        probe = probe_node(transport, [f"{cluster['image_dir']}/{folder.name}"], {}, inspect=allowed)
        transport.close()
        [found] = probe.found
        assert found.facts is not None
        assert found.facts.complete is allowed
        assert found.facts.labels == (whole.labels if allowed else {})
        if allowed:
            assert [app.name for app in found.facts.apps] == [app.name for app in whole.apps]
            assert found.facts.help == whole.help
    finally:
        connector.close()
        shutil.rmtree(folder)


def test_where_apptainer_is_not_installed_nothing_is_lost(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "a.sif").write_bytes(writer.sif([writer.definition(), writer.partition(kind=2)]))
    monkeypatch.setenv("PATH", str(tmp_path))
    [found] = probe_node(LocalTransport(), [str(tmp_path)], {}, inspect=True).found
    assert found.facts is not None
    assert (found.facts.complete, found.facts.problem) == (False, None)
