"""How connections are made, refused, kept and lost, against a real sshd."""

from __future__ import annotations

import base64
import getpass
import hashlib
import hmac
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from private_sshd import Sshd, free_port, make_key

from jupyter_slurmdash.errors import TransportError
from jupyter_slurmdash.transport.ssh import SshConnector


def _connector(server: Sshd, **options: object) -> SshConnector:
    return SshConnector(str(server.config), str(server.known_hosts), **options)  # type: ignore[arg-type]


def _reason(connector: SshConnector, node: str = "node") -> str:
    with pytest.raises(TransportError) as caught:
        connector.connect(node)
    assert node in caught.value.detail
    return caught.value.reason


@contextmanager
def _listener(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where every connection is given to ``answer``."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                held.append(client)
                answer(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for client in held:
            client.close()


def _config_for(tmp_path: Path, port: int) -> str:
    file = tmp_path / "config"
    file.write_text(f"Host node\n    HostName 127.0.0.1\n    Port {port}\n")
    return str(file)


# -- host keys ------------------------------------------------------------------------------------------------


def _hashed(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("name", ["[127.0.0.1]:{port}", "hashed", "[127.0.*]:*", "other,[127.0.0.1]:{port}"])
def test_known_hosts_forms(sshd: Sshd, tmp_path: Path, name: str) -> None:
    entry = _hashed(f"[127.0.0.1]:{sshd.port}") if name == "hashed" else name.format(port=sshd.port)
    (tmp_path / "known").write_text(f"# a comment\n\n{entry}\t{sshd.public_key} comment\n")
    connector = SshConnector(str(sshd.config), str(tmp_path / "known"))
    connector.connect("node").close()
    connector.close()


def test_host_key_alias(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(sshd.host_entry("node", "    HostKeyAlias the-node\n"))
    (tmp_path / "known").write_text(f"{_hashed('the-node')} {sshd.public_key}\n")
    connector = SshConnector(str(tmp_path / "config"), str(tmp_path / "known"))
    assert connector.connect("node").run(["echo", "in"]).stdout == b"in\n"
    connector.close()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {sshd.public_key}\n")
    assert _reason(SshConnector(str(tmp_path / "config"), str(tmp_path / "known"))) == "unknown-host-key"


def test_unknown_changed_and_revoked_keys_are_refused(sshd: Sshd, tmp_path: Path) -> None:
    name = f"[127.0.0.1]:{sshd.port}"
    other = make_key(tmp_path / "other")
    known = tmp_path / "known"
    connector = SshConnector(str(sshd.config), str(known), sleep=lambda _: pytest.fail("no second try"))
    for text, reason in [
        ("", "unknown-host-key"),
        (f"127.0.0.1 {sshd.public_key}\n", "unknown-host-key"),
        (f"!{name},* {sshd.public_key}\n", "unknown-host-key"),
        (f"{name} {other}\n", "host-key"),
        (f"{name} {sshd.public_key}\n@revoked * {sshd.public_key}\n", "host-key"),
    ]:
        known.write_text(text)
        assert _reason(connector) == reason


def test_a_new_host_is_accepted_once(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "new" / "known_hosts"
    SshConnector(str(sshd.config), str(known), accept_new=True).connect("node").abort()
    assert known.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.public_key}\n"
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.parent.stat().st_mode) == 0o700
    for accept_new in (True, False):
        SshConnector(str(sshd.config), str(known), accept_new=accept_new).connect("node").abort()
    assert len(known.read_text().splitlines()) == 1


def test_a_changed_or_revoked_key_is_refused_also_where_new_ones_are_accepted(
    sshd: Sshd, tmp_path: Path
) -> None:
    name = f"[127.0.0.1]:{sshd.port}"
    known = tmp_path / "known"
    connector = SshConnector(str(sshd.config), str(known), accept_new=True, sleep=pytest.fail)
    for text in (
        f"{name} {make_key(tmp_path / 'other')}\n",
        f"{name} ssh-rsa {sshd.public_key.split()[1]}\n",
        f"@revoked * {sshd.public_key}\n",
        f"{name} {sshd.public_key}\n@revoked {name} {sshd.public_key}\n",
    ):
        known.write_text(text)
        assert _reason(connector) == "host-key"
        assert known.read_text() == text


def test_a_new_key_that_cannot_be_written_down(sshd: Sshd, tmp_path: Path) -> None:
    connector = SshConnector(str(sshd.config), str(tmp_path), accept_new=True, sleep=pytest.fail)
    with pytest.raises(TransportError, match="cannot be written") as caught:
        connector.connect("node")
    assert caught.value.reason == "config"


def test_32_first_connections_write_each_key_once(sshd: Sshd, tmp_path: Path) -> None:
    """Sixteen hosts, each met by two at the same time; the file's last line has no end."""
    known = tmp_path / "known"
    known.write_text("# ours")
    names = [f"node{number:02}" for number in range(16)]
    entries = (sshd.host_entry(name, f"    HostKeyAlias {name}\n") for name in names)
    (tmp_path / "config").write_text("".join(entries))
    together = threading.Barrier(32)

    def meet(name: str) -> None:
        connector = SshConnector(str(tmp_path / "config"), str(known), connect_timeout=20, accept_new=True)
        together.wait(20)
        connector.connect(name).abort()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(meet, names * 2))
    lines = known.read_text().splitlines()
    assert lines[0] == "# ours"
    assert sorted(lines[1:]) == [f"{name} {sshd.public_key}" for name in names]


# -- getting in -----------------------------------------------------------------------------------------------


def test_no_key_is_accepted(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "wrong")
    entry = sshd.host_entry("node").replace(f"{sshd.folder}/user_key", str(tmp_path / "wrong"))
    (tmp_path / "config").write_text(entry)
    connector = SshConnector(str(tmp_path / "config"), str(sshd.known_hosts), sleep=pytest.fail)
    assert _reason(connector) == "auth"


def test_a_key_that_was_replaced(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a connection lives the next ones share its key, but not longer than the file is the same."""
    shutil.copy(sshd.folder / "user_key", tmp_path / "id")
    (tmp_path / "config").write_text(
        sshd.host_entry("node").replace(f"{sshd.folder}/user_key", str(tmp_path / "id"))
    )
    read: list[str] = []
    from_path = paramiko.PKey.from_path

    def counted(file: str) -> paramiko.PKey:
        read.append(file)
        return from_path(file)

    monkeypatch.setattr(paramiko.PKey, "from_path", counted)
    connector = SshConnector(str(tmp_path / "config"), str(sshd.known_hosts))
    first, second = connector.connect("node"), connector.connect("node")
    assert read == [str(tmp_path / "id")]
    (tmp_path / "id").unlink()
    make_key(tmp_path / "id")
    assert _reason(connector) == "auth"
    first.close()
    second.close()
    connector.close()


def test_a_key_in_the_agent(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its public half is beside the configuration, as when the key has a passphrase."""
    agent = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)
    try:
        while not agent.exists():
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
        make_key(tmp_path / "another")
        for key in (tmp_path / "another", sshd.folder / "user_key"):
            subprocess.run(["ssh-add", "-q", key], check=True, stderr=subprocess.DEVNULL)
        (tmp_path / "id.pub").write_text((sshd.folder / "user_key.pub").read_text())
        entry = sshd.host_entry("node").replace(f"{sshd.folder}/user_key", str(tmp_path / "id"))
        (tmp_path / "config").write_text(entry)
        connector = SshConnector(str(tmp_path / "config"), str(sshd.known_hosts))
        connector.connect("node").abort()
        (tmp_path / "config").write_text(entry.replace("IdentitiesOnly yes", "IdentitiesOnly no"))
        (tmp_path / "id.pub").unlink()
        connector.connect("node").abort()
    finally:
        process.terminate()
        process.wait()


def test_jump_host(sshd: Sshd, tmp_path: Path) -> None:
    spec = f"{getpass.getuser()}@jump:{sshd.port}"
    text = sshd.host_entry("jump") + sshd.host_entry("node", "    ProxyJump jump\n")
    text += sshd.host_entry("far", f"    ProxyJump {spec}\n") + sshd.host_entry(
        "circle", "    ProxyJump circle\n"
    )
    (tmp_path / "config").write_text(text + sshd.host_entry("nowhere", "    ProxyJump jump\n"))
    connector = SshConnector(str(tmp_path / "config"), str(sshd.known_hosts))
    for node in ("node", "far"):
        transport = connector.connect(node)
        assert transport.run(["echo", "far"]).stdout == b"far\n"
        transport.abort()
    assert _reason(connector, "circle") == "config"


def test_a_jump_host_that_cannot_reach_the_node(sshd: Sshd, tmp_path: Path) -> None:
    node = sshd.host_entry("node", "    ProxyJump jump\n").replace(f"Port {sshd.port}", f"Port {free_port()}")
    (tmp_path / "config").write_text(sshd.host_entry("jump") + node)
    assert _reason(SshConnector(str(tmp_path / "config"), str(sshd.known_hosts), tries=1)) == "unreachable"


def test_included_configuration(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "nodes.conf").write_text(sshd.host_entry("node"))
    (tmp_path / "config").write_text(f"Include {tmp_path}/*.conf\nHost node\n    Port 1\n")
    connector = SshConnector(str(tmp_path / "config"), str(sshd.known_hosts))
    connector.connect("node").abort()


def test_a_configuration_with_an_error(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host node\nnonsense\n")
    with pytest.raises(TransportError) as caught:
        SshConnector(str(tmp_path / "config"), str(sshd.known_hosts)).connect("node")
    assert caught.value.reason == "config"


# -- machines in trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["ssh", "0", "65536", "²", "9" * 5000])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    (tmp_path / "config").write_text(f"Host node\n    Port {port}\n")
    connector = SshConnector(str(tmp_path / "config"), str(tmp_path / "known_hosts"))
    with pytest.raises(TransportError, match="from 1 to 65535") as raised:
        connector.connect("node")
    assert raised.value.reason == "config"


def test_a_refused_connection_is_tried_three_times(tmp_path: Path) -> None:
    slept: list[float] = []
    config = _config_for(tmp_path, free_port())
    assert _reason(SshConnector(config, "/dev/null", sleep=slept.append)) == "refused"
    assert len(slept) == 2
    assert slept[0] < slept[1]


def test_a_node_that_comes_back_between_two_tries(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    connector = _connector(server, sleep=lambda _: server.start())
    connector.connect("node").abort()
    server.stop()


def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    connector = SshConnector(str(tmp_path / "none"), "/dev/null", sleep=pytest.fail)
    assert _reason(connector, "no-such-node.invalid") == "name"


def test_a_silent_node_costs_its_time_out(tmp_path: Path) -> None:
    with _listener(lambda client: None) as port:
        connector = SshConnector(
            _config_for(tmp_path, port), "/dev/null", connect_timeout=0.4, sleep=pytest.fail
        )
        start = time.monotonic()
        assert _reason(connector) == "timeout"
        assert time.monotonic() - start < 1.5


def test_a_node_that_hangs_after_its_banner(tmp_path: Path) -> None:
    with _listener(lambda client: client.sendall(b"SSH-2.0-slow\r\n")) as port:
        connector = SshConnector(
            _config_for(tmp_path, port), "/dev/null", connect_timeout=0.4, sleep=pytest.fail
        )
        start = time.monotonic()
        assert _reason(connector) == "timeout"
        assert time.monotonic() - start < 1.5


def test_something_else_than_ssh(tmp_path: Path) -> None:
    with _listener(lambda client: client.sendall(b"HTTP/1.0 400 Bad Request\r\n" * 200)) as port:
        connector = SshConnector(_config_for(tmp_path, port), "/dev/null", tries=1)
        assert _reason(connector) in ("closed", "timeout")


def test_a_connection_that_is_dropped(tmp_path: Path) -> None:
    slept: list[float] = []
    with _listener(lambda client: client.close()) as port:
        connector = SshConnector(_config_for(tmp_path, port), "/dev/null", sleep=slept.append)
        assert _reason(connector) == "closed"
    assert len(slept) == 2


# -- keeping connections --------------------------------------------------------------------------------------


def test_a_connection_is_used_again(sshd: Sshd) -> None:
    connector = _connector(sshd)
    first = connector.connect("node")
    second = connector.connect("node")
    assert first is not second
    first.close()
    assert connector.connect("node") is first
    first.close()
    second.close()
    connector.close()
    assert not first.usable
    assert not second.usable


def test_an_idle_connection_is_closed(sshd: Sshd) -> None:
    connector = _connector(sshd, idle_timeout=0.1)
    transport = connector.connect("node")
    transport.close()
    for _ in range(200):
        if not transport.usable:
            break
        time.sleep(0.02)  # the timer's turn
    assert not transport.usable
    assert connector.connect("node") is not transport
    connector.close()


def test_a_connection_that_is_cut_under_work(sshd: Sshd) -> None:
    connector = _connector(sshd)
    transport = connector.connect("node")
    threading.Timer(0.3, transport.abort).start()
    with pytest.raises(TransportError) as caught:
        transport.run(["sleep", "30"], timeout=20)
    assert caught.value.reason == "closed"
    with pytest.raises(TransportError) as caught:
        transport.list_files("/", ".sif")
    assert caught.value.reason == "closed"
    transport.close()
    assert connector.connect("node") is not transport
    connector.close()


def test_a_node_that_hangs_under_work(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    server.start()
    connector = _connector(server, io_timeout=0.4)
    transport = connector.connect("node")
    transport.list_files(str(tmp_path), ".sif")
    sessions = _children(server)
    for pid in sessions:
        os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        with pytest.raises(TransportError) as caught:
            transport.read_ranges(str(server.config), [(0, 10)])
        assert caught.value.reason == "timeout"
        assert time.monotonic() - start < 2
        assert not transport.usable
    finally:
        for pid in sessions:
            os.kill(pid, signal.SIGCONT)
        transport.close()
        server.stop()


def _children(server: Sshd) -> list[int]:
    """The process ids below our own sshd."""
    assert server.process is not None
    found = [server.process.pid]
    for parent in found:
        done = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, check=False)
        found += [int(pid) for pid in done.stdout.split()]
    return found[1:]


def test_noise_of_a_login_shell_is_left_out() -> None:
    from jupyter_slurmdash.transport.remote import split_output

    assert split_output(b"Welcome!\n@slurmdash 12\nout\n") == ("12", b"out\n")
    assert split_output(b"") == ("", b"")
