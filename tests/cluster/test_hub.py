"""Uploads behind a real JupyterHub: a culled server, a killed proxy, a revoked token, another user."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from hub import Hub
from playwright_run import playwright
from upload_sender import MIB, Sending, begin

from .conftest import Person, leave, make_person

SIZE = 48 * MIB
FIRST = 8 * MIB  # in a request that is answered
CULLED = 20 * MIB  # bytes on the disk when the server is stopped
RATE = 8 * MIB  # bytes a second

# How the proxy says that a server ended in the middle of a request, and how the hub says that there is none: to HEAD
# (which it does not know there), to PATCH (which it takes for a form without its cookie), to GET.
BROKEN = {502, 503, 504}
NO_SERVER = {"HEAD": 405, "PATCH": 403, "GET": 424}


@pytest.fixture(scope="module")
def people(cluster: dict[str, Any]) -> Iterator[dict[str, Person]]:
    made = {name: make_person(name) for name in ("hpcuser1", "hpcuser2")}
    yield made
    for person in made.values():
        leave(person)


@pytest.fixture(scope="module")
def hub(people: dict[str, Person], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(
        tmp_path_factory.mktemp("hub"),
        {
            name: {**person.environment(), "JUPYTERHUB_ROOT_DIR": str(person.place)}
            for name, person in people.items()
        },
    )
    for name, person in people.items():
        person.url = made.start(name).rstrip("/")
        person.token, _ = made.token(name)
    yield made
    made.stop()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "big.dat"
    path.write_bytes(os.urandom(SIZE))
    return path


class Upload:
    """One upload of ``source`` by a person, in pieces; ``sent`` is bytes that left the client."""

    def __init__(self, hub: Hub, person: Person, source: Path) -> None:
        self.person, self.source = person, source
        self.data = source.read_bytes()
        self.session = person.call("POST", "/api/v2/upload/sessions", {}).json()
        self.url = begin(urljoin(hub.url, self.session["tus_url"]), len(self.data), self.headers())
        self.sent = 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.person.token}", "Tus-Resumable": "1.0.0"}

    def ask(self, method: str = "HEAD", **headers: str) -> requests.Response:
        given = {**self.headers(), **headers}
        return requests.request(method, self.url, headers=given, timeout=60, allow_redirects=False)

    def offset(self) -> int:
        answer = self.ask()
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return int(answer.headers["Upload-Offset"])

    def sending(self, begin: int, end: int | None = None, rate: int = 0) -> Sending:
        piece = self.source.with_suffix(".piece")
        piece.write_bytes(self.data[begin:end])
        return Sending(self.url, piece, self.headers(), begin, rate)

    def sending_until(self, begin: int, landed: int) -> Sending:
        """Send the rest slowly; back when so many bytes are on the disk."""
        made = self.sending(begin, rate=RATE)
        deadline = time.monotonic() + 120
        while self.landed() < landed:
            assert time.monotonic() < deadline, "the bytes did not arrive"
            time.sleep(0.02)
        return made

    def send(self, begin: int, end: int | None = None) -> int:
        status, sent = self.sending(begin, end).result()
        self.sent += sent
        return status

    def landed(self) -> int:
        place = self.person.place / "jobs" / ".uploads" / self.session["session_id"]
        return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())

    def finish(self) -> None:
        path = f"/api/v2/upload/sessions/{self.session['session_id']}/finalize"
        answer = self.person.call("POST", path, {})
        assert answer.status == 200, answer.body
        (file,) = answer.json()["files"]
        assert (file["size"], file["sha256"]) == (len(self.data), hashlib.sha256(self.data).hexdigest())


def test_a_server_is_culled_in_the_middle(hub: Hub, people: dict[str, Person], source: Path) -> None:
    upload = Upload(hub, people["hpcuser1"], source)
    assert upload.send(0, FIRST) == 204
    sending = upload.sending_until(FIRST, CULLED)
    hub.cull("hpcuser1")
    on_disk = upload.landed()
    broken, sent = sending.result()
    upload.sent += sent
    assert sent < SIZE - FIRST
    assert broken in BROKEN
    session = people["hpcuser1"].call("GET", f"/api/v2/upload/sessions/{upload.session['session_id']}")
    patch = upload.send(FIRST, FIRST + MIB)
    told = {"HEAD": upload.ask().status_code, "PATCH": patch, "GET": session.status}
    assert told == NO_SERVER

    hub.start("hpcuser1")
    kept = upload.offset()
    assert FIRST <= kept <= on_disk
    assert upload.send(kept) == 204
    upload.finish()
    print(
        f"\n{SIZE // MIB} MiB through JupyterHub, the server culled in the middle of a PATCH: the client was told"
        f" {broken}, and meanwhile {told}; {kept / MIB:.1f} MiB kept of {FIRST / MIB:.0f} acknowledged and"
        f" {on_disk / MIB:.1f} on the"
        f" disk, {(upload.sent - SIZE) / MIB:.1f} MiB sent again, SHA-256 equal"
    )


def test_the_proxy_is_killed_in_the_middle(hub: Hub, people: dict[str, Person], source: Path) -> None:
    upload = Upload(hub, people["hpcuser1"], source)
    assert upload.send(0, FIRST) == 204
    sending = upload.sending_until(FIRST, CULLED)
    hub.kill_proxy()
    broken, sent = sending.result()
    upload.sent += sent
    assert broken == 0  # no answer: the connection broke
    kept = upload.offset()
    assert FIRST < kept < SIZE
    assert upload.send(kept) == 204
    upload.finish()
    print(
        f"\nThe hub's proxy killed in the middle of a PATCH: {kept / MIB:.1f} MiB kept,"
        f" {(upload.sent - SIZE) / MIB:.1f} MiB sent again, SHA-256 equal"
    )


def test_a_token_is_revoked_between_two_pieces(hub: Hub, people: dict[str, Person], source: Path) -> None:
    person = people["hpcuser1"]
    person.token, token_id = hub.token("hpcuser1")
    upload = Upload(hub, person, source)
    assert upload.send(0, FIRST) == 204
    hub.revoke("hpcuser1", token_id)
    # The user's server asks the hub again when it has remembered the old answer for long enough.
    deadline = time.monotonic() + 60
    while (head := upload.ask().status_code) == 200:
        assert time.monotonic() < deadline, "the revoked token is still good"
    patch = upload.send(FIRST)
    assert {head, patch} <= {401, 403}
    refused = upload.sent - FIRST
    assert upload.landed() < FIRST + MIB  # nothing of the refused piece

    person.token, _ = hub.token("hpcuser1")
    kept = upload.offset()
    assert kept == FIRST
    assert upload.send(kept) == 204
    upload.finish()
    print(
        f"\nA token revoked after {FIRST // MIB} MiB: HEAD {head}, PATCH {patch} after {refused / MIB:.1f} MiB of its"
        f" body; with a new token from {kept / MIB:.1f} MiB on, {(upload.sent - refused - SIZE) / MIB:.1f} MiB sent"
        " again, SHA-256 equal"
    )


def test_another_user_may_not_touch_it(hub: Hub, people: dict[str, Person], source: Path) -> None:
    mine, other = people["hpcuser1"], people["hpcuser2"]
    upload = Upload(hub, mine, source)
    assert upload.send(0, FIRST) == 204
    theirs = {"Authorization": f"token {other.token}"}
    piece = {"Upload-Offset": str(FIRST), "Content-Type": "application/offset+octet-stream"}
    told = [
        upload.ask(method, **theirs, **(piece if method == "PATCH" else {})).status_code
        for method in ("HEAD", "PATCH", "DELETE")
    ]
    assert set(told) <= {401, 403}
    # Nor is it there on their own server, with the right address and the token that belongs there.
    session = f"/api/v2/upload/sessions/{upload.session['session_id']}"
    own = [other.call(method, session).status for method in ("GET", "DELETE")]
    assert own == [404, 404]
    assert upload.offset() == FIRST
    assert upload.send(FIRST) == 204
    upload.finish()
    print(f"\nAnother user's token: HEAD, PATCH, DELETE {told}; the session on their own server: {own}")


def test_the_panel_goes_on_after_its_server_was_culled(hub: Hub, people: dict[str, Person]) -> None:
    report = playwright(
        "hub.spec",
        SLURMDASH_URL=people["hpcuser1"].url + "/",
        SLURMDASH_HUB_URL=hub.url,
        SLURMDASH_HUB_TOKEN=hub.service_token,
        SLURMDASH_HUB_USER="hpcuser1",
    )
    told = [line for line in report.splitlines() if line.startswith("hub:")]
    assert len(told) == 4, report
    print("\n" + "\n".join(told))
