"""The settings of a site and a user: one ``Configurable`` whose traits are the whole list.

``c.SlurmDash.<trait> = …`` in ``jupyter_server_config.py`` (or ``jupyter_slurmdash_config.py``) sets them for the
server, the notebook and the terminal alike.
"""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from traitlets import Bool, Dict, Enum, Float, Int, List, Unicode, default, validate
from traitlets.config import Configurable

GiB = 1024**3
MiB = 1024**2

# The names of what people look at rather than compute with.
_VIZ_NAMES = ("vnc", "gnome", "xfce", "desktop", "paraview", "visit", "vmd", "viz")

# What an image is for, unless a site says it otherwise: by its label, its partitions, its name.
IMAGE_TYPE_RULES: tuple[dict[str, str], ...] = (
    *({"type": kind, "label": f"slurmdash.type={kind}"} for kind in ("viz", "compute", "custom")),
    {"type": "viz", "partition": "*viz*"},
    *({"type": "viz", "name": f"*{name}*"} for name in _VIZ_NAMES),
)


class SlurmDash(Configurable):
    """Settings of jupyter-slurmdash."""

    scheduler = Enum(
        ["auto", "slurm", "ssh", "rest", "local"],
        default_value="auto",
        help="Which scheduler: Slurm's commands here, over SSH, slurmrestd, or the embedded local one."
        " auto: slurm when sbatch is on the PATH, else local.",
    ).tag(config=True)
    nodes = Dict(
        value_trait=List(Unicode()),
        key_trait=Unicode(),
        help="Nodes to scan for images with their partitions, {'node001': ['compute']}; empty: ask sinfo.",
    ).tag(config=True)
    image_dirs = List(
        Unicode(), ["/opt/apptainers"], help="Directories scanned for .sif files on each node, over SSH."
    ).tag(config=True)
    shared_image_dirs = List(
        Unicode(), [], help="Directories scanned for .sif files once, on this machine (shared file systems)."
    ).tag(config=True)
    ssh_config_file = Unicode(
        "~/.ssh/config", help="OpenSSH configuration with users, ports, keys and jump hosts of the nodes."
    ).tag(config=True)
    known_hosts_file = Unicode("~/.ssh/known_hosts", help="Host keys; a changed one is always refused.").tag(
        config=True
    )
    unknown_hosts = Enum(
        ["refuse", "accept-new"],
        default_value="refuse",
        help="What to do with a node whose host key is not known: refuse it, or accept it once and write it into"
        " known_hosts_file. Whoever answers at the first connection is believed then.",
    ).tag(config=True)
    inspect_on_nodes = Bool(
        False,
        help="Ask `apptainer inspect` on the node about images that cannot be read in full from here (lzo, ext3,"
        " encrypted ones without metadata). It starts the image's own shell there, so it is off by default.",
    ).tag(config=True)
    scan_workers = Int(
        32,
        min=1,
        max=256,
        help="How many nodes are scanned at the same time: up to twelve that answer, and those silent for a second.",
    ).tag(config=True)
    connect_timeout = Float(5.0, min=0.1, help="Seconds to reach a node by SSH.").tag(config=True)
    node_timeout = Float(30.0, min=0.1, help="Seconds that the scan of one node may take in all.").tag(
        config=True
    )
    image_ttl = Float(3600.0, min=0, help="Seconds until the catalogue of images is scanned anew.").tag(
        config=True
    )
    image_keyring = Unicode(
        "",
        help="File with the public keys of those who sign images, OpenPGP (armored or binary) and PEM. Empty:"
        " signatures cannot be verified.",
    ).tag(config=True)
    image_digest_timeout = Float(
        3600.0, min=1, help="Seconds that a node may take to digest one image, or to verify it."
    ).tag(config=True)
    image_type_rules = List(
        Dict(),
        list(IMAGE_TYPE_RULES),
        help="What an image is for: the first rule that fits decides, else compute. A rule is {'type': 'viz', …} (viz,"
        " compute or custom) with any of 'label': 'name=pattern', 'name': 'pattern', 'partition': 'pattern' (all of the"
        " image's partitions fit it); all that are given must fit, * and ? stand for anything. Set .prepend([…]) to"
        " keep these.",
    ).tag(config=True)
    catalog_url = Unicode(
        "",
        help="SQLAlchemy URL of a catalogue of images that a site's users share, sqlite:////shared/slurmdash/catalog.sqlite"
        " or postgresql://host/name. Default: each user's own, in database_url.",
    ).tag(config=True)
    catalog_mode = Enum(
        ["auto", "read"],
        default_value="auto",
        help="auto: scan when the catalogue is too old. read: never; the site scans (needs catalog_url).",
    ).tag(config=True)

    template_root = Unicode(
        help="The shelves of templates. Default: /shared/templates when it exists, else below data_dir."
    ).tag(config=True)
    upload_root = Unicode(help="Where uploads wait for their job. Default: below work_root.").tag(config=True)
    work_root = Unicode(help="Where jobs get their directories. Default: ~/slurmdash.").tag(config=True)
    results_root = Unicode("", help="Where templates may put results (variable RESULTS_ROOT).").tag(
        config=True
    )
    data_dir = Unicode(help="Database, lock files and secrets of this user.").tag(config=True)
    database_url = Unicode(help="SQLAlchemy URL. Default: an SQLite file in data_dir.").tag(config=True)

    max_upload_size = Int(5 * GiB, min=0, help="Bytes of the largest file; 0: no limit.").tag(config=True)
    chunk_size = Int(10 * MiB, min=64 * 1024, help="Bytes of a chunk in the plan's chunk protocol.").tag(
        config=True
    )
    external_hosts = List(
        Unicode(),
        [],
        help="Hosts that files of other front ends may be fetched from by https: 'data.example.org', '*.example.org',"
        " 'data.example.org:8443'. Default: none.",
    ).tag(config=True)
    external_timeout = Float(300.0, min=1, help="Seconds that fetching one such file may take.").tag(
        config=True
    )
    session_ttl = Float(7 * 86400.0, min=60, help="Seconds until an untouched upload session expires.").tag(
        config=True
    )
    squeue_interval = Float(10.0, help="Seconds between two looks at the queue (never under 5).").tag(
        config=True
    )
    admins = List(
        Unicode(), [], help="Users who may change others' shared templates, as far as the system lets them."
    ).tag(config=True)
    policy_file = Unicode(
        "",
        help="A YAML file of rules that fix, bound or hide fields of every job, or of some templates. It adds to"
        " slurmdash_policy.yaml in Jupyter's system directories (/etc/jupyter, /usr/local/etc/jupyter,"
        " <environment>/etc/jupyter), which is always read. See docs/locks.md.",
    ).tag(config=True)
    template_interval = Float(
        5.0,
        min=0.1,
        help="Seconds between two looks at the shelves; changes on this machine are seen at once.",
    ).tag(config=True)
    official_templates = Bool(True, help="Show the official templates that come with the package.").tag(
        config=True
    )

    @default("data_dir")
    def _data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "slurmdash")

    @default("template_root")
    def _template_root(self) -> str:
        shared = Path("/shared/templates")
        return str(shared if shared.is_dir() else Path(self.data_dir) / "templates")

    @default("work_root")
    def _work_root(self) -> str:
        return os.path.expanduser("~/slurmdash")

    @default("upload_root")
    def _upload_root(self) -> str:
        return str(Path(self.work_root) / ".uploads")

    @default("database_url")
    def _database_url(self) -> str:
        return f"sqlite:///{Path(self.data_dir) / 'slurmdash.sqlite'}"

    @validate("squeue_interval")
    def _kind_interval(self, proposal: dict[str, float]) -> float:
        # Sites ask for it, and newer controllers enforce it: never look more often than every 5 s.
        return max(5.0, proposal["value"])

    @validate(
        "data_dir",
        "template_root",
        "work_root",
        "upload_root",
        "ssh_config_file",
        "known_hosts_file",
        "image_keyring",
        "results_root",
        "policy_file",
    )
    def _expand(self, proposal: dict[str, str]) -> str:
        return os.path.expanduser(proposal["value"])
