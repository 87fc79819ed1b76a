"""Jobs over HTTP: the whole way of a job, and every way not to get one."""

from __future__ import annotations

import base64
import io
import socket
import struct
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from answers import body_of, problem_of
from live import Answer, Live
from shells import add_template, write

from jupyter_slurmdash.errors import SchedulerUnavailable
from jupyter_slurmdash.handlers.jobs import FileHandler
from jupyter_slurmdash.slurm.base import FINAL_STATES, Submission

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
SLOTS = {"input_schema": {"required": [{"name": "data", "pattern": "*"}]}}


@pytest.fixture(scope="module")
def place(live: Live) -> Path:
    """JupyterLab's root directory, with the product's places in it."""
    return Path(live.app.root_dir)


@pytest.fixture(scope="module")
def template(live: Live, place: Path) -> str:
    """A template with one slot, whose main part is the parameter ``run``."""
    add_template(
        place,
        "run-v1",
        files=SLOTS,
        parameters={"type": "object", "properties": {"run": {"type": "string", "default": 'cat "$DATA"'}}},
        script={"main_exec": 'eval "$RUN"'},
    )
    assert live.call("POST", "/api/v2/templates/scan").status == 200
    return "run-v1"


def submit(live: Live, script: str, **values: Any) -> str:
    answer = live.call("POST", "/api/jobs/submit", {"script": script, **values})
    return str(body_of(answer, "/api/jobs/submit", "post", 201)["job_id"])


def ended(live: Live, job_id: str) -> dict[str, Any]:
    """The job when it has ended."""
    deadline = time.monotonic() + 30
    while True:
        job: dict[str, Any] = body_of(live.call("GET", f"/api/jobs/{job_id}"), "/api/jobs/{id}")
        if job["state"] in FINAL_STATES:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)  # between two looks


@pytest.fixture(scope="module")
def done(live: Live) -> str:
    """A finished job with some files."""
    script = "seq 3\necho trouble >&2\nmkdir d\necho 'x' > \"d/결과 '1'.txt\"\n: > empty"
    script += "\nln -s /etc/passwd out\nln -s loop loop"
    job_id = submit(live, script, job_name="done")
    assert ended(live, job_id)["state"] == "COMPLETED"
    return job_id


# -- the main path ---------------------------------------------------------------------------------------------


def test_from_an_upload_to_its_results(live: Live, template: str) -> None:
    session = live.call("POST", "/api/v2/upload/sessions", {"template_id": template})
    opened = body_of(session, "/api/v2/upload/sessions", "post", 201)
    names = {"filename": "입력 data.txt", "slot": "data"}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in names.items())
    created = live.call(
        "POST",
        opened["tus_url"],
        None,
        {"Tus-Resumable": "1.0.0", "Upload-Length": "12", "Upload-Metadata": metadata},
        root="",
    )
    assert created.status == 201, created.body
    for offset, piece in ((0, b"hello "), (6, b"world\n")):
        sent = live.call(
            "PATCH", created.headers["Location"], piece, {**TUS, "Upload-Offset": str(offset)}, root=""
        )
        assert (sent.status, sent.headers["Upload-Offset"]) == (204, str(offset + 6))
    finalized = live.call("POST", f"/api/v2/upload/sessions/{opened['session_id']}/finalize")
    assert finalized.json()["progress"] == 100.0

    values = {"template_id": template, "session_id": opened["session_id"], "job_name": "main path"}
    preview = body_of(live.call("POST", "/api/jobs/preview", values), "/api/jobs/preview", "post")
    assert preview["ready"], preview["checks"]

    key = {"Idempotency-Key": "the-main-path-1"}
    first = live.call("POST", "/api/jobs/submit", values, key)
    job = body_of(first, "/api/jobs/submit", "post", 201)
    again = body_of(live.call("POST", "/api/jobs/submit", values, key), "/api/jobs/submit", "post", 200)
    assert (again["job_id"], again["run_id"]) == (job["job_id"], job["run_id"])

    final = ended(live, job["job_id"])
    assert (final["state"], final["exit_code"], final["name"]) == ("COMPLETED", 0, "main path")
    assert ended(live, job["run_id"]) == ended(live, job["job_id"])

    text, offset = "", 0
    while True:
        answer = live.call("GET", f"/api/jobs/{job['job_id']}/log?offset={offset}&limit=5")
        piece = body_of(answer, "/api/jobs/{id}/log")
        assert piece["offset"] == offset
        text, offset = text + piece["text"], piece["next_offset"]
        if piece["complete"]:
            break
    assert text == "hello world\n"

    script = live.call("GET", f"/api/jobs/{job['job_id']}/script")
    assert script.headers["Content-Type"].startswith("text/plain")
    assert script.body.decode() == preview["script"]

    listed = body_of(live.call("GET", f"/api/jobs/{job['job_id']}/files"), "/api/jobs/{id}/files")
    assert listed["workdir"] == final["workdir"]
    assert listed["total"] == len(listed["files"])


