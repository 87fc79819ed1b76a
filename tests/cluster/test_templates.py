"""Templates on the real cluster: drafts of its images run as they are, and two users share one place."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from template_place import TEXT
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_slurmdash.templates.init import init_shelves

from .conftest import Person, leave, make_person

YAML = {"Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def images(user: Person) -> dict[str, Any]:
    """The catalogue's images by name, after the server's own first scan."""
    deadline = time.monotonic() + 30
    while (found := user.get("/api/apptainer/images"))["scanned_at"] is None or found["scanning"]:
        assert time.monotonic() < deadline, "the first scan did not end"
        time.sleep(0.2)
    return {image["name"]: image for image in found["images"]}


def submitted(user: Person, template_id: str) -> str:
    answer = user.call("POST", "/api/jobs/submit", {"template_id": template_id})
    assert answer.status == 201, answer.body
    return str(answer.json()["job_id"])


def test_drafts_run_as_they_are(user: Person, images: dict[str, Any]) -> None:
    """Saved, submitted, completed: images with one app, with several, with GPUs, and with a run script alone."""
    jobs = {}
    for name in ("KooSimulationPython313.sif", "pytorch_cuda.sif", "python-tools.sif", "openfoam-v2406.sif"):
        draft = user.get(f"/api/apptainer/images/{images[name]['id']}/draft")
        saved = user.call("POST", "/api/v2/templates", {"text": draft["text"]})
        assert saved.status == 201, saved.body
        assert saved.json()["id"] == draft["template"]["id"]
        jobs[name] = submitted(user, saved.json()["id"])
    for name, job_id in jobs.items():
        job = user.wait_for_job(job_id)
        text = user.get(f"/api/jobs/{job_id}/log")["text"]
        assert (job["state"], job["exit_code"]) == ("COMPLETED", 0), (name, text)
    print(f"{len(jobs)} drafts submitted as they are, all COMPLETED: {jobs}")


def test_every_usable_image_has_a_draft_that_slurm_takes(user: Person, images: dict[str, Any]) -> None:
    """``sbatch --test-only`` on the script of each; through the estimate of the preview where there is one."""
    taken = []
    for name, image in images.items():
        if image["problem"]:
            continue
        draft = user.get(f"/api/apptainer/images/{image['id']}/draft")
        made = user.call("POST", "/api/v2/templates", draft["text"].encode(), YAML).json()
        preview = user.call("POST", f"/api/v2/templates/{made['id']}/generate", {}).json()
        assert preview["script"], (name, preview)
        script = user.place / "draft.sh"
        script.write_text(preview["script"])
        user.own(script)
        done = user.run("sbatch", "--test-only", str(script), check=False)
        assert done.returncode == 0, (name, done.stderr, preview["script"])
        taken.append(name)
    assert len(taken) >= 8
    print(f"sbatch --test-only took the drafts of {len(taken)} images: {', '.join(taken)}")


def test_draft_in_the_terminal(user: Person, images: dict[str, Any]) -> None:
    text = user.slurmdash("template", "draft", "KooSimulationPython313.sif", "--app", "mesh").stdout
    assert "apptainer run --app mesh" in text
    saved = user.slurmdash(
        "template", "draft", "KooSimulationPython313.sif", "--app", "mesh", "--save"
    ).stdout
    template_id = saved.split("\t")[0]
    out = user.slurmdash("submit", template_id, "-p", "arguments=part.stl 'two words'", "--wait").stdout
    assert "meshing part.stl two words" in out, out


# -- two users, one root, two servers ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_root(cluster: dict[str, Any]) -> Iterator[Path]:
    """Shelves as an administrator makes them: by ``init``, as root, once for each user."""
    root = Path(tempfile.mkdtemp(prefix="slurmdash-shelves-"))
    root.chmod(0o755)
    place = root / "templates"
    for name in ("hpcuser1", "hpcuser2"):
        init_shelves(place, user=name)
        for shelf in ("private", "archived"):
            shutil.chown(place / shelf / name, name)
    official = place / "official/ml/site.yaml"
    official.write_text("template: {id: site-v1, name: site}\n")
    yield place
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def people(shared_root: Path) -> Iterator[tuple[Person, Person]]:
    both = []
    for name in ("hpcuser1", "hpcuser2"):
        person = make_person(name)
        person.configure(template_root=str(shared_root), scheduler="local")
        both.append(person)
    for person in both:
        person.start_server()
    yield both[0], both[1]
    for person in both:
        leave(person)


def test_what_is_private_stays_so(people: tuple[Person, Person], shared_root: Path) -> None:
    one, two = people
    made = one.call("POST", "/api/v2/templates", TEXT.encode(), YAML)
    assert made.status == 201, made.body
    path = shared_root / "private/hpcuser1/mine.yaml"
    assert (path.stat().st_mode & 0o777, path.owner()) == (0o600, "hpcuser1")
    assert two.call("GET", "/api/v2/templates/mine").status == 404
    assert two.call("GET", "/api/v2/templates/export/mine").status == 404
    assert two.call("GET", "/api/v2/templates/mine/versions").status == 404
    for method, change in (("PUT", TEXT.encode()), ("DELETE", None)):
        answer = two.call(method, "/api/v2/templates/mine", change, {**YAML, "If-Match": "*"})
        assert answer.status == 404
    # Not by the file system either.
    for argv in (["cat", str(path)], ["ls", str(path.parent)], ["cp", "/etc/hostname", str(path)]):
        assert "Permission denied" in two.run(*argv, check=False).stderr
    # The same id is free for the other one.
    assert two.call("POST", "/api/v2/templates", TEXT.encode(), YAML).status == 201
    for person in people:
        assert person.call("DELETE", "/api/v2/templates/mine", None, {"If-Match": "*"}).status == 200


async def told(people: tuple[Person, Person], work: Callable[[], object], last: str) -> list[list[Any]]:
    """Run ``work``; of which templates each of the two is told until both have heard of ``last``."""

    async def heard(person: Person, ready: asyncio.Event) -> list[Any]:
        headers = {"Authorization": f"token {person.token}"}
        address = person.url.replace("http", "ws") + "/slurmdash/api/ws"
        connection = await websocket_connect(HTTPRequest(address, headers=headers))
        try:
            connection.on_pong = lambda _: ready.set()  # type: ignore[method-assign]
            await connection.write_message(
                json.dumps({"subscribe": ["templates", "jobs", "uploads", "images"]})
            )
            connection.ping()
            events: list[Any] = []
            while not any(last in event.get("ids", ()) for event in events):
                events += json.loads(str(await connection.read_message()))
            return events
        finally:
            connection.close()
            while await connection.read_message() is not None:
                pass

    ready = [asyncio.Event() for _ in people]
    listeners = [asyncio.create_task(heard(person, each)) for person, each in zip(people, ready, strict=True)]
    for each in ready:
        await each.wait()
    await asyncio.to_thread(work)
    return await asyncio.wait_for(asyncio.gather(*listeners), 60)


def test_news_of_private_templates_reach_their_owner_alone(
    people: tuple[Person, Person], shared_root: Path
) -> None:
    one, _ = people
    secret, public = (TEXT.replace("id: mine", f"id: {id}") for id in ("secret-project", "for-all"))
    path = shared_root / "private/hpcuser1/secret-project.yaml"

    def work() -> None:
        """Everything that makes an event: over HTTP, by hand, in the terminal; at last something for everybody."""
        made = one.call("POST", "/api/v2/templates", secret.encode(), YAML)
        assert made.status == 201, made.body
        change = {**YAML, "If-Match": "*"}
        saved = one.call("PUT", "/api/v2/templates/secret-project", (secret + "# more\n").encode(), change)
        assert saved.status == 200, saved.body
        one.run("sh", "-c", f"echo '# by hand' >> {path}")
        one.slurmdash("template", "clone", "secret-project", "Secret copy")
        assert one.call("DELETE", "/api/v2/templates/secret-project", None, change).status == 200
        assert one.call("POST", "/api/v2/templates?shelf=community", public.encode(), YAML).status == 201

    owner, other = asyncio.run(told(people, work, "for-all"))
    assert sum("secret-project" in event.get("ids", ()) for event in owner) >= 3
    assert any("secret-copy" in event.get("ids", ()) for event in owner)
    assert "secret" not in json.dumps(other)
    print(f"events: the owner was told {len(owner)}, the other {len(other)}: {other}")
    assert one.call("DELETE", "/api/v2/templates/for-all", None, {"If-Match": "*"}).status == 200


def wait_for_hash(person: Person, template_id: str, digest: str) -> None:
    """Each server looks at the disk by itself, at most once in a second."""
    deadline = time.monotonic() + 10
    while person.call("GET", f"/api/v2/templates/{template_id}").json().get("hash") != digest:
        assert time.monotonic() < deadline, "the other server does not see the change"
        time.sleep(0.1)


def test_what_is_shared_has_an_owner(people: tuple[Person, Person], shared_root: Path) -> None:
    one, two = people
    text = TEXT.replace("id: mine", "id: ours").encode()
    assert one.call("POST", "/api/v2/templates", text, YAML).status == 201
    shared = one.call("POST", "/api/v2/templates/ours/share").json()
    wait_for_hash(two, "ours", shared["hash"])
    seen = two.get("/api/v2/templates/ours")
    assert (seen["owner"], seen["can_edit"], shared["can_edit"]) == ("hpcuser1", False, True)
    change = {**YAML, "If-Match": f'"{seen["hash"]}"'}
    refused = [
        two.call("PUT", "/api/v2/templates/ours", text, change),
        two.call("DELETE", "/api/v2/templates/ours", None, change),
        two.call("POST", "/api/v2/templates/ours/unshare"),
        two.call("POST", "/api/v2/templates?shelf=community", text, YAML),
    ]
    assert [answer.status for answer in refused] == [403, 403, 403, 409]
    path = shared_root / "community/ours.yaml"
    for argv in (["rm", "-f", str(path)], ["cp", "/etc/hostname", str(path)], ["mv", str(path), f"{path}.x"]):
        assert two.run(*argv, check=False).returncode != 0
    # The copier's own, without the author's account.
    copy = two.call("POST", "/api/v2/templates/ours/clone", {"new_name": "my copy"}).json()
    assert (copy["author"], copy["source"]) == ("hpcuser2", "private")
    assert not {"account", "qos"} & set(copy["slurm"])
    # The owner goes on; the reader sees it, and its public history, but not what was private.
    other = path.read_bytes().replace(b"echo one", b"echo two")
    saved = one.call("PUT", "/api/v2/templates/ours", other, {**YAML, "If-Match": f'"{shared["hash"]}"'})
    assert saved.status == 200, saved.body
    wait_for_hash(two, "ours", saved.json()["hash"])
    assert len(one.get("/api/v2/templates/ours/versions")["versions"]) == 2
    public = two.get("/api/v2/templates/ours/versions")["versions"]
    assert [version["hash"] for version in public] == [shared["hash"]]
    history = shared_root / "community/.versions/hpcuser1/ours"
    assert two.run("touch", str(history / "x"), check=False).returncode != 0
    assert two.run("rm", "-r", str(history), check=False).returncode != 0
    assert one.call("POST", "/api/v2/templates/ours/unshare").status == 200


def test_official_ones_are_the_administrators(people: tuple[Person, Person], shared_root: Path) -> None:
    path = shared_root / "official/ml/site.yaml"
    before = path.read_bytes()
    for person in people:
        for template_id in ("site-v1", "python-script-v1"):
            head = {**YAML, "If-Match": "*"}
            assert person.call("PUT", f"/api/v2/templates/{template_id}", TEXT.encode(), head).status == 403
            assert person.call("DELETE", f"/api/v2/templates/{template_id}", None, head).status == 403
        assert person.run("cp", "/etc/hostname", str(path), check=False).returncode != 0
    assert path.read_bytes() == before


def test_two_servers_and_a_terminal_create_one_id(people: tuple[Person, Person], shared_root: Path) -> None:
    """At the same time, on the community shelf: one of them has it, the others hear so."""
    one, two = people
    text = TEXT.replace("id: mine", "id: race")
    running = []
    for number, person in enumerate((one, two, one, two)):
        file = person.place / f"race{number}.yaml"
        file.write_text(text.replace("echo one", f"echo {number}"))
        person.own(file)
        verb = ["template", "save", str(file), "--shared", "--based-on", "0" * 64]
        argv = person.argv("jupyter", "slurmdash", *verb)
        running.append(
            subprocess.Popen(
                argv,
                env=person.environment(),
                cwd=person.place,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    results = [(process.communicate(timeout=120), process.returncode) for process in running]
    assert sorted(code for _, code in results) == [0, 1, 1, 1], results
    owner = (shared_root / "community/race.yaml").owner()
    winner = next(number for number, (_, code) in enumerate(results) if code == 0)
    assert owner == (one, two, one, two)[winner].name
    assert f"echo {winner}" in (shared_root / "community/race.yaml").read_text()
    assert not [name for name in os.listdir(shared_root / "community") if name.endswith(".tmp")]
    print(json.dumps([err.strip()[:80] for (_, err), code in results if code]))
