"""What becomes of an upload when its request is over."""

from __future__ import annotations

import logging
import time

import pytest
from live import Live

from jupyter_slurmdash.errors import NoSpace
from jupyter_slurmdash.handlers.bodies import BodyHandler
from jupyter_slurmdash.uploads.intake import Intake

FILE = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.dat"\r\n\r\n12345\r\n'
WRONG = b'--B\r\nContent-Disposition: form-data; name="file_type"\r\n\r\nvirus\r\n'
KIND = {"Content-Type": "multipart/form-data; boundary=B"}


@pytest.fixture
def path(live: Live, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where forms of a new session go; what is logged of them comes to ``caplog``."""
    monkeypatch.setattr(BodyHandler, "log", logging.getLogger("told"))
    session = live.call("POST", "/api/v2/upload/sessions", {}).json()["session_id"]
    return f"/api/v2/upload/sessions/{session}/files"


def logged(caplog: pytest.LogCaptureFixture, text: str) -> logging.LogRecord:
    """The first record with ``text``, which may still be on its way."""
    deadline = time.monotonic() + 10
    while not (found := [record for record in caplog.records if text in record.getMessage()]):
        assert time.monotonic() < deadline
    return found[0]


@pytest.mark.parametrize("error", [OSError("the disk is broken"), NoSpace("the disk is full")])
def test_what_could_not_be_closed_is_told_in_the_log(
    live: Live, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """Nobody waits for it: the request has its answer."""
    close = Intake.close

    def fail(self: Intake) -> None:
        if self._closed:
            raise error
        close(self)

    monkeypatch.setattr(Intake, "close", fail)
    assert live.call("POST", path, FILE + b"--B--\r\n", KIND).status == 201
    record = logged(caplog, str(error))
    # An expected error is told in a line; of a fault it is told where.
    assert bool(record.exc_info) == isinstance(error, OSError)


def test_a_refusal_is_heard_although_closing_fails_too(
    live: Live, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: Intake) -> None:
        raise NoSpace("the disk is full")

    monkeypatch.setattr(Intake, "close", fail)
    answer = live.call("POST", path, WRONG + FILE + b"--B--\r\n", KIND)
    assert (answer.status, answer.json()["type"]) == (400, "slurmdash:invalid-input")
    logged(caplog, "the disk is full")
