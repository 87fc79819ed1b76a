"""Dry runs of templates: every step says what is wrong and what to do, and nothing is submitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sif_writer
from hypothesis import given
from hypothesis import strategies as st
from plans import FileSlot
from settings import private_values
from shells import add_template

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.errors import SchedulerUnavailable, TemplateNotFound
from jupyter_slurmdash.formats.jsonschema import Schema
from jupyter_slurmdash.jobs.model import Check
from jupyter_slurmdash.jobs.standins import file_for, value_for
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.uploads.classify import matches

STEPS = ["schema", "image", "script", "resources", "slurm"]


def steps(dash: NotebookDash, id: str = "test-v1") -> list[Check]:
    [report] = dash.check_templates(id)
    return list(report.steps)


def wrong(dash: NotebookDash, id: str = "test-v1") -> list[tuple[str, str, str]]:
    return [(step.name, step.level, step.pointer) for step in steps(dash, id) if step.level != "ok"]


def test_what_is_right_says_so_at_each_step(dash: NotebookDash) -> None:
    for id in ("python-script-v1", "shell-script-v1", "notebook-run-v1"):
        found = steps(dash, id)
        assert [(step.name, step.level) for step in found] == [(name, "ok") for name in STEPS]
        assert found[-1].message.startswith("The embedded scheduler (no Slurm here): Job would run here")
    assert dash.jobs.page().total == 0
    assert list(Path(dash.settings.work_root).glob("*")) == []


def test_a_broken_file_ends_it_with_its_line(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, slurm={"nodes": []})
    [step] = steps(dash)
    assert (step.name, step.level, step.pointer) == ("schema", "error", "/slurm/nodes")
    assert "test-v1.yaml, line " in step.message
    with pytest.raises(TemplateNotFound):
        dash.check_templates("nothing-v1")


def test_every_step_is_taken_whatever_the_others_found(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        slurm={"partition": "nowhere", "cpus_per_task": 4096, "time": "1:00"},
        apptainer={"image_name": "tools.sif"},
        script={"main_exec": "if true; then"},
    )
    assert wrong(dash) == [
        ("image", "error", "/apptainer/image_name"),
        ("script", "error", "/script"),
        ("resources", "error", "/slurm/partition"),
        ("slurm", "error", "/slurm"),
    ]
    for step in steps(dash)[1:]:
        assert "in the template" in step.message or "of the template" in step.message


def test_limits_and_named_checks(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        slurm={"gres": "gpu:3"},
        files={"input_schema": {"required": [{"name": "points", "pattern": "*.dat"}]}},
        validation={"pre_submit": ["check_gpu_availability", "validate_dat_format", "validate_dataset_size"]},
    )
    # The files, which only a user can give, are no findings, and neither is what would look into them.
    found = [step for step in steps(dash) if step.name == "resources"]
    assert [step.pointer for step in found] == ["/slurm/gres", "/slurm/gres"]
    assert found[0].message.endswith("Change slurm.gres in the template.")


def test_an_image_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "tools.sif").write_bytes(sif_writer.image())
    made = SlurmDash(
        **{**private_values(tmp_path), "image_dirs": [], "shared_image_dirs": [str(tmp_path / "shared")]}
    )
    dash = NotebookDash(made)
    try:
        add_template(tmp_path, apptainer={"image_name": "tools.sif"}, script={})
        # Nobody has scanned yet: the check does.
        assert wrong(dash) == []
        assert "tools.sif is where the job would run." in [step.message for step in steps(dash)]
        # What the last good run used is not asked of a template.
        (tmp_path / "shared" / "tools.sif").unlink()
        dash.catalog.scan()
        assert wrong(dash) == [("image", "error", "/apptainer/image_name")]
    finally:
        dash.close()


def test_what_runs_nothing_by_itself(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, script={})
    assert wrong(dash) == [("script", "warning", "/script/main_exec")]


def test_a_parameter_without_a_default_is_tried_with_a_stand_in(dash: NotebookDash, tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "count": {"type": "integer", "minimum": 5},
        "solver": {"enum": ["cg", "gmres"]},
        "word": {"type": "string", "minLength": 9},
    }
    add_template(tmp_path, parameters={"type": "object", "properties": kinds, "required": list(kinds)})
    assert wrong(dash) == [("parameters", "warning", f"/parameters/properties/{name}") for name in kinds]
    assert [step.level for step in steps(dash) if step.name in STEPS] == ["ok"] * len(STEPS)


def test_what_another_value_asks_for_is_tried_too(dash: NotebookDash, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "mode": {"enum": ["b", "a"]},
            "cells": {"type": "integer"},
            "free": {"type": "string"},
        },
        "required": ["mode", "cells"],
        "if": {"properties": {"mode": {"const": "b"}}, "required": ["mode"]},
        "then": {"properties": {"k": {"type": "integer", "minimum": 7}}, "required": ["k"]},
    }
    add_template(tmp_path, parameters=schema, locks={"parameters": {"cells": {"minimum": 20, "maximum": 30}}})
    assert wrong(dash) == [
        ("parameters", "warning", f"/parameters/{place}")
        for place in ("properties/cells", "properties/mode", "then/properties/k")
    ]
    add_template(
        tmp_path, parameters=schema, locks={"parameters": {"cells": {"fixed": 20}, "mode": {"fixed": "a"}}}
    )
    dash.library.scan()
    assert wrong(dash) == []


def test_a_value_that_we_cannot_make_up_is_no_error(dash: NotebookDash, tmp_path: Path) -> None:
    code = {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}
    add_template(tmp_path, parameters={"type": "object", "properties": {"code": code}, "required": ["code"]})
    assert wrong(dash)[-1] == ("script", "warning", "/parameters/code")
    add_template(tmp_path, parameters={"type": "object", "properties": {"code": {**code, "default": "x"}}})
    dash.library.scan()
    assert wrong(dash) == [("schema", "error", "/parameters/properties/code/default")]


def test_without_the_scheduler_nothing_is_known(dash: NotebookDash, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Any:
        raise SchedulerUnavailable("The controller does not answer.")

    monkeypatch.setattr(dash.scheduler, "partitions", away)
    with pytest.raises(SchedulerUnavailable, match="does not answer"):
        dash.check_templates("python-script-v1")
    assert dash.template_health("python-script-v1").report is None


@pytest.mark.parametrize(
    "pattern",
    ["*.py", "*", "config.yaml", "init_*.dat", "*.tar.gz", "run?.in", "[abc]*.x", "[!s]?.y", "a[0-9].z"],
)
def test_a_stand_in_has_a_name_that_fits(pattern: str) -> None:
    slot = FileSlot("slot", pattern, "input", True)
    assert matches(file_for(slot).name, slot)


@given(
    low=st.integers(-50, 50),
    width=st.integers(0, 50),
    kind=st.sampled_from(("integer", "number")),
    bounds=st.sampled_from((("minimum",), ("maximum",), ("minimum", "maximum"), (), ("exclusiveMinimum",))),
)
def test_a_made_up_number_fits_its_bounds(low: int, width: int, kind: str, bounds: tuple[str, ...]) -> None:
    known = {"minimum": low, "exclusiveMinimum": low, "maximum": low + width}
    field = {"type": kind, **{name: known[name] for name in bounds}}
    assert Schema(field).errors(value_for(field)) == []