def test_paths_are_below_jupyterlabs_root(live: Live, template: str, place: Path) -> None:
    write(place / "my work" / "d.txt", "relative\n")
    values = {"template_id": template, "files": {"data": "my work/d.txt"}}
    for path in ("/api/jobs/preview", "/api/jobs/estimate"):
        assert live.call("POST", path, values).status == 200
    job = live.call("POST", "/api/jobs/submit", values).json()
    ended(live, job["job_id"])
    assert live.get(f"/api/jobs/{job['job_id']}/log")["text"] == "relative\n"


def test_estimate(live: Live) -> None:
    answer = live.call("POST", "/api/jobs/estimate", {"script": "true"})
    estimate = body_of(answer, "/api/jobs/estimate", "post")
    assert estimate["accepted"]
    assert "would run here" in estimate["message"]
    problem_of(live.call("POST", "/api/jobs/estimate", {"template_id": "none-v1"}), 404, "template-not-found")


def test_cancel(live: Live) -> None:
    job_id = submit(live, "exec sleep 60")
    body_of(live.call("DELETE", f"/api/jobs/{job_id}"), "/api/jobs/{id}", "delete", 202)
    assert ended(live, job_id)["state"] == "CANCELLED"
    again = body_of(live.call("DELETE", f"/api/jobs/{job_id}"), "/api/jobs/{id}", "delete", 202)
    assert again["state"] == "CANCELLED"


# -- lists -----------------------------------------------------------------------------------------------------


def test_pages_and_filters(live: Live, done: str) -> None:
    for _ in range(2):
        ended(live, submit(live, "false", job_name="paged"))
    page = body_of(live.call("GET", "/api/jobs?q=paged&limit=1"), "/api/jobs")
    assert (page["total"], len(page["jobs"])) == (2, 1)
    rest = live.get(f"/api/jobs?q=paged&limit=1&cursor={quote(page['next_cursor'])}")
    assert rest["jobs"][0]["job_id"] != page["jobs"][0]["job_id"]
    assert [job["job_id"] for job in live.get("/api/jobs?q=done&state=COMPLETED")["jobs"]] == [done]
    assert live.get("/api/jobs?state=active")["total"] == 0
    assert live.get("/api/jobs?since=2100-01-01T00:00:00Z")["total"] == 0
    assert live.get(f"/api/jobs?since={quote('2020-01-01T00:00:00+09:00')}")["total"] >= 3


def test_an_unchanged_list_is_not_sent_again(live: Live, done: str) -> None:
    for _ in range(20):  # the queue may be looked at in between, which the list tells
        first = live.call("GET", "/api/jobs")
        again = live.call("GET", "/api/jobs", headers={"If-None-Match": first.headers["ETag"]})
        if again.status == 304:
            break
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert live.call("GET", "/api/jobs", headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("nonsense=1", "/query/nonsense"),
        ("limit=many", "/query/limit"),
        ("limit=0", "/query/limit"),
        ("limit=5001", "/query/limit"),
        ("limit=99999999999999999999999", "/query/limit"),
        ("q=" + "x" * 201, "/query/q"),
        ("since=yesterday", None),
        ("since=0001-01-01T00:00:00", None),
        ("since=9999-12-31T23:59:59-23:59", None),
        ("cursor=x", None),
        ("q=%FF", None),
    ],
)
def test_a_bad_query_is_named(live: Live, query: str, pointer: str | None) -> None:
    answer = live.call("GET", f"/api/jobs?{query}")
    if query.startswith(("since=0", "since=9")):
        assert answer.status in (200, 400)
        return
    problem = problem_of(answer, 400, "http-400" if query == "q=%FF" else "invalid-input")
    assert [error["pointer"] for error in problem["errors"]] == ([pointer] if pointer else [])
    assert "%s" not in problem["detail"]


def test_several_bad_parameters_are_all_named(live: Live) -> None:
    problem = problem_of(live.call("GET", "/api/jobs?a=1&limit=x"), 400, "invalid-input")
    assert {error["pointer"] for error in problem["errors"]} == {"/query/a", "/query/limit"}
    problem = problem_of(live.call("GET", "/api/jobs/1/log?stream=both&offset=x"), 400, "invalid-input")
    assert {error["pointer"] for error in problem["errors"]} == {"/query/stream", "/query/offset"}


