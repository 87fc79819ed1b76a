"""Tables that display well in a notebook and have a plain-text form."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ..images.model import Image
from ..jobs.templatereport import CheckBrief, TemplateReport, TemplateRuns, checked_text
from ..templates.model import TemplateSummary
from ..uploads.units import size_text

T = TypeVar("T")


class Table(Sequence[T], Generic[T]):
    """A list of things that shows as a table in a notebook and as aligned text elsewhere."""

    columns: tuple[str, ...] = ()

    def __init__(self, items: Sequence[T]) -> None:
        self._items = list(items)

    def row(self, item: T) -> tuple[str, ...]:
        raise NotImplementedError

    def lines(self) -> list[tuple[str, ...]]:
        """The rows that are shown: one for each thing, where a table does not say otherwise."""
        return [self.row(item) for item in self._items]

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __repr__(self) -> str:
        rows = [self.columns, *self.lines()]
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
            + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in line)
            + "</tr>"
            for line in self.lines()
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


class TemplateTable(Table[TemplateSummary]):
    """Templates; ``checks`` are the last dry runs and ``runs`` what became of the jobs, both by template id."""

    columns = ("id", "name", "category", "version", "source", "checked", "jobs", "problem")

    def __init__(
        self,
        templates: Sequence[TemplateSummary],
        checks: Mapping[str, CheckBrief] | None = None,
        runs: Mapping[str, TemplateRuns] | None = None,
    ) -> None:
        super().__init__(templates)
        self.checks = checks or {}
        self.runs = runs or {}

    def row(self, item: TemplateSummary) -> tuple[str, ...]:
        problem = item.problem.message if item.problem else ""
        checked = checked_text(self.checks.get(item.id), time.time())
        jobs = str(self.runs.get(item.id, ""))
        return (item.id, item.display_name, item.category, item.version, item.source, checked, jobs, problem)


class ReportTable(Table[TemplateReport]):
    """What dry runs of templates found: a row for each finding, one for each template that is all right."""

    columns = ("template", "level", "step", "what was found")

    @property
    def ok(self) -> bool:
        """Whether no template has an error."""
        return all(report.level != "error" for report in self)

    def lines(self) -> list[tuple[str, ...]]:
        return [line for report in self for line in _report_lines(report)]


def _report_lines(report: TemplateReport) -> list[tuple[str, ...]]:
    found = [step for step in report.steps if step.level != "ok"]
    if not found:
        return [(report.template_id, "ok", "", report.steps[-1].message)]
    return [(report.template_id, step.level, step.name, step.message) for step in found]
