"""Random schedules against a real server that is killed, cut off and filled up, and whose disk loses what it took:
never a wrong byte, never a byte lost that was acknowledged (and synced, where a sync has failed), never a half file
under its final name. ``SLURMDASH_SCHEDULES`` sets their number.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forgetful_disk import STEP
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from upload_faults import NONE, Disk, Fault
from upload_nursery import Born, Nursery
from upload_world import API, CHUNK, Sent, World, named

SCHEDULES = int(os.environ.get("SLURMDASH_SCHEDULES", "25"))
DISK = 24  # MiB

sizes = st.integers(1, 700_000) | st.integers(1, 2000) | st.sampled_from([CHUNK, 4 * CHUNK, 256 * 1024 + 1])
picks = st.integers(0, 1000)
per_cent = st.integers(0, 100)
waits = st.integers(0, 20).map(lambda number: number / 1000)
losses = st.builds(
    Fault, st.just("sync"), after=st.integers(0, 2), number=st.sampled_from([errno.ENOSPC, errno.EIO])
)
faults = (
    st.just(NONE)
    | st.builds(Fault, st.sampled_from(["drop", "reset", "kill"]), per_cent)
    | st.builds(Fault, st.just("kill late"), wait=waits)
    | st.builds(Fault, st.just("fill"), per_cent, room=st.integers(0, 300_000))
    | losses
)
cuts = st.builds(Fault, st.sampled_from(["drop", "reset"]), per_cent)


class Schedule(RuleBasedStateMachine):
    """What clients and the world may do, in any order."""

    def __init__(self, world: World, told: Counter[str]) -> None:
        super().__init__()
        self.world, self.told = world, told
        # Hypothesis asks that the same draws lead to the same rules, so these do not depend on what the server did.
        self.doors: set[str] = set()

    @initialize()
    def open(self) -> None:
        self.told["schedules"] += 1
        self.world.disk.free()
        self.world.open_session()

    def pick(self, number: int, *doors: str) -> Sent | None:
        """One of the files of these doors."""
        found = [sent for sent in self.world.files if sent.door in doors]
        return found[number % len(found)] if found else None

    def new(self, door: str, size: int) -> Sent:
        self.doors.add(door)
        return self.world.new(door, size)

    # -- tus ------------------------------------------------------------------------------------------------

    @rule(size=sizes, first=per_cent, deferred=st.booleans(), fault=faults)
    def begin(self, size: int, first: int, deferred: bool, fault: Fault) -> None:
        self.world.begin(self.new("tus", size), size * first // 200, deferred, fault)

    @precondition(lambda self: "tus" in self.doors)
    @rule(number=picks, part=per_cent, checksum=st.none() | st.booleans(), fault=faults)
    def append(self, number: int, part: int, checksum: bool | None, fault: Fault) -> None:
        sent = self.pick(number, "tus")
        if not self.begun(sent):
            return
        start = self.world.head(sent)
        length = (len(sent.data) - start) * part // 100
        # A request of before that got no answer may come first, also when this one ends the server.
        late = [409] if start in sent.late else []
        answer = self.world.append(sent, start, length, checksum, fault)
        wrong = checksum is False and not (start == len(sent.data) and not sent.deferred)
        told = self.world.allowed(answer, 460 if wrong else 204, *late)
        if told and told.status == 460:
            assert self.unmoved(sent, start), "bytes with a wrong checksum were kept"

    @rule(rest=sizes, before=st.lists(st.integers(1, 2 * STEP), max_size=3), fault=losses)
    def append_to_a_disk_that_loses_it(self, rest: int, before: list[int], fault: Fault) -> None:
        """Requests that are too small for a sync, or not, and one that brings the rest and has the sync at the end."""
        sent = self.new("tus", sum(before) + rest)
        self.world.begin(sent)
        for length, trouble in [*((length, NONE) for length in before), (rest, fault)]:
            if self.begun(sent):
                start = self.world.head(sent)
                self.world.allowed(self.world.append(sent, start, length, fault=trouble), 204)

    @precondition(lambda self: "tus" in self.doors)
    @rule(number=picks, wrong=st.integers(0, 700_000), length=st.integers(0, 100_000))
    def append_at_a_wrong_offset(self, number: int, wrong: int, length: int) -> None:
        sent = self.pick(number, "tus")
        if self.begun(sent) and self.world.head(sent) != wrong:
            before = sent.acked
            sent.acked = 0  # the answer tells no offset
            answer = self.world.append(sent, wrong, min(length, max(0, len(sent.data) - wrong)))
            sent.acked = before
            self.world.allowed(answer, 409, 413)
            assert self.unmoved(sent, before), "a wrong offset was written to"

    @precondition(lambda self: "tus" in self.doors)
    @rule(number=picks, parts=st.lists(per_cent, min_size=2, max_size=3), fault=cuts | st.just(NONE))
    def append_from_two_tabs(self, number: int, parts: list[int], fault: Fault) -> None:
        sent = self.pick(number, "tus")
        if not self.begun(sent):
            return
        start = self.world.head(sent)
        lengths = [(len(sent.data) - start) * part // 100 for part in parts]
        with ThreadPoolExecutor(len(parts)) as pool:
            tabs = [pool.submit(self.world.append, sent, start, length) for length in lengths[1:]]
            tabs.append(pool.submit(self.world.append, sent, start, lengths[0], None, fault))
        for tab in tabs:
            self.world.allowed(tab.result(), 204, 409)
        self.world.head(sent)

    @precondition(lambda self: "tus" in self.doors)
    @rule(number=picks)
    def begin_again(self, number: int) -> None:
        """A second tab that knows nothing of the first, or a client whose answer got lost."""
        sent = self.pick(number, "tus")
        if not self.begun(sent) or sent.deferred:
            return
        before = self.world.head(sent)
        headers = {"Upload-Length": str(len(sent.data)), **named(sent.name)}
        answer = self.world.allowed(self.world.ask("POST", self.world.tus, headers), 201, 409)
        if answer and answer.status == 201:
            assert before == 0, "an upload was replaced that had bytes"
            sent.url = answer.headers["Location"]
        self.world.head(sent)

    @rule(size=sizes, cut=st.lists(st.integers(1, 700_000), min_size=1, max_size=3), fault=faults)
    def join(self, size: int, cut: list[int], fault: Fault) -> None:
        self.world.join(self.new("join", size), [one % size for one in cut], fault)

    def unmoved(self, sent: Sent, offset: int) -> bool:
        """Nothing was added at ``offset``, but by a request that got no answer. (What may be taken back, ``head``
        knows.)
        """
        return self.world.head(sent) <= offset or offset in sent.late

    def begun(self, sent: Sent | None) -> bool:
        if sent is not None and not sent.sure:
            self.world.find(sent)
        if sent is not None and not sent.url:
            self.world.begin(sent)
        return sent is not None and bool(sent.url)

    # -- the other doors ------------------------------------------------------------------------------------

    @rule(size=sizes, order=st.lists(picks, min_size=1, max_size=6), broken=st.lists(faults, max_size=2))
    def begin_chunks(self, size: int, order: list[int], broken: list[Fault]) -> None:
        sent = self.new("chunks", size)
        self.world.send_chunks(sent, [one % sent.total for one in order], one_for_all(broken))

    @precondition(lambda self: "chunks" in self.doors)
    @rule(number=picks, order=st.lists(picks, min_size=1, max_size=6), broken=st.lists(faults, max_size=2))
    def more_chunks(self, number: int, order: list[int], broken: list[Fault]) -> None:
        """In any order, at the same time, and some of them twice."""
        sent = self.pick(number, "chunks")
        if sent is not None:
            self.world.send_chunks(sent, [one % sent.total for one in order], one_for_all(broken))

    @rule(size=sizes, last=picks, fault=losses)
    def chunks_to_a_disk_that_loses_them(self, size: int, last: int, fault: Fault) -> None:
        """The last one has two syncs: its own, and that of the whole."""
        sent = self.new("chunks", size)
        order = [(last + 1 + index) % sent.total for index in range(sent.total)]
        if sent.total > 1:
            self.world.send_chunks(sent, order[:-1])
        self.world.send_chunks(sent, order[-1:], [fault])

    @precondition(lambda self: "chunks" in self.doors)
    @rule(number=picks)
    def a_chunk_with_other_bytes(self, number: int) -> None:
        sent = self.pick(number, "chunks")
        if sent is not None and sent.chunks:
            self.world.send_other_chunk(sent, sorted(sent.chunks)[number % len(sent.chunks)])

    @rule(each=st.lists(sizes, min_size=1, max_size=4), fault=faults)
    def form(self, each: list[int], fault: Fault) -> None:
        self.world.send_form([self.new("form", size) for size in each], fault)

    @precondition(lambda self: "form" in self.doors)
    @rule(number=picks, fault=faults)
    def the_same_form_again(self, number: int, fault: Fault) -> None:
        sent = self.pick(number, "form")
        if sent is not None:
            self.world.send_form([sent], fault)

    @rule(size=sizes)
    def path(self, size: int) -> None:
        self.world.add_path(self.new("path", size))

    # -- the world ------------------------------------------------------------------------------------------

    @precondition(lambda self: self.doors - {"path"})
    @rule(number=picks, fault=faults)
    def remove(self, number: int, fault: Fault) -> None:
        sent = self.pick(number, "tus", "chunks", "form", "join")
        if sent is None or not sent.url:
            return
        if self.world.allowed(self.world.ask("DELETE", sent.url, fault=fault), 204) is None:
            # It may be done, or be about to be: ask again.
            self.world.allowed(self.world.ask("DELETE", sent.url), 204, 404)
        self.world.files.remove(sent)
        assert self.world.ask("HEAD", sent.url).status == 404
        del self.world.names[sent.name]
        self.world.look_at_disk()

    @rule(room=st.integers(0, 500_000))
    def fill_the_disk(self, room: int) -> None:
        self.world.disk.fill(room)

    @rule()
    def free_the_disk(self) -> None:
        self.world.disk.free()

    @rule(hard=st.booleans())
    def restart(self, hard: bool) -> None:
        self.world.server.kill() if hard else self.world.server.stop()
        self.told["restarts"] += 1
        self.world.died()
        self.world.server.start()

    @rule(chance=st.integers(0, 3))
    def expire(self, chance: int) -> None:
        if chance:
            return  # not as often as the others, or schedules are short
        self.told["expiries"] += 1
        address = f"{API}/sessions/{self.world.session}"
        deadline = time.monotonic() + 30
        while True:
            self.world.server.put_forward(100_000)
            if self.world.unanswered:
                assert self.world.allowed(self.world.ask("GET", address), 410, 200) is not None
            else:
                self.world.must("GET", address, 410)
            self.world.server.expire()
            if not self.world.directory.exists():
                break
            # A request that got no answer comes to its end only now, which gives the session a longer life.
            assert self.world.unanswered
            assert time.monotonic() < deadline
        self.world.must("GET", address, 404)
        self.doors.clear()
        self.world.open_session()

    @invariant()
    def all_is_true(self) -> None:
        self.told["steps"] += 1
        if self.world.sessions:
            self.world.look()

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:  # nothing was wrong yet
            self.world.finish()


def one_for_all(broken: list[Fault]) -> list[Fault]:
    """At the same time a server is killed by one, or one sync of it fails."""
    whole = [fault for fault in broken if fault.kind.startswith("kill") or fault.kind == "sync"]
    return whole[:1] + [fault for fault in broken if fault not in whole]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "server" / "uploads"
    path.mkdir(parents=True)
    mounted = os.geteuid() == 0 and mount(path)
    yield Disk(path, mounted)
    if mounted:
        subprocess.run(["umount", "-l", path], check=True)


def mount(path: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m,mode=700", "uploads", path]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def world(tmp_path: Path, disk: Disk) -> Iterator[World]:
    nursery = Nursery()
    # The threads of quick lines take over within a body.
    options = ["--chunk-size", str(CHUNK), "--forgetful", "--window", str(64 * 1024)]
    server = Born(nursery, tmp_path / "server", *options)
    yield World(server, disk)
    server.kill()
    nursery.close()


def test_schedules(world: World) -> None:
    told: Counter[str] = Counter()
    began = time.perf_counter()
    run_state_machine_as_test(
        lambda: Schedule(world, told),
        settings=settings(
            max_examples=SCHEDULES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # what the clock decides cannot be made smaller
        ),
    )
    lost = sum(number > 0 for _, number in world.syncs.since(0))
    print(
        f"\nuploads: {told['schedules']} schedules, {told['steps']} steps, {world.requests} requests, {world.kills}"
        f" killed servers and {told['restarts']} restarts, {world.full} answers of a full disk, {lost} failed syncs,"
        f" {told['expiries']} expiries, {world.acknowledged / 1e6:.0f} MB acknowledged by tus: nothing wrong, nothing"
        f" lost, nothing half ({time.perf_counter() - began:.0f} s)"
    )
    assert "Traceback" not in world.server.log.read_text()
    assert told["schedules"] >= SCHEDULES
