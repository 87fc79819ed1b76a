"""The empty shelves and their rights."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jupyter_slurmdash.templates.init import init_shelves


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "templates"
    planned = init_shelves(root, dry_run=True, user="me")
    assert not root.exists()
    assert init_shelves(root, user="me") == planned
    assert planned[0] == f"create {root} (0755)"
    assert f"create {root / 'community'} (1777)" in planned
    assert (
        mode(root) == mode(root / "official") == mode(root / "official/ml") == mode(root / "private") == 0o755
    )
    assert mode(root / "community") == 0o1777
    assert mode(root / "private/me") == mode(root / "archived/me") == 0o700
    assert init_shelves(root, user="me") == []


def test_wrong_modes_are_set_right(tmp_path: Path) -> None:
    init_shelves(tmp_path)
    assert not any((tmp_path / "private").iterdir())
    (tmp_path / "private").chmod(0o777)
    assert init_shelves(tmp_path, dry_run=True) == [f"set {tmp_path / 'private'} to 0755"]
    assert mode(tmp_path / "private") == 0o777
    assert init_shelves(tmp_path) == [f"set {tmp_path / 'private'} to 0755"]
    assert mode(tmp_path / "private") == 0o755


@pytest.mark.parametrize("user", ["..", "a/b", ""])
def test_odd_users_get_no_directory(tmp_path: Path, user: str) -> None:
    init_shelves(tmp_path, user=user)
    assert not any((tmp_path / "private").iterdir())


def test_what_is_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "community").write_text("a file")
    with pytest.raises(NotADirectoryError, match="community"):
        init_shelves(tmp_path)
    (tmp_path / "community").unlink()
    (tmp_path / "community").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError, match="community"):
        init_shelves(tmp_path)
