"""Commands for the cluster itself."""

from __future__ import annotations

import argparse

from ..jobs.limitchecks import amount_text
from .common import AddCommand, opened, print_json


def add(command: AddCommand) -> None:
    sub = command("limits", _limits, "What your jobs may ask for on a partition.")
    sub.add_argument("partition", nargs="?", default="", help="else the cluster's default one")
    sub.add_argument("--account", default="")
    sub.add_argument("--qos", default="")
    sub.add_argument("--json", action="store_true")


def _limits(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        choice = dash.limits(arguments.partition, arguments.account, arguments.qos)
    if arguments.json:
        print_json(choice.to_json())
        return 0
    print(f"partition      {choice.partition}")
    for field, bound in choice.bounds.items():
        print(f"{field:14} at most {amount_text(field, bound.maximum)} ({bound.source})")
    print(f"{'accounts':14} {', '.join(choice.accounts) or 'none'}")
    print(f"{'qos':14} {', '.join(choice.qos) or 'none'}")
    return 0
