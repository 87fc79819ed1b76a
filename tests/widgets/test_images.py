"""The image field as a widget, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
import sif_writer
from settings import private_values
from shells import add_template
from traitlets import TraitError

import jupyter_slurmdash as sd
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.widgets.images import ImagePicker


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    labels = {"description": "Tools <b>of all kinds</b>", "gpu": "true"}
    (made / "tools_1.0.sif").write_bytes(sif_writer.image(apps={"python": {}}, labels=labels))
    (made / "tools_2.0.sif").write_bytes(sif_writer.image())
    (made / "broken.sif").write_bytes(b"no image")
    return made


@pytest.fixture
def full(tmp_path: Path, shared: Path) -> Iterator[NotebookDash]:
    """The product with three images."""
    values = {**private_values(tmp_path), "image_dirs": [], "shared_image_dirs": [str(shared)]}
    with closing(sd.connect(**values)) as dash:
        yield dash


@pytest.fixture
def picker(full: NotebookDash) -> Iterator[ImagePicker]:
    made = full.image_picker()
    yield made
    made.close()


def names(picker: ImagePicker) -> list[str]:
    return [row["name"] for row in picker.images]


def follow(picker: ImagePicker, name: str) -> Signal:
    """Set when the trait changes."""
    seen = Signal()
    picker.observe(lambda _change: seen.set(), name)
    return seen


def test_the_rows_are_the_catalogues(full: NotebookDash, picker: ImagePicker) -> None:
    assert names(picker) == ["broken.sif", "tools_2.0.sif", "tools_1.0.sif"]
    listed = {image.id: image.to_json() for image in full.catalog.images()}
    for row in picker.images:
        assert row == {key: listed[row["id"]][key] for key in row}
    broken = picker.images[0]
    assert broken["problem"]
    assert picker.images[2]["apps"] == ["python"]
    assert picker.images[2]["labels"]["gpu"] == "true"


def test_an_empty_catalogue_is_scanned_first(full: NotebookDash) -> None:
    assert full.catalog.scanned_at() is None
    with closing(full.image_picker("local")) as picker:
        assert len(picker.images) == 3
        assert picker.partition == "local"


def test_all_that_the_front_end_needs_is_sent(picker: ImagePicker) -> None:
    sent = picker.get_state()
    assert (sent["_model_module"], sent["_view_name"]) == ("jupyter-slurmdash", "ImagePickerView")
    assert sent["_model_module_version"] == "^1.0.0"
    assert {"value", "partition", "images", "recent", "description", "disabled"} <= set(sent)


def test_a_value_is_an_id_or_a_file_name(full: NotebookDash, picker: ImagePicker) -> None:
    wanted = full.catalog.find_by_name("tools_1.0.sif")
    assert wanted is not None
    picker.value = wanted.id
    assert picker.image == wanted
    picker.value = ""
    assert picker.image is None
    picker.value = "tools_1.0"
    assert picker.value == wanted.id
    with pytest.raises(TraitError, match="There is no image 'other"):
        picker.value = "other.sif"
    assert picker.value == wanted.id


def test_it_follows_the_catalogue(full: NotebookDash, shared: Path, picker: ImagePicker) -> None:
    picker.value = "tools_2.0.sif"
    chosen = picker.value
    changed = follow(picker, "images")
    (shared / "new.sif").write_bytes(sif_writer.image())
    (shared / "tools_2.0.sif").unlink()
    full.catalog.scan()
    assert changed.wait(20)
    assert names(picker) == ["broken.sif", "new.sif", "tools_1.0.sif"]
    assert picker.value == chosen, "what was chosen is not lost without a word"
    picker.value = "new.sif"
    assert picker.image is not None


def test_one_that_is_closed_follows_no_more(full: NotebookDash, shared: Path) -> None:
    closed, open_ = full.image_picker(), full.image_picker()
    closed.close()
    changed = follow(open_, "images")
    (shared / "new.sif").write_bytes(sif_writer.image())
    full.catalog.scan()
    assert changed.wait(20)
    assert "new.sif" in names(open_)
    assert "new.sif" not in names(closed)
    open_.close()


def test_what_was_used_lately(full: NotebookDash, tmp_path: Path, picker: ImagePicker) -> None:
    assert picker.recent == []
    add_template(tmp_path, "run-v1", script={"main_exec": "echo done"})
    full.jobs.submit(full.spec("run-v1"))
    picker.refresh()
    assert picker.recent == [], "a job without an image"
    add_template(tmp_path, "with-image-v1", script={"main_exec": "apptainer --version || true"})
    full.library.refresh()
    for name in ("tools_2.0.sif", "tools_1.0.sif", "tools_2.0.sif"):
        full.jobs.submit(full.spec("with-image-v1", image=name))
    picker.refresh()
    used = [full.catalog.image(id).name for id in picker.recent]
    assert used == ["tools_2.0.sif", "tools_1.0.sif"]


def test_without_the_widget_there_is_a_text(picker: ImagePicker) -> None:
    picker.value = "tools_1.0.sif"
    bundle: dict[str, Any] = picker._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    text, markup = bundle["text/plain"], bundle["text/html"]
    assert text.startswith("ImagePicker(tools_1.0.sif, 3 images)")
    assert "* tools_1.0.sif" in text
    assert "  broken.sif" in text
    assert "<b>tools_1.0.sif" in markup
    assert repr(picker) == "ImagePicker(tools_1.0.sif, 3 images)"


def test_names_are_no_markup(full: NotebookDash, shared: Path) -> None:
    (shared / "<img src=x onerror=alert(1)>.sif").write_bytes(sif_writer.image())
    with closing(full.image_picker()) as picker:
        markup = picker._repr_mimebundle_()["text/html"]
    assert "<img" not in markup
    assert "&lt;img" in markup


def test_a_long_list_ends_with_how_many_more(full: NotebookDash, shared: Path) -> None:
    for number in range(30):
        (shared / f"many{number:02}.sif").write_bytes(sif_writer.image())
    with closing(full.image_picker()) as picker:
        assert picker._repr_mimebundle_()["text/plain"].endswith("… and 13 more")


def test_the_form_uses_it(full: NotebookDash, tmp_path: Path, shared: Path) -> None:
    full.catalog.scan()
    add_template(tmp_path, "run-v1", script={"main_exec": "echo done"})
    form = full.form()
    form.set(image="tools_1.0.sif")
    assert list(form.app.options) == ["python"]
    chosen = form.image.value
    assert form.spec().image_id == chosen
    form.set(options={"partition": "local"})
    assert form.image.partition == "local"
    form.set(options={"partition": "loc"})
    assert form.image.partition == "", "half a name hides nothing"
    (shared / "tools_1.0.sif").unlink()
    full.catalog.scan()
    form.set(template="run-v1")
    form.set(image=chosen)
    assert form.image.value == chosen
    assert form.submit_button.disabled
    assert "tools_1.0.sif" in form.findings.value
    form.close()
