"""Commands for whoever sets the thing up: doctor, init."""

from __future__ import annotations

import argparse
import getpass

from ..templates.init import init_shelves
from .common import AddCommand, opened, print_json, settings


def add(command: AddCommand) -> None:
    sub = command("doctor", _doctor, "Ask every component whether it is well; exits 1 when one is not.")
    sub.add_argument("--json", action="store_true")

    sub = command("init", _init, "Make the shelves for templates (safe to run again).")
    sub.add_argument("--dry-run", action="store_true", help="say what would be made, make nothing")


def _doctor(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        health = dash.health()
    if arguments.json:
        print_json(health.to_json())
    else:
        for part in health.components:
            print(f"{part.status:9} {part.name:10} {part.detail}")
    return 0 if health.status == "ok" else 1


def _init(arguments: argparse.Namespace) -> int:
    chosen = settings(arguments)
    for line in init_shelves(chosen.template_root, dry_run=arguments.dry_run, user=getpass.getuser()):
        print(line)
    return 0
