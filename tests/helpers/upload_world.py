"""What a client knows of its uploads: each byte that was acknowledged must be there, and be the right one."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from upload_faults import NONE, Answer, Disk, Door, Fault
from upload_nursery import Born

CHUNK = 64 * 1024
API = "/slurmdash/api/v2/upload"


@dataclass
class Sent:
    """A file that is sent, or was. ``acked`` is bytes from its beginning, ``chunks`` the indices that were
    acknowledged; ``url`` is "" while nobody has said that there is such an upload. Not ``sure``: its answer got lost,
    and the server may still be about to refuse it. Of ``acked``, the disk has ``safe`` bytes for certain: they had been
    acknowledged when a sync began that succeeded. ``late`` are the offsets of requests without an answer, which may
    still be about to bring their bytes.
    """

    name: str
    data: bytes
    door: str
    url: str = ""
    acked: int = 0
    safe: int = 0
    late: set[int] = field(default_factory=set)
    chunks: set[int] = field(default_factory=set)
    parts: list[str] = field(default_factory=list)
    whole: bool = False
    sure: bool = False
    deferred: bool = False

    @property
    def id(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def total(self) -> int:
        return -(-len(self.data) // CHUNK)

    def chunk(self, index: int) -> bytes:
        return self.data[index * CHUNK : (index + 1) * CHUNK]


class World(Door):
    """One session after another on one server. Every method that asserts names the rule that was broken."""

    def __init__(self, server: Born, disk: Disk) -> None:
        super().__init__(server, disk)
        self.acknowledged = self.full = self.sessions = 0
        self._count = self._step = 0
        self.files: list[Sent] = []
        self.unanswered = False  # whether a request to this session was, and may still be under way

    # -- requests -------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        fault: Fault = NONE,
    ) -> Answer | None:
        before = {sent.id: (sent, sent.acked) for sent in self.files if sent.url and sent.door == "tus"}
        since = self.syncs.mark()
        answer = super().ask(method, path, headers, body, fault)
        if fault.kind.startswith("kill"):
            return answer  # a new server knows nothing of syncs
        self.unanswered |= answer is None
        for file_id, number in self.syncs.since(since):
            if file_id in before:
                sent, acked = before[file_id]
                if number:
                    sent.acked = min(sent.acked, sent.safe)
                else:
                    sent.safe = max(sent.safe, acked)
        return answer

    def died(self) -> None:
        """The server is no more, nor are its requests."""
        self.unanswered = False
        for sent in self.files:
            sent.safe = 0
            sent.late.clear()

    # -- sessions -------------------------------------------------------------------------------------------

    def open_session(self) -> None:
        self.sessions += 1
        answer = self.must("POST", f"{API}/sessions", 201)
        self.session = answer.json()["session_id"]
        self.tus = answer.json()["tus_url"]
        self.files = []
        self.unanswered = False
        self.names: dict[str, bytes] = {}

    @property
    def directory(self) -> Path:
        return self.disk.path / self.session

    def must(self, method: str, path: str, status: int, body: bytes = b"") -> Answer:
        kind = {"Content-Type": "application/json"} if body else {}
        answer = self.ask(method, path, kind, body)
        assert answer is not None, "no answer, and nothing was broken"
        assert answer.status == status, (answer.status, answer.body)
        return answer

    def new(self, door: str, size: int) -> Sent:
        self._count += 1
        name = f"f{self._count}.dat"
        sent = Sent(name, random.Random(self._count).randbytes(size), door)
        self.names[name] = sent.data
        return sent

    def allowed(self, answer: Answer | None, *statuses: int) -> Answer | None:
        """``answer``, when it has one of ``statuses``; None when the disk was full, or has failed since ``look``."""
        if answer is None:
            return None
        failed = {number for _, number in self.syncs.since(self._step)}
        if answer.status == 507 and (self.disk.full or errno.ENOSPC in failed):
            self.full += 1
            return None
        if answer.status == 500 and errno.EIO in failed:
            assert answer.json()["type"] == "slurmdash:storage-failed"
            return None
        assert answer.status in statuses, (answer.status, answer.body)
        return answer

    def find(self, sent: Sent) -> None:
        """What became of an upload whose answer got lost."""
        files = self.must("GET", f"{API}/sessions/{self.session}", 200).json()["files"]
        seen = next((file for file in files if file["name"] == sent.name), None)
        assert seen is not None or not sent.sure, "an upload that was acknowledged has gone"
        if seen is None:
            sent.url = ""
        else:
            sent.url = f"{self.tus}/{seen['file_id']}"
            self.ack(sent, seen["offset"])
            sent.whole = seen["state"] == "complete"

    def ack(self, sent: Sent, offset: int) -> None:
        assert sent.acked <= offset <= len(sent.data), "acknowledged bytes were lost"
        self.acknowledged += offset - sent.acked
        sent.acked = offset
        if sent.door == "tus" and not sent.deferred:
            sent.whole = offset == len(sent.data)

    # -- tus ------------------------------------------------------------------------------------------------

    def begin(self, sent: Sent, first: int = 0, deferred: bool = False, fault: Fault = NONE) -> None:
        """Create the upload, with its first ``first`` bytes."""
        before, sent.deferred = sent.deferred, deferred
        length = {"Upload-Defer-Length": "1"} if deferred else {"Upload-Length": str(len(sent.data))}
        kind = {"Content-Type": "application/offset+octet-stream"} if first else {}
        headers = {**named(sent.name), **length, **kind}
        # A request of before that got no answer may have come to its end meanwhile.
        tried = [409] if sent in self.files else []
        answer = self.allowed(self._bring(sent, "POST", self.tus, headers, 0, first, fault), 201, *tried)
        if answer is not None and answer.status == 409:
            sent.deferred = before
        if answer is None or answer.status == 409:
            self.find(sent)
        else:
            sent.url, sent.sure = answer.headers["Location"], True
            self.ack(sent, int(answer.headers["Upload-Offset"]))
        if sent not in self.files:
            self.files.append(sent)

    def _bring(
        self,
        sent: Sent,
        method: str,
        path: str,
        headers: Mapping[str, str],
        start: int,
        length: int,
        fault: Fault,
    ) -> Answer | None:
        """A request with ``length`` bytes of the file from ``start``."""
        answer = self.ask(method, path, headers, sent.data[start : start + length], fault)
        if answer is None and length and not fault.kind.startswith("kill"):
            sent.late.add(start)
        return answer

    def head(self, sent: Sent) -> int:
        answer = self.must("HEAD", sent.url, 200)
        sent.deferred = "Upload-Defer-Length" in answer.headers
        self.ack(sent, int(answer.headers["Upload-Offset"]))
        return sent.acked

    def append(
        self, sent: Sent, start: int, length: int, checksum: bool | None = None, fault: Fault = NONE
    ) -> Answer | None:
        """PATCH; ``checksum`` says whether to send a right or a wrong one."""
        body = sent.data[start : start + length]
        headers = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        if checksum is not None:
            digest = hashlib.sha1(body if checksum else body + b"x").digest()
            headers["Upload-Checksum"] = "sha1 " + base64.b64encode(digest).decode()
        if sent.deferred and start + len(body) == len(sent.data):
            headers["Upload-Length"] = str(len(sent.data))
        answer = self._bring(sent, "PATCH", sent.url, headers, start, length, fault)
        if answer is not None and answer.status == 204:
            sent.sure = True
            sent.deferred = sent.deferred and "Upload-Length" not in headers
            self.ack(sent, max(sent.acked, int(answer.headers["Upload-Offset"])))
        return answer

    def join(self, sent: Sent, cut: Sequence[int], fault: Fault = NONE) -> None:
        """Send ``sent`` as parts that end at ``cut`` and join them."""
        if sent not in self.files:
            self.files.append(sent)
        ends = [*sorted(set(cut)), len(sent.data)]
        parts = [sent.data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        sent.parts = []
        for part in filter(None, parts):
            headers = {"Upload-Concat": "partial", "Upload-Length": str(len(part))}
            headers["Content-Type"] = "application/offset+octet-stream"
            answer = self.allowed(self.ask("POST", self.tus, headers, part), 201)
            if answer is None:
                sent.parts = []
                return  # the disk is full
            sent.parts.append(answer.headers["Location"])
        self.join_parts(sent, fault)

    def join_parts(self, sent: Sent, fault: Fault = NONE) -> None:
        """Ask for the whole; as often as it takes, should the answer get lost."""
        headers = {**named(sent.name), "Upload-Concat": "final;" + " ".join(sent.parts)}
        if self.allowed(self.ask("POST", self.tus, headers, fault=fault), 201) is None:
            here = [self.ask("HEAD", url) for url in sent.parts]
            self.find(sent)  # the request that got no answer may have come to its end meanwhile
            if not sent.url:
                assert all(head and head.status == 200 for head in here), "an acknowledged part was lost"
                self.allowed(self.ask("POST", self.tus, headers), 201, 404, 409)
        self.find(sent)

    # -- chunks, forms, paths -------------------------------------------------------------------------------

    def send_chunks(self, sent: Sent, indices: Sequence[int], faults: Sequence[Fault] = ()) -> None:
        """All at the same time; the first have ``faults``."""
        if sent not in self.files:
            self.files.append(sent)
        every = [*faults, *[NONE] * len(indices)]
        with ThreadPoolExecutor(len(indices) or 1) as pool:
            answers = list(pool.map(self._chunk, [sent] * len(indices), indices, every))
        for index, answer in zip(indices, answers, strict=True):
            # Of two tabs that send the same chunk the later one takes over.
            twice = [409] if indices.count(index) > 1 else []
            told = self.allowed(answer, 200, *twice)
            if told and told.status == 200:
                sent.chunks.add(index)
                sent.sure = True
        self.find(sent)

    def _chunk(self, sent: Sent, index: int, fault: Fault, other: bytes | None = None) -> Answer | None:
        body = sent.chunk(index) if other is None else other
        about = {
            "X-Chunk-Index": str(index),
            "X-Total-Chunks": str(sent.total),
            "X-File-Name": quote(sent.name),
        }
        kind = {"Content-Type": "application/octet-stream"}
        return self.ask("POST", f"{API}/sessions/{self.session}/chunks", {**about, **kind}, body, fault)

    def send_other_chunk(self, sent: Sent, index: int) -> None:
        """Bytes of another file of that name."""
        other = bytes(byte ^ 1 for byte in sent.chunk(index))
        self.allowed(self._chunk(sent, index, NONE, other), 409)

    def send_form(self, files: Sequence[Sent], fault: Fault = NONE) -> None:
        self.files += [sent for sent in files if sent not in self.files]
        lines = b"".join(
            f'--B\r\nContent-Disposition: form-data; name="file"; filename="{sent.name}"\r\n\r\n'.encode()
            + sent.data
            + b"\r\n"
            for sent in files
        )
        kind = {"Content-Type": "multipart/form-data; boundary=B"}
        url = f"{API}/sessions/{self.session}/files"
        answer = self.allowed(self.ask("POST", url, kind, lines + b"--B--\r\n", fault), 201)
        for sent in files:
            sent.sure = sent.sure or answer is not None
            self.find(sent)
            assert not answer or sent.whole, "a form was acknowledged, and a file of it is not there"

    def add_path(self, sent: Sent) -> None:
        mine = self.server.directory / "mine"
        mine.mkdir(exist_ok=True)
        (mine / sent.name).write_bytes(sent.data)
        self.must(
            "POST",
            f"{API}/sessions/{self.session}/paths",
            201,
            json.dumps({"path": str(mine / sent.name)}).encode(),
        )
        sent.whole, sent.sure, sent.url = True, True, "by path"
        self.files.append(sent)

    # -- what must be true ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Nothing that was acknowledged is missing, and nothing is there that was not sent."""
        files = self.must("GET", f"{API}/sessions/{self.session}", 200).json()["files"]
        seen = {file["name"]: file for file in files}
        assert set(seen) <= set(self.names)
        for sent in self.files:
            if not sent.sure and sent.name not in seen:
                sent.url = ""
            if not sent.url:
                continue
            assert sent.name in seen, "an upload that was acknowledged has gone"
            file = seen[sent.name]
            assert file["offset"] >= sent.acked, "acknowledged bytes were lost"
            assert file["offset"] >= sum(len(sent.chunk(index)) for index in sent.chunks), "a chunk was lost"
            assert not sent.whole or file["state"] == "complete", "a complete file is no more"
            if file["state"] == "complete" and sent.door != "path":
                assert file["sha256"] == hashlib.sha256(sent.data).hexdigest(), "wrong bytes"
            self._look_at_part(sent)
        self.look_at_disk()
        self._step = self.syncs.mark()

    def _look_at_part(self, sent: Sent) -> None:
        part = self.directory / f"{sent.url.rpartition('/')[2]}.part"
        if not part.exists():
            return
        data = part.read_bytes()
        assert data[: sent.acked] == sent.data[: sent.acked] or sent.door == "chunks", "wrong bytes"
        for index in sent.chunks:
            assert data[index * CHUNK : (index + 1) * CHUNK] == sent.chunk(index), "wrong bytes in a chunk"

    def look_at_disk(self) -> None:
        """Under a file's own name is the whole file or nothing."""
        for path in self.directory.glob("*/*"):
            assert path.read_bytes() == self.names[path.name], "not the whole file under its name"

    def when_dead(self) -> None:
        self.died()
        self.look_at_disk()

    # -- the end --------------------------------------------------------------------------------------------

    def complete(self, sent: Sent) -> None:
        """As a client that does not give up: send what is missing, and only that."""
        if sent.whole:
            return
        if sent.door == "chunks":
            self.send_chunks(sent, [index for index in range(sent.total) if index not in sent.chunks])
        elif sent.door == "form":
            self.send_form([sent])
        elif sent.door == "join":
            self.find(sent)
            if not sent.whole and sent.parts:
                self.join_parts(sent)
            if not sent.url:
                self.join(sent, [len(sent.data) // 2])
        else:
            if not sent.url:
                self.begin(sent)
            answer, start = None, -1
            while answer is None or (answer.status == 409 and start in sent.late):
                start = self.head(sent)
                answer = self.append(sent, start, len(sent.data) - start)
                assert answer is not None
            assert answer.status == 204, (answer.status, answer.body)
        assert sent.whole, f"{sent.door}: the file could not be completed"

    def finish(self) -> None:
        """Complete everything, finalize, compare each file with what was sent, and leave nothing behind."""
        self.disk.free()
        for sent in self.files:
            self.complete(sent)
        self.look()
        done = self.must("POST", f"{API}/sessions/{self.session}/finalize", 200).json()
        assert sorted(file["name"] for file in done["files"]) == sorted(sent.name for sent in self.files)
        self.must("DELETE", f"{API}/sessions/{self.session}", 204)
        assert not self.directory.exists()


def named(name: str) -> dict[str, str]:
    return {"Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}"}
