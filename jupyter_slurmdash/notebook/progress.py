"""How far a transfer is: a bar in a notebook, one line in a terminal, nothing where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import ipywidgets as w
from IPython.core.getipython import get_ipython
from IPython.display import display

from ..uploads.units import duration_text, size_text, speed_text

_DRAW = 0.2  # seconds between two drawings


class Progress:
    """``progress(done, total, name)`` shows it; a context, so that the bar goes away in the end.

    ``clock`` is seconds.
    """

    def __init__(self, show: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._drawn = clock()
        self._line = False
        self._bar: Any = None
        self._show = show
        self._in_notebook = hasattr(get_ipython(), "kernel")

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, total: int, name: str) -> None:
        """``done`` of ``total`` bytes are there; ``name`` is on its way."""
        now = self._clock()
        if not self._show or not total or (now - self._drawn < _DRAW and done < total):
            return
        if self._bar is None and not self._line and now - self._began < _DRAW:
            return  # done before anyone could read it
        self._drawn = now
        speed = done / max(now - self._began, 0.001)
        text = (
            f"{100 * done // total} %  {speed_text(speed)}  {duration_text((total - done) / max(speed, 1))}"
        )
        if self._in_notebook:
            self._draw(done / total, f"{name}: {text} of {size_text(total)}")
        elif sys.stderr.isatty():
            self._line = True
            _put(f"{text}  {_safe(name)}")

    def _draw(self, share: float, text: str) -> None:
        if self._bar is None:
            self._bar = w.FloatProgress(max=1.0, layout={"width": "20em"})
            self._text = w.Label()
            self._box = w.HBox([self._bar, self._text])
            display(self._box)  # type: ignore[no-untyped-call]
        self._bar.value, self._text.value = share, text

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            for widget in (self._box, self._bar, self._text):
                widget.close()
        if self._line:
            _put("")


def _put(text: str) -> None:
    """Write over the terminal's line."""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def _safe(name: str) -> str:
    """A name that cannot move the cursor, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:60]