# -- what is not there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "/script", "/log", "/files", "/files/out.txt"])
@pytest.mark.parametrize("job_id", ["4711", "no-such-job", "00000000-0000-4000-8000-000000000000", "%00"])
def test_a_job_that_is_not_there(live: Live, job_id: str, below: str) -> None:
    problem_of(live.call("GET", f"/api/jobs/{job_id}{below}"), 404, "job-not-found")


def test_what_a_submission_names_must_be_there(live: Live, template: str) -> None:
    for values, status, code in (
        ({"template_id": "none-v1"}, 404, "template-not-found"),
        ({"script": "true", "image_id": "none"}, 404, "image-not-found"),
        ({"script": "true", "session_id": "none"}, 404, "session-not-found"),
        ({"template_id": template, "files": {"data": "no such file"}}, None, None),
        ({"template_id": template, "files": {"data": "a\0b"}}, None, None),
        ({"template_id": template, "files": {"other": "x"}}, 400, "invalid-input"),
        ({"template_id": template, "files": {"$(id)": "x"}}, 400, "invalid-input"),
        ({"template_id": template}, 422, "checks-failed"),
        ({}, 422, "checks-failed"),
    ):
        answer = live.call("POST", "/api/jobs/submit", values)
        if status is None:
            assert 400 <= answer.status < 500, answer.body
            problem_of(answer, answer.status, answer.json()["type"].removeprefix("slurmdash:"))
        else:
            problem_of(answer, status, str(code))


def test_checks_point_at_fields(live: Live, template: str) -> None:
    answer = live.call("POST", "/api/jobs/submit", {"template_id": template, "partition": "nowhere"})
    problem = problem_of(answer, 422, "checks-failed")
    assert {error["pointer"] for error in problem["errors"]} == {"/files/data", "/options/partition"}


@pytest.mark.parametrize("key", ["short", "with space here", "x" * 101, "semi;colon-"])
def test_a_key_that_the_contract_does_not_know(live: Live, key: str) -> None:
    answer = live.call("POST", "/api/jobs/submit", {"script": "true"}, {"Idempotency-Key": key})
    problem = problem_of(answer, 400, "invalid-input")
    assert problem["errors"][0]["pointer"] == "/headers/Idempotency-Key"


def test_a_silent_scheduler(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any) -> Any:
        raise SchedulerUnavailable("It does not answer.")

    monkeypatch.setattr(live.dash.scheduler, "submit", silent)
    key = {"Idempotency-Key": "lost-answer-1"}
    answer = live.call("POST", "/api/jobs/submit", {"script": "true"}, key)
    assert "lost-answer-1" in problem_of(answer, 503, "scheduler-unavailable")["detail"]
    monkeypatch.undo()
    assert live.call("POST", "/api/jobs/submit", {"script": "true"}, key).status == 201


# -- files -----------------------------------------------------------------------------------------------------


def download(live: Live, job_id: str, path: str) -> Answer:
    return live.call("GET", f"/api/jobs/{job_id}/files/{path}")


def test_a_download_is_never_a_page(live: Live, done: str) -> None:
    answer = download(live, done, quote("d/결과 '1'.txt"))
    assert (answer.status, answer.body) == (200, b"x\n")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    kind, _, name = answer.headers["Content-Disposition"].partition("filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment; ", "결과 '1'.txt")
    assert "'" not in name
    empty = download(live, done, "empty")
    assert (empty.status, empty.body) == (200, b"")
    assert empty.headers["Content-Type"] == "application/octet-stream"


def test_a_large_file_arrives_whole(live: Live) -> None:
    job_id = submit(live, "head -c 3000001 /dev/zero | tr '\\0' 'x' > large")
    ended(live, job_id)
    assert download(live, job_id, "large").body == b"x" * 3_000_001


def test_a_download_that_is_given_up_is_no_fault(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    faults: list[object] = []
    monkeypatch.setattr(FileHandler, "log_exception", lambda self, *info: faults.append(info[0]))

    class Watched(io.FileIO):
        def close(self) -> None:
            closed.append(True)
            super().close()

    class Large:
        name = "large"

        def open(self, mode: str) -> Watched:
            return Watched(tmp_path / "large", "rb")

    with (tmp_path / "large").open("wb") as file:
        file.truncate(200_000_000)
    monkeypatch.setattr(live.dash.jobs, "file", lambda id, path: Large())
    with socket.create_connection((live.host, live.port)) as connection:
        head = f"GET {live.root}/api/jobs/1/files/large HTTP/1.1\r\nHost: {live.host}:{live.port}\r\n"
        connection.sendall(f"{head}Authorization: token {live.token}\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        deadline = time.monotonic() + 20
        while not closed:
            assert time.monotonic() < deadline
            live.get("/api/jobs")
        live.get("/api/jobs")
    assert faults == []


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/data/slurmdash.sqlite",
        "..%252f..%252fdata",
        "d/..%2f..%2f..%2fdata%2fslurmdash.sqlite",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "out",
        "d",
        "d/",
        "nothing",
        "a%00b",
        "x" * 5000,
        "~root",
        "loop",
    ],
    ids=lambda path: path[:30],
)
def test_nothing_outside_the_job_is_read(live: Live, done: str, path: str) -> None:
    answer = download(live, done, path)
    assert answer.status == 404
    assert b"root:" not in answer.body
    problem_of(answer, 404, "file-not-found")


