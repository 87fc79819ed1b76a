"""known_hosts, whatever is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.transport.hostkeys import known_keys
from jupyter_slurmdash.transport.sshconfig import read_config

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIAjKI3sjpG2BfPTTStanWKaSRuRwwVwiDPEbtE9U06S5"


@given(st.text(), st.text())
def test_any_text(text: str, name: str) -> None:
    known_keys([text], name)


@given(st.text(alphabet="|1abc=+/,*?![]:@ \t\n", max_size=80))
def test_nearly_entries(text: str) -> None:
    assert known_keys([f"{text} ssh-ed25519 not-base64!"], "a").trusted == {}


def test_several_files_and_types() -> None:
    texts = [f"a ssh-ed25519 {KEY}", f"b,a ssh-rsa {KEY}\n@cert-authority a ssh-dss {KEY}"]
    assert set(known_keys(texts, "A").trusted) == {"ssh-ed25519", "ssh-rsa"}


def test_no_configuration() -> None:
    assert read_config("/nonexistent/config") == ""
