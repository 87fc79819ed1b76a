"""Templates from what people have, on the real cluster: their scripts, and their finished jobs."""

from __future__ import annotations

import difflib
import re
import time
from typing import Any

import pytest

from .conftest import Person

SCRIPTS = {
    "bash with a login shell, an array and options without a field": (
        "#!/bin/bash -l\n"
        "# Squares, three at once\n"
        "#SBATCH -J squares --time=2  # minutes\n"
        "#SBATCH --array=1-3%2 --open-mode=append --mem=100M\n"
        "#SBATCH --output=logs/%a.txt --signal=B:USR1@30\n"
        "\n"
        "false\n"
        "shopt -q login_shell && echo login\n"
        'echo "$SLURM_ARRAY_TASK_ID: $((SLURM_ARRAY_TASK_ID ** 2))  on $SLURM_JOB_PARTITION"\n'
        "#SBATCH --nodes=9\n"
        "cat <<'E'\n  $x \\\n#!/bin/sh\nE\n"
    ),
    "Python": (
        "#!/usr/bin/env python3\n"
        "#SBATCH --ntasks=2 --time=2\n"
        '#SBATCH --job-name="a name"\n'
        "import os\n"
        "print('한글', os.environ['SLURM_NTASKS'], '$HOME', '''\nEND_OF_SCRIPT\n''')\n"
    ),
    "sh": '#!/bin/sh -u\n#SBATCH -t 2 -N1 -c 2\nprintf \'%s\\n\' "$SLURM_CPUS_PER_TASK"; false; echo "$0" | wc -l\n',
}

TEMPLATE = """\
template: {id: greet-v1, name: greet}
slurm: {ntasks: 1, other: {hint: nomultithread}}
parameters:
  type: object
  properties:
    greeting: {type: string, default: Hello}  # in any language
script:
  main_exec: echo "$GREETING $SLURM_NTASKS"
"""


def wait_in_slurm(user: Person, job_id: str) -> None:
    deadline = time.monotonic() + 120
    while user.run("squeue", "-h", "-j", job_id, "-o", "%T", check=False).stdout.strip():
        assert time.monotonic() < deadline, f"job {job_id} did not end"
        time.sleep(0.3)


def plainly(user: Person, name: str, script: str, *options: str) -> tuple[str, dict[str, str]]:
    """Submitted by sbatch alone: the job's id, and what it printed, by file."""
    place = user.place / name
    (place / "logs").mkdir(parents=True)
    (place / "run.sbatch").write_text(script)
    user.own(place)
    command = ["sbatch", "--parsable", f"--chdir={place}", *options, str(place / "run.sbatch")]
    job_id = user.run(*command).stdout.strip()
    wait_in_slurm(user, job_id)
    return job_id, printed(place)


def printed(place: Any) -> dict[str, str]:
    found = [*place.glob("logs/*.txt"), *place.glob("slurm-*.out")]
    return {re.sub(r"\d{2,}|\b\d\b(?=\.out)", "N", path.name): path.read_text() for path in found}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_prints_the_same_as_a_job_of_its_template(user: Person, kind: str) -> None:
    script = SCRIPTS[kind]
    _, theirs = plainly(user, f"plain-{kind.split()[0]}", script)
    answer = user.call("POST", "/api/v2/templates/import/script", {"script": script, "name": "handwritten"})
    assert answer.status == 200, answer.body
    saved = user.call("POST", "/api/v2/templates", {"text": answer.json()["text"]})
    assert saved.status == 201, saved.body
    sent = user.call("POST", "/api/jobs/submit", {"template_id": saved.json()["id"]})
    assert sent.status == 201, sent.body
    job = user.wait_for_job(sent.json()["job_id"])
    ours = printed(type(user.place)(job["workdir"]))
    assert theirs
    assert ours == theirs
    assert job["state"] == "COMPLETED"
    lines = sum(text.count("\n") for text in ours.values())
    print(f"{kind}: {len(ours)} files, {lines} lines, equal to those of plain sbatch; job {job['job_id']}")


def test_a_finished_job_gives_the_same_script_again(user: Person) -> None:
    assert user.call("POST", "/api/v2/templates", {"text": TEMPLATE}).status == 201
    first = user.call(
        "POST",
        "/api/jobs/submit",
        {
            "template_id": "greet-v1",
            "job_name": "once more",
            "parameters": {"greeting": "안녕, '$HOME'"},
            "options": {"ntasks": 2, "time": "00:02:00", "account": "research"},
        },
    )
    assert first.status == 201, first.body
    job = user.wait_for_job(first.json()["job_id"])
    made = user.get(f"/api/jobs/{job['job_id']}/draft")
    assert "research" not in made["text"]
    saved = user.call("POST", "/api/v2/templates", {"text": made["text"]}).json()
    again = user.call("POST", "/api/jobs/submit", {"template_id": saved["id"]})
    assert again.status == 201, again.body
    other = user.wait_for_job(again.json()["job_id"])
    scripts = [user.call("GET", f"/api/jobs/{each['job_id']}/script").body.decode() for each in (job, other)]
    told = [line for line in difflib.ndiff(*(text.splitlines() for text in scripts)) if line[0] in "+-"]
    assert [re.sub(r" template: .*", " template:", line) for line in told] == [
        "- #SBATCH --account=research",
        "- # template:",
        "+ # template:",
    ]
    logs = [user.get(f"/api/jobs/{each['job_id']}/log")["text"] for each in (job, other)]
    assert logs == ["안녕, '$HOME' 2\n"] * 2
    print(f"jobs {job['job_id']} and {other['job_id']}: the same script but for {told}")


def test_a_job_of_plain_sbatch_becomes_a_template(user: Person) -> None:
    script = "#!/bin/bash\n#SBATCH --account=research --hint=nomultithread\nfalse\necho from outside\n"
    job_id, theirs = plainly(user, "outside", script, "--time=2", "--job-name=outside job")
    deadline = time.monotonic() + 60
    while user.call("GET", f"/api/jobs/{job_id}").status != 200:
        assert time.monotonic() < deadline, "the panel does not see the job"
        time.sleep(0.3)
    assert user.call("GET", f"/api/jobs/{job_id}/script").body.decode() == script
    done = user.slurmdash("template", "from-job", job_id, "--save")
    assert "note: --time is not in the script: 00:02:00 is what the job had." in done.stderr
    assert "--account is left out" in done.stderr
    template_id = done.stdout.split("\t")[0]
    text = user.slurmdash("template", "show", template_id).stdout
    assert "research" not in text
    assert "hint: nomultithread" in text
    sent = user.call("POST", "/api/jobs/submit", {"template_id": template_id})
    assert sent.status == 201, sent.body
    job = user.wait_for_job(sent.json()["job_id"])
    assert job["name"] == "outside job"
    assert user.get(f"/api/jobs/{job['job_id']}/log")["text"] == "from outside\n"
    assert list(theirs.values()) == ["from outside\n"]
    print(f"job {job_id} of plain sbatch → template {template_id} → job {job['job_id']}: the same output")
