"""``Dash``: the whole product in one object. Builds the services from the settings; every door stands on it."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_core.paths import ENV_CONFIG_PATH, SYSTEM_CONFIG_PATH, jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from .clustername import ClusterName
from .config import SlurmDash
from .errors import InvalidInput, NotFound
from .events import EventBus
from .health import Health, check_health
from .images.catalog import Catalog
from .images.draft import draft, hints
from .images.integrity import Integrity
from .images.rules import type_rules
from .jobs.checks import CheckRunner, installed_checks
from .jobs.checkups import Checkups
from .jobs.drafts import Drafts
from .jobs.personal import Owner
from .jobs.pinning import GoodRuns
from .jobs.ports import FileVerdict
from .jobs.prepare import Planner
from .jobs.service import Jobs
from .jobs.submit import Submitter
from .jobs.templatecheck import TemplateChecker
from .jobs.watch import Watcher
from .slurm.base import Scheduler
from .slurm.cli import SlurmCli
from .slurm.limits import Choice
from .slurm.local import LocalScheduler
from .store.changes import Changes
from .store.database import Database
from .store.imagechecks import ImageChecks
from .store.images import ImageTable
from .store.jobs import JobTable
from .store.leases import Leases
from .store.templatechecks import TemplateCheckTable
from .store.uploads import UploadTable
from .templates.editor import Editor
from .templates.library import Library
from .templates.model import FileSlot
from .templates.policy import Policy
from .templates.texts import TemplateDraft
from .templates.watch import ShelfWatch
from .transport.local import LocalTransport
from .transport.ssh import SshConnector
from .upkeep import Upkeep
from .uploads.fetch import Fetcher
from .uploads.model import JobFile, SessionFile
from .uploads.quotas import Quotas
from .uploads.service import Uploads

_UPKEEP_SECONDS = 3600.0
_NAMING_SECONDS = 60.0


class Dash:
    """The services of one user.

    Attributes: ``catalog`` (images), ``integrity`` (their digests and signatures), ``library`` and ``editor``
    (templates), ``checkups`` (how they do), ``uploads``, ``jobs``, ``drafts`` (templates from scripts and jobs),
    ``scheduler``, ``events``.
    Nothing starts by itself; ``start()`` begins the background work of a server.
    """

    def __init__(self, settings: SlurmDash | None = None) -> None:
        self.settings = settings = settings or SlurmDash(config=load_config())
        self.user = getpass.getuser()
        os.makedirs(settings.data_dir, mode=0o700, exist_ok=True)
        self.scheduler = self._scheduler()
        self.events = EventBus()
        self.database = Database(settings.database_url)
        self.database.upgrade()
        self.leases = Leases(self.database)
        self.changes = Changes(self.database, self.events, self.user)
        memory = Path(settings.data_dir) / f"{self.scheduler.name}-cluster"
        self.cluster_name = ClusterName(self.scheduler, memory)
        self.catalog = self._catalog()
        self.integrity = self._integrity()
        self.library = Library(
            settings.template_root,
            self.user,
            official_templates=settings.official_templates,
            known_checks=self._checks_by_name,
            admins=settings.admins,
            index=Path(settings.data_dir) / "templates-index.json",
            policy=Policy(policy_files(settings.policy_file)),
        )
        self.editor = Editor(self.library, self.events)
        self._shelf_watch = ShelfWatch(self.library, self.events, settings.template_interval)
        self.uploads = Uploads(
            UploadTable(self.database),
            self.events,
            settings.upload_root,
            max_size=settings.max_upload_size,
            ttl=settings.session_ttl,
            chunk_size=settings.chunk_size,
            fetcher=Fetcher(settings.external_hosts, settings.external_timeout),
            slots=self._slots,
            quota=Quotas(LocalTransport()).of,
        )
        self._job_table = JobTable(self.database, self.user, self.cluster_name.get, self.cluster_name.known)
        self._checks = CheckRunner(
            self.scheduler,
            self.uploads,
            self.events,
            settings.work_root,
            self._checks_by_name,
            GoodRuns(self._job_table),
        )
        self.jobs = self._jobs()
        self.template_checker = TemplateChecker(
            self.catalog,
            self.uploads,
            self._checks,
            self.scheduler,
            self.user,
            settings.work_root,
            self.scan_once,
        )
        self.checkups = Checkups(
            self.library,
            self.template_checker,
            TemplateCheckTable(self.database, self.user, self.cluster_name.get, self.cluster_name.known),
            self._job_table,
            self.events,
        )
        self.drafts = Drafts(self.jobs, self.editor, Owner(self.user, os.path.expanduser("~")))
        self.upkeep = Upkeep(lambda: self.uploads.sessions.expire(self.user), _UPKEEP_SECONDS)
        # Until the controller has told its name; what was remembered may be another cluster's.
        self._naming = Upkeep(self.cluster_name.learn, _NAMING_SECONDS)

    # -- building -------------------------------------------------------------------------------------------

    @cached_property
    def _checks_by_name(self) -> dict[str, Any]:
        return installed_checks()

    def _scheduler(self) -> Scheduler:
        kind = self.settings.scheduler
        if kind == "auto":
            kind = "slurm" if shutil.which("sbatch") else "local"
        if kind == "slurm":
            return SlurmCli(LocalTransport(), self.user)
        if kind == "local":
            return LocalScheduler(Path(self.settings.data_dir) / "local")
        raise InvalidInput(f"The scheduler {kind!r} is not built yet. Use auto, slurm or local.")

    def _catalog(self) -> Catalog:
        settings = self.settings
        self._connector = SshConnector(
            settings.ssh_config_file,
            settings.known_hosts_file,
            settings.connect_timeout,
            accept_new=settings.unknown_hosts == "accept-new",
        )
        self.image_database = self._image_database()
        return Catalog(
            ImageTable(self.image_database),
            self.events,
            self._connector.connect,
            self._nodes,
            image_dirs=settings.image_dirs,
            shared_image_dirs=settings.shared_image_dirs,
            workers=settings.scan_workers,
            node_timeout=settings.node_timeout,
            ttl=settings.image_ttl,
            inspect=settings.inspect_on_nodes,
            rules=type_rules(settings.image_type_rules),
            read_only=settings.catalog_mode == "read",
        )

    def _image_database(self) -> Database:
        """Where the images are written down: the user's own database, or the site's. Raises InvalidInput."""
        url, read_only = self.settings.catalog_url, self.settings.catalog_mode == "read"
        if url:
            return Database(url, shared=True, read_only=read_only, setting="catalog_url")
        if read_only:
            raise InvalidInput(
                "SlurmDash.catalog_mode = 'read' needs catalog_url: the catalogue that is read."
            )
        return self.database

    def _integrity(self) -> Integrity:
        return Integrity(
            self.catalog,
            ImageChecks(self.image_database),
            self.events,
            self._connector.connect,
            keyring=self.settings.image_keyring,
            timeout=self.settings.image_digest_timeout,
        )

    def _nodes(self) -> Mapping[str, Sequence[str]]:
        """Nodes to scan, with their partitions: as set, else as the scheduler says."""
        if self.settings.nodes:
            return self.settings.nodes
        return {node.name: node.partitions for node in self.scheduler.nodes()}

    def _slots(self, _user: str, template_id: str) -> Sequence[FileSlot]:
        return self.library.usable(template_id).slots

    def _jobs(self) -> Jobs:
        settings = self.settings
        table, checks = self._job_table, self._checks
        planner = Planner(
            self.library,
            self.catalog,
            self.uploads,
            checks,
            self.user,
            settings.results_root,
            lambda: self.library.policy.locks(None),
        )
        submitter = Submitter(
            planner, checks, self.scheduler, table, self.leases, self.events, settings.work_root
        )
        # The embedded scheduler has no controller to be kind to.
        interval = settings.squeue_interval if self.scheduler.is_cluster else 0.5
        watcher = Watcher(self.scheduler, table, self.leases, self.events, interval, submitter.reconcile)
        return Jobs(planner, submitter, self.scheduler, table, watcher, self.library)

    # -- the server's life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Background work of a long-lived process: others' events, the queue, the age of the catalogue.

        Returns at once: it runs in the server's main thread, and a silent controller costs each command seconds.
        """
        self.changes.start()
        self.jobs.watcher.start()
        self._shelf_watch.start()
        self.upkeep.start()
        self._naming.start()
        self.catalog.refresh_if_stale()

    def close(self) -> None:
        self.upkeep.stop()
        self._naming.stop()
        self.jobs.watcher.stop()
        self._shelf_watch.stop()
        self.changes.stop()
        self.checkups.close()
        self.integrity.close()
        self.catalog.close()
        self._connector.close()
        if self.image_database is not self.database:
            self.image_database.close()
        self.database.close()

    def scan_once(self) -> None:
        """A first look at the nodes, where nobody has had one yet."""
        if not self.catalog.read_only and self.catalog.scanned_at() is None:
            self.catalog.scan()

    def health(self) -> Health:
        return check_health(self)

    def limits(self, partition: str = "", account: str = "", qos: str = "") -> Choice:
        """What jobs may ask for on a partition ("": the default one). Raises NotFound for one that is not there."""
        partitions = self.scheduler.partitions()
        for each in partitions:
            if each.name == partition or (not partition and each.is_default):
                return self.scheduler.limits().choice(each, account, qos)
        known = ", ".join(each.name for each in partitions) or "none"
        raise NotFound(f"There is no partition {partition or 'by default'} here; there are: {known}.")

    def template_draft(self, image_id: str, app: str | None = None) -> TemplateDraft:
        """A template for an image from what it says of itself, for ``app`` or for the user to choose; not yet saved.

        Raises ImageNotFound, and InvalidInput for an app that the image does not have.
        """
        document = draft(self.catalog.image(image_id), app)
        return self.editor.draft(document, hints(document))

    def validate_files(
        self, template_id: str, session_id: str | None, files: Mapping[str, str]
    ) -> FileVerdict:
        """Files of a session and files by path against the template's slots."""
        template = self.library.usable(template_id)
        found: list[SessionFile | JobFile] = []
        if session_id:
            found += self.uploads.session_files(session_id, self.user)
        found += [self.uploads.at_path(path, slot) for slot, path in files.items()]
        return self.uploads.validate(self.uploads.assign(found, template.slots), template.slots)


