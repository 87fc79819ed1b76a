"""What a job records of its image, and what that tells when the file is another one later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sif_writer
from plans import an_image
from records import a_record
from settings import private_values

from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.images.model import Image, SifFacts
from jupyter_slurmdash.jobs.model import JobRecord
from jupyter_slurmdash.jobs.pinning import compare
from jupyter_slurmdash.notebook.api import NotebookDash

IMAGE = an_image(size=10, mtime_ns=5, facts=SifFacts(sif_id="5af0", build_time=1_700_000_000))


def a_run(**changes: Any) -> JobRecord:
    values = {"state": "COMPLETED", "sif_id": "5af0", "image_size": 10, "image_mtime_ns": 5, **changes}
    return a_record(Path("/"), ended_at=1_700_000_000.0, **values)


@pytest.mark.parametrize(
    ("image", "run", "changed"),
    [
        (IMAGE, {}, None),
        (replace(IMAGE, mtime_ns=6), {}, None),  # copied again
        (replace(IMAGE, size=11), {}, "size was 10 bytes and is 11"),
        (IMAGE, {"sif_id": "other"}, "built again (2023-11-14)"),
        (replace(IMAGE, digest="sha256:a"), {"image_digest": "sha256:b"}, "SHA-256"),
        (replace(IMAGE, digest="sha256:a", size=11), {"image_digest": "sha256:a", "sif_id": "x"}, None),
        (replace(IMAGE, digest="sha256:a"), {}, None),
        (IMAGE, {"image_size": None, "image_mtime_ns": None}, None),  # of an older version
        (replace(IMAGE, facts=SifFacts(), mtime_ns=6), {"sif_id": ""}, "written again"),
        (replace(IMAGE, facts=SifFacts()), {"sif_id": ""}, None),
    ],
)
def test_what_tells_another_file(image: Image, run: dict[str, Any], changed: str | None) -> None:
    runs = compare(image, a_run(**run))
    assert runs.changed == (changed is not None)
    assert "job 7, 2023-11-14" in runs.message
    if changed:
        assert changed in runs.message


def test_without_a_good_run_nothing_is_said() -> None:
    runs = compare(IMAGE, None)
    assert (runs.changed, runs.to_json()["last_good"]) == (None, None)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "tools.sif").write_bytes(sif_writer.image())
    return tmp_path


def test_a_changed_image_is_said_before_submission(place: Path) -> None:
    dash = NotebookDash(
        SlurmDash(**{**private_values(place), "shared_image_dirs": [str(place / "shared")], "image_dirs": []})
    )
    try:
        image = dash.images()[0]
        job = dash.submit(script="true", image=image.id)
        run_file = Path(job.record.workdir) / ".slurmdash" / "run.json"
        kept = json.loads(run_file.read_text())["image"]
        assert (kept["sif_id"], kept["size"]) == (image.facts.sif_id, image.size)
        assert (job.record.image_size, job.record.image_mtime_ns) == (image.size, image.mtime_ns)
        assert job.wait().state == "COMPLETED"
        spec = dash.spec(script="true", image=image.id)
        assert [check.name for check in dash.jobs.preview(spec).checks] == []
        assert dash.jobs.image_runs(image).changed is False

        parts = [sif_writer.definition(), sif_writer.metadata(), sif_writer.partition()]
        other = sif_writer.sif(parts, identifier=bytes(range(16)))
        (place / "shared" / "tools.sif").write_bytes(other)
        dash.catalog.scan()
        (check,) = dash.jobs.preview(spec).checks
        assert (check.name, check.level, check.pointer) == ("image-changed", "warning", "/image_id")
        assert f"job {job.id}" in check.message
        assert dash.jobs.preview(spec).ready
    finally:
        dash.close()
