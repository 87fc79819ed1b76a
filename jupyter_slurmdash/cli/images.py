"""Commands for images."""

from __future__ import annotations

import argparse
from typing import Any

from ..images.catalog import Scan
from ..notebook.tables import Table
from ..times import moment
from ..uploads.units import size_text
from .common import AddCommand, opened, print_json


def add(command: AddCommand) -> None:
    sub = command("scan", _scan, "Scan the nodes for images.")
    sub.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes")
    sub.add_argument("--json", action="store_true")

    sub = command("images", _images, "List the images of the catalogue.")
    sub.add_argument("-q", default="", metavar="WORDS", help="in name, description, labels and apps")
    sub.add_argument("--partition", default="", help="that nodes of this partition have")
    sub.add_argument("--type", default="", choices=["viz", "compute", "custom"])
    sub.add_argument("--families", action="store_true", help="the versions of one image together")
    sub.add_argument("--json", action="store_true")

    sub = command("image", _image, "Show an image and the nodes that have it.")
    sub.add_argument("image", metavar="NAME_OR_ID")
    sub.add_argument("--digest", action="store_true", help="compute the file's SHA-256 on its node")
    sub.add_argument(
        "--verify", action="store_true", help="verify its signatures; exits 1 unless they are good"
    )
    sub.add_argument("--json", action="store_true")


def _images(arguments: argparse.Namespace) -> int:
    filters = {name: getattr(arguments, name) for name in ("q", "partition", "type")}
    with opened(arguments) as dash:
        found: Table[Any] = dash.families(**filters) if arguments.families else dash.images(**filters)
    if arguments.json:
        print_json([each.to_json() for each in found])
    else:
        print(found)
    return 0


def _image(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        image = dash.image(arguments.image)
        if arguments.digest:
            image = dash.digest(image)
        if arguments.verify:
            image = dash.verify(image)
        where = dash.where(image.id)
    doubtful = arguments.verify and image.signature != "verified"
    if arguments.json:
        print_json({**image.to_json(), "where": where.to_json()})
        return int(doubtful)
    facts = (
        ("path", image.path),
        ("id", image.id),
        ("type", image.type),
        ("version", image.version),
        ("description", image.description),
        ("size", size_text(image.size)),
        ("built", moment(image.facts.build_time)),
        ("signature", image.signature),
        ("", image.verdict.message if image.verdict else ""),
        ("digest", image.digest),
        ("apps", ", ".join(app.name for app in image.facts.apps)),
        ("problem", image.facts.problem),
    )
    print(image.name)
    for name, value in facts:
        if value:
            print(f"  {name:12} {value}")
    print(where)
    return int(doubtful)


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
