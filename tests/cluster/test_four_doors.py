"""One job, four doors: HTTP, notebook, terminal and panel give the same script, and a real .sif runs on a real node."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from accounting import recorded
from playwright_run import browser

TEMPLATE = "pytorch-training-v1"
NAME = "four-doors"
SLOTS = {"training_script": "train.py", "dataset": "digits.tar.gz", "config": "config.yaml"}
TRAIN = """\
import argparse, json, os, pathlib, sys, time

parser = argparse.ArgumentParser()
for name in ("--config", "--data", "--output"):
    parser.add_argument(name, required=True)
arguments = parser.parse_args()
print("python", sys.version.split()[0], "gpu", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
print("data", sorted(os.listdir(arguments.data)), flush=True)
for epoch in range(4):
    print(f"epoch {epoch} loss {1 / (epoch + 1):.3f}", flush=True)
    time.sleep(1)
output = pathlib.Path(arguments.output)
output.mkdir(exist_ok=True)
(output / "last.pth").write_text("weights")
"""
CONFIG = "learning_rate: 0.01\nbatch_size: 32\nepochs: 4\noptimizer: adam\n"


@pytest.fixture(scope="module")
def inputs(user: Any) -> Path:
    """The three files, in the user's own directory."""
    place = user.place / "inputs"
    place.mkdir()
    (place / "train.py").write_text(TRAIN)
    (place / "config.yaml").write_text(CONFIG)
    with tarfile.open(place / "digits.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("digits.csv")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"1,2,3\n"))
    return Path(user.own(place))


def upload(user: Any, session: dict[str, Any], path: Path) -> None:
    data = path.read_bytes()
    metadata = "filename " + base64.b64encode(path.name.encode()).decode()
    tus = {"Tus-Resumable": "1.0.0"}
    made = user.call(
        "POST",
        session["tus_url"],
        b"",
        {**tus, "Upload-Length": str(len(data)), "Upload-Metadata": metadata},
        root="",
    )
    assert made.status == 201, made.body
    done = user.call(
        "PATCH",
        made.headers["Location"],
        data,
        {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        root="",
    )
    assert done.status == 204, done.body


@pytest.fixture(scope="module")
def by_http(user: Any, inputs: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (
        user.get("/api/apptainer/images")["scanned_at"] is None
    ):  # the server looks by itself when it starts
        assert time.monotonic() < deadline, "the first scan did not end"
    session = user.call("POST", "/api/v2/upload/sessions", {"template_id": TEMPLATE}).json()
    for name in SLOTS.values():
        upload(user, session, inputs / name)
    body = {"job_name": NAME, "template_id": TEMPLATE, "session_id": session["session_id"]}
    answer = user.call("POST", "/api/jobs/submit", body, {"Idempotency-Key": "four-doors-http"})
    assert answer.status == 201, answer.body
    again = user.call("POST", "/api/jobs/submit", body, {"Idempotency-Key": "four-doors-http"})
    assert (again.status, again.json()["job_id"]) == (200, answer.json()["job_id"])
    return dict(answer.json())


@pytest.fixture(scope="module")
def by_terminal(user: Any, inputs: Path) -> str:
    files = [part for slot, name in SLOTS.items() for part in ("--file", f"{slot}={inputs / name}")]
    return str(user.slurmdash("submit", TEMPLATE, *files, "--name", NAME).stdout.strip())


@pytest.fixture(scope="module")
def by_notebook(user: Any, inputs: Path) -> str:
    """A real notebook in a real kernel, as the user."""
    source = [
        "import jupyter_slurmdash as sd\ndash = sd.connect()",
        f"files = {{slot: '{inputs}/' + name for slot, name in {SLOTS!r}.items()}}",
        f"job = dash.submit({TEMPLATE!r}, files=files, job_name={NAME!r})\nopen('job-id', 'w').write(job.id)",
        "job.wait(timeout=120)\nassert 'epoch 3' in job.tail(), job.tail()\nassert job.files(outputs=True)",
    ]
    cells = [nbformat.v4.new_code_cell(text, id=f"c{index}") for index, text in enumerate(source)]
    path = user.place / "submit.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    user.own(path)
    user.run("jupyter", "execute", str(path))
    return str((user.place / "job-id").read_text())


@pytest.fixture(scope="module")
def by_panel(user: Any, inputs: Path) -> str:
    """Chromium, driven by Playwright; the screenshots stay in ui-tests/artifacts."""
    print(
        browser(
            user,
            "the job of the four doors",
            SLURMDASH_TEMPLATE=TEMPLATE,
            SLURMDASH_JOB_NAME=NAME,
            SLURMDASH_FILES=json.dumps([str(inputs / name) for name in SLOTS.values()]),
            SLURMDASH_JOB_ID_FILE=str(user.place / "panel-job-id"),
        )
    )
    return (user.place / "panel-job-id").read_text().strip()


def script_of(user: Any, job_id: str) -> bytes:
    return bytes(user.call("GET", f"/api/jobs/{job_id}/script").body)


def test_a_real_image_runs_on_a_node_and_its_log_arrives_meanwhile(
    user: Any, by_http: dict[str, Any]
) -> None:
    job_id, offset, seen = by_http["job_id"], 0, []
    while True:
        piece = user.get(f"/api/jobs/{job_id}/log?offset={offset}")
        if piece["text"] and not piece["complete"]:
            seen.append(piece["text"])
            queued = user.run("squeue", "-h", "-j", job_id, "-o", "%A %T %N").stdout.strip()
            assert queued in (f"{job_id} RUNNING gpu001", f"{job_id} COMPLETING gpu001"), queued
        offset = piece["next_offset"]
        if user.get(f"/api/jobs/{job_id}")["state"] not in (
            "PENDING",
            "RUNNING",
            "COMPLETING",
            "CONFIGURING",
        ):
            break
    job = user.wait_for_job(job_id)
    text = user.get(f"/api/jobs/{job_id}/log")["text"]
    assert (job["state"], job["exit_code"]) == ("COMPLETED", 0), text
    assert len(seen) >= 3, "the log came only at the end"
    assert "gpu 0" in text or "gpu 1" in text
    files = user.get(f"/api/jobs/{job_id}/files")["files"]
    assert [file["path"] for file in files if file["is_output"]] == ["checkpoints/last.pth"]
    print(
        f"squeue: {queued}; job {job_id}: {job['state']} on {job['nodes']};"
        f" the log came in {len(seen)} pieces while it ran"
    )


def test_the_database_and_slurm_say_the_same(user: Any, by_http: dict[str, Any]) -> None:
    job = user.wait_for_job(by_http["job_id"])
    line = recorded(job["job_id"], "JobID,JobName,State,ExitCode,Partition,NodeList")
    assert line == f"{job['job_id']}|{NAME}|COMPLETED|0:0|{job['partition']}|{job['nodes']}"
    print("sacct:", line)


def test_four_doors_one_script(
    user: Any, by_http: dict[str, Any], by_terminal: str, by_notebook: str, by_panel: str
) -> None:
    ids = {"http": by_http["job_id"], "terminal": by_terminal, "notebook": by_notebook, "panel": by_panel}
    assert len(set(ids.values())) == 4, ids
    scripts = {door: script_of(user, job_id) for door, job_id in ids.items()}
    assert scripts["http"].startswith(b"#!/bin/bash\n#SBATCH --job-name=four-doors\n")
    assert set(scripts.values()) == {scripts["http"]}
    for job_id in ids.values():
        assert user.wait_for_job(job_id)["state"] == "COMPLETED"
    print(f"4 doors, 1 script of {len(scripts['http'])} bytes; jobs {ids}")
