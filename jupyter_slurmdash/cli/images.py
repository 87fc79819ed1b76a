"""Commands for images."""

from __future__ import annotations

import argparse

from ..images.catalog import Scan
from .common import AddCommand, opened, print_json


def add(command: AddCommand) -> None:
    sub = command("scan", _scan, "Scan the nodes for images.")
    sub.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes")
    sub.add_argument("--json", action="store_true")


def _scan(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        scan: Scan = dash.catalog.scan(arguments.nodes or None)
    if arguments.json:
        print_json(scan.to_json())
    else:
        for node in scan.nodes:
            what = (
                f"{node.images} images" if node.status == "ok" else f"failed ({node.reason}): {node.message}"
            )
            print(f"{node.node:20} {what}")
    return 0 if all(node.status == "ok" for node in scan.nodes) else 1
