"""Slurm jobs from Apptainer images and templates: JupyterLab panel, notebook API, terminal and HTTP, one core.

>>> import jupyter_slurmdash as sd
>>> dash = sd.connect()
>>> job = dash.submit("shell-script-v1", files={"script": "hello.sh"})
>>> job.wait().tail()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .notebook.api import NotebookDash

__all__ = ["__version__", "connect"]


def connect(**settings: Any) -> NotebookDash:
    """The whole product in this process, as the current user, with the site's and the user's settings.

    ``settings`` override traits of ``SlurmDash`` by name, e.g. ``connect(scheduler="local")``.
    """
    from .notebook.api import connect as connect_here

    return connect_here(**settings)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built panel is, and the name JupyterLab knows it by."""
    return [{"src": "labextension", "dest": "jupyter-slurmdash"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .app import SlurmDashApp

    return [{"module": "jupyter_slurmdash", "app": SlurmDashApp}]
