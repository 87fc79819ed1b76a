# ruff: noqa: E501, SIM905 (lists of addresses read best as text)
"""No URL leads the server to a machine that is not public. A trap listens where they point; it must stay empty."""

from __future__ import annotations

import contextlib
import datetime
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from upload_place import ME, Place

from jupyter_slurmdash.errors import Forbidden, InvalidInput, SlurmDashError, TooLarge, TransportError
from jupyter_slurmdash.uploads.addresses import is_public
from jupyter_slurmdash.uploads.external import External, ExternalFile
from jupyter_slurmdash.uploads.fetch import Fetcher
from jupyter_slurmdash.uploads.writer import Writer

NEVER = [
    *(
        "0.0.0.0 127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255".split()
    ),
    *(
        "192.168.0.1 192.168.255.255 169.254.169.254 169.254.0.1 100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1".split()
    ),
    *(
        "198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255".split()
    ),
    *("192.88.99.1 0.1.2.3 192.0.0.170 192.0.0.192".split()),
    *(
        ":: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8".split()
    ),
    *(
        "::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::169.254.169.254 64:ff9b:1::7f00:1 2002:7f00:1:: 2002:a00:1::".split()
    ),
    *(
        "2002:a9fe:a9fe:: 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1 3fff::1 fe80::1 fe80::1%lo".split()
    ),
    *(
        "fec0::1 fc00::1 fd00::1 fd00:ec2::254 ff02::1 ff0e::1 100::1 5f00::1 4000::1 2001:2::1 febf::1".split()
    ),
]
# The text of a URL; every host in it is on the list of allowed hosts where it can be.
HOSTS = [
    *(
        "127.0.0.1 127.1 127.0.1 0 0.0.0.0 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.000.000.001".split()
    ),
    *(
        "127.127.127.127 0x7f.1 0177.1 localhost localhost. localhost.localdomain LOCALHOST ip6-localhost [::1] [::]".split()
    ),
    *(
        "[::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1]".split()
    ),
    *(
        "[::1%25lo] 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 10.0.0.1 192.168.1.1 172.16.0.1".split()
    ),
    *(
        "metadata.google.internal 127.0.0.1.nip.io 0.0.0.0.nip.io localtest.me 127。0。0。1 ①②⑦.⓪.⓪.① ⓛocalhost 127%2e0%2e0%2e1".split()
    ),
]
SHAPES = [
    "https://{h}:{p}/",
    "https://good.example@{h}:{p}/",
    "https://{h}:{p}#@good.example/",
]
ODD = [
    "http://good.example/", "ftp://good.example/", "file:///etc/passwd", "gopher://127.0.0.1:{p}/_x", "dict://127.0.0.1:{p}/",
    "//127.0.0.1:{p}/", "https:127.0.0.1:{p}", "https:///127.0.0.1:{p}/", "https://good.example\\@127.0.0.1:{p}/",
    "https://127.0.0.1:{p}\\@good.example/", "https://good.example\t@127.0.0.1/", "https://good.example\n.evil/", "https://",
    "https://good.example:99999/", "https://good.example:{p}/", "https://[good.example]/", "HTTPS://127.0.0.1:{p}", "jar:https://x!/",
    "https://evil.example/", "https://good.example.evil.example/", "https://evilgood.example/", "https:// good.example/", "",
    "data:text/plain,x", "https://good..example/", "https://.good.example/", "https://good.example%00.evil/", "https://-good.example/",
]  # fmt: skip


class Trap:
    """Listens on all addresses of this machine and counts who comes."""

    def __init__(self) -> None:
        self.count = 0
        self._selector = selectors.DefaultSelector()
        first = socket.socket(socket.AF_INET6)
        first.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        first.bind(("::", 0))
        first.listen(50)
        first.setblocking(False)
        self.port = first.getsockname()[1]
        self._listener = first
        self._selector.register(first, selectors.EVENT_READ)

    def poll(self) -> int:
        while self._selector.select(0):
            self._listener.accept()[0].close()
            self.count += 1
        return self.count

    def close(self) -> None:
        self._selector.close()
        self._listener.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


def fetch(fetcher: Fetcher, url: str, limit: int = 10_000) -> bytes:
    with fetcher.open(url, limit) as (_, pieces):
        return b"".join(pieces)


def test_no_payload_reaches_the_trap(trap: Trap) -> None:
    for address in ("127.0.0.1", "127.9.9.9", "::1"):  # the trap works
        socket.create_connection((address, trap.port), 5).close()
    assert trap.poll() == 3
    port = trap.port
    urls = [shape.format(h=host, p=port) for host in HOSTS for shape in SHAPES] + [
        text.replace("{p}", str(port)) for text in ODD
    ]
    names = [host.strip("[]").rstrip(".").lower() for host in HOSTS if "[" not in host]
    allowed = [
        *names,
        *(f"{name}:{port}" for name in names),
        "localhost.",
        f"localhost.:{port}",
        "good.example",
    ]
    refused = 0
    for url in urls:
        with pytest.raises((InvalidInput, Forbidden, TransportError)):
            fetch(Fetcher([rule for rule in allowed if not rule.startswith(":")], 5.0), url)
        refused += 1
    for address in NEVER:  # an allowed name that leads there, alone or behind a public address
        for answers in ([address], ["93.184.215.14", address]):
            with pytest.raises(Forbidden):
                fetch(
                    Fetcher([f"good.example:{port}"], resolver=lambda *_, a=answers: a),
                    f"https://good.example:{port}/",
                )
            refused += 1
    assert trap.poll() == 3
    print(f"\nSSRF: {refused} payloads refused, {trap.count - 3} connections")
    assert refused >= 150


