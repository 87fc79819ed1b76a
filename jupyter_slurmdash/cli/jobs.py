"""Commands for jobs: submit, jobs."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from ..errors import InvalidInput
from ..jobs.model import Preview, ScriptEdit
from ..notebook.job import Job
from .common import AddCommand, opened, pairs, print_json


def add(command: AddCommand) -> None:
    sub = command("submit", _submit, "Check, stage and submit a job.")
    sub.add_argument("template", nargs="?", help="id of the template")
    sub.add_argument("--file", action="append", default=[], metavar="SLOT=PATH")
    sub.add_argument("--session", metavar="ID", help="files that upload gathered")
    sub.add_argument("--image", help="file name or id of the image")
    sub.add_argument("--app", help="app of the image")
    sub.add_argument(
        "--script", help="file with the main part, where there is no template; - is standard input"
    )
    sub.add_argument(
        "--edited",
        metavar="FILE",
        help="the whole script as --dry-run printed it, changed by hand; - is standard input",
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


def _submit(arguments: argparse.Namespace) -> int:
    script = _read_script(arguments.script) if arguments.script else None
    with opened(arguments) as dash:
        dash.library.refresh()
        spec = dash.spec(
            arguments.template,
            files=pairs(arguments.file, "--file"),
            image=arguments.image,
            app=arguments.app,
            script=script,
            job_name=arguments.name,
            session_id=arguments.session,
        )
        options, parameters = pairs(arguments.option, "--option"), pairs(arguments.parameter, "--parameter")
        spec = dash.with_texts(spec, options, parameters)
        if arguments.edited:
            edited = _read_script(arguments.edited).replace("\r\n", "\n")
            spec = replace(spec, edit=ScriptEdit(dash.jobs.preview(spec).script, edited))
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
    with opened(arguments) as dash:
        if arguments.job_id:
            _show_job(dash.job(arguments.job_id).refresh(), arguments.json)
            return 0
        jobs = dash.list_jobs(arguments.state, limit=arguments.limit)
        if arguments.json:
            print_json([job.record.to_json() for job in jobs])
        else:
            print(jobs)
        return 0


def _show_job(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(job.record.to_json())
    else:
        print(job)
        print(job.tail())
