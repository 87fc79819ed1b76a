"""The routes of images, asked of a real Jupyter server; every answer must fit the contract."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sif_writer as writer
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.handlers.contract import Contract, contract
from jupyter_slurmdash.handlers.images import routes
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable

pytest_plugins = ["pytest_jupyter.jupyter_server"]
Fetch = Callable[..., Awaitable[HTTPResponse]]
ROOT = "/api/apptainer"


def check(method: str, path: str, response: HTTPResponse) -> Any:
    """The answer, which must fit the contract's schema for this status."""
    answer = json.loads(response.body)
    operation = contract().document["paths"][path][method]
    described = operation["responses"].get(str(response.code), operation["responses"]["default"])
    if "$ref" in described:
        described = contract().document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    [media] = described["content"].values()
    assert contract().schema(media["schema"]).errors(answer) == []
    return answer


@pytest.fixture
def fetch(jp_fetch: Any, jp_serverapp: ServerApp, tmp_path: Path) -> Iterator[Fetch]:
    """The server's routes of images with a catalogue of one node, which is this machine."""
    settings = jp_serverapp.web_app.settings
    database = Database(f"sqlite:///{tmp_path / 'catalog' / 'db.sqlite'}")
    database.upgrade()
    catalog = Catalog(
        ImageTable(database),
        EventBus(),
        pytest.fail,
        lambda: {"node001": ["compute"]},
        image_dirs=[str(tmp_path / "images")],
        is_local=lambda node: True,
    )
    before = {name: settings[name] for name in ("slurmdash", "slurmdash_executor") if name in settings}
    base = settings["base_url"] + "slurmdash"
    rules = [(base + Contract.pattern(handler.path), handler) for handler in routes]
    jp_serverapp.web_app.add_handlers(".*$", rules)

    async def call(
        method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **options: Any
    ) -> HTTPResponse:
        data = None if body is None else json.dumps(body)
        own = {"Content-Type": "application/json", **(headers or {})}
        steps = ("slurmdash", *path.strip("/").split("/"))
        try:
            return await jp_fetch(*steps, method=method, body=data, headers=own, **options)  # type: ignore[no-any-return]
        except HTTPClientError as error:
            return cast(HTTPResponse, error.response)

    with ThreadPoolExecutor(2) as executor:
        settings.update(slurmdash=SimpleNamespace(catalog=catalog), slurmdash_executor=executor)
        yield call
    settings.update(before)
    catalog.close()
    database.close()


