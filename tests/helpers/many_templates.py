"""A large library on disk: no two templates alike, over the four shelves, made from the official ones."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

WORDS = ("flow", "mesh", "train", "genome", "stress", "orbit", "plasma", "heat", "glacier", "protein")


def many_templates(root: Path, user: str, count: int) -> list[Path]:
    """``count`` good templates below ``root``, with ids ``bench-00000``…, written an hour ago."""
    originals = [
        entry.read_text(encoding="utf-8")
        for folder in sorted(_official().iterdir())
        if folder.is_dir()
        for entry in sorted(folder.iterdir())
    ]
    folders = ["official/ml", "official/cfd", "community", f"private/{user}", f"archived/{user}"]
    made = []
    for number in range(count):
        folder = root / folders[number // 11 % len(folders)]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"bench-{number:05}.yaml"
        path.write_text(_another(originals[number % len(originals)], number), encoding="utf-8")
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)
        made.append(path)
    return made


def _another(text: str, number: int) -> str:
    word = f"{WORDS[number % 10]} {WORDS[number // 10 % 10]} {number}"
    head = {"id": f"bench-{number:05}", "display_name": f"The {word}", "author": f"person{number % 500}"}
    for name, value in head.items():
        text = re.sub(rf"^  {name}: .*$", f"  {name}: {value}", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"maximum: (\d+)", lambda match: f"maximum: {int(match[1]) + number}", text)
    # What they run differs too.
    return re.sub(r"^(  main_exec: \|)$", rf"\1\n    # {word}", text, count=1, flags=re.MULTILINE)


def _official() -> Path:
    return Path(str(files("jupyter_slurmdash.templates").joinpath("official")))
