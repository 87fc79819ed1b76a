"""What every transport promises, on this machine and over SSH to a real sshd."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from private_sshd import Sshd

from jupyter_slurmdash.errors import TransportError
from jupyter_slurmdash.transport.base import ReadSteps, Transport
from jupyter_slurmdash.transport.local import LocalTransport
from jupyter_slurmdash.transport.ssh import SshConnector


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    made = Sshd(tmp_path_factory.mktemp("sshd"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=["local", "ssh"])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    if request.param == "local":
        yield LocalTransport()
        return
    server: Sshd = request.getfixturevalue("server")
    connector = SshConnector(str(server.config), str(server.known_hosts))
    made = connector.connect("node")
    yield made
    made.close()
    connector.close()


def test_an_argument_arrives_as_it_is(transport: Transport, awkward: str) -> None:
    done = transport.run(["printf", "%s", awkward])
    assert (done.stdout, done.stderr, done.code) == (awkward.encode(), b"", 0)


def test_streams_and_exit_code(transport: Transport) -> None:
    done = transport.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.stdout, done.stderr, done.code) == (b"out\n", b"err\n", 7)


def test_input_larger_than_every_buffer(transport: Transport) -> None:
    data = os.urandom(4 * 1024 * 1024)
    assert transport.run(["cat"], input=data).stdout == data


def test_input_that_is_not_read(transport: Transport) -> None:
    assert transport.run(["true"], input=b"x" * 8 * 1024 * 1024).code == 0


def test_environment_replaces(transport: Transport, awkward: str) -> None:
    done = transport.run(["/usr/bin/env", "-0"], env={"PATH": "/usr/bin:/bin", "A": awkward})
    found = dict(entry.split(b"=", 1) for entry in done.stdout.split(b"\0") if entry)
    assert found[b"A"] == awkward.encode()
    assert b"HOME" not in found


def test_working_directory(transport: Transport, tmp_path: Path, awkward: str) -> None:
    place = tmp_path / (awkward.replace("/", "-"))
    place.mkdir()
    (place / "here").touch()
    assert transport.run(["ls"], cwd=str(place)).stdout == b"here\n"


def test_no_such_working_directory(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        transport.run(["ls"], cwd=str(tmp_path / "none"))


def test_no_such_program(transport: Transport) -> None:
    with pytest.raises(TransportError) as caught:
        transport.run(["slurmdash-no-such-program"])
    assert caught.value.reason == "no-command"


def test_a_command_that_takes_too_long_is_ended(transport: Transport, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    start = time.monotonic()
    with pytest.raises(TransportError) as caught:
        transport.run(["sh", "-c", f"echo $$ > {file}; sleep 60 & wait"], timeout=0.5)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 5
    pid = file.read_text().strip()
    for _ in range(100):
        if not _alive(pid):
            return
        time.sleep(0.05)  # the signal is on its way
    pytest.fail("the command went on")


def _alive(pid: str) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, check=False).stdout
    return bool(state.strip()) and not state.startswith(b"Z")


def test_usable_after_a_command_failed(transport: Transport) -> None:
    with pytest.raises(TransportError):
        transport.run(["sleep", "60"], timeout=0.2)
    assert transport.run(["echo", "on"]).stdout == b"on\n"


# -- files ----------------------------------------------------------------------------------------------------


def _tree(root: Path) -> None:
    (root / "a" / "b" / "c").mkdir(parents=True)
    (root / ".snapshot").mkdir()
    for name in ("1.sif", "a/2.sif", "a/b/3.sif", "a/b/c/4.sif", ".snapshot/5.sif", "other.txt"):
        (root / name).write_bytes(name.encode())
    (root / "folder.sif").mkdir()
    (root / "link.sif").symlink_to(root / "a" / "2.sif")
    (root / "dangling.sif").symlink_to(root / "gone")
    (root / "a" / "round").symlink_to(root)
    os.mkfifo(root / "pipe.sif")


def test_list_files(transport: Transport, tmp_path: Path) -> None:
    _tree(tmp_path)
    found = transport.list_files(str(tmp_path), ".sif")
    assert [file.path.removeprefix(f"{tmp_path}/") for file in found] == [
        "1.sif",
        "a/2.sif",
        "a/b/3.sif",
        "link.sif",
    ]
    assert [file.size for file in found] == [5, 7, 9, 7]
    expected = (tmp_path / "1.sif").stat().st_mtime
    assert found[0].mtime_ns // 1_000_000_000 == int(expected)


@pytest.mark.parametrize(("depth", "count"), [(1, 2), (2, 3), (3, 4), (4, 5), (9, 5)])
def test_depth(transport: Transport, tmp_path: Path, depth: int, count: int) -> None:
    _tree(tmp_path)
    assert len(transport.list_files(str(tmp_path), ".sif", depth=depth)) == count


def test_limit(transport: Transport, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}.sif").touch()
    assert len(transport.list_files(str(tmp_path), ".sif")) == 300
    assert len(transport.list_files(str(tmp_path), ".sif", limit=10)) == 10


def test_awkward_file_names(transport: Transport, tmp_path: Path, awkward: str) -> None:
    file = tmp_path / (awkward.replace("/", "-").encode()[:240].decode("utf-8", "ignore") + ".sif")
    file.write_bytes(b"content")
    found = transport.list_files(str(tmp_path), ".sif")
    assert [entry.path for entry in found] == [str(file)]
    assert transport.read_ranges(str(file), [(0, 7)]) == [b"content"]


def test_a_name_that_is_not_utf8(transport: Transport, tmp_path: Path) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff.sif")
    Path(name).write_bytes(b"x")
    assert [file.path for file in transport.list_files(str(tmp_path), ".sif")] == [name]
    assert transport.read_steps([(name, _head(1))]) == [b"x"]


def test_no_such_directory(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        transport.list_files(str(tmp_path / "none"), ".sif")
    (tmp_path / "file").touch()
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        transport.list_files(str(tmp_path / "file"), ".sif")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_directory_that_may_not_be_read(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert transport.list_files(str(tmp_path), ".sif") == []
    with pytest.raises(PermissionError):
        transport.list_files(str(tmp_path / "closed"), ".sif")


def test_read_ranges(transport: Transport, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    file = tmp_path / "data"
    file.write_bytes(data)
    ranges = [(0, 10), (100_000, 150_000), (299_990, 100), (400_000, 10), (5, 0)]
    assert transport.read_ranges(str(file), ranges) == [data[start : start + size] for start, size in ranges]
    with pytest.raises(FileNotFoundError):
        transport.read_ranges(str(tmp_path / "none"), [(0, 1)])


def _head(length: int) -> ReadSteps[bytes]:
    [data] = yield [(0, length)]
    return data


def test_read_steps(transport: Transport, tmp_path: Path) -> None:
    paths = []
    for number in range(200):
        file = tmp_path / f"{number}"
        file.write_bytes(bytes([number]) * (number * 1000))
        paths.append(str(file))
    paths.insert(50, str(tmp_path / "none"))
    heads = transport.read_steps((path, _head(49_152)) for path in paths)
    assert isinstance(heads.pop(50), FileNotFoundError)
    assert heads == [bytes([number]) * min(49_152, number * 1000) for number in range(200)]


def _followed(steps: int) -> ReadSteps[list[int]]:
    """Reads where it was told to by what it read before: two ranges at each step."""
    seen = [0]
    for _ in range(steps):
        first, second = yield [(seen[-1] * 4, 4), (seen[-1] * 4, 70_000)]
        assert second[:4] == first
        seen.append(int.from_bytes(first, "little"))
    return seen


@pytest.mark.no_cover  # 45,000 steps of the same lines
def test_steps_that_depend_on_each_other(transport: Transport, tmp_path: Path) -> None:
    order = list(range(1, 30_000))
    random.Random(5).shuffle(order)
    follows = dict(zip([0, *order], [*order, 0], strict=True))
    (tmp_path / "data").write_bytes(b"".join(follows[n].to_bytes(4, "little") for n in range(30_000)))
    results = transport.read_steps((str(tmp_path / "data"), _followed(steps)) for steps in range(300))
    for steps, seen in enumerate(results):
        assert seen == [0, *order][: steps + 1]


def test_a_reader_that_asks_for_nothing(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"data")

    def reader() -> ReadSteps[list[bytes]]:
        nothing = yield []
        return [*nothing, *(yield [(0, 0), (2, 9)])]

    assert transport.read_steps([(str(tmp_path / "data"), reader())]) == [[b"", b"ta"]]
    assert transport.read_steps([]) == []


def test_no_connection_leaks_threads() -> None:
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slurmdash-scan")]
