"""An image of the real cluster in the panel: where it is, its digest, who signed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright_run import browser

IMAGE = "signed-tools.sif"


@pytest.fixture
def signed_user(user: Any, cluster: dict[str, Any], tmp_path: Path) -> Iterator[Any]:
    """A user whose site trusts the cluster's signing key."""
    ring = user.place / "keyring.asc"
    ring.write_bytes(Path(cluster["signing_key"]).read_bytes())
    user.stop_server()
    user.configure(image_keyring=str(ring))
    user.start_server()
    user.slurmdash("scan")
    return user


def test_an_image_in_full(signed_user: Any, cluster: dict[str, Any]) -> None:
    file = Path(cluster["nodes"]["node003"]["images"]) / IMAGE
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    browser(signed_user, "an image in full", SLURMDASH_SHA256=digest, SLURMDASH_SIGNER="by ")
    listed = signed_user.get("/api/apptainer/images?q=signed-tools")["images"]
    assert [(image["digest"], image["signature"]) for image in listed] == [(f"sha256:{digest}", "verified")]
