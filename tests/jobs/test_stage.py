"""What stands in a job's directory."""

from __future__ import annotations

from pathlib import Path

from plans import a_plan

from jupyter_slurmdash.jobs.script import BINDS_FILE
from jupyter_slurmdash.jobs.stage import stage
from jupyter_slurmdash.uploads.model import JobFile


def test_many_files_of_the_users_own_are_bound_by_their_folders(tmp_path: Path) -> None:
    """One variable holds all binds, and the kernel takes none of more than 128 KiB."""
    folder = tmp_path / "mesh"
    files = []
    for number in range(3000):
        path = folder / f"part{number % 3}" / f"{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        files.append(JobFile(f"mesh/{number}.dat", str(path), 0, origin="path"))
    stage(a_plan(files=tuple(files[:3])), "", {}, tmp_path / "few")
    few = (tmp_path / "few" / BINDS_FILE).read_text().split(",")
    assert few == [f"{file.path}:{file.path}:ro" for file in files[:3]]
    stage(a_plan(files=tuple(files)), "", {}, tmp_path / "many")
    many = (tmp_path / "many" / BINDS_FILE).read_text().split(",")
    assert many == [f"{folder}/part{number}:{folder}/part{number}:ro" for number in range(3)]
    assert len(list((tmp_path / "many/mesh").iterdir())) == 3000
