"""A server of one of many users on a site's catalogue, as a process: ``shared_scan.py URL PLACE HOW``.

It says ``ready``, and does what it is there for on the first line of its standard input. HOW is ``refresh`` (as a
server does, then wait for the end of the scan, whoever makes it), ``scan`` (wait for its end), ``hang`` (begin one that
never ends) or ``read`` (the site scans; try it all the same). Each scan that is made adds a line to PLACE/made. The
answer is one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_slurmdash.errors import SlurmDashError
from jupyter_slurmdash.events import Event, EventBus
from jupyter_slurmdash.images import scanner, sharing
from jupyter_slurmdash.images.catalog import Catalog
from jupyter_slurmdash.store.database import Database
from jupyter_slurmdash.store.images import ImageTable


def main(url: str, place: Path, how: str) -> None:
    if lease := os.environ.get("LEASE"):
        scanner.LEASE = sharing.LEASE = float(lease)
    never = threading.Event()

    def nodes() -> Mapping[str, Sequence[str]]:
        with (place / "made").open("a") as file:
            file.write(f"{os.getpid()}\n")
        print("scanning", file=sys.stderr, flush=True)
        # A controller that takes its time: the others arrive while this scan runs.
        never.wait(60 if how == "hang" else 0.5)
        return {"localhost": ["compute"]}

    read_only = how == "read"
    database = Database(url, shared=True, read_only=read_only, setting="catalog_url")
    told: list[str] = []
    ended = threading.Event()

    def listen(event: Event) -> None:
        told.append(event.type)
        if event.type == "scan_finished":
            ended.set()

    bus = EventBus()
    bus.subscribe(listen)
    catalog = Catalog(
        ImageTable(database), bus, _no_ssh, nodes, image_dirs=[str(place / "images")], read_only=read_only
    )
    print("ready", flush=True)
    sys.stdin.readline()
    answer: dict[str, object] = {"told": told}
    try:
        if how in ("refresh", "hang"):
            scan = catalog.refresh_if_stale()
            assert scan is None or ended.wait(60)
        elif how == "scan":
            scan = catalog.scan()
        else:
            scan = catalog.refresh_if_stale()
        answer["id"] = scan.id if scan else None
        answer["images"] = sorted(image.name for image in catalog.images())
        answer["scanning"] = catalog.scanning
        if how == "read":
            catalog.start_scan()
    except SlurmDashError as error:
        answer["error"] = {"code": error.code, "detail": error.detail}
    print(json.dumps(answer), flush=True)
    catalog.close()
    database.close()


def _no_ssh(node: str) -> Any:
    raise AssertionError(f"{node} is this machine")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
