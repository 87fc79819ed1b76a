"""The terminal, in this process; only the way there is a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sif_writer
from settings import private_values
from shells import add_template, write

from jupyter_slurmdash import cli
from jupyter_slurmdash.health import Component, Health
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.notebook.job import Job
from jupyter_slurmdash.uploads.quota import Limit, Quota
from jupyter_slurmdash.version import __version__

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*words)`` → exit status, output, errors; the settings come from a configuration file."""
    values = {**private_values(tmp_path), "image_dirs": [], "shared_image_dirs": [str(tmp_path / "shared")]}
    write(tmp_path / "config" / "jupyter_slurmdash_config.json", json.dumps({"SlurmDash": values}))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "shared").mkdir()

    def main(*words: str) -> tuple[int, str, str]:
        try:
            status = cli.main(words)
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return main


def submit(run: Run, script: str, *words: str, tmp_path: Path) -> tuple[int, str, str]:
    return run("submit", "--script", write(tmp_path / "script.sh", script), *words)


# -- the way there ---------------------------------------------------------------------------------------------


def test_jupyter_finds_it_as_a_subcommand(tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [tools / "jupyter", "slurmdash", "--help"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    for word in ("doctor", "init", "scan", "submit", "jobs"):
        assert word in done.stdout


def test_version_and_help(run: Run) -> None:
    assert run("--version")[:2] == (0, f"{__version__}\n")
    assert run()[0] == 2
    assert "--dry-run" in run("submit", "--help")[1]


# -- settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nonsense=1", "there is no such setting"),
        ("log=1", "there is no such setting"),
        ("scheduler", "NAME=VALUE"),
        ("=local", "NAME=VALUE"),
        ("scheduler=pbs", "scheduler"),
        ("scan_workers=many", "scan_workers"),
        ("scan_workers=0", "scan_workers"),
        ("scheduler=rest", "not built yet"),
    ],
)
def test_a_bad_setting_is_said(run: Run, word: str, said: str) -> None:
    status, out, err = run("--set", word, "jobs")
    assert (status, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_a_setting_for_one_call(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("--set", f"data_dir={other}", "--set", "scan_workers=2", "jobs")[0] == 0
    assert (other / "slurmdash.sqlite").exists()
    assert not (tmp_path / "data").exists()


def test_a_bad_value_in_a_file_is_said(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "config" / "jupyter_slurmdash_config.json", '{"SlurmDash": {"scheduler": "pbs"}}')
    status, _, err = run("jobs")
    assert status == 1
    assert "pbs" in err


# -- doctor, init, scan ----------------------------------------------------------------------------------------


def test_doctor(run: Run) -> None:
    status, out, err = run("doctor")
    assert (status, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["ok", name] for name in ("scheduler", "database", "templates", "images", "disk")
    ]
    status, out, _ = run("doctor", "--json")
    assert status == 0
    assert json.loads(out)["status"] == "ok"


@pytest.mark.parametrize("bad", ["degraded", "down"])
def test_doctor_fails_when_something_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    part = Component("scheduler", bad, "no answer", 0.0)  # type: ignore[arg-type]
    monkeypatch.setattr(NotebookDash, "health", lambda self: Health("me", {}, (part,)))
    assert run("doctor")[:2] == (1, f"{bad:9} scheduler  no answer\n")


def test_init_twice(run: Run, tmp_path: Path) -> None:
    shelves = tmp_path / "templates"
    status, planned, _ = run("init", "--dry-run")
    assert (status, shelves.exists()) == (0, False)
    assert f"create {shelves}" in planned
    assert run("init")[:2] == (0, planned)
    assert (shelves / "community").stat().st_mode & 0o7777 == 0o1777
    assert run("init")[:2] == (0, "")


def test_init_where_it_cannot(run: Run, tmp_path: Path) -> None:
    (tmp_path / "templates").write_text("in the way")
    status, out, err = run("init")
    assert (status, out) == (1, "")
    assert "is not a directory" in err


def test_scan(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shared" / "tools.sif").write_bytes(sif_writer.image())
    status, out, err = run("scan")
    assert (status, err) == (0, ""), out
    assert out.split() == ["shared", "1", "images"]
    status, out, _ = run("scan", "--json")
    scan = json.loads(out)
    assert (status, scan["nodes"][0]["images"]) == (0, 1)


def test_images(run: Run, tmp_path: Path) -> None:
    for version in ("2.9", "2.10"):
        labels = {"version": version, "description": "Tools"}
        (tmp_path / "shared" / f"tools-{version}.sif").write_bytes(sif_writer.image(labels=labels))
    status, out, _ = run("images", "-q", "tools")
    assert (status, [line.split()[0] for line in out.splitlines()[1:]]) == (
        0,
        ["tools-2.10.sif", "tools-2.9.sif"],
    )
    assert [line.split()[0] for line in run("images", "--families")[1].splitlines()[1:]] == ["tools"]
    [family] = json.loads(run("images", "--families", "--json")[1])
    assert [version["version"] for version in family["versions"]] == ["2.10", "2.9"]
    assert json.loads(run("images", "--type", "viz", "--json")[1]) == []
    shown = json.loads(run("image", "tools-2.9", "--json")[1])
    assert (shown["version"], shown["where"]["shared"]) == ("2.9", True)
    out = run("image", shown["id"])[1]
    assert out.startswith("tools-2.9.sif\n")
    assert "Tools" in out
    status, _, err = run("image", "nothing")
    assert (status, "There is no image nothing" in err) == (1, True)


def test_a_failed_scan_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shared").rmdir()
    status, out, _ = run("scan")
    assert status == 1
    assert "failed (" in out
    status, _, err = run("scan", "no-such-node")
    assert status == 1
    assert "no-such-node" in err


# -- submit ----------------------------------------------------------------------------------------------------


def test_a_dry_run_submits_nothing(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "say.py", "print(1)\n")
    words = ("submit", "python-script-v1", "--file", f"script={source}", "--name", "x", "--dry-run")
    status, out, _ = run(*words, "-o", "time=00:10:00")
    assert status == 0
    assert out.startswith("#!/bin/bash\n")
    assert "#SBATCH --time=00:10:00" in out
    status, out, err = run("submit", "python-script-v1", "--dry-run")
    assert status == 1
    assert "error: " in err
    assert run("jobs")[1].splitlines()[1:] == []


def test_waiting_prints_the_log_and_ends_as_the_job(run: Run, tmp_path: Path) -> None:
    status, out, err = submit(run, "echo hello\n", "--wait", tmp_path=tmp_path)
    assert (status, out, err) == (0, "1\nhello\n", "")
    assert submit(run, "echo bye; exit 7\n", "--wait", tmp_path=tmp_path)[:2] == (7, "2\nbye\n")


def test_a_cancelled_job_is_no_success(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Job.follow

    def follow(self: Job) -> None:
        self.cancel()
        original(self)

    monkeypatch.setattr(Job, "follow", follow)
    assert submit(run, "exec sleep 60\n", "--wait", tmp_path=tmp_path)[0] != 0


def test_a_script_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("echo from stdin\n"))
    assert run("submit", "--script", "-", "--wait")[1] == "1\nfrom stdin\n"


def test_a_key_submits_once(run: Run, tmp_path: Path) -> None:
    first = submit(run, "true\n", "--key", "my-key-0001", tmp_path=tmp_path)
    assert first[:2] == (0, "1\n")
    assert submit(run, "true\n", "--key", "my-key-0001", tmp_path=tmp_path) == first
    status, _, err = submit(run, "true\n", "--key", "bad key!", tmp_path=tmp_path)
    assert status == 1
    assert "idempotency key" in err


def test_parameters_become_what_the_schema_says(run: Run, tmp_path: Path) -> None:
    add_template(
        tmp_path,
        parameters={"type": "object", "properties": {"epochs": {"type": "integer"}}},
        script={"main_exec": 'echo "$EPOCHS"'},
    )
    assert run("submit", "test-v1", "-p", "epochs=3", "--wait")[:2] == (0, "1\n3\n")
    status, out, err = run("submit", "test-v1", "-p", "epochs=few")
    assert (status, out) == (1, "")
    assert "epochs is 'few', must be a whole number" in err


@pytest.mark.parametrize("flag", ["--file", "--option", "--parameter"])
def test_pairs_are_pairs(run: Run, flag: str) -> None:
    status, _, err = run("submit", "python-script-v1", flag, "time")
    assert status == 1
    assert f"{flag} takes NAME=VALUE, not 'time'." in err


def test_a_script_that_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    status, out, err = run("submit", "--script", str(tmp_path / "missing.sh"))
    assert (status, out, err) == (1, "", f"No such file or directory: {tmp_path}/missing.sh\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    status, _, err = run("submit", "--script", str(tmp_path / "binary"))
    assert status == 1
    assert "not text in UTF-8" in err


def test_every_finding_is_printed(run: Run, tmp_path: Path) -> None:
    status, out, err = run("submit", "python-script-v1", "-o", "partition=nowhere")
    assert (status, out) == (1, "")
    assert err.startswith("The job is not ready to submit: ")
    assert "nowhere" in err
    status, _, err = run("submit", "nothing-v1")
    assert (status, err.count("\n")) == (1, 1)


# -- jobs ------------------------------------------------------------------------------------------------------


def test_jobs(run: Run, tmp_path: Path) -> None:
    submit(run, "echo one\n", "--name", "first", "--wait", tmp_path=tmp_path)
    submit(run, "false\n", "--wait", tmp_path=tmp_path)
    status, out, err = run("jobs")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["job", "2", "1"]
    assert [job["job_id"] for job in json.loads(run("jobs", "--json")[1])] == ["2", "1"]
    assert [job["job_id"] for job in json.loads(run("jobs", "--json", "--state", "failed")[1])] == ["2"]
    assert len(json.loads(run("jobs", "--json", "--limit", "1")[1])) == 1
    assert run("jobs", "1")[1].startswith("job: 1  name: first  state: COMPLETED")
    assert run("jobs", "1")[1].endswith("\none\n")
    assert json.loads(run("jobs", "1", "--json")[1])["exit_code"] == 0
    status, out, err = run("jobs", "4711")
    assert (status, out) == (1, "")
    assert err.startswith("Job not found: ")


def test_an_interruption_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: NotebookDash) -> Health:
        raise KeyboardInterrupt

    monkeypatch.setattr(NotebookDash, "health", interrupt)
    assert run("doctor") == (130, "", "")


def test_a_wrong_setting_is_one_line(run: Run, tmp_path: Path) -> None:
    status, _, said = run("--set", "database_url=x", "jobs")
    assert (status, said.count("\n")) == (1, 1)
    assert "database_url" in said
    write(tmp_path / "config" / "jupyter_slurmdash_config.py", "c.SlurmDash.scan_workers = (\n")
    status, _, said = run("jobs")
    assert (status, "Traceback" in said) == (1, False)
    assert "jupyter_slurmdash_config.py" in said


def test_limits(run: Run) -> None:
    status, output, _ = run("limits")
    assert status == 0
    assert output.splitlines()[0].split() == ["partition", "local"]
    assert json.loads(run("limits", "local", "--json")[1])["bounds"]["nodes"] == {
        "maximum": 1,
        "source": "nodes",
    }
    status, _, errors = run("limits", "nowhere")
    assert (status, "there are: local" in errors) == (1, True)


def test_a_script_edited_by_hand(run: Run, tmp_path: Path) -> None:
    add_template(tmp_path, script={"main_exec": "echo $WORD"})
    script = run("submit", "test-v1", "--dry-run")[1]
    edited = tmp_path / "edited.sh"
    edited.write_text(script.replace("echo", "WORD=mine\necho"))
    status, output, errors = run("submit", "test-v1", "--edited", str(edited), "--wait")
    assert (status, output.splitlines()[-1]) == (0, "mine"), errors
    edited.write_text(script.replace(":\n", "#SBATCH --chdir=/\n:\n", 1))
    status, _, errors = run("submit", "test-v1", "--edited", str(edited))
    assert (status, "--chdir cannot stand in a script here" in errors) == (1, True)


# -- files -----------------------------------------------------------------------------------------------------


def test_upload_and_submit(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in/mesh/a.msh", "1 2 3\n")
    status, session, told = run("upload", str(tmp_path / "in/mesh"), "--copy")
    assert status == 0
    assert "mesh/a.msh" in told
    session = session.strip()
    again = json.loads(run("upload", str(tmp_path / "in/mesh"), "--session", session, "--copy", "--json")[1])
    assert (again["session_id"], len(again["files"]), again["validation"]) == (session, 1, None)
    words = ("--session", session, "--wait")
    status, output, _ = submit(run, "cat mesh/a.msh", *words, tmp_path=tmp_path)
    assert status == 0
    assert output.endswith("1 2 3\n")


def test_upload_says_what_a_template_misses(run: Run, tmp_path: Path) -> None:
    add_template(tmp_path, files={"input_schema": {"required": [{"name": "dataset", "pattern": "*.csv"}]}})
    path = write(tmp_path / "notes.txt", "none")
    status, _, told = run("upload", path, "--template", "test-v1")
    assert status == 1
    assert "“dataset” has no file yet" in told
    data = write(tmp_path / "d.csv", "1\n")
    assert run("upload", "--template", "test-v1", "--slot", f"dataset={data}")[0] == 0


def test_contents(run: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as tar:
        tar.addfile(tarfile.TarInfo("b.dat"), io.BytesIO())
    status, output, _ = run("contents", str(tmp_path / "a.tar.xz"))
    assert (status, "b.dat" in output) == (0, True)
    told = json.loads(run("contents", str(tmp_path / "a.tar.xz"), "--json")[1])
    assert (told["format"], told["total"]) == ("tar.xz", 1)
    status, _, error = run("contents", write(tmp_path / "plain.txt", "no archive"))
    assert status == 1
    assert "no tar and no zip" in error


def test_space(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status, output, _ = run("space")
    assert status == 0
    assert output.startswith("free ")
    assert json.loads(run("space", "--json")[1])["enough"] is True
    quota = Quota("/home", Limit(9 * 10**9, 8 * 10**9, 10 * 10**9), Limit(120))
    monkeypatch.setattr("jupyter_slurmdash.uploads.quotas.Quotas.of", lambda self, path: quota)
    assert run("space")[1].splitlines()[2:] == [
        "quota     space on /home: 9 GB used, soft 8 GB, hard 10 GB",
        "quota     files on /home: 120 used, no limit",
    ]
