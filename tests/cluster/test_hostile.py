"""Hostile values in every free field, against the real sbatch: nothing runs, no directive is gained, nothing is cut."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from awkward import AWKWARD

from jupyter_slurmdash.slurm.directives import parse_directives

MARKER = Path("/tmp/slurmdash-was-here")
PLAIN = {"job-name", "partition", "time", "output", "error"}
OPTIONS = [
    *("partition", "nodes", "ntasks", "cpus_per_task", "mem", "time", "gres", "constraint", "account", "qos"),
    *("reservation", "array", "dependency", "mail_type", "mail_user", "nodelist", "exclude", "begin"),
    *("output", "error"),
]
TEMPLATE = {
    "template": {"id": "echo-v1", "name": "echo", "display_name": "Echo", "category": "custom"},
    "parameters": {"type": "object", "properties": {"note": {"type": "string"}}},
    "slurm": {"partition": "compute", "time": "00:01:00"},
    "script": {"main_exec": "python3 -c 'import os; print(repr(os.environ[\"NOTE\"]))'"},
}


@pytest.fixture(scope="module")
def echo(user: Any) -> str:
    path = user.place / "templates" / "community" / "echo.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(TEMPLATE))
    user.own(user.place / "templates")
    user.call("POST", "/api/v2/templates/scan")
    return "echo-v1"


def preview(user: Any, **body: Any) -> dict[str, Any]:
    answer = user.call("POST", "/api/jobs/preview", body)
    assert answer.status in (200, 400), answer.body
    return dict(answer.json())


def names(script: str) -> set[str]:
    return {name for name, _ in parse_directives(script)}


def test_every_field_takes_or_refuses_every_value(user: Any, echo: str) -> None:
    tried = refused = 0
    for value in AWKWARD:
        bodies: list[tuple[dict[str, Any], set[str]]] = [
            ({"job_name": value[:100]}, set()),
            ({"parameters": {"note": value}}, set()),
            ({"app": value}, set()),
            ({"script": f"echo {value!r}"}, set()),
        ]
        bodies += [({"options": {option: value}}, {option.replace("_", "-")}) for option in OPTIONS]
        for body, gained in bodies:
            answer = preview(user, template_id=echo, **body)
            tried += 1
            if not answer.get("script"):
                refused += 1
                reasons = answer.get("errors") or answer["checks"]
                assert reasons[0]["message"]
                assert reasons[0].get("name") != "template-not-found"
                continue
            assert names(answer["script"]) <= PLAIN | gained
    assert not MARKER.exists()
    print(
        f"{tried} values in {len(OPTIONS) + 4} fields: {refused} refused with a reason, none gained a directive"
    )


def test_some_are_really_submitted(user: Any, echo: str) -> None:
    chosen = [value for value in AWKWARD if value.isprintable() and len(value) <= 100][:12]
    jobs = {}
    for index, value in enumerate(chosen):
        body = {"job_name": value, "template_id": echo, "parameters": {"note": AWKWARD[index]}}
        answer = user.call("POST", "/api/jobs/submit", body, {"Idempotency-Key": f"hostile-{index:04}"})
        assert answer.status == 201, answer.body
        jobs[answer.json()["job_id"]] = (value, AWKWARD[index], f"slurmdash:hostile-{index:04}")
    for job_id, (name, note, comment) in jobs.items():
        job = user.wait_for_job(job_id)
        assert (job["state"], job["name"]) == ("COMPLETED", name)
        assert user.get(f"/api/jobs/{job_id}/log")["text"] == repr(note) + "\n"
        shown = subprocess.run(
            ["scontrol", "show", "job", job_id], capture_output=True, text=True, check=True
        ).stdout
        assert f"JobName={name}\n" in shown
        assert re.search(r"^\s*Comment=(.*?)\s*$", shown, re.M).group(1) == comment  # type: ignore[union-attr]
    assert not MARKER.exists()
    print(f"{len(jobs)} jobs with hostile names and parameters ran; Slurm has each name and comment exactly")