async def scan(tmp_path: Path, fetch: Fetch) -> str:
    """Have five images found by a scan through the routes; the scan's id."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(4):
        labels = {"version": f"1.{number}", "description": "Tools"}
        (folder / f"tools-{number}.sif").write_bytes(
            writer.image(labels=labels, apps={"run": {"helpfile": "Runs"}}, runscript="exec run")
        )
    (folder / "note.sif").write_text("a note")
    response = await fetch("POST", f"{ROOT}/scan", {})
    assert response.code == 202
    started = check("post", "/api/apptainer/scan", response)
    while True:
        response = await fetch("GET", f"{ROOT}/scan/{started['scan_id']}")
        answer = check("get", "/api/apptainer/scan/{scan_id}", response)
        if answer["status"] != "running":
            break
    assert answer["status"] == "finished"
    return str(started["scan_id"])


async def test_list_pages_and_etag(tmp_path: Path, fetch: Fetch) -> None:
    await scan(tmp_path, fetch)
    names: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        response = await fetch("GET", f"{ROOT}/images", params=params)
        assert response.code == 200
        answer = check("get", "/api/apptainer/images", response)
        assert answer["total"] == 5
        assert answer["scanned_at"]
        assert answer["node_errors"] == []
        names += [image["name"] for image in answer["images"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert names == ["note.sif", "tools-3.sif", "tools-2.sif", "tools-1.sif", "tools-0.sif"]
    etag = response.headers["ETag"]
    again = await fetch("GET", f"{ROOT}/images", params=params, headers={"If-None-Match": etag})
    assert (again.code, again.body) == (304, b"")


async def test_filters(tmp_path: Path, fetch: Fetch) -> None:
    await scan(tmp_path, fetch)
    for params, count in [
        ({"q": "tools 1.3"}, 1),
        ({"app": "run"}, 4),
        ({"type": "viz"}, 0),
        ({"active": "false"}, 5),
    ]:
        answer = check("get", f"{ROOT}/images", await fetch("GET", f"{ROOT}/images", params=params))
        assert answer["total"] == count, params


@pytest.mark.parametrize(
    "params", [{"type": "x"}, {"limit": "0"}, {"cursor": "x"}, {"unknown": "1"}, {"active": "2"}]
)
async def test_queries_that_do_not_fit(fetch: Fetch, params: dict[str, str]) -> None:
    response = await fetch("GET", f"{ROOT}/images", params=params)
    assert response.code == 400
    assert json.loads(response.body)["type"] == "slurmdash:invalid-input"


async def test_one_image(tmp_path: Path, fetch: Fetch) -> None:
    await scan(tmp_path, fetch)
    listed = json.loads((await fetch("GET", f"{ROOT}/images", params={"q": "1.3"})).body)["images"][0]
    path = f"{ROOT}/images/{listed['id']}"
    assert check("get", "/api/apptainer/images/{id}", await fetch("GET", path)) == listed
    metadata = check("get", "/api/apptainer/images/{id}/metadata", await fetch("GET", f"{path}/metadata"))
    assert (metadata["runscript"], metadata["complete"]) == ("exec run", True)
    apps = check("get", "/api/apptainer/images/{id}/apps", await fetch("GET", f"{path}/apps"))
    assert [(app["name"], app["help"]) for app in apps["apps"]] == [("run", "Runs")]


async def test_images_of_a_node(tmp_path: Path, fetch: Fetch) -> None:
    await scan(tmp_path, fetch)
    node = json.loads((await fetch("GET", f"{ROOT}/images")).body)["images"][0]["node"]
    answer = check("get", "/api/apptainer/images/{id}", await fetch("GET", f"{ROOT}/images/{node}"))
    assert (answer["total"], answer["next_cursor"]) == (5, None)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"images/{uuid.UUID(int=1)}", "image-not-found"),
        ("images/no-such-node", "image-not-found"),
        ("images/no-such-node/metadata", "image-not-found"),
        (f"images/{uuid.UUID(int=1)}/apps", "image-not-found"),
        ("scan/none", "scan-not-found"),
    ],
)
async def test_what_is_not_there(fetch: Fetch, path: str, code: str) -> None:
    response = await fetch("GET", f"{ROOT}/{path}")
    assert response.code == 404
    assert json.loads(response.body)["type"] == f"slurmdash:{code}"


async def test_scan_of_an_unknown_node(fetch: Fetch) -> None:
    response = await fetch("POST", f"{ROOT}/scan", {"nodes": ["no-such-node"]})
    assert response.code == 400
    assert "no-such-node" in json.loads(response.body)["detail"]


async def test_families_and_whereabouts(tmp_path: Path, fetch: Fetch) -> None:
    await scan(tmp_path, fetch)
    response = await fetch("GET", f"{ROOT}/families", params={"q": "tools"})
    answer = check("get", "/api/apptainer/families", response)
    [family] = answer["families"]
    assert (answer["total"], family["family"]) == (1, "tools")
    assert [version["version"] for version in family["versions"]] == ["1.3", "1.2", "1.1", "1.0"]
    again = await fetch(
        "GET", f"{ROOT}/families", params={"q": "tools"}, headers={"If-None-Match": response.headers["ETag"]}
    )
    assert again.code == 304
    id = family["versions"][0]["id"]
    where = check("get", "/api/apptainer/images/{id}/where", await fetch("GET", f"{ROOT}/images/{id}/where"))
    assert where["partitions"] == [{"partition": "compute", "nodes_with": ["node001"], "nodes_without": []}]
    missing = await fetch("GET", f"{ROOT}/images/{uuid.UUID(int=1)}/where")
    assert (missing.code, json.loads(missing.body)["type"]) == (404, "slurmdash:image-not-found")


async def test_where_scans_are_made_elsewhere(fetch: Fetch, jp_serverapp: ServerApp) -> None:
    jp_serverapp.web_app.settings["slurmdash"].catalog._read_only = True
    listed = check("get", f"{ROOT}/images", await fetch("GET", f"{ROOT}/images"))
    assert (listed["read_only"], listed["scanning"], listed["scanned_at"]) == (True, False, None)
    refused = await fetch("POST", f"{ROOT}/scan", {})
    answer = check("post", "/api/apptainer/scan", refused)
    assert (refused.code, answer["type"]) == (403, "slurmdash:catalog-read-only")
    assert "Scans are made by your site" in answer["detail"]
