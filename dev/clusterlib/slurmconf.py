"""What is written to /etc/slurm."""

from __future__ import annotations

import shutil
import socket

from . import layout
from .shell import ClusterError, folder, write

MARK = "# Written by dev/cluster of jupyter-slurmdash; changes are lost at the next `up`.\n"
MUNGE = layout.STATE / "munge"
_CTLD = layout.STATE / "slurmctld"

_SLURM_CONF = """\
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmUser=slurm
AuthType=auth/munge
AuthInfo=socket={munge}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny

StateSaveLocation={ctld}
SlurmctldPidFile={ctld}/slurmctld.pid
SlurmdPidFile={run}/slurmd-%n.pid
SlurmdSpoolDir={spool}/%n
SlurmctldLogFile={log}/slurmctld.log
SlurmdLogFile={log}/slurmd-%n.log
SlurmctldSyslogDebug=quiet
SlurmdSyslogDebug=quiet

ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
MpiDefault=none
ReturnToService=2
SlurmdTimeout=60
KillWait=5
MaxJobCount=50000

# Jobs start at once, and what cannot run is refused when it is submitted.
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=5,bf_interval=5
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=256
# The nodes are as big as written here, whatever this machine has.
SlurmdParameters=config_overrides

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
# The munge socket for slurmdbd; it does not look at AuthInfo.
AccountingStoragePass={munge}
AccountingStorageTRES=gres/gpu
# As most sites: no job of an account that is not one's own, none beyond what account and QOS allow.
AccountingStorageEnforce=associations,limits,qos
AccountingStoreFlags=job_comment,job_script
JobCompType=jobcomp/none

GresTypes=gpu
{nodes}
{partitions}
"""

_SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={munge}
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={dbd_port}
CommunicationParameters=NoInAddrAny
SlurmUser=slurm
LogFile={log}/slurmdbd.log
DebugLevelSyslog=quiet
PidFile={ctld}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
"""


def _nodes() -> str:
    lines = []
    for node in layout.NODES:
        more = (f" Features={node.features}" if node.features else "") + (
            f" Gres={node.gres}" if node.gres else ""
        )
        lines.append(
            f"NodeName={node.name} NodeHostname={node.name} NodeAddr=127.0.0.1 "
            f"Port={node.slurmd_port} CPUs={node.cpus} RealMemory={node.memory}{more}"
        )
    return "\n".join(lines)


def _partitions() -> str:
    lines = []
    for part in layout.PARTITIONS:
        names = ",".join(n.name for n in layout.NODES if n.partition == part.name)
        lines.append(
            f"PartitionName={part.name} Nodes={names} MaxTime={part.max_time} DefaultTime=01:00:00 "
            f"Default={'YES' if part.default else 'NO'} State=UP"
        )
    return "\n".join(lines)


def configure() -> bool:
    """Write what is in /etc/slurm; True when running daemons have to read it anew."""
    config = layout.SLURM_ETC / "slurm.conf"
    if config.exists() and not config.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise ClusterError(f"{config} belongs to another cluster; move it away first")
    values = {
        "cluster": layout.CLUSTER,
        "host": socket.gethostname(),
        "ctld_port": layout.SLURMCTLD_PORT,
        "dbd_port": layout.SLURMDBD_PORT,
        "munge": MUNGE / "socket",
        "ctld": _CTLD,
        "run": layout.RUN,
        "spool": layout.SPOOL,
        "log": layout.LOG,
        "nodes": _nodes(),
        "partitions": _partitions(),
    }
    gpus = "".join(
        f"NodeName={n.name} Name=gpu File=/dev/fakegpu[0-{len(layout.FAKE_GPUS) - 1}]\n"
        for n in layout.NODES
        if n.gres
    )
    folder(layout.SLURM_ETC)
    changed = [
        write(config, MARK + _SLURM_CONF.format(**values)),
        write(layout.SLURM_ETC / "gres.conf", MARK + gpus),
        write(layout.SLURM_ETC / "slurmdbd.conf", MARK + _SLURMDBD_CONF.format(**values), "slurm", 0o600),
    ]
    folder(_CTLD, "slurm", 0o700)
    folder(layout.SPOOL)
    for name in ("slurmctld", "slurmdbd"):  # written by the user slurm in a folder of root
        log = layout.LOG / f"{name}.log"
        log.touch()
        shutil.chown(log, "slurm", "slurm")
    return any(changed)
