"""Commands for templates: ``jupyter slurmdash templates list|show|check|draft|from-script|from-job|save|…``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..notebook.api import NotebookDash
from ..templates.editor import ANY, Shelf
from ..templates.model import Template
from ..templates.texts import TemplateDraft
from .common import AddCommand, opened, print_json
from .templatechecks import check, health_json, read_text, show

# What was changed, or an exit status.
_Work = Callable[[NotebookDash, argparse.Namespace], Template | int | None]


def add(command: AddCommand) -> None:
    parser = command("templates", _run, "List, check, draft, save, share and restore templates.", "template")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, work: _Work, help: str, *places: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        sub.set_defaults(work=work, json=False)
        for place in places:
            sub.add_argument(place, metavar=place.upper())
        return sub

    sub = verb("list", _list, "List templates, the broken ones with their reason.")
    sub.add_argument("words", nargs="*", metavar="WORD", help="only those that have all these words")
    sub.add_argument("--source", choices=["official", "community", "private", "archived"])
    sub.add_argument("--json", action="store_true")
    sub = verb("show", show, "Print a template's YAML, and how it does on standard error.", "id")
    sub.add_argument("--json", action="store_true", help="how it does, as JSON on standard output")
    sub = verb("check", check, "Dry-run templates; exits 1 when one has an error. Nothing is submitted.")
    sub.add_argument(
        "what",
        nargs="*",
        metavar="ID|FILE",
        help="an id, or a YAML file (with a / or ending in .yaml; - is standard input); left out: the official set",
    )
    sub.add_argument("-v", "--verbose", action="store_true", help="every step, those that are right too")
    sub.add_argument("--json", action="store_true")
    sub = verb("locks", _locks, "What is decided about a template's fields, and why.")
    sub.add_argument("id", nargs="?", metavar="ID", help="left out: what holds for every job")
    sub = verb("draft", _draft, "Make a template from what an image says of itself.", "image")
    sub.add_argument("--app", help="for this app only")
    sub.add_argument("--save", action="store_true", help="save it on your private shelf")
    sub = verb(
        "from-script", _from_script, "Make a template from a batch script (- is standard input).", "file"
    )
    sub.add_argument("--name", default="", help="for a script that names no job; left out: the file's name")
    sub.add_argument("--save", action="store_true", help="save it on your private shelf")
    sub = verb("from-job", _from_job, "Make a template from one of your jobs, with its values.", "job")
    sub.add_argument("--save", action="store_true", help="save it on your private shelf")
    sub = verb("save", _save, "Save a YAML file (- is standard input) under the id in it.", "file")
    sub.add_argument("--based-on", default=ANY, metavar="HASH", help="refuse when it was changed since")
    sub.add_argument("--shared", action="store_true", help="a new one goes to the community shelf")
    verb("clone", lambda dash, a: dash.clone_template(a.id, a.name), "Copy a template.", "id", "name")
    verb("share", lambda dash, a: dash.share_template(a.id), "Let everybody use your template.", "id")
    verb("unshare", lambda dash, a: dash.unshare_template(a.id), "Take your template back.", "id")
    sub = verb("delete", lambda dash, a: dash.delete_template(a.id, a.based_on), "Archive a template.", "id")
    sub.add_argument("--based-on", default=ANY, metavar="HASH", help="refuse when it was changed since")
    sub = verb("versions", _versions, "List a template's former versions.", "id")
    sub.add_argument("--json", action="store_true")
    verb("diff", _diff, "Print what was changed since a version.", "id", "version")
    sub = verb("restore", lambda dash, a: dash.restore_template(a.id, a.version), "Go back.", "id")
    sub.add_argument("version", nargs="?", help="a former version; left out: the archived template")
    sub = verb("import", _import, "Take in a YAML file (- is standard input), under a free id.", "file")
    sub.add_argument("--public", action="store_true", help="to the community shelf")
    sub = verb("export", _export, "Write a template's YAML file, byte for byte.", "id")
    sub.add_argument("-o", "--output", metavar="FILE", help="left out: standard output")


def _run(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        changed = arguments.work(dash, arguments)
    if isinstance(changed, int):
        return changed
    if isinstance(changed, Template):
        print(f"{changed.id}\t{changed.source}\t{changed.hash}")
        return int(changed.problem is not None and changed.source != "archived")
    return 0


def _list(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    filters = {"source": arguments.source} if arguments.source else {}
    found = dash.templates(" ".join(arguments.words), **filters)
    if arguments.json:
        print_json([{**template.summary_json(), **health_json(found, template.id)} for template in found])
    else:
        print(found)


def _locks(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    print(dash.template_locks(arguments.id))


def _draft(dash: NotebookDash, arguments: argparse.Namespace) -> Template | None:
    return _drafted(dash, dash.template_draft(arguments.image, arguments.app), arguments)


def _from_script(dash: NotebookDash, arguments: argparse.Namespace) -> Template | None:
    name = arguments.name or ("" if arguments.file == "-" else Path(arguments.file).stem)
    return _drafted(dash, dash.template_from_script(read_text(arguments.file), name), arguments)


def _from_job(dash: NotebookDash, arguments: argparse.Namespace) -> Template | None:
    return _drafted(dash, dash.template_from_job(arguments.job), arguments)


def _drafted(dash: NotebookDash, draft: TemplateDraft, arguments: argparse.Namespace) -> Template | None:
    """Print the draft or save it; what needs a look goes to standard error."""
    for note in draft.notes:
        print(f"note: {note}", file=sys.stderr)
    if arguments.save:
        return dash.save_template(draft)
    print(draft.text, end="")
    return None


def _save(dash: NotebookDash, arguments: argparse.Namespace) -> Template:
    shelf: Shelf = "community" if arguments.shared else "private"
    return dash.save_template(read_text(arguments.file), arguments.based_on, shelf)


def _versions(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    found = dash.template_versions(arguments.id)
    if arguments.json:
        print_json([version.to_json() for version in found])
    else:
        print(found)


def _diff(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    print(dash.template_diff(arguments.id, arguments.version), end="")


def _import(dash: NotebookDash, arguments: argparse.Namespace) -> Template:
    return dash.import_template(read_text(arguments.file), arguments.public)


def _export(dash: NotebookDash, arguments: argparse.Namespace) -> None:
    data = dash.library.text(arguments.id)
    if arguments.output:
        Path(arguments.output).write_bytes(data)
    else:
        sys.stdout.buffer.write(data)
