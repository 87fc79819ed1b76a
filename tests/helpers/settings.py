"""Settings of a product in a private place: the embedded scheduler, the packaged templates, no images."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def private_values(place: Path) -> dict[str, Any]:
    return {
        "scheduler": "local",
        "data_dir": str(place / "data"),
        "work_root": str(place / "jobs"),
        "template_root": str(place / "templates"),
        "image_dirs": [str(place / "images")],
        "ssh_config_file": str(place / "no-ssh-config"),
        "known_hosts_file": str(place / "no-known-hosts"),
    }
