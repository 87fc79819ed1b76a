"""``templates check`` and ``templates show``: how templates do, in the terminal and for a machine that reads JSON."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..jobs.model import Check
from ..jobs.templatereport import TemplateReport, checked_text
from ..notebook.api import NotebookDash
from ..notebook.tables import TemplateTable
from .common import print_json

_INDENT = 9


def check(dash: NotebookDash, arguments: argparse.Namespace) -> int:
    """Dry-run what is named and print what was found; the exit status."""
    reports = list(_reports(dash, arguments.what))
    if arguments.json:
        print_json([report.to_json() for report in reports])
    else:
        for report in reports:
            print("\n".join(_lines(report, arguments.verbose)))
        print(_sum(reports))
    return int(any(report.level == "error" for report in reports))


def show(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    """The YAML alone on standard output, so that it can be changed and saved."""
    health = dash.template_health(arguments.id)
    if arguments.json:
        print_json(health.to_json())
        return
    print(dash.template_text(arguments.id), end="")
    sys.stdout.flush()
    for line in filter(None, (checked_text(health.brief, time.time()), str(health.runs or ""))):
        print(line, file=sys.stderr)
    for step in health.report.steps if health.report and health.brief and health.brief.current else ():
        if step.level != "ok":
            print(_step(step), file=sys.stderr)


def health_json(table: TemplateTable, id: str) -> dict[str, Any]:
    """As the list over HTTP has it."""
    checked, runs = table.checks.get(id), table.runs.get(id)
    return {"check": checked.to_json() if checked else None, "runs": runs.to_json() if runs else None}


def read_text(path: str) -> str:
    """The text of a file, or of standard input for ``-``. Raises InvalidInput."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not text in UTF-8: {error}.") from error


def _reports(dash: NotebookDash, what: list[str]) -> Iterator[TemplateReport]:
    """In the order they were named. What a file would be is not kept: it is on no shelf."""
    if not what:
        yield from dash.check_templates()
    for each in what:
        if not _is_file(each):
            yield from dash.check_templates(each)
            continue
        checked = dash.editor.check(read_text(each))
        if checked.problem is not None:
            where = f"{each}:{checked.problem.line}:{checked.problem.column}"
            print(f"{where}: {checked.problem.message}", file=sys.stderr)
        # A broken text may have no id.
        report = dash.template_checker.check(checked.template)
        yield report if checked.problem is None else replace(report, template_id=each)


def _is_file(what: str) -> bool:
    return what == "-" or "/" in what or what.endswith((".yaml", ".yml"))


def _lines(report: TemplateReport, verbose: bool) -> Iterator[str]:
    yield f"{report.level:{_INDENT}}{report.template_id}"
    for step in report.steps:
        if verbose or step.level != "ok":
            yield " " * _INDENT + _step(step)


def _step(step: Check) -> str:
    return f"{step.name}: {'' if step.level == 'ok' else f'{step.level}: '}{step.message}"


def _sum(reports: list[TemplateReport]) -> str:
    counts = Counter(report.level for report in reports)
    return f"{counts['ok']} ok, {counts['warning']} with a warning, {counts['error']} with an error"
