"""Tables that display well in a notebook and have a plain-text form."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from ..images.model import Image
from ..templates.model import Template
from ..uploads.units import size_text

T = TypeVar("T")


class Table(Sequence[T], Generic[T]):
    """A list of things that shows as a table in a notebook and as aligned text elsewhere."""

    columns: tuple[str, ...] = ()

    def __init__(self, items: Sequence[T]) -> None:
        self._items = list(items)

    def row(self, item: T) -> tuple[str, ...]:
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __repr__(self) -> str:
        rows = [self.columns, *(self.row(item) for item in self._items)]
        widths = [max(len(row[index]) for row in rows) for index in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th scope='col' style='text-align:left'>{html.escape(name)}</th>" for name in self.columns
        )
        body = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in self.row(item))
            + "</tr>"
            for item in self._items
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class ImageTable(Table[Image]):
    """Images; ``node_errors`` are the nodes that could not be scanned, with the reason."""

    columns = ("name", "version", "type", "apps", "size", "nodes")

    def __init__(self, images: Sequence[Image], node_errors: Sequence[Any] = ()) -> None:
        super().__init__(images)
        self.node_errors = list(node_errors)

    def row(self, item: Image) -> tuple[str, ...]:
        apps = ", ".join(app.name for app in item.facts.apps)
        return (item.name, item.version, item.type, apps, size_text(item.size), ", ".join(item.nodes))


class TemplateTable(Table[Template]):
    columns = ("id", "name", "category", "version", "source", "problem")

    def row(self, item: Template) -> tuple[str, ...]:
        problem = item.problem.message if item.problem else ""
        return (item.id, item.display_name, item.category, item.version, item.source, problem)
