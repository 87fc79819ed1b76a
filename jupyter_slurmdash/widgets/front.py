"""What widgets whose views are the panel's own have in common: where the front end finds them."""

from __future__ import annotations

import ipywidgets as w
import traitlets as t

# The front end's module, and the version of what the two say to each other (labextension/src/plugins/widgethost.ts).
_MODULE, _VERSION = "jupyter-slurmdash", "^1.0.0"


class FrontWidget(w.DOMWidget):
    """A subclass names its ``_model_name`` and ``_view_name``."""

    _model_module = t.Unicode(_MODULE).tag(sync=True)
    _model_module_version = t.Unicode(_VERSION).tag(sync=True)
    _view_module = t.Unicode(_MODULE).tag(sync=True)
    _view_module_version = t.Unicode(_VERSION).tag(sync=True)
