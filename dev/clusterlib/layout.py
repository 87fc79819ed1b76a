"""Names, ports and paths: what the cluster looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATE = Path("/opt/slurmdash-dev/cluster")
LOG = STATE / "log"
RUN = STATE / "run"
SPOOL = STATE / "spool"
SSH = STATE / "ssh"
IMAGES = STATE / "images"
BUILD = STATE / "build"
SIGNING_KEY = IMAGES / "signing-key.asc"  # the public half
DEFINITIONS_COPY = BUILD / "definitions"
SLURM_ETC = Path("/etc/slurm")
IMAGE_DIR = Path("/opt/apptainers")  # what every node calls its own image folder
DEFINITIONS = Path(__file__).resolve().parent.parent / "images"

CLUSTER = "slurmdash"
USERS = ("hpcuser1", "hpcuser2")
ACCOUNTS = {"research": USERS, "teaching": USERS[:1]}  # the first one is each user's default
FAKE_GPUS = (Path("/dev/fakegpu0"), Path("/dev/fakegpu1"))

# Away from the usual 6817-6819 and 22, so that a cluster the machine already has is not disturbed.
SLURMCTLD_PORT = 16817
SLURMDBD_PORT = 16819
FIRST_SLURMD_PORT = 17001
FIRST_SSH_PORT = 17101


@dataclass(frozen=True)
class Node:
    """One pretended machine. CPUs and memory (MB) are what Slurm is told, not what the host has."""

    name: str
    partition: str
    number: int
    cpus: int
    memory: int
    features: str = ""
    gres: str = ""

    @property
    def slurmd_port(self) -> int:
        """Where its slurmd listens on loopback."""
        return FIRST_SLURMD_PORT + self.number

    @property
    def ssh_port(self) -> int:
        """Where its sshd listens on loopback."""
        return FIRST_SSH_PORT + self.number

    @property
    def folder(self) -> Path:
        """Everything that belongs to this node alone."""
        return STATE / "nodes" / self.name

    @property
    def images(self) -> Path:
        """The folder that this node sees as /opt/apptainers."""
        return self.folder / "apptainers"


@dataclass(frozen=True)
class Partition:
    """A Slurm partition; `max_time` as Slurm writes it."""

    name: str
    max_time: str
    default: bool = False


PARTITIONS = (
    Partition("compute", "1-00:00:00", default=True),
    Partition("gpu", "08:00:00"),
    Partition("viz", "04:00:00"),
)

NODES = (
    *(Node(f"node00{n}", "compute", n - 1, cpus=8, memory=32768) for n in range(1, 5)),
    Node(
        "gpu001", "gpu", 4, cpus=16, memory=65536, features="gpu_v100,gpu_a100", gres=f"gpu:{len(FAKE_GPUS)}"
    ),
    Node("viz-node001", "viz", 5, cpus=8, memory=32768, features="viz"),
)


def node(name: str) -> Node:
    """The node of that name; KeyError when there is none."""
    return {n.name: n for n in NODES}[name]