def policy_files(more: str) -> list[str]:
    """Where a site's policy stands: beside Jupyter's own settings of the system, then where the settings say.

    Raises InvalidInput when the settings name a file that is not there.
    """
    if more and not os.path.exists(more):
        raise InvalidInput(f"SlurmDash.policy_file is {more}, which is not there. Correct the setting.")
    system = [*SYSTEM_CONFIG_PATH, *ENV_CONFIG_PATH]
    return [
        *(os.path.join(directory, "slurmdash_policy.yaml") for directory in system),
        *([more] if more else []),
    ]


def load_config() -> Config:
    """The same settings as the server's: Jupyter's configuration files, the user's last. Raises InvalidInput."""
    config = Config()
    for directory in reversed(jupyter_config_path()):
        for name in ("jupyter_server_config", "jupyter_slurmdash_config"):
            # As for the server, what a .json says wins over the .py beside it.
            for loader in (PyFileConfigLoader, JSONFileConfigLoader):
                suffix = ".json" if loader is JSONFileConfigLoader else ".py"
                try:
                    config.merge(loader(name + suffix, directory).load_config())
                except ConfigFileNotFound:
                    continue
                except Exception as error:
                    # The file is a program of the user's or the site's: it may raise anything.
                    raise InvalidInput(
                        f"{os.path.join(directory, name + suffix)} cannot be read:"
                        f" {type(error).__name__}: {error}. Correct the file."
                    ) from error
    return config
