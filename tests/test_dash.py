"""The product in one object: how it is put together, lives and ends; where its settings come from."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from settings import private_values
from shells import add_template, write
from silence import Silence

from jupyter_slurmdash.app import SlurmDashApp
from jupyter_slurmdash.config import SlurmDash
from jupyter_slurmdash.dash import Dash, load_config
from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.notebook.api import NotebookDash
from jupyter_slurmdash.transport.ssh import SshConnector


def make(place: Path, **values: Any) -> Dash:
    return Dash(SlurmDash(**{**private_values(place), **values}))


@pytest.mark.parametrize("kind", ["ssh", "rest"])
def test_a_scheduler_that_is_not_there_yet_is_said(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidInput, match="not built yet"):
        make(tmp_path, scheduler=kind)
    assert not (tmp_path / "data" / "slurmdash.sqlite").exists()


def test_auto_is_slurm_where_there_is_sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    with closing(make(tmp_path, scheduler="auto")) as dash:
        assert dash.scheduler.name == "local"
        assert dash.jobs.watcher.interval == 0.5
    write(tools / "sbatch", "#!/bin/sh\nexit 1\n")
    (tools / "sbatch").chmod(0o755)
    with closing(make(tmp_path, scheduler="auto")) as dash:
        assert dash.scheduler.name != "local"
        assert dash.jobs.watcher.interval == 10.0


def test_a_silent_controller_does_not_keep_a_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = Silence(tmp_path)
    monkeypatch.setenv("PATH", str(silence.path))
    dash = make(tmp_path, scheduler="auto", image_dirs=["/images"])
    try:
        began = time.monotonic()
        dash.start()
        assert dash.catalog.scanning
        assert dash.cluster_name.known() == "slurm"
        assert time.monotonic() - began < 2
    finally:
        silence.give_up()
        dash.close()


def test_nodes_are_the_schedulers_or_as_set(tmp_path: Path) -> None:
    with closing(make(tmp_path)) as dash:
        assert dash._nodes() == {os.uname().nodename: ("local",)}
    with closing(make(tmp_path, nodes={"node001": ["compute"]})) as dash:
        assert dash._nodes() == {"node001": ["compute"]}


def test_what_is_private_is_private(tmp_path: Path) -> None:
    with closing(make(tmp_path)):
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_files_of_a_session_and_by_path_are_checked_together(dash: NotebookDash, tmp_path: Path) -> None:
    slots = [{"name": "config", "pattern": "*.yaml"}, {"name": "dataset", "pattern": "*.csv"}]
    add_template(tmp_path, files={"input_schema": {"required": slots}})
    dash.library.refresh()
    session = dash.uploads.sessions.create(dash.user, "test-v1")
    dash.uploads.sessions.add_path(session.id, dash.user, write(tmp_path / "c.yaml", "a: 1\n"))
    alone = dash.validate_files("test-v1", session.id, {})
    both = dash.validate_files("test-v1", session.id, {"dataset": write(tmp_path / "d.csv", "1,2\n")})
    assert not alone.valid
    assert both.valid
    assert not dash.validate_files("test-v1", None, {}).valid


def test_background_work_starts_and_ends(tmp_path: Path) -> None:
    before = threading.active_count()
    dash = make(tmp_path)
    assert threading.active_count() == before, "nothing starts by itself"
    dash.start()
    names = {thread.name for thread in threading.enumerate()}
    assert {"slurmdash-changes", "slurmdash-watch", "slurmdash-upkeep"} <= names
    dash.close()
    assert threading.active_count() == before


# -- configuration files ---------------------------------------------------------------------------------------


@pytest.fixture
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "config"
    place.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(place))
    monkeypatch.setenv(
        "JUPYTER_CONFIG_PATH", str(tmp_path / "first")
    )  # Jupyter searches it before all others
    return place


def trait(name: str, value: object) -> str:
    return json.dumps({"SlurmDash": {name: value}})


def test_each_kind_of_file_is_read(config_dir: Path, tmp_path: Path) -> None:
    write(tmp_path / "first" / "jupyter_slurmdash_config.json", trait("image_dirs", ["/first"]))
    write(config_dir / "jupyter_server_config.py", "c.SlurmDash.results_root = '/results'\n")
    write(config_dir / "jupyter_server_config.json", trait("scan_workers", 3))
    write(config_dir / "jupyter_slurmdash_config.py", "c.SlurmDash.image_ttl = 7\n")
    write(config_dir / "jupyter_slurmdash_config.json", trait("scheduler", "local"))
    settings = SlurmDash(config=load_config())
    assert settings.image_dirs == ["/first"]
    assert (settings.results_root, settings.scan_workers) == ("/results", 3)
    assert (settings.image_ttl, settings.scheduler) == (7, "local")


def test_the_first_of_jupyters_directories_has_the_last_word(config_dir: Path, tmp_path: Path) -> None:
    write(config_dir / "jupyter_server_config.py", "c.SlurmDash.scan_workers = 2\n")
    assert load_config().SlurmDash.scan_workers == 2
    write(config_dir / "jupyter_slurmdash_config.py", "c.SlurmDash.scan_workers = 3\n")
    assert load_config().SlurmDash.scan_workers == 3
    write(config_dir / "jupyter_slurmdash_config.json", trait("scan_workers", 4))
    assert load_config().SlurmDash.scan_workers == 4
    write(tmp_path / "first" / "jupyter_server_config.py", "c.SlurmDash.scan_workers = 5\n")
    assert load_config().SlurmDash.scan_workers == 5


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("jupyter_slurmdash_config.py", "c.SlurmDash.scan_workers = (\n", "SyntaxError"),
        ("jupyter_slurmdash_config.py", "import a_module_that_is_not_there\n", "ModuleNotFoundError"),
        ("jupyter_server_config.py", "1 / 0\n", "ZeroDivisionError"),
        ("jupyter_slurmdash_config.json", "{", "JSONDecodeError"),
    ],
)
def test_a_file_with_a_fault_is_named(config_dir: Path, name: str, text: str, reason: str) -> None:
    write(config_dir / name, text)
    with pytest.raises(InvalidInput) as raised:
        load_config()
    assert str(config_dir / name) in raised.value.detail
    assert reason in raised.value.detail


def test_idle_connections_to_nodes_end_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[SshConnector] = []
    monkeypatch.setattr(SshConnector, "close", lambda self: closed.append(self))
    make(tmp_path).close()
    assert len(closed) == 1


def test_the_extension_stops_also_when_its_start_has_failed() -> None:
    app = SlurmDashApp()
    assert "slurmdash" not in app.settings
    asyncio.run(app.stop_extension())


SERVER = """
import sys
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config
from jupyter_slurmdash.dash import load_config
app = ServerApp(config=Config({"ServerApp": {"jpserver_extensions": {"jupyter_slurmdash": True}, "allow_root": True,
    "open_browser": False, "port": 0, "log_level": 50}}))
app.initialize(argv=[], find_extensions=False)
dash = app.web_app.settings["slurmdash"]
print(dash.settings.results_root, load_config().SlurmDash.results_root)
dash.close()
"""


def test_the_server_reads_the_same_file(config_dir: Path, tmp_path: Path) -> None:
    values = {**private_values(tmp_path), "results_root": "/py"}
    lines = "".join(f"c.SlurmDash.{name} = {value!r}\n" for name, value in values.items())
    write(config_dir / "jupyter_slurmdash_config.py", lines)
    write(config_dir / "jupyter_slurmdash_config.json", trait("results_root", "/json"))
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "/json /json\n", done.stderr
