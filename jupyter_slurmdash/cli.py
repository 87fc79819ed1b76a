"""The terminal: ``jupyter slurmdash doctor | init | scan | submit | jobs``. The same core as every other door."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets import TraitError

from .config import SlurmDash
from .dash import load_config
from .errors import InvalidInput, SlurmDashError
from .images.catalog import Scan
from .jobs.model import Preview
from .notebook.api import NotebookDash
from .notebook.job import Job
from .templates.init import init_shelves
from .version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when it did what it was asked."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except SlurmDashError as error:
        _say_error(error)
        return 1
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename}" if error.filename else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _say_error(error: SlurmDashError) -> None:
    print(f"{error.title}: {error.detail}", file=sys.stderr)
    for item in error.errors:
        if item.message not in error.detail:
            print(f"  {item.pointer or '-'}: {item.message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter slurmdash", description="Slurm jobs from Apptainer images and templates."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TRAIT=VALUE",
        help="a setting of SlurmDash for this call, e.g. --set scheduler=local",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run)
        return sub

    sub = command("doctor", _doctor, "Ask every component whether it is well; exits 1 when one is not.")
    sub.add_argument("--json", action="store_true")

    sub = command("init", _init, "Make the shelves for templates (safe to run again).")
    sub.add_argument("--dry-run", action="store_true", help="say what would be made, make nothing")

    sub = command("scan", _scan, "Scan the nodes for images.")
    sub.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes")
    sub.add_argument("--json", action="store_true")

    sub = command("submit", _submit, "Check, stage and submit a job.")
    sub.add_argument("template", nargs="?", help="id of the template")
    sub.add_argument("--file", action="append", default=[], metavar="SLOT=PATH")
    sub.add_argument("--image", help="file name or id of the image")
    sub.add_argument("--app", help="app of the image")
    sub.add_argument(
        "--script", help="file with the main part, where there is no template; - is standard input"
    )
    sub.add_argument("--name", default="", help="name of the job")
    sub.add_argument(
        "-o", "--option", action="append", default=[], metavar="NAME=VALUE", help="an sbatch option"
    )
    sub.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template",
    )
    sub.add_argument("--key", help="idempotency key: the same key never submits twice")
    sub.add_argument("--dry-run", action="store_true", help="print the script and the checks, submit nothing")
    sub.add_argument(
        "--wait", action="store_true", help="wait, print the log, exit with the job's own status"
    )

    sub = command("jobs", _jobs, "List your jobs, newest first.")
    sub.add_argument("job_id", nargs="?", help="one job, with its log")
    sub.add_argument("--state", default="", help="a state, active, or finished")
    sub.add_argument("--limit", type=int, default=20)
    sub.add_argument("--json", action="store_true")
    return parser


@contextmanager
def _dash(arguments: argparse.Namespace) -> Iterator[NotebookDash]:
    dash = NotebookDash(_settings(arguments))
    try:
        yield dash
    finally:
        dash.close()


def _settings(arguments: argparse.Namespace) -> SlurmDash:
    config = load_config()
    for text in arguments.set:
        name, value = _pair(text, "--set")
        if name not in SlurmDash.class_trait_names(config=True):
            raise InvalidInput(f"--set {name}: there is no such setting.")
        try:
            config.SlurmDash[name] = SlurmDash.class_traits()[name].from_string(value)
        except (ValueError, TraitError) as error:
            raise InvalidInput(f"--set {name}: {error}") from error
    try:
        return SlurmDash(config=config)
    except TraitError as error:
        raise InvalidInput(f"A setting has a value that it cannot have. {error}") from error


def _pair(text: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput(f"{where} takes NAME=VALUE, not {text!r}.")
    return name, value


def _pairs(items: Sequence[str], where: str) -> dict[str, str]:
    return dict(_pair(item, where) for item in items)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


# -- commands -------------------------------------------------------------------------------------------------


def _doctor(arguments: argparse.Namespace) -> int:
    with _dash(arguments) as dash:
        health = dash.health()
    if arguments.json:
        _print_json(health.to_json())
    else:
        for part in health.components:
            print(f"{part.status:9} {part.name:10} {part.detail}")
    return 0 if health.status == "ok" else 1


def _init(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    for line in init_shelves(settings.template_root, dry_run=arguments.dry_run, user=getpass.getuser()):
        print(line)
    return 0


def _scan(arguments: argparse.Namespace) -> int:
    with _dash(arguments) as dash:
        scan: Scan = dash.catalog.scan(arguments.nodes or None)
    if arguments.json:
        _print_json(scan.to_json())
    else:
        for node in scan.nodes:
            what = (
                f"{node.images} images" if node.status == "ok" else f"failed ({node.reason}): {node.message}"
            )
            print(f"{node.node:20} {what}")
    return 0 if all(node.status == "ok" for node in scan.nodes) else 1


def _submit(arguments: argparse.Namespace) -> int:
    script = _read_script(arguments.script) if arguments.script else None
    with _dash(arguments) as dash:
        dash.library.refresh()
        spec = dash.spec(
            arguments.template,
            files=_pairs(arguments.file, "--file"),
            image=arguments.image,
            app=arguments.app,
            script=script,
            job_name=arguments.name,
        )
        options, parameters = _pairs(arguments.option, "--option"), _pairs(arguments.parameter, "--parameter")
        spec = dash.with_texts(spec, options, parameters)
        if arguments.dry_run:
            return _show_preview(dash.jobs.preview(spec))
        job = dash.submit_spec(spec, arguments.key)
        print(job.id, flush=True)
        if not arguments.wait:
            return 0
        job.follow()
    # A cancelled job may have ended with 0 all the same.
    return job.record.exit_code or int(job.state != "COMPLETED")


def _read_script(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not text in UTF-8: {error}.") from error


def _show_preview(preview: Preview) -> int:
    print(preview.script, end="")
    for check in preview.checks:
        print(f"{check.level}: {check.message}", file=sys.stderr)
    return 0 if preview.ready else 1


def _jobs(arguments: argparse.Namespace) -> int:
    with _dash(arguments) as dash:
        if arguments.job_id:
            _show_job(dash.job(arguments.job_id).refresh(), arguments.json)
            return 0
        jobs = dash.list_jobs(arguments.state, limit=arguments.limit)
        if arguments.json:
            _print_json([job.record.to_json() for job in jobs])
        else:
            print(jobs)
        return 0


def _show_job(job: Job, as_json: bool) -> None:
    if as_json:
        _print_json(job.record.to_json())
    else:
        print(job)
        print(job.tail())
