"""What Slurm says when it does not do something, turned into our errors."""

from __future__ import annotations

import re

from ..errors import Forbidden, SchedulerRefused, SchedulerUnavailable, SlurmDashError

_PREFIX = re.compile(
    r"^(?:s\w+: )?(?:(?:error|fatal|warning|lua|cli_filter): )*"
    r"(?:Batch job submission failed: |allocation failure: )?",
)
_LAST_SIGNAL = 64
_NOISE = re.compile(r"^Try \"\w+ --help\"|^$")

# The controller or its database cannot be asked now; asking again later may help.
_AWAY = re.compile(
    r"unable to contact slurm|unable to connect to (?:slurm|database)|connection (?:refused|timed out|reset)|"
    r"socket timed out|connect failure|zero bytes were transmitted|transport endpoint is not connected|"
    r"standby mode|temporarily unable|problem talking to the database|authentication (?:error|failure)|"
    r"munge|configuration source|no route to host|message (?:receive|send) failure|could not resolve",
    re.IGNORECASE,
)
_DENIED = re.compile(r"access/permission denied|permission denied", re.IGNORECASE)

_ADVICE: tuple[tuple[str, str], ...] = (
    (r"invalid partition", "Choose a partition from the list of partitions."),
    (
        r"account|association|account/partition|qos",
        "Choose an account and a QOS that you may use on this cluster.",
    ),
    (r"time limit", "Ask for less time, or choose a partition with a longer limit."),
    (r"memory", "Ask for less memory, or choose a partition with bigger nodes."),
    (
        r"node configuration|more processors|node count",
        "No node of the partition is that big: ask for fewer nodes, CPUs, memory or GPUs, or choose another"
        " partition.",
    ),
    (r"generic resource|gres", "Choose GPUs (gres) that the partition has."),
    (r"feature", "Choose a constraint that nodes of the partition have."),
    (r"node name", "Check the names of the nodes."),
    (r"reservation", "Check the name of the reservation and that you may use it."),
    (r"dependency", "Check the job ids that this job is to wait for."),
    (r"array", "Check the array: ids like 1-10 or 1,3,5-9%2, not above the site's limit."),
    (r"dos line breaks", "Save the script with Unix line ends."),
    (r"does not look like a batch script", "Begin the script with a line such as #!/bin/bash."),
    (r"limit", "A limit of the site is reached: wait until other jobs have ended, or ask for less."),
)


def clean(text: str) -> str:
    """Slurm's own words without program names, repetitions and hints about ``--help``; lines become
    sentences."""
    lines = [_PREFIX.sub("", line.strip()) for line in text.splitlines()]
    kept = dict.fromkeys(line for line in lines if not _NOISE.search(line))
    return " ".join(kept)[:2000]


def is_away(text: str) -> bool:
    """Does the text say that the controller or its database does not answer?"""
    return _AWAY.search(text) is not None


def advice(text: str) -> str:
    """What to do about a frequent refusal, or an empty string."""
    low = text.lower()
    return next((hint for pattern, hint in _ADVICE if re.search(pattern, low)), "")


def submit_error(stderr: str, code: int) -> SlurmDashError:
    """The error for an ``sbatch`` that ended with ``code`` and these words.

    Ended by a signal (a negative code, or as shells tell it, 128 and the signal's number), it has refused
    nothing: the controller may hold the job.
    """
    words = clean(stderr)
    if code < 0 or 128 < code <= 128 + _LAST_SIGNAL:
        number = -code if code < 0 else code - 128
        return SchedulerUnavailable(
            f"sbatch was ended by signal {number} before it said whether the job was taken."
            " Look at the queue before you submit again."
        )
    if is_away(stderr):
        return SchedulerUnavailable(f"Slurm does not answer: {words} Try again in a minute.")
    if not words:
        words = f"sbatch ended with exit code {code} and said nothing."
    return SchedulerRefused(
        " ".join(filter(None, (_sentence(words), advice(words)))), scheduler_message=words
    )


def query_error(program: str, stderr: str, code: int) -> SlurmDashError:
    """The error for another command that ended with ``code``."""
    words = clean(stderr) or f"exit code {code} and no message."
    if _DENIED.search(stderr):
        return Forbidden(f"Slurm does not allow this: {_sentence(words)}")
    return SchedulerUnavailable(f"Slurm does not answer {program}: {_sentence(words)} Try again in a minute.")


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
