"""Digests and signatures in a cell and in the terminal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sif_signer as signer
from settings import private_values
from shells import write

from jupyter_slurmdash import cli
from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.errors import ImageNotFound, InvalidInput
from jupyter_slurmdash.notebook.api import NotebookDash

ALICE = signer.pgp_key()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    images = tmp_path / "shared"
    images.mkdir()
    data = signer.Draft().signed(ALICE)
    (images / "good.sif").write_bytes(data)
    (images / "spoilt.sif").write_bytes(data[:50] + b"x" + data[51:])
    (tmp_path / "ring").write_bytes(signer.public(ALICE))
    return tmp_path


def values(place: Path) -> dict[str, object]:
    own = {
        "image_dirs": [],
        "shared_image_dirs": [str(place / "shared")],
        "image_keyring": str(place / "ring"),
    }
    return {**private_values(place), **own}


@pytest.fixture
def dash(place: Path) -> Iterator[NotebookDash]:
    made = NotebookDash(SlurmDash(**values(place)))
    yield made
    made.close()


def test_in_a_cell(dash: NotebookDash, place: Path) -> None:
    wanted = f"sha256:{hashlib.sha256((place / 'shared/good.sif').read_bytes()).hexdigest()}"
    assert dash.digest("good.sif").digest == wanted
    image = dash.verify("good")
    assert (image.signature, image.digest) == ("verified", wanted)
    assert dash.verify(image).id == dash.digest(image.id).id == image.id
    assert dash.verify("spoilt.sif").signature == "not valid"
    with pytest.raises(ImageNotFound):
        dash.digest("nothing")


def test_without_a_keyring(place: Path) -> None:
    dash = NotebookDash(SlurmDash(**{**values(place), "image_keyring": ""}))
    with pytest.raises(InvalidInput, match="image_keyring"):
        dash.verify("good.sif")
    dash.close()


def test_in_the_terminal(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "config" / "jupyter_slurmdash_config.json", json.dumps({"SlurmDash": values(place)}))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(place / "config"))
    assert cli.main(["image", "good.sif", "--digest", "--verify"]) == 0
    out = capsys.readouterr().out
    assert "verified" in out
    assert "sha256:" in out
    assert "Alice" in out
    assert cli.main(["image", "spoilt.sif", "--verify", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["signature"] == "not valid"
    assert "header" in shown["verification"]["message"]
    assert cli.main(["image", "spoilt.sif"]) == 0
