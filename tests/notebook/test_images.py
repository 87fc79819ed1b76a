"""Families and whereabouts in a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sif_writer
from settings import private_values

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.errors import ImageNotFound
from jupyter_slurmdash.notebook.api import NotebookDash


@pytest.fixture
def dash(tmp_path: Path) -> Iterator[NotebookDash]:
    """Two versions of one image and a broken file, on this machine."""
    images = tmp_path / "images"
    images.mkdir()
    for version in ("1.9", "1.10"):
        (images / f"tools-{version}.sif").write_bytes(sif_writer.image(labels={"version": version}))
    (images / "broken.sif").write_text("a note")
    settings = private_values(tmp_path)
    made = NotebookDash(SlurmDash(**settings, nodes={"localhost": ["a", "b"], "other": ["b"]}))
    made.catalog.scan(["localhost"])
    yield made
    made.close()


def test_families(dash: NotebookDash) -> None:
    families = dash.families(q="tools")
    assert [[image.version for image in family.versions] for family in families] == [["1.10", "1.9"]]
    assert "1.10, 1.9" in repr(families)
    assert "tools-1.10.sif" in families._repr_html_()


def test_where(dash: NotebookDash) -> None:
    where = dash.where("tools-1.9")
    assert not where.shared
    assert [(own.partition, own.nodes_with, own.nodes_without) for own in where] == [
        ("a", ("localhost",), ()),
        ("b", ("localhost",), ("other",)),
    ]
    assert repr(where).splitlines()[0].split("  ")[0] == "partition"
    assert where.to_json() == dash.where(dash.image("tools-1.9").id).to_json()


def test_an_image_by_name_or_id(dash: NotebookDash) -> None:
    image = dash.image("tools-1.9.sif")
    assert dash.image(image.id) == image
    assert dash.image("broken").facts.problem, "what is broken can be looked at too"
    with pytest.raises(ImageNotFound):
        dash.image("nothing")
