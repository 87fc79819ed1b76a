"""The image field of the panel as a widget: the same rows, words and keys, for the catalogue of this kernel."""

from __future__ import annotations

import html
import threading
from collections.abc import Sequence
from typing import Any

import ipywidgets as w
import traitlets as t

from ..dash import Dash
from ..errors import ImageNotFound
from ..events import Event
from ..images.model import Image
from .front import FrontWidget

# What a row of the list is made of: these keys of the contract's ``Image``.
_ROW = (
    *(
        "id",
        "name",
        "path",
        "nodes",
        "partitions",
        "type",
        "size",
        "version",
        "description",
        "labels",
        "apps",
    ),
    *("signature", "family", "problem", "is_active"),
)
# Jobs that are looked at for what was used lately, and how many images come of it.
_JOBS, _RECENT = 100, 8
# Rows of the plain form, for where no widget can be shown.
_PLAIN = 20


class ImagePicker(FrontWidget, w.ValueWidget):
    """One image of the catalogue. ``value`` is its id, or "" for none; an image's file name may be assigned too.

    ``partition`` is where the job shall run: images that are not there say so. ``images`` are the rows, as plain
    dicts; they follow the catalogue until ``close()``.
    """

    _model_name = t.Unicode("ImagePickerModel").tag(sync=True)
    _view_name = t.Unicode("ImagePickerView").tag(sync=True)

    value = t.Unicode("").tag(sync=True)
    partition = t.Unicode("").tag(sync=True)
    images = t.List(t.Dict()).tag(sync=True)
    recent = t.List(t.Unicode()).tag(sync=True)
    description = t.Unicode("").tag(sync=True)
    disabled = t.Bool(False).tag(sync=True)

    def __init__(self, dash: Dash, partition: str = "", **traits: Any) -> None:
        self._dash = dash
        self._refreshing = threading.Lock()
        super().__init__(partition=partition, images=_rows(dash), recent=_recent(dash), **traits)
        self._unsubscribe = dash.events.subscribe(self._on_event)

    @property
    def image(self) -> Image | None:
        """The chosen image. Raises ImageNotFound when it has gone from the catalogue."""
        return self._dash.catalog.image(self.value) if self.value else None

    def refresh(self) -> None:
        """Read the catalogue again; what is chosen stays."""
        with self._refreshing:
            self.images = _rows(self._dash)
            self.recent = _recent(self._dash)

    def close(self) -> None:
        """Take it out of the page, and follow the catalogue no more."""
        # Also called for a widget that was never made whole.
        getattr(self, "_unsubscribe", lambda: None)()
        super().close()

    @t.validate("value")
    def _known(self, proposal: t.Bunch) -> str:
        wanted = str(proposal["value"])
        if not wanted:
            return ""
        catalog = self._dash.catalog
        try:
            return catalog.image(wanted).id
        except ImageNotFound:
            named = catalog.find_by_name(wanted)
        if named is None:
            raise t.TraitError(f"There is no image {wanted!r}. Scan again, or choose one of the list.")
        return named.id

    def _on_event(self, event: Event) -> None:
        if event.channel == "images" and event.type in ("scan_finished", "image_changed"):
            # Whoever publishes must not wait for our reading.
            threading.Thread(target=self.refresh, name="image-picker", daemon=True).start()

    # -- where there is no such widget ----------------------------------------------------------------------

    def __repr__(self) -> str:
        chosen = next((row["name"] for row in self.images if row["id"] == self.value), "") or "none chosen"
        return f"ImagePicker({chosen}, {len(self.images)} images)"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options) or {}
        return {**bundle, "text/plain": self._as_text(), "text/html": self._as_html()}

    def _as_text(self) -> str:
        lines = [f"{'*' if row['id'] == self.value else ' '} {_line(row)}" for row in self.images[:_PLAIN]]
        return "\n".join([repr(self), *lines, *self._more()])

    def _as_html(self) -> str:
        rows = "".join(
            f"<li>{f'<b>{line}</b>' if row['id'] == self.value else line}</li>"
            for row in self.images[:_PLAIN]
            if (line := html.escape(_line(row)))
        )
        more = "".join(f"<p>{text}</p>" for text in self._more())
        return f"<p>{html.escape(repr(self))}</p><ul>{rows}</ul>{more}"

    def _more(self) -> Sequence[str]:
        more = len(self.images) - _PLAIN
        return [f"… and {more} more"] if more > 0 else []


def _rows(dash: Dash) -> list[dict[str, Any]]:
    return [
        {name: data[name] for name in _ROW} for data in (image.to_json() for image in dash.catalog.images())
    ]


def _recent(dash: Dash) -> list[str]:
    """Ids of the images of the user's last jobs, the latest first."""
    used = (job.image_id for job in dash.jobs.page(limit=_JOBS).jobs if job.image_id)
    return list(dict.fromkeys(used))[:_RECENT]


def _line(row: dict[str, Any]) -> str:
    facts = (row["version"], row["signature"], ", ".join(row["nodes"][:3]), row["problem"])
    return "  ".join([row["name"], *(fact for fact in facts if fact)])
