# ruff: noqa: E501 (a table reads best with a row in a line)
"""What tus 1.0.0 asks of a server, row by row:
``python tus_conformance.py COLLECTION_URL [Header: value …] [--beside OTHER_URL]``.

``COLLECTION_URL`` takes POST. Prints a table and the share of MUST and SHOULD that hold, with a second column for the
server at ``OTHER_URL``; the exit status is 0 when all hold at the first. A row whose extension is not advertised is
``-`` and counts as failed only for the total of all rows.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests

VERSION = "1.0.0"
BYTES = {"Content-Type": "application/offset+octet-stream"}
DATA = bytes(range(256)) * 40


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Target:
    """The server under test."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url, self.headers = url, dict(headers)
        self._names = 0
        self.options = self.ask("OPTIONS", url, tus=False)
        self.extensions = set(self.options.headers.get("Tus-Extension", "").replace(" ", "").split(","))

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        tus: bool = True,
    ) -> requests.Response:
        spoken = {"Tus-Resumable": VERSION} if tus else {}
        return requests.request(
            method, url, headers={**self.headers, **spoken, **(headers or {})}, data=data, timeout=30
        )

    def post(self, headers: Mapping[str, str], data: Any = None) -> requests.Response:
        self._names += 1
        about = {"Upload-Metadata": f"filename {b64(f'conformance-{self._names}.dat'.encode())}"}
        return self.ask("POST", self.url, {**about, **headers}, data)

    def new(self, size: int = len(DATA), **headers: str) -> str:
        answer = self.post({"Upload-Length": str(size), **headers})
        assert answer.status_code == 201, answer.status_code
        return urljoin(self.url, answer.headers["Location"])

    def patch(self, url: str, offset: int, data: Any, **headers: str) -> requests.Response:
        return self.ask("PATCH", url, {**BYTES, "Upload-Offset": str(offset), **headers}, data)

    def head(self, url: str) -> requests.Response:
        return self.ask("HEAD", url)

    def offset(self, url: str) -> str | None:
        return self.head(url).headers.get("Upload-Offset")

    def parts(self) -> list[str]:
        urls = []
        for piece in (DATA[:5000], DATA[5000:]):
            url = self.new(len(piece), **{"Upload-Concat": "partial"})
            assert self.patch(url, 0, piece).status_code == 204
            urls.append(url)
        return urls

    def final(self) -> str:
        answer = self.post({"Upload-Concat": "final;" + " ".join(self.parts())})
        assert answer.status_code == 201, answer.status_code
        return urljoin(self.url, answer.headers["Location"])


@dataclass(frozen=True)
class Row:
    id: str
    level: str
    text: str
    check: Callable[[Target], bool]
    extension: str = ""


def checksum(algorithm: str, data: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"{algorithm} {b64(hashlib.new(algorithm, data).digest())}"}


def discarded(t: Target, value: dict[str, str], status: int) -> bool:
    url = t.new()
    t.patch(url, 0, DATA[:100])
    return t.patch(url, 100, DATA[100:], **value).status_code == status and t.offset(url) == "100"


def after(t: Target, *steps: Callable[[str], Any]) -> str:
    url = t.new()
    for step in steps:
        step(url)
    return url


def one(
    t: Target, method: str, url: str, status: int, version: str | None = VERSION, **headers: str
) -> requests.Response:
    spoken = {} if version is None else {"Tus-Resumable": version}
    answer = t.ask(method, url, {**spoken, **headers}, tus=False)
    assert answer.status_code == status, answer.status_code
    return answer


def with_data(t: Target) -> requests.Response:
    return t.post({"Upload-Length": str(len(DATA)), **BYTES}, DATA[:1000])


def deferred(t: Target) -> str:
    return urljoin(t.url, t.post({"Upload-Defer-Length": "1"}).headers["Location"])


