"""Other machines, over SSH (paramiko). Keys, users, ports and jump hosts come from the OpenSSH configuration.

One connection per node carries everything: commands in channels of their own, files through one SFTP channel.
Host keys are always checked before anything is sent: a changed or revoked one is refused, and an unknown one unless the
site accepts new hosts.
"""

from __future__ import annotations

import getpass
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import paramiko

from ..errors import TransportError
from . import sftp
from .base import Completed, FileStat, Ranges, ReadSteps
from .hostkeys import known_keys, remember
from .keys import keys, read_text
from .pool import IdlePool
from .remote import end_line, launch_line, split_output
from .sshconfig import ConfigParts, read_config

T = TypeVar("T")

# Every failure becomes a TransportError; paramiko's own lines on standard error would tell it twice.
_LOG_CHANNEL = "jupyter_slurmdash.paramiko"
logging.getLogger(_LOG_CHANNEL).setLevel(logging.CRITICAL)

_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_BUFFER = 64 * 1024
_KEEPALIVE = 15
_END_TIMEOUT = 2.0
_BACK_OFF = (0.2, 0.8)  # seconds before the second and third try
# A node that is silent for the whole time-out is not asked again: that would only make the wait longer.
_WORTH_A_RETRY = frozenset(("refused", "unreachable", "closed"))


