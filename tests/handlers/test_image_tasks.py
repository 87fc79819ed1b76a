"""The routes of digests and verification, asked of a real Jupyter server; every answer must fit the contract."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sif_signer as signer
from live import Live

from jupyter_slurmdash.handlers.contract import contract

ALICE = signer.pgp_key()
PATHS = {kind: f"/api/apptainer/images/{{id}}/{kind}" for kind in ("digest", "verify")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared directory with two signed images, one of them changed since, and the site's keyring."""
    made = tmp_path_factory.mktemp("images")
    data = signer.Draft().signed(ALICE)
    (made / "good.sif").write_bytes(data)
    (made / "spoilt.sif").write_bytes(data[:50] + b"x" + data[51:])
    (made / "unsigned.sif").write_bytes(signer.Draft().write())
    (made / "ring").write_bytes(signer.public(ALICE))
    return made


@pytest.fixture(scope="module")
def server(make_live: Callable[..., Live], place: Path) -> Live:
    return make_live(
        settings={"image_dirs": [], "shared_image_dirs": [str(place)], "image_keyring": str(place / "ring")}
    )


def check(server: Live, method: str, kind: str, id: str, status: int) -> Any:
    """The answer, which must fit the contract."""
    answer = server.call(method, PATHS[kind].format(id=id))
    assert answer.status == status, answer.body
    described = contract().document["paths"][PATHS[kind]][method.lower()]["responses"][str(status)]
    [media] = described["content"].values()
    assert contract().schema(media["schema"]).errors(answer.json()) == []
    return answer.json()


def found(server: Live, name: str) -> str:
    server.dash.catalog.scan()
    image = next(image for image in server.dash.catalog.images() if image.name == name)
    return str(image.id)


def ended(server: Live, kind: str, id: str) -> Any:
    """Start it and wait for its event."""
    told = threading.Event()
    unsubscribe = server.dash.events.subscribe(
        lambda event: (
            told.set() if (event.type, event.data.get("image_id")) == ("image_changed", id) else None
        )
    )
    try:
        assert check(server, "POST", kind, id, 202)["status"] in ("running", "finished", "failed")
        assert told.wait(10)
    finally:
        unsubscribe()
    return check(server, "GET", kind, id, 200)


def test_a_digest(server: Live, place: Path) -> None:
    id = found(server, "good.sif")
    before = check(server, "GET", "digest", id, 200)
    assert (before["status"], before["image"]["digest"], before["image_id"]) == ("none", None, id)
    after = ended(server, "digest", id)
    wanted = f"sha256:{hashlib.sha256((place / 'good.sif').read_bytes()).hexdigest()}"
    assert (after["status"], after["task"], after["image"]["digest"]) == ("finished", "digest", wanted)
    assert check(server, "POST", "digest", id, 202)["status"] == "finished"
    assert server.get(f"/api/apptainer/images/{id}")["digest"] == wanted


@pytest.mark.parametrize(
    ("name", "status", "signature"),
    [
        ("good.sif", "finished", "verified"),
        ("spoilt.sif", "finished", "not valid"),
        ("unsigned.sif", "failed", "unsigned"),
    ],
)
def test_a_verification(server: Live, name: str, status: str, signature: str) -> None:
    id = found(server, name)
    after = ended(server, "verify", id)
    assert (after["status"], after["image"]["signature"]) == (status, signature)
    assert after["message"]
    verification = server.get(f"/api/apptainer/images/{id}")["verification"]
    assert (verification is None) == (status == "failed")
    if verification:
        assert verification["message"] == after["message"]


def test_an_image_that_is_not_there(server: Live) -> None:
    for kind in PATHS:
        for method in ("GET", "POST"):
            answer = server.call(method, PATHS[kind].format(id="00000000-0000-5000-8000-000000000000"))
            assert (answer.status, answer.json()["type"]) == (404, "slurmdash:image-not-found")


def test_a_visitor_without_token(server: Live) -> None:
    id = found(server, "good.sif")
    for kind in PATHS:
        for method in ("GET", "POST"):
            assert server.call(method, PATHS[kind].format(id=id), token=False).status in (401, 403)
