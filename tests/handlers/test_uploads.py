from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from upload_server import TUS, Server

from jupyter_slurmdash.handlers.contract import contract


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("uploads") / "server")
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def fits(schema: str, value: object) -> None:
    assert contract().schema({"$ref": f"#/components/schemas/{schema}"}).errors(value) == []


def send(server: Server, session: dict[str, str], name: str, data: bytes) -> str:
    """Upload in one request; answers with the file's id."""
    headers = {
        "Upload-Length": str(len(data)),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
        "Content-Type": "application/offset+octet-stream",
    }
    url = server.url.rstrip("/") + session["tus_url"]
    answer = requests.post(url, headers=TUS | headers, data=data, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def test_the_life_of_a_session(server: Server) -> None:
    session = server.session(template_id="training")
    fits("UploadSession", session)
    assert session["status"] == "active"
    path = f"/sessions/{session['session_id']}"
    send(server, session, "train.py", b"print(1)")
    seen = server.call("GET", path).json()
    fits("UploadSession", seen)
    assert (seen["progress"], seen["total_size"]) == (100.0, 8)
    assert seen["files"][0]["slot"] == "training_script"
    done = server.call("POST", path + "/finalize").json()
    fits("UploadSession", done)
    assert done["status"] == "finalized"
    assert server.call("DELETE", path, 204).content == b""
    problem = server.call("GET", path, 404).json()
    fits("Problem", problem)
    assert problem["type"] == "slurmdash:session-not-found"


def test_files_by_path(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine.tar.gz").write_bytes(b"\x1f\x8b...")
    session = server.session(template_id="training")
    path = f"/sessions/{session['session_id']}/paths"
    file = server.call("POST", path, 201, json={"path": str(tmp_path / "mine.tar.gz")}).json()
    fits("UploadedFile", file)
    assert (file["origin"], file["slot"], file["path"]) == ("path", "dataset", str(tmp_path / "mine.tar.gz"))
    server.call("POST", path, 409, json={"path": str(tmp_path / "mine.tar.gz")})
    server.call("POST", path, 400, json={"path": str(tmp_path)})
    server.call("POST", path, 400, json={"path": ""})
    server.call("POST", path, 400, json={"path": "x", "unknown": 1})


def test_a_relative_path_is_below_jupyters_root(server: Server) -> None:
    root = server.log.with_suffix("")
    (root / "in the root.dat").write_bytes(b"x")
    session = server.session()
    path = f"/sessions/{session['session_id']}/paths"
    file = server.call("POST", path, 201, json={"path": "in the root.dat"}).json()
    assert file["path"] == str(root / "in the root.dat")


def test_another_slot_or_class(server: Server) -> None:
    session = server.session(template_id="training")
    file_id = send(server, session, "train.py", b"print(1)")
    path = f"/sessions/{session['session_id']}/files/{file_id}"
    changed = server.call("PATCH", path, json={"slot": None, "type": "data"}).json()
    fits("UploadedFile", changed)
    assert (changed["slot"], changed["type"]) == (None, "data")
    server.call("PATCH", path, 400, json={"slot": "nowhere"})
    server.call("PATCH", path, 400, json={"type": "virus"})
    server.call("DELETE", path, 204)
    server.call("DELETE", path, 404)


BAD_SLOTS = ["", "a b", "1st", "x;rm -rf ~", "a\n", "../up", "x" * 101, "자료", "$(id)", "a-b"]


@pytest.mark.parametrize("slot", BAD_SLOTS)
def test_what_cannot_be_a_slot_is_refused_at_the_door(server: Server, tmp_path: Path, slot: str) -> None:
    session = server.session()
    file_id = send(server, session, "a.dat", b"x")
    place = f"/sessions/{session['session_id']}"
    server.call("PATCH", f"{place}/files/{file_id}", 400, json={"slot": slot})
    (tmp_path / "b.dat").write_bytes(b"x")
    server.call("POST", f"{place}/paths", 400, json={"path": str(tmp_path / "b.dat"), "slot": slot})
    if slot:
        pairs = {"filename": "c.dat", "slot": slot}.items()
        about = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs)
        headers = {"Upload-Length": "1", "Upload-Metadata": about}
        url = server.url.rstrip("/") + session["tus_url"]
        answer = requests.post(url, headers=TUS | headers, timeout=60)
        assert (answer.status_code, answer.json()["type"]) == (400, "slurmdash:invalid-input")
    seen = server.call("GET", place).json()
    assert [file["name"] for file in seen["files"]] == ["a.dat"]


def test_finalize_says_what_is_missing(server: Server) -> None:
    session = server.session()
    headers = {"Upload-Length": "10", "Upload-Metadata": "filename YS5kYXQ="}
    requests.post(server.url.rstrip("/") + session["tus_url"], headers=TUS | headers, timeout=60)
    problem = server.call("POST", f"/sessions/{session['session_id']}/finalize", 409).json()
    assert "a.dat" in problem["detail"]


def test_validate(server: Server) -> None:
    session = server.session(template_id="training")
    send(server, session, "train.py", b"print(1)")
    send(server, session, "config.yaml", b"batch_size: 2048\n")
    path = f"/sessions/{session['session_id']}/validate"
    verdict = server.call("POST", path, json={"template_id": "training"}).json()
    fits("FileValidation", verdict)
    assert not verdict["valid"]
    assert {error["pointer"] for error in verdict["errors"]} == {"/files/dataset", "/files/config"}
    assert verdict["classified_files"]["code"] == ["train.py"]
    server.call("POST", path, 404, json={"template_id": "none"})
    server.call("POST", path, 400, json={})


def test_preflight(server: Server) -> None:
    session = server.session(template_id="training")
    send(server, session, "train.py", b"print(1)")
    path = f"/sessions/{session['session_id']}/preflight"
    files = [{"name": "train.py", "size": 5}, {"name": "../x", "size": 1}, {"name": "d/a.tar.gz", "size": 10}]
    seen = server.call("POST", path, json={"files": files}).json()
    fits("Preflight", seen)
    assert not seen["ok"]
    assert [clash["name"] for clash in seen["clashes"]] == ["train.py"]
    assert [bool(file["problem"]) for file in seen["files"]] == [False, True, False]
    assert seen["empty_slots"] == ["config"]
    assert seen["space"]["enough"]
    full = server.call("POST", path, json={"files": [{"name": "a", "size": 10**18}]}).json()
    assert "are needed" in full["space"]["message"]
    assert server.call("POST", path, json={"files": [{"name": "config.yaml", "size": 1}]}).json()["ok"]
    server.call("POST", path, 400, json={"files": [{"name": "a", "size": -1}]})


def test_space_and_the_contents_of_an_archive(server: Server) -> None:
    space = server.call("GET", "/space").json()
    fits("UploadSpace", space)
    assert (space["needed"], space["enough"], space["message"]) == (0, True, None)

    session = server.session()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("a.dat", "../b.dat"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    archive = send(server, session, "two.tar.gz", packed.getvalue())
    other = send(server, session, "notes.txt", b"no archive")
    files = f"/sessions/{session['session_id']}/files"
    listing = server.call("GET", f"{files}/{archive}/contents").json()
    fits("ArchiveListing", listing)
    assert [(entry["name"], entry["trouble"]) for entry in listing["entries"]] == [
        ("a.dat", None),
        ("../b.dat", "outside"),
    ]
    assert listing["notes"] == ["“../b.dat” would be written outside the folder in which it is unpacked."]
    second = server.call("GET", f"{files}/{archive}/contents?offset=1&limit=1").json()
    assert [entry["name"] for entry in second["entries"]] == ["../b.dat"]
    assert "no tar and no zip" in server.call("GET", f"{files}/{other}/contents", 400).json()["detail"]
    server.call("GET", f"{files}/{archive}/contents?limit=0", 400)
    server.call("GET", f"{files}/not-there/contents", 404)
