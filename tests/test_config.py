"""The settings, their defaults and their bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyter_slurmdash.config import SlurmDash


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "share"))
    return tmp_path


def test_defaults_follow_each_other(home: Path) -> None:
    settings = SlurmDash()
    assert settings.data_dir == f"{home}/share/slurmdash"
    assert settings.database_url == f"sqlite:///{home}/share/slurmdash/slurmdash.sqlite"
    assert (settings.work_root, settings.upload_root) == (f"{home}/slurmdash", f"{home}/slurmdash/.uploads")
    moved = SlurmDash(data_dir=f"{home}/d", work_root=f"{home}/w")
    assert moved.database_url == f"sqlite:///{home}/d/slurmdash.sqlite"
    assert moved.upload_root == f"{home}/w/.uploads"


def test_templates_are_shared_where_the_site_shares_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"there": False}
    original = Path.is_dir
    monkeypatch.setattr(
        Path, "is_dir", lambda self: shared["there"] if str(self) == "/shared/templates" else original(self)
    )
    assert SlurmDash().template_root == f"{home}/share/slurmdash/templates"
    shared["there"] = True
    assert SlurmDash().template_root == "/shared/templates"


@pytest.mark.parametrize(
    "name",
    [
        "data_dir",
        "template_root",
        "work_root",
        "upload_root",
        "ssh_config_file",
        "known_hosts_file",
        "results_root",
    ],
)
def test_a_tilde_is_the_home(home: Path, name: str) -> None:
    assert getattr(SlurmDash(**{name: "~/x"}), name) == f"{home}/x"


def test_the_queue_is_looked_at_kindly() -> None:
    assert SlurmDash(squeue_interval=0.1).squeue_interval == 5.0
    assert SlurmDash(squeue_interval=60).squeue_interval == 60.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scheduler", "pbs"),
        ("scan_workers", 0),
        ("connect_timeout", 0),
        ("max_upload_size", -1),
        ("chunk_size", 1),
        ("session_ttl", 1),
        ("nodes", {"node001": "compute"}),
        ("image_dirs", 3),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: object) -> None:
    with pytest.raises(TraitError):
        SlurmDash(**{name: value})


def test_each_setting_can_be_set_and_explains_itself() -> None:
    for name, trait in SlurmDash.class_own_traits().items():
        assert trait.metadata.get("config"), name
        assert trait.help.endswith((".", ")")), name
    assert SlurmDash(config=Config({"SlurmDash": {"scheduler": "local"}})).scheduler == "local"
