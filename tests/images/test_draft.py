"""A template from what an image says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_place import CHECKS

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.images.draft import draft, hints
from jupyter_slurmdash.images.model import Image, ImageApp, SifFacts
from jupyter_slurmdash.templates import texts


def image(name: str = "tools.sif", partitions: tuple[str, ...] = ("compute",), **facts: Any) -> Image:
    return Image(
        id="x",
        name=name,
        path=f"/opt/apptainers/{name}",
        node="node001",
        nodes=("node001",),
        partitions=partitions,
        type="compute",
        size=1,
        mtime_ns=0,
        inode=1,
        version="1",
        description=facts.pop("description", ""),
        facts=SifFacts(**facts),
        created_at=0,
        updated_at=0,
        last_scanned=0,
    )


def good(document: dict[str, Any]) -> str:
    text = texts.with_comments(document, hints(document))
    assert texts.check(text, CHECKS).errors == ()
    return text.decode()


def test_one_app() -> None:
    made = draft(image(apps=(ImageApp("python"),), description="Tools\nfor all"))
    assert made["template"]["id"] == "tools-v1"
    assert made["apptainer"] == {"image_name": "tools.sif", "app": "python"}
    assert list(made["parameters"]["properties"]) == ["arguments"]
    assert made["slurm"]["partition"] == "compute"
    assert 'apptainer run --app python "$CONTAINER" "${arguments[@]}"' in good(made)


def test_several_apps() -> None:
    several = image(apps=(ImageApp("mesh"), ImageApp("solve it", help="Solves")))
    made = draft(several)
    assert made["parameters"]["properties"]["app"]["enum"] == ["mesh", "solve it"]
    assert 'run --app "$APP" "$CONTAINER"' in good(made)
    one = draft(several, "solve it")
    assert one["template"]["id"] == "tools-solve-it-v1"
    assert one["template"]["description"] == "Solves"
    assert "--app 'solve it' " in good(one)
    with pytest.raises(InvalidInput, match="mesh, solve it"):
        draft(several, "fly")


def test_gpu_and_mpi() -> None:
    made = draft(
        image("pytorch_cuda.sif", ("compute", "gpu"), labels={"framework": "pytorch", "mpi": "true"})
    )
    assert made["slurm"]["gres"] == "gpu:1"
    assert (made["slurm"]["partition"], made["slurm"]["ntasks"]) == ("gpu", 2)
    assert made["template"]["tags"] == ["pytorch", "gpu", "mpi"]
    assert "apptainer exec --nv" in good(made)
    denied = draft(image(labels={"gpu": "no", "mpi": "false"}))
    assert "gres" not in denied["slurm"]
    assert denied["slurm"]["ntasks"] == 1


def test_an_image_that_runs_or_says_nothing() -> None:
    assert 'apptainer run "$CONTAINER"' in good(draft(image(runscript="#!/bin/sh\nexec x\n")))
    assert "cat /etc/os-release" in good(draft(image(partitions=())))
    assert draft(image("한글 이미지.sif"))["template"]["id"] == "image-v1"


def test_awkward_images(awkward: str) -> None:
    name = awkward.replace("/", "_").replace("\0", "") + ".sif"
    labels = {"framework": awkward, awkward: awkward}
    good(draft(image(name, (), labels=labels, help=awkward, apps=(ImageApp(awkward), ImageApp("b")))))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.lists(st.text(max_size=30), max_size=4, unique=True))
def test_any_image_gives_a_good_template(name: str, text: str, apps: list[str]) -> None:
    facts = {"labels": {"framework": text, "gpu": name}, "help": text, "runscript": text}
    good(draft(image(name, (), apps=tuple(ImageApp(app) for app in apps), **facts)))


def test_the_dash_gives_a_draft_that_can_be_saved(
    dash: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dash.catalog, "image", lambda image_id: image(apps=(ImageApp("python"),)))
    first = dash.template_draft("x")
    assert first.text.startswith("# A draft from what the image says")
    assert dash.editor.create(first.text).id == "tools-v1"
    assert dash.template_draft("x").template.id == "tools-v1-2"
