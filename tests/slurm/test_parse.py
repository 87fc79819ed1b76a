"""Rows: hostile texts neither add, drop nor change a row, and what is broken is reported."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_slurmdash.slurm import parse
from jupyter_slurmdash.slurm.commands import HISTORY_COLUMNS, QUEUE_COLUMNS, SINFO_COLUMNS, Marks

MARKS = Marks("5f0c9a")
QUEUE_ROW = {
    "job_id": "123_4",
    "raw_id": "127",
    "het_id": "N/A",
    "state": "RUNNING",
    "reason": "None",
    "user": "alice",
    "partition": "gpu",
    "nodes": "gpu[001-002]",
    "node_count": "2",
    "cpus": "16",
    "submitted_at": "1700000000",
    "started_at": "1700000100",
    "ended_at": "1700003700",
    "elapsed": "1:40",
    "time_limit": "1:00:00",
    "exit_status": "0",
    "name": "train",
    "comment": "slurmdash:1",
    "workdir": "/home/alice",
}
HISTORY_ROW = {
    "job_id": "123",
    "state": "CANCELLED by 1001",
    "reason": "Priority",
    "user": "alice",
    "partition": "compute",
    "nodes": "None assigned",
    "node_count": "1",
    "cpus": "1",
    "submitted_at": "1700000000",
    "started_at": "None",
    "ended_at": "1700000010",
    "elapsed": "0",
    "time_limit": "01:00:00",
    "exit_code": "0:15",
    "name": "train",
    "comment": "",
    "workdir": "/home/alice",
}
HOSTILE = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="|\n\r\t\x1e\x1f<>/'\"\\%, 0129_[]+:한글", max_size=1024),
    st.sampled_from(["x\n124_1|RUNNING", "a" * 1024, "</5f0c9>", "<5f0c9b>", "\n", "\x1f\x1e", "(null)x"]),
)


def queue_text(*rows: dict[str, str]) -> str:
    return "".join(MARKS.field.join(row[name] for name in QUEUE_COLUMNS) + MARKS.end + "\n" for row in rows)


def history_text(*rows: dict[str, str]) -> str:
    return "".join("".join(row[name] + MARKS.field for name in HISTORY_COLUMNS) + "\n" for row in rows)


def test_a_running_job() -> None:
    (job,) = parse.queue(queue_text(QUEUE_ROW), MARKS).jobs
    assert (job.job_id, job.state, job.name, job.nodes, job.node_count) == (
        "123_4",
        "RUNNING",
        "train",
        "gpu[001-002]",
        2,
    )
    assert (job.submitted_at, job.started_at, job.elapsed, job.time_limit) == (1.7e9, 1.7e9 + 100, 100, 3600)
    # squeue prints when it must end and an exit code of 0: neither is a fact yet.
    assert (job.ended_at, job.exit_code, job.reason) == (None, None, "")
    assert not job.final


def test_a_waiting_job_has_no_start_even_when_slurm_guesses_one() -> None:
    row = {**QUEUE_ROW, "job_id": "123_[5-9%2]", "state": "PENDING", "reason": "Resources", "nodes": ""}
    (job,) = parse.queue(queue_text(row), MARKS).jobs
    assert (job.job_id, job.started_at, job.elapsed, job.reason) == ("123_[5-9%2]", None, None, "Resources")


def test_an_ended_job_in_the_queue() -> None:
    row = {**QUEUE_ROW, "job_id": "9+1", "state": "FAILED", "reason": "NonZeroExitCode", "exit_status": "768"}
    (job,) = parse.queue(queue_text(row), MARKS).jobs
    assert (job.job_id, job.exit_code, job.signal, job.ended_at) == ("9+1", 3, None, 1.7e9 + 3700)
    assert job.reason == "NonZeroExitCode"


def test_a_job_of_accounting() -> None:
    (job,) = parse.history(history_text(HISTORY_ROW), MARKS).jobs
    assert (job.state, job.raw_state, job.exit_code, job.signal) == ("CANCELLED", "CANCELLED by 1001", 0, 15)
    assert (job.started_at, job.nodes, job.reason, job.final) == (None, "", "", True)


def test_an_unknown_state_is_kept() -> None:
    (job,) = parse.queue(queue_text({**QUEUE_ROW, "state": "DREAMING"}), MARKS).jobs
    assert (job.state, job.raw_state) == ("UNKNOWN", "DREAMING")


@settings(max_examples=300)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=6))
def test_hostile_texts_in_the_queue(texts: list[tuple[str, str, str]]) -> None:
    rows = [
        {**QUEUE_ROW, "job_id": str(number), "name": name, "comment": comment, "workdir": workdir}
        for number, (name, comment, workdir) in enumerate(texts, start=1)
    ]
    found = parse.queue(queue_text(*rows), MARKS)
    assert found.bad == []
    assert [(job.job_id, job.name, job.workdir) for job in found.jobs] == [
        (row["job_id"], row["name"], row["workdir"]) for row in rows
    ]


@settings(max_examples=300)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=6))
def test_hostile_texts_in_accounting(texts: list[tuple[str, str, str]]) -> None:
    rows = [
        {**HISTORY_ROW, "job_id": str(number), "name": name, "comment": comment, "workdir": workdir}
        for number, (name, comment, workdir) in enumerate(texts, start=1)
    ]
    found = parse.history(history_text(*rows), MARKS)
    assert found.bad == []
    assert [(job.job_id, job.name, job.workdir) for job in found.jobs] == [
        (row["job_id"], row["name"], row["workdir"]) for row in rows
    ]


def test_a_broken_row_is_reported_and_disturbs_no_other() -> None:
    broken = "77" + MARKS.field + "RUNNING" + MARKS.end + "\n"
    found = parse.queue(queue_text(QUEUE_ROW) + broken + queue_text({**QUEUE_ROW, "job_id": "9"}), MARKS)
    assert [job.job_id for job in found.jobs] == ["123_4", "9"]
    assert found.bad == ["77 RUNNING"]


def test_a_remark_before_the_rows_costs_no_row() -> None:
    found = parse.queue("Welcome to the cluster\n" + queue_text(QUEUE_ROW), MARKS)
    assert ([job.job_id for job in found.jobs], found.bad) == (["123_4"], [])
    found = parse.history("sacct: a remark\n" + history_text(HISTORY_ROW), MARKS)
    assert ([job.job_id for job in found.jobs], found.bad) == (["123"], [])


def test_what_was_cut_off_is_reported() -> None:
    text = queue_text(QUEUE_ROW, QUEUE_ROW)
    found = parse.queue(text[:-30], MARKS)
    assert (len(found.jobs), len(found.bad)) == (1, 1)
    found = parse.history(history_text(HISTORY_ROW)[:-40] + "x", MARKS)
    assert (len(found.jobs), len(found.bad)) == (0, 2)


def test_what_is_no_job_id_is_reported() -> None:
    found = parse.queue(queue_text({**QUEUE_ROW, "job_id": "total"}, {**QUEUE_ROW, "job_id": ""}), MARKS)
    assert (found.jobs, len(found.bad)) == ([], 2)


@given(st.text())
def test_any_text_is_rows_or_reported(text: str) -> None:
    for read in (parse.queue, parse.history):
        found = read(text, MARKS)
        assert found.jobs == []
        assert bool(found.bad) == bool(text.strip())


def test_the_answer_of_sbatch() -> None:
    assert parse.submitted("123\n") == "123"
    assert parse.submitted("123;cluster\n") == "123"
    assert parse.submitted("Hello 5\n124\n") == "124"
    assert parse.submitted("") is None
    assert parse.submitted("Submitted batch job x") is None


def sinfo_text(*rows: dict[str, str]) -> str:
    return "".join(MARKS.field.join(row[name] for name in SINFO_COLUMNS) + MARKS.end + "\n" for row in rows)


NODE = {
    "node": "n1",
    "partition": "compute",
    "starred": "compute*",
    "available": "up",
    "max_time": "1-00:00:00",
    "state": "MIXED",
    "cpus": "3/5/0/8",
    "memory": "32768",
    "gres": "gpu:a100:2(S:0)",
    "gres_used": "gpu:a100:1(IDX:0)",
    "reason": "none",
}


def test_nodes_and_partitions_from_one_call() -> None:
    text = sinfo_text(
        NODE,
        {**NODE, "partition": "debug", "starred": "debug", "max_time": "infinite", "available": "inact"},
        {**NODE, "node": "n2", "state": "down*", "cpus": "0/0/16/16", "memory": "65536", "gres": "(null)"},
        {**NODE, "node": "n3", "state": "drained$", "reason": "disk | full\nsee <mail>"},
    )
    machine = parse.machine(text, MARKS)
    first, second, third = machine.nodes
    assert (first.partitions, first.state, first.cpus, first.cpus_used) == (
        ("compute", "debug"),
        "mixed",
        8,
        3,
    )
    assert (first.memory, first.gpus, first.gpus_used, first.reason) == (32 * 2**30, 2, 1, "")
    assert (second.state, second.reason, second.gres) == ("down", "Not responding", "")
    assert (third.state, third.reason) == ("drained", "disk | full\nsee <mail>")
    compute, debug = machine.partitions
    assert (compute.is_default, compute.max_time, compute.nodes) == (True, 86400, ("n1", "n2", "n3"))
    assert (compute.cpus_per_node, compute.memory_per_node, compute.gpus_per_node) == (16, 64 * 2**30, 2)
    assert (debug.is_default, debug.max_time, debug.state) == (False, None, "inact")


def test_the_configuration() -> None:
    config = parse.config(
        "ClusterName             = x\nSLURM_VERSION = 22.05.8\nSlurmctld(primary) at vm is UP\n"
    )
    assert config == {"ClusterName": "x", "SLURM_VERSION": "22.05.8"}
