"""Bad input and trouble: the same clear message through all four doors, and nothing is lost. (What of it needs no
cluster to be shown in the panel is in ui-tests/tests/checks.spec.ts.)"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright_run import browser

TRAINING = "pytorch-training-v1"


def by_http(user: Any, spec: dict[str, Any]) -> str:
    answer = user.call("POST", "/api/jobs/submit", spec, {"Idempotency-Key": "trouble-1234"})
    assert answer.status >= 400, answer.body
    problem = answer.json()
    assert problem["type"].startswith("slurmdash:")
    return " ".join(
        [problem["detail"], *(f"{error['pointer']} {error['message']}" for error in problem["errors"])]
    )


def by_terminal(user: Any, spec: dict[str, Any]) -> str:
    argv = [
        "submit",
        *([spec["template_id"]] if "template_id" in spec else []),
        "--name",
        spec.get("job_name", ""),
    ]
    for slot, path in spec.get("files", {}).items():
        argv += ["--file", f"{slot}={path}"]
    for name, value in spec.get("options", {}).items():
        argv += ["-o", f"{name}={value}"]
    if "script" in spec:
        script = user.place / "script.sh"
        script.write_text(spec["script"])
        user.own(script)
        argv += ["--script", str(script)]
    done = user.slurmdash(*argv, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return str(done.stderr)


def by_notebook(user: Any, spec: dict[str, Any]) -> str:
    values = {"files": spec.get("files", {}), "job_name": spec.get("job_name", ""), **spec.get("options", {})}
    if "script" in spec:
        values["script"] = spec["script"]
    code = (
        "import jupyter_slurmdash as sd\n"
        "from jupyter_slurmdash.errors import SlurmDashError\n"
        "dash = sd.connect()\n"
        f"try:\n    dash.submit({spec.get('template_id')!r}, **{values!r})\n"
        "except SlurmDashError as error:\n"
        "    print(error.detail, *(f'{e.pointer} {e.message}' for e in error.errors))\n"
    )
    return str(user.run("python", "-c", code).stdout)


DOORS: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "http": by_http,
    "terminal": by_terminal,
    "notebook": by_notebook,
}


@pytest.fixture(scope="module")
def inputs(user: Any) -> dict[str, str]:
    place = user.place / "inputs"
    place.mkdir()
    texts = {
        "train.py": "print(1)",
        "config.yaml": "learning_rate: 0.01\nepochs: 4\nbatch_size: 2048\n",
        "notes.txt": "x",
    }
    for name, text in texts.items():
        (place / name).write_text(text)
    (place / "d.tar.gz").write_bytes(b"\x1f\x8b\x08" + b"\0" * 20)
    user.own(place)
    return {name: str(place / name) for name in [*texts, "d.tar.gz"]}


def training(inputs: dict[str, str], **changes: str) -> dict[str, Any]:
    files = {"training_script": "train.py", "dataset": "d.tar.gz", "config": "config.yaml", **changes}
    return {"template_id": TRAINING, "files": {slot: inputs[name] for slot, name in files.items()}}


@pytest.mark.parametrize("door", DOORS)
def test_a_config_that_fails_its_schema(user: Any, inputs: dict[str, str], door: str) -> None:
    message = DOORS[door](user, training(inputs))
    assert "config.yaml line 3: batch_size is 2048, at most 1024" in message


@pytest.mark.parametrize("door", DOORS)
def test_a_file_that_fits_no_slot(user: Any, inputs: dict[str, str], door: str) -> None:
    message = DOORS[door](user, training(inputs, training_script="notes.txt"))
    assert "notes.txt" in message
    assert "*.py" in message


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["a\nb", "x" * 101])
def test_a_name_that_cannot_be(user: Any, door: str, name: str) -> None:
    message = DOORS[door](user, {"script": "true", "job_name": name})
    assert "job" in message.lower()
    assert "/job_name" in message or "1 to 100" in message


@pytest.mark.parametrize("door", DOORS)
def test_sbatch_refuses(user: Any, door: str) -> None:
    spec = {"script": "true", "options": {"partition": "compute", "constraint": "no_such_feature"}}
    message = DOORS[door](user, spec)
    assert "feature" in message.lower()
    left = [path.name for path in (user.place / "jobs").iterdir() if not path.name.startswith(".uploads")]
    assert not [name for name in left if "-job-" in name]


def test_sbatch_refuses_in_the_panel(user: Any) -> None:
    browser(user, "sbatch refuses")


@pytest.fixture
def broken_template(user: Any) -> None:
    path = user.place / "templates" / "community" / "broken.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("template:\n  id: broken-v1\n  name: [unclosed\n")
    user.own(user.place / "templates")
    user.call("POST", "/api/v2/templates/scan")


@pytest.mark.parametrize("door", DOORS)
def test_a_broken_template_is_said_and_hides_nothing(user: Any, broken_template: None, door: str) -> None:
    listed = user.get("/api/v2/templates?limit=1000")["templates"]
    broken = next(template for template in listed if template["problem"])
    assert broken["problem"]["line"] >= 3
    assert len(listed) > 10
    message = DOORS[door](user, {"template_id": broken["id"]})
    assert "line" in message


def test_a_broken_template_and_a_spare_file_in_the_panel(user: Any, broken_template: None) -> None:
    browser(user, "a broken template is shown")


@pytest.fixture
def without_controller(cluster_command: Any) -> Iterator[None]:
    cluster_command("stop-slurmctld")
    yield
    cluster_command("start-slurmctld")


def test_the_controller_is_down_and_nothing_is_lost(
    user: Any, inputs: dict[str, str], without_controller: None, cluster_command: Any
) -> None:
    session = user.call("POST", "/api/v2/upload/sessions", {}).json()
    added = user.call(
        "POST", f"/api/v2/upload/sessions/{session['session_id']}/paths", {"path": inputs["train.py"]}
    )
    assert added.status == 201
    for door in DOORS:
        message = DOORS[door](user, {"script": "true", "options": {"partition": "compute"}})
        assert "controller" in message.lower() or "slurm" in message.lower(), message
    listed = user.get("/api/jobs")
    assert listed["stale"], listed
    browser(user, "the controller does not answer")
    body = {
        "script": "cat train.py",
        "session_id": session["session_id"],
        "options": {"partition": "compute"},
    }
    refused = user.call("POST", "/api/jobs/submit", body, {"Idempotency-Key": "after-the-storm"})
    assert refused.status in (422, 503), refused.body
    cluster_command("start-slurmctld")
    answer = user.call("POST", "/api/jobs/submit", body, {"Idempotency-Key": "after-the-storm"})
    assert answer.status == 201, answer.body
    assert user.wait_for_job(answer.json()["job_id"])["state"] == "COMPLETED"


def test_an_unreachable_node_is_named_and_the_others_are_scanned(user: Any, cluster_command: Any) -> None:
    cluster_command("stop-sshd", "node002")
    try:
        done = user.slurmdash("scan", "--json", check=False)
        assert done.returncode == 1
        nodes = {node["node"]: node for node in json.loads(done.stdout)["nodes"]}
        assert (nodes["node002"]["status"], nodes["node002"]["reason"]) == ("failed", "refused")
        assert all(node["status"] == "ok" for name, node in nodes.items() if name != "node002")
        listed = user.get("/api/apptainer/images?limit=1000")
        assert [error["node"] for error in listed["node_errors"]] == ["node002"]
        assert any("node001" in image["nodes"] for image in listed["images"])
        browser(user, "a node that refuses is named")
        said = user.run(
            "python", "-c", "import jupyter_slurmdash as sd\nprint(sd.connect().images().node_errors)"
        )
        assert "node002" in said.stdout
        print(
            f"node002 refused; {sum(node['images'] for node in nodes.values())} images of the other nodes are listed"
        )
    finally:
        cluster_command("start-sshd", "node002")
    assert user.slurmdash("scan").returncode == 0


def test_the_plans_own_template_loads_unchanged_and_runs(user: Any, inputs: dict[str, str]) -> None:
    """The example of the plan, word for word (its damaged Korean repaired), on the real cluster."""
    source = Path(__file__).parents[1] / "templates" / "data" / "pytorch_training.yaml"
    text = source.read_text(encoding="utf-8").replace("pytorch-training-v1", "plan-training-v1")
    path = user.place / "templates" / "community" / "plan.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert yaml.safe_load(text)["template"]["id"] == "plan-training-v1"
    good = user.place / "inputs" / "good"
    good.mkdir()
    (good / "config.yaml").write_text("learning_rate: 0.01\nbatch_size: 32\nepochs: 4\n")
    (good / "train.py").write_text(
        "import pathlib, sys\nprint(sys.argv)\npathlib.Path('checkpoints').mkdir()\n"
        "pathlib.Path('checkpoints/a.pth').write_text('w')\n"
    )
    user.own(user.place)
    user.run("tar", "-czf", str(good / "d.tar.gz"), "-C", str(good), "train.py")
    user.call("POST", "/api/v2/templates/scan")
    files = {"training_script": "train.py", "dataset": "d.tar.gz", "config": "config.yaml"}
    body = {
        "template_id": "plan-training-v1",
        "job_name": "plan",
        "files": {slot: str(good / name) for slot, name in files.items()},
    }
    answer = user.call("POST", "/api/jobs/submit", body)
    assert answer.status == 201, answer.body
    job = user.wait_for_job(answer.json()["job_id"])
    text = user.get(f"/api/jobs/{job['job_id']}/log")["text"]
    errors = user.get(f"/api/jobs/{job['job_id']}/log?stream=err")["text"]
    assert (job["state"], job["exit_code"]) == ("COMPLETED", 0), text + errors
    assert "--config" in text
    print(f"the plan's pytorch_training.yaml ran as job {job['job_id']} on {job['nodes']}")
