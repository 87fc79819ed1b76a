"""Templates that want to hang or fill the server: read or refused in 200 ms and 64 MB, larger ones at once.

Each is read in a child process of its own, by way of the shelf, as a file that somebody put there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "template: {id: t-1, name: t}\n"
SLOT = "files: {{input_schema: {{required: [{}]}}}}\n"
MAX = 256 * 1024


def filled(head: str, piece: str, tail: str = "") -> str:
    """As large as a template may be."""
    return head + piece * ((MAX - len(head) - len(tail)) // len(piece.encode())) + tail


def parameter(schema: str) -> str:
    return HEAD + "parameters: {properties: {a: " + schema + "}}\n"


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(20)
)
HOSTILE: dict[str, tuple[str, str]] = {
    # name: (text, words of the reason; "" for one that may be good)
    "billion laughs": (LAUGHS, "Anchors"),
    "aliases of one map": (filled("a: &a {k: v}\nb: [", "*a, ", "]\n"), "Anchors"),
    "merge keys": (HEAD + "slurm: {<<: {nodes: 1}}\n", "'<<' is not known"),
    "python object": (HEAD + "x: !!python/object/apply:os.system [id]\n", "tag"),
    "python name": (HEAD + "x: !!python/name:os.system\n", "tag"),
    "python module": (HEAD + "x: !!python/module:antigravity\n", "tag"),
    "binary": (HEAD + "x: !!binary aGVsbG8=\n", "tag"),
    "brackets": (filled("", "["), "levels"),
    "braces": (filled("", "{a: "), "levels"),
    "dashes": (filled("", "- "), "levels"),
    "many values": (filled(HEAD + "x: [", "1,", "]\n"), "more than 20000 values"),
    "many keys": (filled(HEAD, "k: 1\n"), "twice"),
    "long number": (HEAD + "x: " + "9" * 250_000 + "\n", "100 digits"),
    "long text": (filled(HEAD + "script: {main_exec: '", "x", "'}\n"), "131072"),
    "good and long": (HEAD + "script: {main_exec: '" + "x" * 131_000 + "'}\n", ""),
    "comments": (filled(HEAD, "#\n"), ""),
    "escapes": (filled('template: {id: t, name: t, description: "', "\\x41", '"}\n'), "4000"),
    "remote reference": (parameter("{$ref: 'http://127.0.0.1:9/x'}"), "leads outside"),
    "file reference": (parameter("{$ref: 'file:///etc/passwd'}"), "leads outside"),
    "remote schema": (HEAD + "parameters: {$schema: 'http://127.0.0.1:9/x'}\n", "$schema"),
    "another id": (parameter("{$id: 'http://127.0.0.1:9/', $ref: x}"), "not supported"),
    "a circle": (HEAD + "parameters: {properties: {a: {$ref: '#/properties/a'}}}\n", "refers to itself"),
    "doubling references": (
        HEAD
        + "parameters: {$defs: {d0: {}"
        + "".join(
            f", d{n}: {{allOf: [{{$ref: '#/$defs/d{n - 1}'}}, {{$ref: '#/$defs/d{n - 1}'}}]}}"
            for n in range(1, 40)
        )
        + "}, properties: {a: {$ref: '#/$defs/d39'}}}\n",
        "steps per value",
    ),
    "catastrophic pattern": (
        parameter("{pattern: '^(a|a)*$', default: '" + "a" * 100_000 + "!'}"),
        "default does not fit",
    ),
    "nested pattern": (
        parameter("{pattern: '^((a+)+)+$', default: '" + "a" * 100_000 + "!'}"),
        "default does not fit",
    ),
    "pattern that grows": (parameter("{pattern: '((a{1000}){1000}){1000}'}"), "no usable pattern"),
    "pattern of classes": (parameter("{pattern: '(\\p{L}{200}){9}'}"), "no usable pattern"),
    "back-reference": (parameter("{pattern: '^(a+)\\1$'}"), "no usable pattern"),
    "look-around": (parameter("{pattern: '^(?=a)*$'}"), "no usable pattern"),
    "many patterns": (
        HEAD
        + "parameters: {properties: {"
        + ", ".join(f"p{n}: {{pattern: '[가-힣]{{9{n % 10}}}'}}" for n in range(50))
        + "}}\n",
        "",
    ),
    "many properties": (
        HEAD
        + "parameters: {properties: {"
        + ", ".join(f"p{n}: {{type: string}}" for n in range(5000))
        + "}}",
        "200",
    ),
    "many unknown keys": (HEAD + "".join(f"k{n}: {n}\n" for n in range(9000)), "not known here"),
    "many slots": (HEAD + SLOT.format(", ".join(f"{{name: s{n}, pattern: x}}" for n in range(3000))), "50"),
    "stars": (HEAD + SLOT.format("{name: a, pattern: '" + "*a" * 127 + "'}"), ""),
    "a path as id": ("template: {id: ../../etc/cron.d/x, name: t}\n", "an id has"),
    "an absolute id": ("template: {id: /etc/passwd, name: t}\n", "an id has"),
    "a NUL in the id": ('template: {id: "a\\0b", name: t}\n', "an id has"),
    "an endless id": (filled("template: {name: t, id: ", "a", "}\n"), "an id has"),
    "a path as pattern": (HEAD + SLOT.format("{name: a, pattern: ../../x}"), "job's directory"),
    "a bind of all": (HEAD + "apptainer: {bind: ['/a/../../etc:/etc']}\n", "'..'"),
    "not text": ("\udcff\udcfe\udc80" * 80_000, "UTF-8"),
}

CHILD = """
import json, sys, time
from pathlib import Path
sys.path[:0] = [{helpers!r}]
from stopwatch import stopwatch
from template_place import CHECKS
from jupyter_slurmdash.templates.library import Library

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