@pytest.mark.parametrize("address", NEVER)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"])
def test_public(address: str) -> None:
    assert is_public(address)


def test_a_name_that_changes_after_the_check_is_never_asked_again(trap: Trap) -> None:
    """The second answer of the resolver leads to the trap; and a connection that ends there all the same is dropped."""
    asked = []

    def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["127.0.0.2"]

    checked = []

    def public_once(address: str) -> bool:
        checked.append(address)
        return len(checked) == 1

    fetcher = Fetcher([f"good.example:{trap.port}"], resolver=changing, public=public_once)
    with pytest.raises(Forbidden):
        fetch(fetcher, f"https://good.example:{trap.port}/")
    assert (asked, checked) == (["good.example"], ["127.0.0.2", "127.0.0.2"])


# -- a real TLS server --------------------------------------------------------------------------------------


def certificate(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    kind = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    text = key.private_bytes(kind, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(kind)
    (directory / "server.pem").write_bytes(text)
    return directory / "server.pem"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[Fetcher, str]]]:
    pem = certificate(tmp_path)
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(
        *answers: bytes, endless: bool = False, name: str = "good.example", timeout: float = 10.0
    ) -> tuple[Fetcher, str]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            for answer in answers:
                with (
                    contextlib.suppress(OSError),
                    listener.accept()[0] as raw,
                    context.wrap_socket(raw, True) as one,
                ):
                    one.recv(10_000)
                    one.sendall(answer)
                    while endless:
                        one.sendall(b"x" * 10_000)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        port = listener.getsockname()[1]
        trust = ssl.create_default_context(cafile=str(pem))
        fetcher = Fetcher(
            [f"{name}:{port}"],
            timeout,
            resolver=lambda *_: ["127.0.0.1"],
            public="127.0.0.1".__eq__,
            context=trust,
        )
        return fetcher, f"https://{name}:{port}/file"

    yield start
    for listener in listeners:
        listener.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


OK = b"HTTP/1.1 200 OK\r\n"


def test_the_good_path(serve: Callable[..., tuple[Fetcher, str]]) -> None:
    assert fetch(*serve(OK + b"Content-Length: 5\r\n\r\nbytes")) == b"bytes"
    assert fetch(*serve(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n")) == b"bytes"
    again = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    assert fetch(*serve(again, OK + b"Content-Length: 2\r\n\r\nok")) == b"ok"


def test_what_servers_do_wrong(serve: Callable[..., tuple[Fetcher, str]]) -> None:
    with pytest.raises(TransportError, match="certificate"):
        fetch(*serve(b"x", name="other.example"))
    with pytest.raises(TransportError, match="404"):
        fetch(*serve(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(SlurmDashError):
        fetch(*serve(OK + b"Content-Length: 10\r\n\r\nbytes"))
    with pytest.raises(TransportError, match="compressed"):
        fetch(*serve(OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"))


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "http://good.example/", "https://127.0.0.1/", "file:///etc/passwd"]
)
def test_no_redirect_elsewhere(serve: Callable[..., tuple[Fetcher, str]], target: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises((Forbidden, InvalidInput)):
        fetch(*serve(answer))


def test_endless_bodies_are_cut(serve: Callable[..., tuple[Fetcher, str]]) -> None:
    with pytest.raises(TooLarge):
        fetch(*serve(OK + b"\r\n", endless=True))
    with pytest.raises(TooLarge):
        fetch(*serve(OK + b"Content-Length: 10001\r\n\r\n"))


def test_a_wrong_file_is_given_up_early(
    serve: Callable[..., tuple[Fetcher, str]], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 GiB that cannot be gzip: less than 4 MiB of it are taken, and nothing stays."""
    fetcher, url = serve(OK + f"Content-Length: {5 * 1024**3}\r\n\r\n".encode(), endless=True)
    taken: list[int] = []
    write = Writer.write

    def counting(self: Writer, data: bytes) -> None:
        taken.append(len(data))
        write(self, data)

    monkeypatch.setattr(Writer, "write", counting)
    external = External(place.sessions, place.transfers, place.uploads.small, fetcher)
    with pytest.raises(InvalidInput, match="not a gzip file"):
        external.gather(ME, "template", [ExternalFile("data.tar.gz", url=url)])
    assert 0 < sum(taken) < 4 * 1024**2
    assert [path for path in (place.root / "uploads").rglob("*") if path.is_file()] == []
