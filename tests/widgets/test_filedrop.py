"""The field for files, as the kernel sees it; the browser's part is in ``ui-tests/tests/filedrop.spec.ts``."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings import private_values
from shells import add_template, write

import jupyter_slurmdash as sd
from jupyter_slurmdash.errors import NotFound, SessionNotFound
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.uploads.small import SmallFile

TEMPLATE = {
    "files": {"input_schema": {"required": [{"name": "dataset", "pattern": "*.csv"}]}},
    "script": {"main_exec": 'cat "$DATASET"'},
}


def test_the_session_is_the_kernels_and_the_servers(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, **TEMPLATE)
    drop = dash.file_drop("test-v1")
    assert drop.session.template_id == drop.template == "test-v1"
    assert (drop.files, drop.ready) == ([], False)
    seen: list[list[str]] = []
    drop.observe(lambda change: seen.append([row["name"] for row in change["new"]]), "files")
    # As a server of the same user writes it.
    dash.uploads.small.add(drop.session_id, dash.user, [SmallFile("d.csv", b"1,2\n")])
    assert drop.ready
    drop.refresh()
    assert seen == [["d.csv"]]
    assert drop.files[0]["slot"] == "dataset"
    job = dash.submit("test-v1", files=drop).wait()
    assert (job.state, job.tail()) == ("COMPLETED", "1,2")
    drop.close()


def test_files_that_the_kernel_sees(dash: NotebookDash, tmp_path: Path) -> None:
    drop = dash.file_drop()
    drop.add([write(tmp_path / "mesh/a.msh", "1")])
    drop.add([tmp_path / "mesh"], copy=True)
    assert [row["name"] for row in drop.files] == ["a.msh", "mesh/a.msh"]
    assert dash.upload(session=drop).session_id == drop.session_id


def test_another_template_takes_a_session_without_files_along(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, **TEMPLATE)
    drop = dash.file_drop()
    first = drop.session_id
    drop.template = "test-v1"
    assert drop.session.template_id == "test-v1"
    with pytest.raises(NotFound):
        dash.uploads.sessions.get(first, dash.user)
    drop.add([write(tmp_path / "d.csv", "1,2\n")])
    kept = drop.session_id
    drop.template = ""
    assert drop.session_id == kept


def test_another_template_after_the_session_has_expired(dash: NotebookDash, tmp_path: Path) -> None:
    add_template(tmp_path, **TEMPLATE)
    form = dash.form("python-script-v1")
    try:
        for last in ("expired", "gone"):
            dash.uploads.sessions.delete(form.drop.session_id, dash.user)
            form.set(template="test-v1" if last == "expired" else "python-script-v1", job_name=last)
            assert form.drop.session.template_id == form.template.value
            assert f"--job-name={last}" in dash.script(form.template.value, job_name=form.spec().job_name)
            assert form.spec().job_name == last
    finally:
        form.close_all()


def test_without_the_extension_there_is_a_text(dash: NotebookDash, tmp_path: Path) -> None:
    drop = dash.file_drop()
    name = "<img src=x onerror=alert(1)>.csv"
    drop.add([write(tmp_path / name, "1,2\n")])
    bundle = drop._repr_mimebundle_()
    assert drop.session_id in bundle["text/plain"]
    assert "drop.add([path, …])" in bundle["text/plain"]
    assert name in bundle["text/plain"]
    assert "<img" not in bundle["text/html"]
    drop.files = [
        {"name": f"{number}", "slot": None, "size": None, "state": "uploading"} for number in range(30)
    ]
    assert "… and 10 more" in drop._repr_mimebundle_()["text/plain"]


def test_a_session_of_another_place(dash: NotebookDash, tmp_path: Path) -> None:
    other = sd.connect(**private_values(tmp_path / "other"))
    try:
        drop = dash.file_drop()
        drop.session_id = other.uploads.sessions.create(other.user).id
        with pytest.raises(SessionNotFound, match=r"connect\(\) with the server's settings"):
            _ = drop.session
    finally:
        other.close()
