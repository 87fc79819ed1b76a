"""The routes of templates, asked of a real Jupyter server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest
from jupyter_server.serverapp import ServerApp
from template_place import ME, TEXT
from tornado.httpclient import HTTPClientError, HTTPResponse

from jupyter_slurmdash.events import EventBus
from jupyter_slurmdash.handlers.contract import Contract, contract
from jupyter_slurmdash.handlers.templates import attachment, routes
from jupyter_slurmdash.jobs.checkups import Checkups
from jupyter_slurmdash.jobs.templatecheck import TemplateChecker
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.jobs import JobTable
from jupyter_slurmdash.store.templatechecks import TemplateCheckTable
from jupyter_slurmdash.templates.editor import Editor
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
        library = Library(shelves, ME, True, checks, max_age=0)
        database = Database(f"sqlite:///{shelves.parent / 'data' / 'test.sqlite'}")
        database.upgrade()
        dash = SimpleNamespace(
            library=library, editor=Editor(library, EventBus()), checkups=unchecked(library, database)
        )
        app.settings.update(slurmdash=dash, slurmdash_executor=executor)
        base = app.settings["base_url"] + "slurmdash"
        app.add_handlers(".*$", [(base + Contract.pattern(handler.path), handler) for handler in routes])
        yield jp_fetch
        dash.checkups.close()
        database.close()


def unchecked(library: Library, database: Database) -> Checkups:
    """How templates do that nobody has checked or used; see test_template_health for the rest."""
    results = TemplateCheckTable(database, ME, lambda: "local", lambda: "local")
    jobs = JobTable(database, ME, lambda: "local")
    return Checkups(library, cast("TemplateChecker", None), results, jobs, EventBus())


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
        for method in handler.SUPPORTED_METHODS:
            with pytest.raises(HTTPClientError) as caught:
                await fetch(
                    "slurmdash",
                    *path,
                    method=method,
                    body="" if method in ("POST", "PUT") else None,
                    headers={"Authorization": "token wrong"},
                )
            assert caught.value.code == 401, (method, handler.path)


def test_attachment(awkward: str) -> None:
    header = attachment(awkward)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    plain = header.split('"')[1]
    assert (plain == awkward) == ("filename*" not in header)


# -- writing --------------------------------------------------------------------------------------------------

YAML = {"Content-Type": "application/yaml"}


async def send(fetch: Fetch, method: str, *path: str, payload: Any = None, **options: Any) -> HTTPResponse:
    """One request; ``payload`` goes as JSON, unless it is bytes. Whatever the answer is, it is the answer."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload) if payload is not None else None
    data = "" if data is None and method in ("POST", "PUT") else data
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    return await fetch(*ROOT, *path, method=method, body=data, headers=headers, raise_error=False, **options)


def fits(method: str, path: str, response: HTTPResponse) -> Any:
    """The answer, which must have one of the contract's shapes for its status."""
    assert response.code < 300, response.body
    answer = body(response)
    item = contract().document["paths"]["/api/v2/templates" + path][method]
    schema = item["responses"][str(response.code)]["content"]["application/json"]["schema"]
    assert contract().schema(schema).errors(answer) == []
    return answer


async def test_create_save_and_go_back(fetch: Fetch) -> None:
    response = await send(fetch, "POST", payload={"text": TEXT})
    assert response.code == 201
    made = fits("post", "", response)
    assert response.headers["ETag"] == f'"{made["hash"]}"'
    assert response.headers["Location"].endswith("/slurmdash/api/v2/templates/mine")
    tag = (await send(fetch, "GET", "mine")).headers["ETag"]
    assert tag.startswith(f'"{made["hash"]}.')
    other = TEXT.replace("echo one", "echo two").encode()
    assert (await send(fetch, "PUT", "mine", payload=other, headers=YAML)).code == 428
    saved = await send(fetch, "PUT", "mine", payload=other, headers={**YAML, "If-Match": tag})
    second = fits("put", "/{id}", saved)
    late = await send(fetch, "PUT", "mine", payload={"text": TEXT}, headers={"If-Match": tag})
    problem = body(late)
    assert (late.code, problem["type"]) == (412, "slurmdash:precondition-failed")
    assert (problem["hash"], problem["text"]) == (second["hash"], other.decode())
    listed = fits("get", "/{id}/versions", await send(fetch, "GET", "mine", "versions"))
    version = listed["versions"][0]["version"]
    found = fits("get", "/{id}/versions/{version}", await send(fetch, "GET", "mine", "versions", version))
    assert found["text"] == TEXT
    assert "+    echo two" in found["diff"]
    place = ("mine", "versions", version, "restore")
    assert (await send(fetch, "POST", *place)).code == 428
    tag = saved.headers["ETag"]
    back = fits(
        "post",
        "/{id}/versions/{version}/restore",
        await send(fetch, "POST", *place, headers={"If-Match": tag}),
    )
    assert back["hash"] == made["hash"]


