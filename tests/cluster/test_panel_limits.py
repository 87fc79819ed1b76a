"""The limits of the real cluster in the panel's form: beside the fields, while typing, and in what is submitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accounting import recorded
from bounded_account import ACCOUNT, QOS, bounded_account
from playwright_run import browser


@pytest.fixture
def bounded_user(user: Any) -> Iterator[Any]:
    """Her server has not asked Slurm for her limits before she had the account."""
    user.stop_server()
    with bounded_account(user.name):
        user.start_server()
        yield user
        user.stop_server()


def test_the_form_is_bounded_by_what_slurm_allows(bounded_user: Any, tmp_path: Path) -> None:
    id_file = tmp_path / "job"
    browser(
        bounded_user,
        "the limits of partition, account and QOS",
        SLURMDASH_ACCOUNT=ACCOUNT,
        SLURMDASH_QOS=QOS,
        SLURMDASH_JOB_ID_FILE=str(id_file),
    )
    job_id = id_file.read_text()
    bounded_user.wait_for_job(job_id)
    assert recorded(job_id, "account,qos,partition,timelimit") == f"{ACCOUNT}|{QOS}|gpu|00:20:00"
