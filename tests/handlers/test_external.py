"""A job of another front end in one request."""

from __future__ import annotations

from live import Live

URL = "/api/v2/upload/external"


def test_refused_before_anything_is_fetched_or_kept(live: Live) -> None:
    for file, status in (
        ({"name": "a.dat", "url": "https://127.0.0.1/"}, 403),
        ({"name": "a.dat", "url": "http://example.org/"}, 400),
        ({"name": "../a", "content": "x"}, 400),
        ({"name": "a.dat"}, 400),
        ({"name": "a.dat", "content": "x", "url": "https://x/"}, 400),
    ):
        answer = live.call("POST", URL, {"template_id": "pytorch", "files": [file]})
        assert answer.status == status, answer.body
    assert live.dash.uploads.settings.root.exists() is False or not list(
        live.dash.uploads.settings.root.iterdir()
    )
    answer = live.call("POST", URL, {"template_id": "nothing", "files": []})
    assert answer.status == 404
    assert live.call("POST", URL, {}, token=False).status in (401, 403)


def test_a_template_that_misses_files_leaves_no_session(live: Live) -> None:
    template = next(each for each in live.get("/api/v2/templates")["templates"])
    answer = live.call(
        "POST", URL, {"template_id": template["id"], "files": [{"name": "한글.txt", "content": "x"}]}
    )
    assert answer.status in (201, 422), answer.body
    if answer.status == 422:
        assert not list(live.dash.uploads.settings.root.iterdir())
