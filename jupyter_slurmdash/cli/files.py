"""Commands for files: upload, contents, space."""

from __future__ import annotations

import argparse
import sys

from ..uploads.space import Room
from ..uploads.units import size_text
from .common import AddCommand, opened, pairs, print_json


def add(command: AddCommand) -> None:
    sub = command(
        "upload", _upload, "Gather files and folders for a job; prints the session for submit --session."
    )
    sub.add_argument("paths", nargs="*", metavar="PATH", help="a file or a folder that this machine sees")
    sub.add_argument("--template", metavar="ID", help="check them against the slots of this template")
    sub.add_argument("--slot", action="append", default=[], metavar="NAME=PATH", help="a file for this slot")
    sub.add_argument(
        "--copy",
        action="store_true",
        help="keep what the files are now; without, the job reads them where they lie",
    )
    sub.add_argument("--session", metavar="ID", help="go on with this session")
    sub.add_argument(
        "--clash", choices=["keep", "replace"], default="", help="what to do with a name that is there"
    )
    sub.add_argument("--json", action="store_true")

    sub = command("contents", _contents, "List what an archive holds, without unpacking it.")
    sub.add_argument("archive", metavar="PATH", help="a tar (also .gz, .bz2, .xz, .zst) or a zip")
    sub.add_argument("--json", action="store_true")

    sub = command("space", _space, "Show how much you may still upload, and your quota.")
    sub.add_argument("--json", action="store_true")


def _upload(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        table = dash.upload(
            arguments.paths,
            template=arguments.template,
            slots=pairs(arguments.slot, "--slot"),
            session=arguments.session,
            copy=arguments.copy,
            clash=arguments.clash,
        )
    if arguments.json:
        files = [file.to_json() for file in table]
        verdict = table.validation.to_json() if table.validation else None
        print_json({"session_id": table.session_id, "files": files, "validation": verdict})
    else:
        print(table, file=sys.stderr)
        print(table.session_id)
    return int(table.validation is not None and not table.validation.valid)


def _contents(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        table = dash.contents(arguments.archive)
    print_json(table.listing.to_json()) if arguments.json else print(table)
    return int(not table.listing.complete)


def _space(arguments: argparse.Namespace) -> int:
    with opened(arguments) as dash:
        room = dash.space()
    print_json(room.to_json()) if arguments.json else print("\n".join(_lines(room)))
    return 0


def _lines(room: Room) -> list[str]:
    lines = [f"free      {size_text(room.free)}", f"promised  {size_text(room.promised)}"]
    if room.quota is None:
        return [*lines, "quota     none"]
    for name, limit, text in (("space", room.quota.space, size_text), ("files", room.quota.files, str)):
        bounds = [
            f"{word} {text(value)}" for word, value in (("soft", limit.soft), ("hard", limit.hard)) if value
        ]
        lines.append(
            f"quota     {name} on {room.quota.mount}: {text(limit.used)} used, {', '.join(bounds) or 'no limit'}"
        )
    return lines
