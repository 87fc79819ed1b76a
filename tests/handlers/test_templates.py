"""The routes of templates, asked of a real Jupyter server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

from jupyter_slurmdash.handlers.contract import Contract, contract
from jupyter_slurmdash.handlers.templates import attachment, routes
from jupyter_slurmdash.templates.library import Library

pytest_plugins = ["pytest_jupyter.jupyter_server"]
Fetch = Callable[..., Awaitable[HTTPResponse]]
ROOT = ("slurmdash", "api", "v2", "templates")


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    (tmp_path / "shelves" / "community").mkdir(parents=True)
    return tmp_path / "shelves"


@pytest.fixture
def fetch(jp_serverapp: ServerApp, jp_fetch: Fetch, shelves: Path) -> Iterator[Fetch]:
    with ThreadPoolExecutor(2) as executor:
        app = jp_serverapp.web_app
        checks = ("check_gpu_availability", "validate_dataset_size", "notify_user", "log_submission")
        library = Library(shelves, "me", True, checks, max_age=0)
        app.settings.update(slurmdash=SimpleNamespace(library=library), slurmdash_executor=executor)
        base = app.settings["base_url"] + "slurmdash"
        app.add_handlers(".*$", [(base + Contract.pattern(handler.path), handler) for handler in routes])
        yield jp_fetch


def body(response: HTTPResponse) -> Any:
    return json.loads(response.body)


def check(operation: str, path: str, response: HTTPResponse) -> Any:
    """The answer, which must fit what the contract says of it."""
    answer = body(response)
    item = contract().document["paths"][path][operation]
    schema = item["responses"]["200"]["content"]["application/json"]["schema"]
    assert contract().schema(schema).errors(answer) == []
    return answer


async def test_list_pages_and_filters(fetch: Fetch, shelves: Path) -> None:
    (shelves / "community/bad.yaml").write_text("template:\n  id: bad\n  name: [\n")
    response = await fetch(*ROOT)
    answer = check("get", "/api/v2/templates", response)
    assert answer["total"] == 12
    assert answer["next_cursor"] is None
    bad = next(template for template in answer["templates"] if template["id"] == "bad")
    assert bad["problem"]["line"] == 4
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "5", **({"cursor": cursor} if cursor else {})}
        answer = check("get", "/api/v2/templates", await fetch(*ROOT, params=params))
        seen += [template["id"] for template in answer["templates"]]
        assert answer["total"] == 12
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(set(seen))
    assert len(seen) == 12
    answer = body(await fetch(*ROOT, params={"category": "cfd", "tag": "mpi", "source": "official"}))
    assert [template["id"] for template in answer["templates"]] == [
        "fluent-simulation-v1",
        "openfoam-simulation-v1",
    ]
    answer = body(await fetch(*ROOT, params={"cursor": "zzz"}))
    assert (answer["templates"], answer["total"]) == ([], 12)


async def test_etag(fetch: Fetch, shelves: Path) -> None:
    for path in (ROOT, (*ROOT, "categories"), (*ROOT, "python-script-v1")):
        first = await fetch(*path)
        with pytest.raises(HTTPClientError) as caught:
            await fetch(*path, headers={"If-None-Match": first.headers["ETag"]})
        assert caught.value.code == 304
    (shelves / "community/new.yaml").write_text("template: {id: new, name: new}\n")
    assert (await fetch(*ROOT, headers={"If-None-Match": first.headers["ETag"]})).code == 200


async def test_search(fetch: Fetch) -> None:
    response = await fetch(*ROOT, "search", params={"q": "파이썬"})
    answer = check("get", "/api/v2/templates/search", response)
    assert [template["id"] for template in answer["templates"]] == ["python-script-v1"]
    with pytest.raises(HTTPClientError) as caught:
        await fetch(*ROOT, "search")
    assert caught.value.code == 400
    assert caught.value.response is not None
    assert body(caught.value.response)["errors"][0]["pointer"] == "/query/q"


async def test_categories_and_tags(fetch: Fetch) -> None:
    answer = check("get", "/api/v2/templates/categories", await fetch(*ROOT, "categories"))
    assert {"name": "ml", "count": 4} in answer["items"]
    answer = check("get", "/api/v2/templates/tags", await fetch(*ROOT, "tags"))
    assert {"name": "openfoam", "count": 1} in answer["items"]


async def test_scan(fetch: Fetch, shelves: Path) -> None:
    (shelves / "community/bad.yaml").write_text("[")
    response = await fetch(*ROOT, "scan", method="POST", body="")
    assert check("post", "/api/v2/templates/scan", response) == {"count": 12, "broken": 1}


async def test_one_template(fetch: Fetch) -> None:
    answer = check("get", "/api/v2/templates/{id}", await fetch(*ROOT, "pytorch-training-v1"))
    assert answer["files"]["slots"][0]["max_size"] == 10 * 1024**2
    assert answer["slurm"]["time"] == "04:00:00"


@pytest.mark.parametrize("path", [("nothing",), ("export", "nothing"), ("%2e%2e%2fetc",), (quote("없음"),)])
async def test_not_found(fetch: Fetch, path: tuple[str, ...]) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await fetch(*ROOT, *path)
    assert caught.value.code == 404
    assert caught.value.response is not None
    assert body(caught.value.response)["type"] == "slurmdash:template-not-found"


async def test_export_is_the_file(fetch: Fetch, shelves: Path) -> None:
    text = "# 설명\ntemplate: {id: mine, name: 'a \"b\"'}\n"
    (shelves / "community/file.yaml").write_text(text, encoding="utf-8")
    response = await fetch(*ROOT, "export", "mine")
    assert response.body == text.encode()
    assert response.headers["Content-Type"] == "application/yaml"
    assert response.headers["Content-Disposition"] == 'attachment; filename="mine.yaml"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_strangers_are_turned_away(fetch: Fetch) -> None:
    for handler in routes:
        path = handler.path.replace("{id}", "python-script-v1").lstrip("/").split("/")
        method = handler.SUPPORTED_METHODS[0]
        with pytest.raises(HTTPClientError) as caught:
            await fetch(
                "slurmdash",
                *path,
                method=method,
                body="" if method == "POST" else None,
                headers={"Authorization": "token wrong"},
            )
        assert caught.value.code == 401, handler.path


def test_attachment(awkward: str) -> None:
    header = attachment(awkward)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    plain = header.split('"')[1]
    assert (plain == awkward) == ("filename*" not in header)