M, S = "MUST", "SHOULD"
CORE = [
    Row("C01", M, "HEAD of an upload says its offset", lambda t: t.offset(t.new()) == "0"),
    Row("C02", M, "HEAD says the offset even when it is 0", lambda t: "Upload-Offset" in t.head(t.new()).headers),
    Row("C03", M, "HEAD says the length when it is known", lambda t: t.head(t.new(77)).headers.get("Upload-Length") == "77"),
    Row("C04", M, "HEAD must not be cached", lambda t: "no-store" in t.head(t.new()).headers.get("Cache-Control", "")),
    Row("C05", S, "HEAD of nothing is 404, 410 or 403", lambda t: t.head(t.new() + "x").status_code in (404, 410, 403)),
    Row("C06", M, "HEAD of nothing has no offset", lambda t: "Upload-Offset" not in t.head(t.new() + "x").headers),
    Row("C07", M, "PATCH answers 204", lambda t: t.patch(t.new(), 0, DATA).status_code == 204),
    Row("C08", M, "PATCH says the new offset", lambda t: t.patch(t.new(), 0, DATA[:9]).headers.get("Upload-Offset") == "9"),
    Row("C09", M, "PATCH goes on where HEAD says", lambda t: t.patch(after(t, lambda u: t.patch(u, 0, DATA[:9])), 9, DATA[9:]).headers.get("Upload-Offset") == str(len(DATA))),
    Row("C10", M, "a wrong offset is 409", lambda t: t.patch(t.new(), 5, DATA[5:]).status_code == 409),
    Row("C11", M, "a wrong offset changes nothing", lambda t: t.offset(after(t, lambda u: t.patch(u, 5, DATA[5:]))) == "0"),
    Row("C12", M, "a repeated PATCH is 409", lambda t: t.patch(after(t, lambda u: t.patch(u, 0, DATA[:9])), 0, DATA[:9]).status_code == 409),
    Row("C13", S, "another Content-Type is 415", lambda t: t.ask("PATCH", t.new(), {"Content-Type": "text/plain", "Upload-Offset": "0"}, DATA).status_code == 415),
    Row("C14", S, "PATCH of nothing is 404", lambda t: t.patch(t.new() + "x", 0, b"x").status_code in (404, 410)),
    Row("C15", M, "a negative offset is refused", lambda t: t.patch(t.new(), -1, b"x").status_code in (400, 409)),
    Row("C16", M, "PATCH without an offset is refused", lambda t: 400 <= t.ask("PATCH", t.new(), BYTES, b"x").status_code < 500),
    Row("C17", M, "no more bytes than the length", lambda t: t.patch(t.new(5), 0, b"123456").status_code >= 400),
    Row("C18", M, "OPTIONS answers 200 or 204", lambda t: t.options.status_code in (200, 204)),
    Row("C19", M, "OPTIONS says the versions", lambda t: VERSION in t.options.headers.get("Tus-Version", "")),
    Row("C20", M, "OPTIONS needs no Tus-Resumable", lambda t: t.ask("OPTIONS", t.url, tus=False).status_code in (200, 204)),
    Row("C21", S, "OPTIONS ignores a wrong Tus-Resumable", lambda t: t.ask("OPTIONS", t.url, {"Tus-Resumable": "9"}, tus=False).status_code in (200, 204)),
    Row("C22", M, "every answer says its version (POST)", lambda t: t.post({"Upload-Length": "1"}).headers.get("Tus-Resumable") == VERSION),
    Row("C23", M, "every answer says its version (HEAD)", lambda t: t.head(t.new()).headers.get("Tus-Resumable") == VERSION),
    Row("C24", M, "every answer says its version (PATCH)", lambda t: t.patch(t.new(), 0, b"x").headers.get("Tus-Resumable") == VERSION),
    Row("C25", M, "every answer says its version (errors)", lambda t: t.patch(t.new(), 7, b"x").headers.get("Tus-Resumable") == VERSION),
    Row("C26", M, "another version is 412 (HEAD)", lambda t: one(t, "HEAD", t.new(), 412, "0.2.2").ok is False),
    Row("C27", M, "another version is 412 (PATCH)", lambda t: one(t, "PATCH", t.new(), 412, "0.2.2", **BYTES, **{"Upload-Offset": "0"}).ok is False),
    Row("C28", M, "412 says the versions that are spoken", lambda t: VERSION in one(t, "HEAD", t.new(), 412, "0.2.2").headers.get("Tus-Version", "")),
    Row("C29", M, "another version is not processed", lambda t: t.offset(after(t, lambda u: t.ask("PATCH", u, {**BYTES, "Upload-Offset": "0", "Tus-Resumable": "0.1"}, b"x", tus=False))) == "0"),
    Row("C30", M, "the override of the method is read (PATCH)", lambda t: t.ask("POST", t.new(), {**BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}, DATA).status_code == 204),
    Row("C31", M, "the override of the method is read (HEAD)", lambda t: "Upload-Offset" in t.ask("POST", t.new(), {"X-HTTP-Method-Override": "HEAD"}).headers),
    Row("C32", S, "an empty PATCH keeps the offset", lambda t: t.patch(t.new(), 0, b"").headers.get("Upload-Offset") == "0"),
    Row("C33", M, "all bytes there: the offset is the length", lambda t: t.offset(after(t, lambda u: t.patch(u, 0, DATA))) == str(len(DATA))),
]  # fmt: skip
CREATION = [
    Row("K01", M, "POST answers 201", lambda t: t.post({"Upload-Length": "1"}).status_code == 201),
    Row("K02", M, "POST says the address", lambda t: bool(t.post({"Upload-Length": "1"}).headers.get("Location"))),
    Row("K03", M, "a length of 0 is a whole file", lambda t: t.offset(t.new(0)) == "0"),
    Row("K04", M, "no length and no deferral is refused", lambda t: t.post({}).status_code == 400),
    Row("K05", M, "a length that is no number is refused", lambda t: t.post({"Upload-Length": "x"}).status_code == 400),
    Row("K06", M, "a negative length is refused", lambda t: t.post({"Upload-Length": "-1"}).status_code == 400),
    Row("K07", M, "over Tus-Max-Size is 413", lambda t: "Tus-Max-Size" not in t.options.headers or t.post({"Upload-Length": str(int(t.options.headers["Tus-Max-Size"]) + 1)}).status_code == 413),
    Row("K08", M, "HEAD gives the metadata back", lambda t: "filename" in t.head(t.new()).headers.get("Upload-Metadata", "")),
    Row("K09", M, "two creations are two addresses", lambda t: t.new() != t.new()),
]  # fmt: skip
MORE = [
    ("creation-with-upload", [
        Row("W01", M, "bytes in POST count", lambda t: with_data(t).headers.get("Upload-Offset") == "1000"),
        Row("W02", M, "POST with bytes answers 201", lambda t: with_data(t).status_code == 201),
        Row("W03", M, "and the upload goes on from there", lambda t: t.patch(urljoin(t.url, with_data(t).headers["Location"]), 1000, DATA[1000:]).status_code == 204),
        Row("W04", S, "another Content-Type in POST is refused", lambda t: t.post({"Upload-Length": "9", "Content-Type": "text/plain"}, b"x").status_code in (415, 201)),
    ]),
    ("creation-defer-length", [
        Row("D01", M, "HEAD says that the length comes later", lambda t: t.head(deferred(t)).headers.get("Upload-Defer-Length") == "1"),
        Row("D02", M, "HEAD has no length then", lambda t: "Upload-Length" not in t.head(deferred(t)).headers),
        Row("D03", M, "a deferral other than 1 is refused", lambda t: t.post({"Upload-Defer-Length": "2"}).status_code == 400),
        Row("D04", M, "the length comes with a PATCH", lambda t: t.patch(deferred(t), 0, b"123", **{"Upload-Length": "3"}).status_code == 204),
        Row("D05", M, "once said, the length stays", lambda t: t.patch(t.new(5), 0, b"1", **{"Upload-Length": "6"}).status_code >= 400),
        Row("D06", M, "a length and a deferral together are refused", lambda t: t.post({"Upload-Length": "1", "Upload-Defer-Length": "1"}).status_code == 400),
    ]),
    ("expiration", [
        Row("E01", M, "PATCH says when the upload expires", lambda t: "GMT" in t.patch(t.new(), 0, b"x").headers.get("Upload-Expires", "")),
        Row("E02", S, "POST says it when it is known", lambda t: "GMT" in t.post({"Upload-Length": "1"}).headers.get("Upload-Expires", "")),
    ]),
    ("checksum", [
        Row("S01", M, "OPTIONS says the algorithms", lambda t: bool(t.options.headers.get("Tus-Checksum-Algorithm"))),
        Row("S02", M, "sha1 is one of them", lambda t: "sha1" in t.options.headers.get("Tus-Checksum-Algorithm", "")),
        Row("S03", M, "a right checksum is taken", lambda t: t.patch(t.new(), 0, DATA, **checksum("sha1", DATA)).status_code == 204),
        Row("S04", M, "a wrong one is 460 and its bytes are dropped", lambda t: discarded(t, checksum("sha1", b"other"), 460)),
        Row("S05", M, "an unknown algorithm is 400, its bytes dropped", lambda t: discarded(t, {"Upload-Checksum": "md17 YQ=="}, 400)),
    ]),
    ("termination", [
        Row("T01", M, "DELETE answers 204", lambda t: t.ask("DELETE", t.new()).status_code == 204),
        Row("T02", S, "HEAD after it is 404 or 410", lambda t: t.head(after(t, lambda u: t.ask("DELETE", u))).status_code in (404, 410)),
        Row("T03", S, "PATCH after it is 404 or 410", lambda t: t.patch(after(t, lambda u: t.ask("DELETE", u)), 0, b"x").status_code in (404, 410)),
    ]),
    ("concatenation", [
        Row("N01", M, "HEAD of a part says that it is one", lambda t: t.head(t.new(5, **{"Upload-Concat": "partial"})).headers.get("Upload-Concat") == "partial"),
        Row("N02", M, "HEAD of a part says its offset", lambda t: t.offset(t.new(5, **{"Upload-Concat": "partial"})) == "0"),
        Row("N03", M, "the length of the whole is the sum", lambda t: t.head(t.final()).headers.get("Upload-Length") == str(len(DATA))),
        Row("N04", M, "offset and length of the whole are equal", lambda t: t.offset(t.final()) == str(len(DATA))),
        Row("N05", M, "HEAD of the whole says its parts", lambda t: t.head(t.final()).headers.get("Upload-Concat", "").startswith("final;")),
        Row("N06", M, "PATCH of the whole is 403", lambda t: t.patch(t.final(), len(DATA), b"x").status_code == 403),
        Row("N07", M, "a length for the whole is refused", lambda t: t.post({"Upload-Concat": "final;" + " ".join(t.parts()), "Upload-Length": "9"}).status_code == 400),
    ]),
]  # fmt: skip
ROWS = [
    *CORE,
    *(Row(r.id, r.level, r.text, r.check, "creation") for r in CREATION),
    *(Row(r.id, r.level, r.text, r.check, name) for name, rows in MORE for r in rows),
]


