"""One sshd for all tests of a session that do not stop it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from private_sshd import Sshd


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()
