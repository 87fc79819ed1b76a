"""The server extension: settings → ``Dash`` → handlers. Wiring only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from .config import SlurmDash
from .dash import Dash
from .handlers.receiving import Receivers
from .handlers.routes import route_table

# Blocking calls in flight at the same time: commands, file systems, the database.
_THREADS = 16
# Those that write uploads, which must never wait behind the others; see handlers/tus.py.
_WRITERS = 8


class SlurmDashApp(ExtensionApp):
    """jupyter-slurmdash as a Jupyter Server extension."""

    name = "slurmdash"  # so that Jupyter reads jupyter_slurmdash_config for it
    app_name = "Slurm dashboard"
    description = "Slurm jobs from Apptainer images and templates."
    classes = [SlurmDash]  # noqa: RUF012 (a trait, not state)
    load_other_extensions = True

    def initialize_settings(self) -> None:
        dash = Dash(SlurmDash(parent=self))
        dash.start()
        self.settings["slurmdash"] = dash
        self.settings["slurmdash_executor"] = ThreadPoolExecutor(_THREADS, thread_name_prefix="slurmdash")
        self.settings["slurmdash_writers"] = ThreadPoolExecutor(
            _WRITERS, thread_name_prefix="slurmdash-write"
        )
        self.settings["slurmdash_receivers"] = Receivers()
        self.log.info("jupyter-slurmdash: scheduler %s", dash.scheduler.name)

    def initialize_handlers(self) -> None:
        self.handlers: list[Any] = route_table()

    async def stop_extension(self) -> None:
        # Jupyter calls this also when initialize_settings has failed.
        for name in ("slurmdash_executor", "slurmdash_writers"):
            if name in self.settings:
                self.settings[name].shutdown(wait=False, cancel_futures=True)
        if "slurmdash_receivers" in self.settings:
            self.settings["slurmdash_receivers"].close()
        if "slurmdash" in self.settings:
            self.settings["slurmdash"].close()