class SshTransport:
    """A connection to one node, made by ``SshConnector.connect``; ``close`` gives it back for reuse."""

    def __init__(
        self,
        name: str,
        connection: paramiko.Transport,
        io_timeout: float,
        release: Callable[[SshTransport], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._connection = connection
        self._io_timeout = io_timeout
        self._release = release
        self._clock = clock
        self._reader: sftp.SftpReader | None = None
        self._broken = False

    @property
    def usable(self) -> bool:
        """Whether the connection still stands and nothing went wrong on it."""
        return not self._broken and self._connection.is_active()

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 30.0,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """See ``Transport.run``. On a time-out the command's process group on the node is ended."""
        with self._failures(argv[0]):
            channel = self._connection.open_session(timeout=timeout)
            try:
                channel.settimeout(timeout)
                channel.exec_command(launch_line(argv, cwd, env))
                stdout, stderr = self._talk(channel, argv[0], input or b"", self._clock() + timeout)
                code = channel.exit_status
                if code == -1 and not self._connection.is_active():
                    raise EOFError
            finally:
                channel.close()
        mark, output = split_output(stdout)
        if mark == "no-directory":
            raise FileNotFoundError(f"There is no directory {cwd} on {self.name}.")
        if mark == "no-command":
            raise TransportError(
                f"There is no program {argv[0]} on {self.name}. Check that it is installed.", "no-command"
            )
        return Completed(output, stderr, code)

    def _talk(
        self, channel: paramiko.Channel, program: str, data: bytes, deadline: float
    ) -> tuple[bytes, bytes]:
        """Feed and read the command until it ends; end it at the deadline."""
        stdout, stderr = bytearray(), bytearray()
        helpers = [
            threading.Thread(target=_feed, args=(channel, data), daemon=True),
            threading.Thread(target=_drain, args=(channel.recv_stderr, stderr), daemon=True),
            threading.Thread(target=_drain, args=(channel.recv, stdout), daemon=True),
        ]
        for helper in helpers:
            helper.start()
        for helper in helpers[1:]:
            helper.join(max(0.0, deadline - self._clock()))
        ended = channel.status_event.wait(max(0.0, deadline - self._clock()))
        if not ended or any(helper.is_alive() for helper in helpers[1:]):
            self._end(bytes(stdout))
            raise TransportError(f"{program} did not end in time on {self.name}.", "timeout")
        return bytes(stdout), bytes(stderr)

    def _end(self, stdout: bytes) -> None:
        """Ask the node to end the command, with a second's grace."""
        mark, _ = split_output(stdout)
        if mark.isdigit():
            channel = self._connection.open_session(timeout=self._io_timeout)
            channel.exec_command(end_line(int(mark)))
            channel.status_event.wait(_END_TIMEOUT)
            channel.close()

    def list_files(
        self, directory: str, suffix: str, *, depth: int = 3, limit: int = 10_000
    ) -> list[FileStat]:
        """See ``Transport.list_files``."""
        with self._failures("sftp"):
            return self._files().list_files(directory, suffix, depth, limit)

    def read_ranges(self, path: str, ranges: Ranges) -> list[bytes]:
        """See ``Transport.read_ranges``."""
        with self._failures("sftp"):
            return self._files().read_ranges(path, ranges)

    def read_steps(self, files: Iterable[tuple[str, ReadSteps[T]]]) -> list[T | OSError]:
        """See ``Transport.read_steps``."""
        with self._failures("sftp"):
            return self._files().read_steps(files)

    def _files(self) -> sftp.SftpReader:
        if self._reader is None:
            channel = self._connection.open_session(timeout=self._io_timeout)
            channel.settimeout(self._io_timeout)
            channel.invoke_subsystem("sftp")
            self._reader = sftp.SftpReader(channel)
        return self._reader

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Turn what paramiko raises into TransportErrors; the connection is not used again after one."""
        try:
            yield
        except TransportError:
            raise
        except TimeoutError as error:
            self._broken = True
            raise TransportError(
                f"{self.name} stopped answering ({what}). Try again later.", "timeout"
            ) from error
        except sftp.ProtocolError as error:
            self._broken = True
            raise TransportError(f"SFTP with {self.name} failed: {error}", "protocol") from error
        except (EOFError, paramiko.SSHException, ConnectionError) as error:
            self._broken = True
            raise TransportError(f"The connection to {self.name} was closed ({what}).", "closed") from error
        except OSError as error:
            if not self._connection.is_active():
                self._broken = True
                raise TransportError(
                    f"The connection to {self.name} was closed ({what}).", "closed"
                ) from error
            raise

    def close(self) -> None:
        """Give the connection back for reuse, or close it when it no longer works."""
        if self._release is not None and self.usable:
            self._release(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Close the connection for good. May be called from any thread: who waits on it gets ``closed``."""
        self._broken = True
        self._connection.close()


@dataclass(frozen=True)
class _Address:
    """Where a node is and what its key is known as."""

    host: str
    port: int
    user: str
    key_name: str
    jumps: str
    identities: tuple[str, ...]
    identities_only: bool
    global_known_hosts: tuple[str, ...]


class SshConnector:
    """Makes connections and keeps the idle ones for a while. Safe to use from many threads.

    ``connect_timeout`` (seconds) bounds one whole try: name, TCP, keys and login; ``io_timeout`` the wait for
    any one answer on an open connection; after ``idle_timeout`` an unused connection is closed. With ``accept_new`` the
    key of a host that is not known yet is believed, once, and written into ``known_hosts_file``.
    """

    def __init__(
        self,
        config_file: str = "~/.ssh/config",
        known_hosts_file: str = "~/.ssh/known_hosts",
        connect_timeout: float = 5.0,
        *,
        accept_new: bool = False,
        io_timeout: float = 30.0,
        idle_timeout: float = 60.0,
        tries: int = 3,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config_file = config_file
        self._known_hosts_file = known_hosts_file
        self._connect_timeout = connect_timeout
        self._accept_new = accept_new
        self._io_timeout = io_timeout
        self._tries = tries
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pool: IdlePool[SshTransport] = IdlePool(idle_timeout, clock)
        self._config: tuple[str, ConfigParts] | None = None

    def connect(self, node: str) -> SshTransport:
        """A connection to ``node``, an idle one when there is.

        Raises TransportError; ``reason`` is refused, unreachable, timeout, name, auth, host-key,
        unknown-host-key, closed or config. A refused or broken connection is tried up to ``tries`` times.
        """
        kept = self._pool.take(node)
        if kept is not None:
            return kept
        for attempt in range(self._tries):
            try:
                connection = self._open(node, self._clock() + self._connect_timeout, hops=8)
                return SshTransport(node, connection, self._io_timeout, self._pool.put, self._clock)
            except TransportError as error:
                if error.reason not in _WORTH_A_RETRY or attempt == self._tries - 1:
                    raise
            self._sleep(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)])
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close all idle connections. The connector may be used again."""
        self._pool.close()

    # -- opening --------------------------------------------------------------------------------------------

    def _open(self, node: str, deadline: float, hops: int) -> paramiko.Transport:
        address = self._lookup(node)
        stream = self._stream(node, address, deadline, hops)
        connection: paramiko.Transport | None = None
        try:
            with _connect_failures(node, address, deadline, self._clock):
                connection = paramiko.Transport(stream)
                connection.daemon = True
                connection.set_log_channel(_LOG_CHANNEL)
                self._shake_hands(node, address, connection, deadline)
                self._log_in(node, address, connection, deadline)
                connection.set_keepalive(_KEEPALIVE)
                return connection
        except BaseException:
            if connection is not None:
                connection.close()
            stream.close()
            raise

    def _lookup(self, target: str) -> _Address:
        """The address of a node, or of a jump host written as [user@]host[:port]."""
        user, _, node = target.rpartition("@")
        node, _, own_port = node.partition(":")
        text = read_config(self._config_file)
        with self._lock:
            if self._config is None or self._config[0] != text:
                try:
                    paramiko.SSHConfig.from_text(text)
                except paramiko.ConfigParseError as error:
                    raise TransportError(f"{self._config_file} has an error: {error}", "config") from error
                self._config = (text, ConfigParts(text))
            part = self._config[1].part_for(node)
        options: Any = paramiko.SSHConfig.from_text(part).lookup(node)
        jumps = options.get("proxyjump", "none")
        host, port = options["hostname"], _port(node, own_port or options.get("port", "22"))
        own_name = host if port == 22 else f"[{host}]:{port}"
        return _Address(
            host=host,
            port=port,
            user=user or options.get("user") or getpass.getuser(),
            key_name=options.get("hostkeyalias", own_name),
            jumps="" if jumps.lower() == "none" else jumps,
            identities=tuple(options.get("identityfile", _DEFAULT_KEYS)),
            identities_only=options.get("identitiesonly", "no").lower() == "yes",
            global_known_hosts=tuple(
                options.get("globalknownhostsfile", " ".join(_GLOBAL_KNOWN_HOSTS)).split()
            ),
        )

    def _stream(self, node: str, address: _Address, deadline: float, hops: int) -> Any:
        """A TCP connection to the node's SSH server, through the jump hosts when there are any."""
        if not address.jumps:
            with _connect_failures(node, address, deadline, self._clock):
                stream = socket.create_connection(
                    (address.host, address.port), timeout=max(0.01, deadline - self._clock())
                )
                # Small requests must not wait for the acknowledgement of the one before (40 ms each).
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _Buffered(stream)
        if hops == 0:
            raise TransportError(f"The jump hosts of {node} lead in a circle. Check ProxyJump.", "config")
        # The last jump host is next to the node; how to reach that one is its own configuration's matter.
        jump = address.jumps.split(",")[-1].strip()
        jump_connection = self._open(jump, deadline, hops - 1)
        try:
            with _connect_failures(node, address, deadline, self._clock):
                channel = jump_connection.open_channel(
                    "direct-tcpip",
                    (address.host, address.port),
                    ("127.0.0.1", 0),
                    timeout=max(0.01, deadline - self._clock()),
                )
        except TransportError:
            jump_connection.close()
            raise
        return _JumpStream(channel, jump_connection)

    def _shake_hands(
        self, node: str, address: _Address, connection: paramiko.Transport, deadline: float
    ) -> None:
        """Exchange keys and refuse a server that is not the one that known_hosts vouches for."""
        files = (self._known_hosts_file, *address.global_known_hosts)
        known = known_keys((read_text(file) for file in files), address.key_name)
        security = connection.get_security_options()
        wanted = {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in known.trusted else set()
        wanted |= known.trusted.keys()
        # One pass instead of a cipher and a digest: reading costs half the time.
        security.ciphers = sorted(security.ciphers, key=lambda name: "-gcm@" not in name)
        # Ask for a key of a type that we can check, before any other.
        security.key_types = sorted(security.key_types, key=lambda kind: kind not in wanted)
        connection.banner_timeout = connection.handshake_timeout = max(0.01, deadline - self._clock())
        connection.start_client(timeout=connection.banner_timeout)
        if not connection.initial_kex_done:
            raise TimeoutError
        key = connection.get_remote_server_key()
        if key.asbytes() in known.trusted.get(key.get_name(), ()):
            return
        is_new = not known.trusted and key.asbytes() not in known.revoked
        if is_new and self._accept_new and self._remember(address.key_name, key):
            return
        if self._accept_new or not is_new:
            raise TransportError(
                f"The host key of {node} is not the one in {self._known_hosts_file} (as {address.key_name})."
                " The node may have been installed anew, or someone is in between. Ask your administrator.",
                "host-key",
            )
        raise TransportError(
            f"The host key of {node} is not known (no entry {address.key_name} in {self._known_hosts_file})."
            " Connect to it once with ssh and compare the key.",
            "unknown-host-key",
        )

    def _remember(self, name: str, key: paramiko.PKey) -> bool:
        try:
            return remember(self._known_hosts_file, name, key.get_name(), key.asbytes())
        except OSError as error:
            raise TransportError(
                f"The new host key of {name} cannot be written into {self._known_hosts_file}:"
                f" {error.strerror or error}. Check that you may write there.",
                "config",
            ) from error

    def _log_in(self, node: str, address: _Address, connection: paramiko.Transport, deadline: float) -> None:
        for key in keys(address.identities, only=address.identities_only):
            connection.auth_timeout = max(0.01, deadline - self._clock())
            try:
                connection.auth_publickey(address.user, key)
            except paramiko.AuthenticationException:
                if self._clock() >= deadline:
                    raise TimeoutError from None
                if not connection.is_active():
                    break
                continue
            if connection.is_authenticated():
                return
        raise TransportError(
            f"{node} did not accept a key for the user {address.user}. Check that `ssh {node}` logs in"
            " without a password.",
            "auth",
        )


class _Buffered:
    """A socket that is read for as much as there is. paramiko asks for each packet in three pieces, and with many
    connections each system call costs more than its work: another thread takes the interpreter meanwhile."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._data = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes; b"" at the end."""
        if self._at == len(self._data):
            self._data, self._at = self._stream.recv(_BUFFER), 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _JumpStream:
    """A channel through a jump host that takes the host's connection along when it is closed."""

    def __init__(self, channel: paramiko.Channel, jump: paramiko.Transport) -> None:
        self._channel = channel
        self._jump = jump

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def close(self) -> None:
        # The connection inside closes its stream more than once, and the jump host may be gone by then.
        with suppress(EOFError, OSError):
            self._channel.close()
        self._jump.close()


def _port(node: str, text: str) -> int:
    """Raises TransportError for what is no port."""
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536:
        return int(text)
    raise TransportError(
        f"The port of {node}, {text[:40]!r}, is not a number from 1 to 65535. Correct the SSH configuration.",
        "config",
    )


@contextmanager
def _connect_failures(
    node: str, address: _Address, deadline: float, clock: Callable[[], float]
) -> Iterator[None]:
    """Turn what a connection attempt raises into a TransportError with its reason."""
    where = f"{node} ({address.host}, port {address.port})"
    try:
        yield
    except socket.gaierror as error:
        raise TransportError(
            f"The name {address.host} of the node {node} cannot be resolved. Check the name.",
            "name",
        ) from error
    except ConnectionRefusedError as error:
        raise TransportError(
            f"{where} refused the connection; its SSH server may be down.", "refused"
        ) from error
    except paramiko.ChannelException as error:
        raise TransportError(
            f"{where} cannot be reached from its jump host: {error}", "unreachable"
        ) from error
    except TimeoutError as error:
        raise TransportError(
            f"{where} did not answer in time; it may be down or overloaded.", "timeout"
        ) from error
    except (EOFError, ConnectionError, paramiko.SSHException) as error:
        if clock() >= deadline:
            raise TransportError(
                f"{where} did not answer in time; it may be down or overloaded.", "timeout"
            ) from error
        raise TransportError(f"{where} closed the connection: {error}", "closed") from error
    except OSError as error:
        raise TransportError(
            f"{where} cannot be reached: {error.strerror or error}.", "unreachable"
        ) from error


def _feed(channel: paramiko.Channel, data: bytes) -> None:
    try:
        channel.sendall(data)
        channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        return  # the command did not want to read it all


def _drain(receive: Callable[[int], bytes], into: bytearray) -> None:
    try:
        while piece := receive(256 * 1024):
            into += piece
    except (OSError, EOFError, paramiko.SSHException):
        return  # closed at the deadline