def run(url: str, headers: Mapping[str, str]) -> list[tuple[Row, str]]:
    """Every row with ``ok``, ``FAILED`` or ``-`` (its extension is not there)."""
    target = Target(url, headers)
    results = []
    for row in ROWS:
        if row.extension and row.extension not in target.extensions:
            results.append((row, "-"))
            continue
        try:
            good = row.check(target)
        except (AssertionError, KeyError, requests.RequestException):
            good = False
        results.append((row, "ok" if good else "FAILED"))
    return results


def table(columns: list[list[tuple[Row, str]]]) -> str:
    lines = []
    for cells in zip(*columns, strict=True):
        row = cells[0][0]
        results = " ".join(f"{result:6}" for _, result in cells)
        lines.append(f"{row.id} {row.level:6} {row.extension or 'core':22} {results} {row.text}")
    counts = [sum(result == "ok" for _, result in column) for column in columns]
    return "\n".join([*lines, f"{', '.join(map(str, counts))} of {len(lines)} rows hold"])


def main() -> int:
    url, *rest = sys.argv[1:]
    beside = rest[rest.index("--beside") + 1 :] if "--beside" in rest else []
    headers = dict(text.split(": ", 1) for text in rest[: len(rest) - 2 * len(beside)])
    columns = [run(url, headers), *(run(other, {}) for other in beside)]
    print(table(columns))
    return int(any(result != "ok" for _, result in columns[0]))


if __name__ == "__main__":
    sys.exit(main())