async def test_a_document_is_an_edit_and_a_check_saves_nothing(fetch: Fetch, shelves: Path) -> None:
    made = body(await send(fetch, "POST", payload=TEXT.encode(), headers=YAML))
    checked = fits("post", "/check", await send(fetch, "POST", "check", payload={"text": TEXT}))
    document = checked["document"]
    document["slurm"]["nodes"] = 3
    both = fits(
        "post", "/check", await send(fetch, "POST", "check", payload={"text": TEXT, "document": document})
    )
    assert both["text"] == TEXT.replace("nodes: 1", "nodes: 3")
    assert (shelves / f"private/{ME}/mine.yaml").read_text() == TEXT
    tag = {"If-Match": f'"{made["hash"]}"'}
    fits("put", "/{id}", await send(fetch, "PUT", "mine", payload={"document": document}, headers=tag))
    assert (shelves / f"private/{ME}/mine.yaml").read_text() == both["text"]
    bad = fits("post", "/check", await send(fetch, "POST", "check", payload={"text": "template: [\n"}))
    assert (bad["problem"]["line"], bad["document"], bad["errors"][0]["pointer"]) == (2, None, "")


async def test_a_broken_text_is_refused_with_its_place(fetch: Fetch) -> None:
    answer = await send(fetch, "POST", payload={"text": TEXT.replace("nodes: 1", "nodes: []")})
    problem = body(answer)
    assert (answer.code, problem["type"]) == (422, "slurmdash:template-broken")
    assert problem["errors"][0]["pointer"] == "/slurm/nodes"
    assert (problem["problem"]["line"], problem["problem"]["column"]) == (10, 3)
    for payload, headers, status in (
        ({"text": TEXT, "document": {}}, {}, 400),
        ({}, {}, 400),
        ({"text": TEXT, "more": 1}, {}, 400),
        (b"\xff", YAML, 400),
        (b"#" * 300_000, YAML, 413),
        (b"#" * 1_100_000, YAML, 413),
        (b"<x/>", {"Content-Type": "application/xml"}, 415),
    ):
        assert (await send(fetch, "POST", payload=payload, headers=headers)).code == status, payload


async def test_clone_share_archive_and_import(fetch: Fetch, shelves: Path) -> None:
    clone = await send(fetch, "POST", "python-script-v1", "clone", payload={"new_name": "내 것 v2"})
    copy = fits("post", "/{id}/clone", clone)
    assert (clone.code, copy["id"], copy["author"], copy["source"]) == (201, "v2", ME, "private")
    shared = fits("post", "/{id}/share", await send(fetch, "POST", "v2", "share"))
    assert (shared["source"], shared["is_public"], shared["can_edit"]) == ("community", True, True)
    assert fits("post", "/{id}/unshare", await send(fetch, "POST", "v2", "unshare"))["source"] == "private"
    assert (await send(fetch, "DELETE", "v2")).code == 428
    gone = fits("delete", "/{id}", await send(fetch, "DELETE", "v2", headers={"If-Match": "*"}))
    assert gone["source"] == "archived"
    assert fits("post", "/{id}/restore", await send(fetch, "POST", "v2", "restore"))["source"] == "private"
    for method, path in (("DELETE", ()), ("POST", ("share",)), ("POST", ("unshare",))):
        answer = await send(fetch, method, "python-script-v1", *path, headers={"If-Match": "*"})
        assert (answer.code, body(answer)["type"]) == (403, "slurmdash:forbidden")
    fits("post", "/import", await send(fetch, "POST", "import", payload=TEXT.encode(), headers=YAML))
    form = (
        b'--x\r\nContent-Disposition: form-data; name="is_public"\r\n\r\ntrue\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.yaml"\r\n\r\n'
        + TEXT.encode()
        + b"\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    public = fits("post", "/import", await send(fetch, "POST", "import", payload=form, headers=kind))
    assert (public["id"], public["source"]) == ("mine-2", "community")
    assert (await send(fetch, "POST", "import", payload=b"--x--", headers=kind)).code == 400
    assert (await send(fetch, "POST", "import", payload={"text": TEXT})).code == 415
    url = {"shelf": "community"}
    named = TEXT.replace("id: mine", "id: ours").encode()
    made = fits("post", "", await send(fetch, "POST", payload=named, headers=YAML, params=url))
    assert made["source"] == "community"
    assert (await send(fetch, "POST", payload=named, headers=YAML)).code == 409
