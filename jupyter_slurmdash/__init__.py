"""A Slurm dashboard for Jupyter: a server extension, a JupyterLab panel and a notebook API."""

from importlib.metadata import version

__version__ = version("jupyter-slurmdash")


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built panel is, and the name JupyterLab knows it by."""
    return [{"src": "labextension", "dest": "jupyter-slurmdash"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """The server extensions of this package."""
    return [{"module": "jupyter_slurmdash"}]


def _load_jupyter_server_extension(server_app: object) -> None:
    """Replaced by the ExtensionApp in `app.py`."""