def look(root):
    library = Library(root, "me", False, CHECKS)
    with stopwatch() as watch:
        library.refresh()
    [template] = library.templates()
    assert library.get(template.id).problem == template.problem
    return watch.seconds, template

root = Path({root!r})
look(root / "warm up")  # what is made once: the schema of templates
for line in sys.stdin:
    Path("/proc/self/clear_refs").write_text("5")  # the peak is the present size
    before = peak()
    seconds, template = look(root / line.strip())
    problem = template.problem.message if template.problem else ""
    print(json.dumps([seconds, peak() - before, template.id, problem]), flush=True)
"""


def shelve(root: Path, name: str, data: bytes) -> None:
    folder = root / name / "community"
    folder.mkdir(parents=True)
    (folder / "file.yaml").write_bytes(data)


def read(root: Path, names: list[str]) -> dict[str, tuple[float, int, str, str]]:
    """Seconds of processor time, KiB that the process grew by at most, id and reason of each."""
    helpers = str(Path(__file__).parents[1] / "helpers")
    shelve(root, "warm up", HEAD.encode())
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(helpers=helpers, root=str(root))],
        input="".join(f"{name}\n" for name in names),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(names, rows, strict=True))


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak is read from Linux' /proc"
)
def test_hostile_templates(tmp_path: Path) -> None:
    for name, (text, _) in HOSTILE.items():
        data = text.encode("utf-8", "surrogateescape")
        assert len(data) <= MAX
        shelve(tmp_path, name, data)
    found = read(tmp_path, list(HOSTILE))
    reasons = {name: row[3] for name, row in found.items()}
    wrong = [
        (name, reasons[name])
        for name, (_, words) in HOSTILE.items()
        if (words not in reasons[name] if words else reasons[name])
    ]
    assert not wrong
    assert not any("/" in template_id for _, _, template_id, _ in found.values())
    slowest = max(HOSTILE, key=lambda name: found[name][0])
    largest = max(HOSTILE, key=lambda name: found[name][1])
    print(
        f"{len(HOSTILE)} hostile templates: slowest {slowest!r} {found[slowest][0] * 1000:.0f} ms,"
        f" largest {largest!r} {found[largest][1] / 1024:.1f} MiB"
    )
    assert found[slowest][0] < 0.2
    assert found[largest][1] < 64 * 1024


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak is read from Linux' /proc"
)
def test_large_files_are_refused_at_once(tmp_path: Path) -> None:
    for name, size in (("just too large", MAX + 1), ("100 MB", 100_000_000)):
        shelve(tmp_path, name, (HEAD.encode() + b"#" * size)[:size])
    with (tmp_path / "100 MB/community/file.yaml").open("r+b") as file:
        os.fsync(file.fileno())
    for name, (seconds, grown, _, problem) in read(tmp_path, ["just too large", "100 MB"]).items():
        print(f"{name}: refused after {seconds * 1000:.1f} ms, {grown / 1024:.1f} MiB")
        assert "at most 262144 are read" in problem
        assert seconds < 0.05
        assert grown < 4 * 1024
