"""The terminal: ``jupyter slurmdash <command>``, a module for each noun. The same core as every other door."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..errors import SlurmDashError
from ..version import __version__
from . import cluster, files, images, jobs, site, templates
from .common import Run

_MODULES = (site, images, jobs, files, cluster, templates)


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

    def command(name: str, run: Run, help: str, *aliases: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, aliases=aliases)
        sub.set_defaults(run=run)
        return sub

    for module in _MODULES:
        module.add(command)
    return parser