def test_a_file_that_cannot_be_opened_is_said(
    live: Live, done: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.dash.jobs, "file", lambda id, path: tmp_path / "gone since")
    problem = problem_of(download(live, done, "empty"), 404, "file-not-found")
    assert "No such file" in problem["detail"]


def test_logs_by_stream_and_from_the_end(live: Live, done: str) -> None:
    assert live.get(f"/api/jobs/{done}/log")["text"] == "1\n2\n3\n"
    assert live.get(f"/api/jobs/{done}/log?stream=err")["text"] == "trouble\n"
    tail = live.get(f"/api/jobs/{done}/log?offset=-2")
    assert (tail["offset"], tail["text"], tail["complete"]) == (4, "3\n", True)


def test_a_script_edited_by_hand(live: Live) -> None:
    asked: dict[str, Any] = {"script": "true", "options": {"time": "10:00"}}
    generated = body_of(live.call("POST", "/api/jobs/preview", asked), "/api/jobs/preview", "post")["script"]
    edited = generated.replace("--time=10:00", "--time=20:00").replace("true", "nice true")
    asked["edit"] = {"base": generated, "text": edited.replace("\n", "\r\n")}
    preview = body_of(live.call("POST", "/api/jobs/preview", asked), "/api/jobs/preview", "post")
    assert preview["read_back"] == {"time": "20:00"}
    assert preview["script"] == edited
    assert preview["origins"][edited.split("\n").index("nice true")] == "/edit"
    assert preview["origins"][edited.split("\n").index("#SBATCH --time=20:00")] == "/options/time"
    assert preview["generated"] == edited.replace("nice true", "true")


def test_a_template_of_a_job_and_of_a_script(live: Live, template: str, place: Path) -> None:
    write(place / "d.txt", "x")
    answer = live.call(
        "POST",
        "/api/jobs/submit",
        {
            "template_id": template,
            "job_name": "mine",
            "files": {"data": "d.txt"},
            "parameters": {"run": "echo 한글"},
        },
    )
    job_id = body_of(answer, "/api/jobs/submit", "post", 201)["job_id"]
    made = body_of(live.call("GET", f"/api/jobs/{job_id}/draft"), "/api/jobs/{id}/draft")
    assert made["template"]["name"] == "mine"
    assert made["template"]["parameters"]["properties"]["run"]["default"] == "echo 한글"
    problem_of(live.call("GET", "/api/jobs/4711/draft"), 404, "job-not-found")

    path = "/api/v2/templates/import/script"
    script = "#!/bin/bash\n#SBATCH --account=a --open-mode=append\ntrue\n"
    made = body_of(live.call("POST", path, {"script": script, "name": "x"}), path, "post")
    assert "open-mode: append" in made["text"]
    assert [(note["line"], note["pointer"]) for note in made["notes"][:2]] == [
        (2, "/slurm"),
        (2, "/slurm/other"),
    ]
    problem = problem_of(
        live.call("POST", path, {"script": "#!/bin/bash\n#SBATCH hetjob\n"}), 400, "invalid-input"
    )
    assert (problem["line"], problem["errors"][0]["pointer"]) == (2, "/script")
    for body in ({}, {"script": 1}, {"script": "x", "more": 1}):
        problem_of(live.call("POST", path, body), 400, "invalid-input")


def test_the_script_of_a_job_from_elsewhere(live: Live, tmp_path: Path) -> None:
    script = "#!/bin/bash\n#SBATCH --job-name=outside\ntrue\n"
    job_id = live.dash.scheduler.submit(Submission(script, str(tmp_path)))
    deadline = time.monotonic() + 30
    while live.call("GET", f"/api/jobs/{job_id}").status == 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)  # until the queue is due to be looked at
    answer = live.call("GET", f"/api/jobs/{job_id}/script")
    assert answer.body.decode() == script
    made = body_of(live.call("GET", f"/api/jobs/{job_id}/draft"), "/api/jobs/{id}/draft")
    assert made["template"]["name"] == "outside"
